// Owns checking what names something of the module or the function: locals, globals, constants, references, tables, data.
// It refuses names of nothing, and writing to what is constant.

import { EXACT_BITS, NO_NAN } from "../metering/float-origins.ts";
import {
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  isReference,
  readReferenceType,
  readValueType,
  UNKNOWN,
  V128,
} from "../module/value-types.ts";
import { expectAtMost } from "../refusal.ts";
import type { BodyState } from "./body-state.ts";
import { expectMemory } from "./control.ts";

const isFloat = (type: number): boolean => type === F32 || type === F64 || type === V128;

function readLocal(state: BodyState): number {
  const local = state.reader.u32();
  if (local >= state.locals.length) state.invalid("no such local");
  return local;
}

export function checkLocalGet(state: BodyState): void {
  const local = readLocal(state);
  const type = state.locals[local] as number;
  const origin = isFloat(type)
    ? state.localOrigins.read(local, state.instruction(), type === V128)
    : EXACT_BITS;
  state.push(type, origin);
}

export function checkLocalSet(state: BodyState, isTee: boolean): void {
  const local = readLocal(state);
  const type = state.locals[local] as number;
  state.pop(type);
  const { origin } = state;
  if (isFloat(type)) state.localOrigins.write(local, origin);
  if (isTee) state.push(type, origin);
}

export function checkGlobal(state: BodyState, isSet: boolean): void {
  const global = state.module.globals[state.reader.u32()] ?? state.invalid("no such global");
  if (!isSet) state.push(global.type);
  else if (!global.isMutable) state.invalid("a constant global is set");
  else state.popExact(global.type);
}

export function checkSelect(state: BodyState, isTyped: boolean): void {
  let expected = UNKNOWN;
  if (isTyped) {
    if (state.reader.u32() !== 1) state.invalid("select of not one type");
    expected = readValueType(state.reader);
  }
  state.pop(I32);
  const right = state.popAny();
  const rightOrigin = state.origin;
  const left = state.popAny();
  const type = expected || left || right;
  const fits = (operand: number): boolean => operand === type || operand === UNKNOWN;
  if (!fits(left) || !fits(right)) state.invalid("operand of another type");
  if (!isTyped && isReference(type)) state.invalid("select of references without a type");
  const origin = isFloat(type)
    ? state.floats.passed(state.instruction(), 0, type === V128, state.origin, rightOrigin)
    : EXACT_BITS;
  state.push(type, origin);
}

export function checkConstant(state: BodyState, opcode: number): void {
  const { reader } = state;
  if (opcode === 0x41) {
    reader.s32();
    state.push(I32);
  } else if (opcode === 0x42) {
    reader.skipS64();
    state.push(I64);
  } else if (opcode === 0x43) {
    state.push(F32, hasNan(state, reader.skip(4), 4, 4) ? EXACT_BITS : NO_NAN);
  } else {
    state.push(F64, hasNan(state, reader.skip(8), 8, 8) ? EXACT_BITS : NO_NAN);
  }
}

export function checkVectorConstant(state: BodyState): void {
  const from = state.reader.skip(16);
  const isExact = hasNan(state, from, 16, 4) || hasNan(state, from, 16, 8);
  state.push(V128, isExact ? EXACT_BITS : NO_NAN);
}

/** Whether any float of `width` bytes among `length` has all bits of its exponent set (infinities count too). */
function hasNan(state: BodyState, from: number, length: number, width: 4 | 8): boolean {
  const { bytes } = state.module;
  const low = width === 4 ? 0x80 : 0xf0;
  for (let end = from + width; end <= from + length; end += width) {
    if (((bytes[end - 1] as number) & 0x7f) === 0x7f && ((bytes[end - 2] as number) & low) === low)
      return true;
  }
  return false;
}

export function checkReference(state: BodyState, opcode: number): void {
  const { reader, module } = state;
  if (opcode === 0xd0) state.push(readReferenceType(reader));
  else if (opcode === 0xd1) {
    const type = state.popAny();
    if (type !== UNKNOWN && !isReference(type)) state.invalid("operand of another type");
    state.push(I32);
  } else {
    const index = reader.u32();
    if (!module.declared.has(index)) state.invalid("a reference to a function that nothing declares");
    state.push(FUNCREF);
  }
}

function tableType(state: BodyState): number {
  return state.module.tables[state.reader.u32()]?.type ?? state.invalid("no such table");
}

/** The operands of bulk work, whose length is the last. */
function popThreeIndices(state: BodyState): void {
  state.hasLengths = true;
  for (let operand = 0; operand < 3; operand += 1) state.pop(I32);
}

export function checkTableAccess(state: BodyState, isSet: boolean): void {
  const type = tableType(state);
  if (isSet) state.pop(type);
  state.pop(I32);
  if (!isSet) state.push(type);
}

/** The table instructions with a prefix: init, drop, copy, grow, size, fill. */
export function checkTable(state: BodyState, second: number): void {
  const { reader, module } = state;
  if (second === 12 || second === 13) {
    const element = module.elements[reader.u32()] ?? state.invalid("no such element segment");
    if (second === 13) return;
    if (tableType(state) !== element) state.invalid("elements of another type than their table");
    popThreeIndices(state);
  } else if (second === 14) {
    const target = tableType(state);
    if (tableType(state) !== target) state.invalid("tables of different types");
    popThreeIndices(state);
  } else {
    const type = tableType(state);
    if (second !== 16) {
      state.hasLengths = true;
      state.pop(I32);
      state.pop(type);
    }
    if (second === 17) state.pop(I32);
    else state.push(I32);
  }
}

/** memory.init, data.drop, memory.copy, memory.fill. */
export function checkBulkMemory(state: BodyState, second: number): void {
  const { reader, module } = state;
  if (second === 8 || second === 9) {
    if (module.dataCount === undefined) state.invalid("data is used without a data count");
    const segment = reader.u32();
    if (segment >= module.dataCount) state.invalid("no such data segment");
  }
  if (second === 9) return;
  if (second === 10) expectMemory(state);
  expectMemory(state);
  popThreeIndices(state);
}

/** Reads the local groups of a body into the state, after the parameters. */
export function readLocals(state: BodyState, params: Uint8Array, most: number): void {
  const { reader } = state;
  const groups = reader.u32();
  state.localGroups = { count: groups, from: reader.at };
  const runs: [count: number, type: number][] = [];
  let total = params.length;
  for (let group = 0; group < groups; group += 1) {
    const count = reader.u32();
    total += count;
    expectAtMost("locals", total, most);
    runs.push([count, readValueType(reader)]);
  }
  state.step(total >> 3);
  const locals = new Uint8Array(total);
  locals.set(params);
  let next = params.length;
  for (const [count, type] of runs) {
    locals.fill(type, next, next + count);
    next += count;
  }
  state.locals = locals;
  state.parameters = params.length;
  state.hasVectors = locals.includes(V128);
}

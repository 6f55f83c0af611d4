// Owns checking blocks, branches and calls. It refuses branches to no label, arms that differ, and calls of what is no
// function.

import { MAX_BRANCH_TARGETS } from "../../protocol/limits.ts";
import { checkValueType, FUNCREF, type FunctionType, I32, NO_TYPES } from "../module/value-types.ts";
import { refuseFeature } from "../refusal.ts";
import { type Block, type BodyState, ELSE, IF } from "./body-state.ts";
import { MARK_WITH_VALUES } from "./checked-body.ts";

const SHORT_TYPES = new Map<number, FunctionType>();

/** The type of a block: a number of the module's types, or one result, or none. */
function readBlockType(state: BodyState): FunctionType {
  const { reader, module } = state;
  const at = reader.at;
  const code = reader.s33();
  if (code >= 0) return module.types[code] ?? state.invalid("no such type");
  const known = SHORT_TYPES.get(code);
  if (known !== undefined) return known;
  const results = code === -64 ? NO_TYPES : Uint8Array.of(checkValueType(code & 0x7f, at));
  if (reader.at !== at + 1) state.invalid("unknown block type");
  const type = { params: NO_TYPES, results };
  SHORT_TYPES.set(code, type);
  return type;
}

export function checkBlock(state: BodyState, opcode: number): void {
  const type = readBlockType(state);
  if (opcode === IF) state.pop(I32);
  state.popAll(type.params);
  state.open(opcode, type);
}

export function checkElse(state: BodyState): void {
  const block = state.close();
  if (block.opcode !== IF) state.invalid("else without if");
  state.localOrigins.otherwise();
  state.segments.enterOtherwise(state.instruction(), block.segments);
  state.blocks.push({ ...block, opcode: ELSE, isUnreachable: false });
  state.pushAll(block.type.params);
}

/** Ends a block; answers false when it was the function. */
export function checkEnd(state: BodyState): boolean {
  const block = state.close();
  const { params, results } = block.type;
  // Without a second arm the operands are the results.
  if (block.opcode === IF && !isSame(state, params, results)) state.invalid("if without else changes types");
  const depth = state.blocks.length;
  if (depth === 0) return false;
  const isConditional = block.opcode === IF || block.opcode === ELSE;
  state.segments.leave(state.instruction(), block.segments, depth, isConditional);
  state.localOrigins.leave(block.opcode === IF);
  inherit(state.blocks[depth - 1] as Block, block);
  state.pushAll(results);
  return true;
}

function inherit(outer: Block, inner: Block): void {
  outer.segments.outermostTarget = Math.min(outer.segments.outermostTarget, inner.segments.outermostTarget);
}

function isSame(state: BodyState, one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  state.step(one.length);
  return one.every((type, index) => type === other[index]);
}

export function checkBranch(state: BodyState): void {
  state.popAll(state.branchTypes(state.reader.u32()));
  state.stop();
}

export function checkBranchIf(state: BodyState): void {
  state.pop(I32);
  const types = state.branchTypes(state.reader.u32());
  state.popAll(types);
  state.pushAll(types);
  if (types.length > 0) state.instructions.marks[state.instruction()] = MARK_WITH_VALUES;
  state.segments.split(state.instruction());
}

export function checkBranchTable(state: BodyState): void {
  const { reader } = state;
  state.pop(I32);
  const count = reader.count("branch targets", MAX_BRANCH_TARGETS);
  let first: Uint8Array | undefined;
  let last: Uint8Array | undefined;
  for (let index = 0; index <= count; index += 1) {
    const types = state.branchTypes(reader.u32());
    first ??= types;
    if (types === last) continue;
    if (types.length !== first.length) state.invalid("branch targets of different types");
    state.expectOnTop(types);
    last = types;
  }
  state.popAll(last ?? NO_TYPES);
  state.stop();
}

export function checkReturn(state: BodyState): void {
  state.popAll(state.branchTypes(state.blocks.length - 1));
  state.stop();
}

export function checkCall(state: BodyState): void {
  const { reader, module, segments, calls } = state;
  const callee = reader.u32();
  const type = module.functions[callee] ?? state.invalid("no such function");
  if (!segments.isStopped()) calls.push({ segment: segments.current(), callee });
  state.popAll(type.params);
  state.pushAll(type.results);
}

export function checkCallIndirect(state: BodyState): void {
  const { reader, module, segments, indirectTypes } = state;
  const type = module.types[reader.u32()] ?? state.invalid("no such type");
  const table = module.tables[reader.u32()] ?? state.invalid("no such table");
  if (table.type !== FUNCREF) state.invalid("a call through a table without functions");
  if (!segments.isStopped() && indirectTypes.at(-1) !== type) indirectTypes.push(type);
  state.pop(I32);
  state.popAll(type.params);
  state.pushAll(type.results);
}

/** Memory instructions name memory 0, in one byte. */
export function expectMemory(state: BodyState): void {
  const at = state.reader.at;
  if (state.reader.byte() !== 0) refuseFeature("multi-memory", at);
  if (state.module.memories.length === 0) state.invalid("no memory");
}

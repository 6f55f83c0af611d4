// Owns the walk over one function body: every instruction is checked against the stack and noted for the rewriter. It
// refuses instructions outside the baseline, by the name of their proposal.

import { MAX_LOCALS } from "../../protocol/limits.ts";
import { EXACT_BITS, NO_NAN } from "../metering/float-origins.ts";
import { frameBytes, WEIGHTS } from "../metering/fuel-schedule.ts";
import type { DecodedModule, Span } from "../module/decoded-module.ts";
import {
  ADDRESS,
  ADDRESS_AND_LANE,
  CHOSEN,
  LANE,
  laterProposal,
  NEVER,
  NO_IMMEDIATE,
  OPERATION_COUNT,
  OPERATIONS,
  PASSED,
  PREFIX_FC,
  PREFIX_FD,
  resultWidth,
  SIGNED,
} from "../module/operations.ts";
import { type FunctionType, I32, NO_TYPES, V128 } from "../module/value-types.ts";
import { refuseFeature, refuseInvalid } from "../refusal.ts";
import { BodyState } from "./body-state.ts";
import type { CheckedBody, CheckedCode } from "./checked-body.ts";
import {
  checkBlock,
  checkBranch,
  checkBranchIf,
  checkBranchTable,
  checkCall,
  checkCallIndirect,
  checkElse,
  checkEnd,
  checkReturn,
  expectMemory,
} from "./control.ts";
import {
  checkBulkMemory,
  checkConstant,
  checkGlobal,
  checkLocalGet,
  checkLocalSet,
  checkReference,
  checkSelect,
  checkTable,
  checkTableAccess,
  checkVectorConstant,
  readLocals,
} from "./variables.ts";

/** Width of each operation's result where its NaN bits are not exact. */
const RESULT_WIDTHS = Uint8Array.from({ length: OPERATION_COUNT }, (_, operation) => resultWidth(operation));

/** Checks all bodies of a module. */
export function checkCode(module: DecodedModule): CheckedCode {
  const state = new BodyState(module);
  const bodies = module.bodies.map((span, index) => {
    const type = module.functions[module.imports.length + index];
    return checkBody(state, type ?? refuseInvalid("no such function", span.from), span);
  });
  return { instructions: state.instructions, segments: state.segments, bodies };
}

function checkBody(state: BodyState, type: FunctionType, span: Span): CheckedBody {
  const { segments, floats, instructions } = state;
  const first = instructions.count;
  const firstSegment = segments.costs.length;
  walkBody(state, type, span, true);
  if (state.localOrigins.isTooLarge()) {
    // Once more, with one origin for each local.
    instructions.count = first;
    segments.rewind(firstSegment);
    walkBody(state, type, span, false);
  }
  floats.resolve(instructions.marks);
  const { locals, localGroups, calls, indirectTypes, hasLoop, hasLengths } = state;
  return {
    span,
    type,
    first,
    last: instructions.count - 1,
    firstSegment,
    endSegment: segments.costs.length,
    locals: locals.length,
    localGroups,
    frameBytes: frameBytes(locals.length, state.highest, state.hasVectors),
    calls,
    indirectTypes,
    hasLoop,
    hasLengths,
  };
}

function walkBody(state: BodyState, type: FunctionType, span: Span, mayFollow: boolean): void {
  const { reader, segments, instructions } = state;
  reader.at = span.from;
  reader.end = span.to;
  state.begin();
  segments.begin();
  readLocals(state, type.params, MAX_LOCALS);
  state.localOrigins.begin(state.locals, state.parameters, mayFollow);
  state.open(0, { params: NO_TYPES, results: type.results });
  for (let isOpen = true; isOpen; ) {
    const at = reader.at;
    const operation = readOperation(state);
    instructions.add(operation, at);
    segments.add(WEIGHTS[operation] as number);
    if (operation === 0x0b) isOpen = checkEnd(state);
    else checkOperation(state, operation);
  }
  if (!reader.isDone()) refuseInvalid("instructions after the end", reader.at);
}

function readOperation(state: BodyState): number {
  const { reader } = state;
  const at = reader.at;
  const opcode = reader.byte();
  if (opcode < 0xfb) return opcode;
  if (opcode === 0xfc || opcode === 0xfd) {
    const second = reader.u32();
    if (opcode === 0xfd && second >= 0x100 && second < 0x200) refuseFeature("relaxed SIMD", at);
    if (second >= 0x100) refuseInvalid("unknown instruction", at);
    return (opcode === 0xfc ? PREFIX_FC : PREFIX_FD) + second;
  }
  return refuseLater(opcode, at);
}

function refuseLater(operation: number, at: number): never {
  const proposal = laterProposal(operation);
  return proposal === undefined ? refuseInvalid("unknown instruction", at) : refuseFeature(proposal, at);
}

function checkOperation(state: BodyState, operation: number): void {
  const row = OPERATIONS[operation];
  if (row === undefined) {
    checkNamed(state, operation);
    return;
  }
  if (row.immediate !== NO_IMMEDIATE) checkImmediate(state, row.immediate, row.bound);
  const { operands, reads, nan } = row;
  let last = NO_NAN;
  for (let index = operands.length - 1; index >= 0; index -= 1) {
    state.pop(operands[index] as number);
    if (nan === PASSED && index > 0) last = state.origin;
    else if (state.origin !== EXACT_BITS && nan !== PASSED && nan !== SIGNED)
      state.floats.use(state.origin, reads);
  }
  if (row.result === 0) return;
  const width = RESULT_WIDTHS[operation] as number;
  state.push(row.result, width === 0 ? EXACT_BITS : originOf(state, nan, width, row.result === V128, last));
}

/** The origin of a float just made; `last` is that of the second operand where there are two. */
function originOf(state: BodyState, nan: number, width: number, isVector: boolean, last: number): number {
  const { floats } = state;
  switch (nan) {
    case CHOSEN:
      return floats.chosen(state.instruction(), width, isVector);
    case NEVER:
      return floats.never(width, isVector);
    case SIGNED:
      return floats.signed(state.origin);
    case PASSED:
      return floats.passed(state.instruction(), width, isVector, state.origin, last);
    default:
      return EXACT_BITS;
  }
}

function checkImmediate(state: BodyState, immediate: number, bound: number): void {
  const { reader } = state;
  if (immediate === ADDRESS || immediate === ADDRESS_AND_LANE) {
    if (state.module.memories.length === 0) state.invalid("no memory");
    const alignment = reader.u32();
    if (alignment >= 0x40) refuseFeature("multi-memory", reader.at - 1);
    if (alignment > bound % 16) state.invalid("alignment larger than natural");
    reader.u32();
  }
  const lanes = immediate === LANE ? bound : immediate === ADDRESS_AND_LANE ? bound >> 4 : 256;
  if (lanes < 256 && reader.byte() >= lanes) state.invalid("no such lane");
}

type Check = (state: BodyState) => void;

/** What is not in the table: control, variables, constants and references, by opcode. */
const NAMED: readonly (Check | undefined)[] = namedChecks({
  0: (state) => state.stop(),
  1: () => {},
  2: (state) => checkBlock(state, 0x02),
  3: (state) => checkBlock(state, 0x03),
  4: (state) => checkBlock(state, 0x04),
  5: checkElse,
  12: checkBranch,
  13: checkBranchIf,
  14: checkBranchTable,
  15: checkReturn,
  16: checkCall,
  17: checkCallIndirect,
  26: (state) => {
    state.popAny();
  },
  27: (state) => checkSelect(state, false),
  28: (state) => checkSelect(state, true),
  32: checkLocalGet,
  33: (state) => checkLocalSet(state, false),
  34: (state) => checkLocalSet(state, true),
  35: (state) => checkGlobal(state, false),
  36: (state) => checkGlobal(state, true),
  37: (state) => checkTableAccess(state, false),
  38: (state) => checkTableAccess(state, true),
  63: (state) => checkMemorySize(state, false),
  64: (state) => checkMemorySize(state, true),
  65: (state) => checkConstant(state, 0x41),
  66: (state) => checkConstant(state, 0x42),
  67: (state) => checkConstant(state, 0x43),
  68: (state) => checkConstant(state, 0x44),
  208: (state) => checkReference(state, 0xd0),
  209: (state) => checkReference(state, 0xd1),
  210: (state) => checkReference(state, 0xd2),
});

function namedChecks(checks: Readonly<Record<number, Check>>): (Check | undefined)[] {
  return Array.from({ length: PREFIX_FC }, (_, opcode) => checks[opcode]);
}

function checkNamed(state: BodyState, operation: number): void {
  if (operation >= PREFIX_FC) {
    checkPrefixed(state, operation);
    return;
  }
  const check = NAMED[operation];
  if (check === undefined) refuseLater(operation, state.offset());
  check(state);
}

function checkMemorySize(state: BodyState, isGrow: boolean): void {
  expectMemory(state);
  if (isGrow) state.hasLengths = true;
  if (isGrow) state.pop(I32);
  state.push(I32);
}

function checkPrefixed(state: BodyState, operation: number): void {
  const second = operation - PREFIX_FC;
  if (operation === PREFIX_FD + 12) checkVectorConstant(state);
  else if (operation === PREFIX_FD + 13) checkShuffle(state);
  else if (second >= 8 && second <= 11) checkBulkMemory(state, second);
  else if (second >= 12 && second <= 17) checkTable(state, second);
  else refuseLater(operation, state.offset());
}

function checkShuffle(state: BodyState): void {
  const from = state.reader.skip(16);
  for (let lane = 0; lane < 16; lane += 1)
    if ((state.module.bytes[from + lane] as number) >= 32) state.invalid("no such lane");
  state.popExact(V128);
  state.popExact(V128);
  state.push(V128);
}

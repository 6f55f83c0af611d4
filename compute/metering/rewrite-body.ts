// Owns where code is added to a body: what a segment costs at its beginning, a look at the fuel on entry and at the head
// of every loop, frames around recursive calls, lengths before bulk work. It refuses nothing: the code has been checked.
//
// The global holds the fuel that is left. A loop that calls nothing runs down a chunk of it in a local, so that going round
// touches no memory, and settles with the global on every way out.

import { MAX_FUNCTION_REWRITTEN_BYTES } from "../../protocol/limits.ts";
import { BLOCK, IF, LOOP } from "../checking/body-state.ts";
import { type CheckedBody, type CheckedCode, MARK_WITH_VALUES } from "../checking/checked-body.ts";
import { ByteReader } from "../module/byte-reader.ts";
import { ByteWriter } from "../module/byte-writer.ts";
import { PREFIX_FC } from "../module/operations.ts";
import { expectAtMost } from "../refusal.ts";
import type { BodyWriter } from "./body-writer.ts";
import type { CallPlan } from "./call-plan.ts";
import { BYTE_FUEL, ELEMENT_FUEL, PAGE_FUEL, UNCHECKED_LEAF_FUEL } from "./fuel-schedule.ts";

const UNREACHABLE = 0x00;
const END = 0x0b;
const BRANCH = 0x0c;
const BRANCH_IF = 0x0d;
const BRANCH_TABLE = 0x0e;
const RETURN = 0x0f;
const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const GROW_MEMORY = 0x40;
const NO_RESULT = 0x40;
const NONE = -1;

/** Bulk instructions and what each of their last operand, a length, costs. */
const LENGTHS: Readonly<Record<number, number>> = {
  [PREFIX_FC + 8]: BYTE_FUEL,
  [PREFIX_FC + 10]: BYTE_FUEL,
  [PREFIX_FC + 11]: BYTE_FUEL,
  [PREFIX_FC + 12]: ELEMENT_FUEL,
  [PREFIX_FC + 14]: ELEMENT_FUEL,
  [PREFIX_FC + 15]: ELEMENT_FUEL,
  [PREFIX_FC + 17]: ELEMENT_FUEL,
};

export class BodyRewriter {
  readonly #code: CheckedCode;
  readonly #plan: CallPlan;
  readonly #writer: BodyWriter;
  readonly #reader: ByteReader;
  readonly #head = new ByteWriter();
  #body: CheckedBody;
  /** Offset up to which the body was copied. */
  #copied = 0;
  /** Open blocks inside the function. */
  #depth = 0;
  /** The depth of the outermost loop around that has taken a chunk; NONE outside of such. */
  #chunkDepth = NONE;
  #nextSegment = 0;
  /** Per loop in order: whether it calls nothing that touches the fuel. */
  #isCallFree: boolean[] = [];
  #nextLoop = 0;
  #isFramed = false;

  constructor(bytes: Uint8Array, code: CheckedCode, plan: CallPlan, writer: BodyWriter) {
    this.#code = code;
    this.#plan = plan;
    this.#writer = writer;
    this.#reader = new ByteReader(bytes);
    this.#body = code.bodies[0] as CheckedBody;
  }

  /** Writes one body with its length into `target`. `blockType` is asked for where the function needs a block of its type. */
  rewrite(index: number, blockType: () => number, target: ByteWriter): void {
    const writer = this.#writer;
    const body = this.#code.bodies[index] as CheckedBody;
    const { offsets } = this.#code.instructions;
    this.#body = body;
    this.#copied = offsets[body.first] as number;
    this.#depth = 0;
    this.#chunkDepth = NONE;
    this.#nextSegment = body.firstSegment + 1;
    this.#nextLoop = 0;
    this.#isCallFree = body.hasLoop ? this.#findCallFreeLoops() : [];
    this.#isFramed = this.#plan.isCounted[index] === 1;
    writer.begin(body.locals);
    this.#enter(index);
    if (this.#isFramed) {
      writer.byte(BLOCK);
      writer.signed(blockType());
    }
    for (let instruction = body.first; instruction < body.last; instruction += 1)
      this.#rewriteOne(instruction);
    this.#copyTo(offsets[body.last] as number);
    if (this.#isFramed) {
      writer.byte(END);
      writer.leaveFrame();
    }
    writer.byte(END);
    this.#finish(target);
  }

  #enter(index: number): void {
    const { costs } = this.#code.segments;
    const { calls, indirectTypes, hasLoop, firstSegment, endSegment } = this.#body;
    const first = this.#plan.isPrepaid[index] === 1 ? 0 : (costs[firstSegment] as number);
    if (this.#isFramed) {
      this.#writer.enterFrame(first, this.#plan.stackBytes[index] as number);
      return;
    }
    if (this.#plan.isPrepaid[index] === 1) return;
    let whole = 0;
    for (let segment = firstSegment; segment < endSegment; segment += 1) whole += costs[segment] as number;
    const isSimple = !hasLoop && calls.length === 0 && indirectTypes.length === 0;
    const isChecked = !isSimple || whole > UNCHECKED_LEAF_FUEL;
    if (first > 0 || isChecked) this.#writer.charge(first, false, isChecked);
  }

  /** Looks ahead for what calls. */
  #findCallFreeLoops(): boolean[] {
    const { operations } = this.#code.instructions;
    const isCallFree: boolean[] = [];
    /** Per open block the innermost loop that it is in, or is. */
    const open: number[] = [NONE];
    const call = (): void => {
      const loop = open.at(-1) ?? NONE;
      if (loop !== NONE) isCallFree[loop] = false;
    };
    for (let instruction = this.#body.first; instruction < this.#body.last; instruction += 1) {
      const operation = operations[instruction] as number;
      if (operation === LOOP) open.push(isCallFree.push(true) - 1);
      else if (operation === BLOCK || operation === IF) open.push(open.at(-1) ?? NONE);
      else if (operation === END) {
        // A loop that calls makes all around it do.
        if (isCallFree[open.pop() ?? NONE] === false) call();
      } else if (operation === CALL_INDIRECT) call();
      else if (operation === CALL && !this.#isSilentCall(instruction)) call();
    }
    return isCallFree;
  }

  #isSilentCall(instruction: number): boolean {
    return this.#plan.isSilent[this.#plan.own(this.#label(instruction))] === 1;
  }

  /** The number after a one-byte opcode: a label or a function. */
  #label(instruction: number): number {
    this.#reader.at = (this.#code.instructions.offsets[instruction] as number) + 1;
    return this.#reader.u32();
  }

  #rewriteOne(instruction: number): void {
    const { operations, marks } = this.#code.instructions;
    const operation = operations[instruction] as number;
    const mark = marks[instruction] as number;
    const isLoop = operation === LOOP;
    if (operation === BLOCK || operation === IF) this.#depth += 1;
    else if (isLoop) this.#openLoop(instruction);
    else if (operation === END) this.#closeBlock(instruction);
    else if (operation <= RETURN) this.#rewriteBranch(instruction, operation);
    else if (operation === GROW_MEMORY) {
      this.#replace(instruction);
      this.#writer.growMemory(PAGE_FUEL, this.#isInChunk());
    } else if (operation > PREFIX_FC) this.#chargeLength(instruction, operation);
    if (mark !== 0 && mark !== MARK_WITH_VALUES) {
      this.#copyTo(this.#endOf(instruction));
      this.#writer.canonicalise(mark);
    }
    this.#chargeAfter(instruction, isLoop);
  }

  /** The segment that begins after an instruction, and the look at the head of a loop. */
  #chargeAfter(instruction: number, isLoop: boolean): void {
    const { places, costs } = this.#code.segments;
    const isPlace = this.#nextSegment < this.#body.endSegment && places[this.#nextSegment] === instruction;
    const fuel = isPlace ? (costs[this.#nextSegment] as number) : 0;
    if (isPlace) this.#nextSegment += 1;
    if (fuel === 0 && !isLoop) return;
    this.#copyTo(this.#endOf(instruction));
    this.#writer.charge(fuel, this.#isInChunk(), isLoop);
  }

  #isInChunk(): boolean {
    return this.#chunkDepth !== NONE;
  }

  #openLoop(instruction: number): void {
    const isCallFree = this.#isCallFree[this.#nextLoop] === true;
    this.#nextLoop += 1;
    if (isCallFree && !this.#isInChunk()) {
      this.#copyBefore(instruction);
      this.#writer.enterLoop();
      this.#chunkDepth = this.#depth;
    }
    this.#depth += 1;
  }

  #closeBlock(instruction: number): void {
    this.#depth -= 1;
    if (this.#depth !== this.#chunkDepth) return;
    this.#copyTo(this.#endOf(instruction));
    this.#writer.leaveLoop();
    this.#chunkDepth = NONE;
  }

  /** True when a branch to this label leaves the loop that has taken a chunk. */
  #isLeaving(label: number): boolean {
    return this.#isInChunk() && this.#depth - 1 - label < this.#chunkDepth;
  }

  #rewriteBranch(instruction: number, operation: number): void {
    if (operation === RETURN || operation === UNREACHABLE) {
      if (this.#isInChunk()) {
        this.#copyBefore(instruction);
        this.#writer.leaveLoop();
      }
      if (operation === RETURN && this.#isFramed) this.#branchToEnd(instruction);
    } else if (operation === BRANCH) {
      if (!this.#isLeaving(this.#label(instruction))) return;
      this.#copyBefore(instruction);
      this.#writer.leaveLoop();
    } else if (operation === BRANCH_IF) this.#rewriteBranchIf(instruction);
    else if (operation === BRANCH_TABLE && this.#isInChunk()) this.#rewriteBranchTable(instruction);
  }

  #rewriteBranchIf(instruction: number): void {
    const label = this.#label(instruction);
    if (!this.#isLeaving(label)) return;
    if (this.#code.instructions.marks[instruction] === MARK_WITH_VALUES) {
      // The values stay on the stack either way: leave first, and enter again if the loop goes on.
      this.#copyBefore(instruction);
      this.#writer.leaveLoop();
      this.#writer.enterLoop();
      return;
    }
    this.#replace(instruction);
    this.#writer.op(IF, NO_RESULT);
    this.#writer.leaveLoop();
    this.#writer.byte(BRANCH);
    this.#writer.unsigned(label + 1);
    this.#writer.byte(END);
  }

  #rewriteBranchTable(instruction: number): void {
    let isLeaving = false;
    let more = this.#label(instruction) + 1;
    for (; more > 0; more -= 1) isLeaving = this.#isLeaving(this.#reader.u32()) || isLeaving;
    if (!isLeaving) return;
    this.#copyBefore(instruction);
    this.#writer.leaveLoop();
    this.#writer.enterLoop();
  }

  /** The function's own end has moved behind the block that holds its code. */
  #branchToEnd(instruction: number): void {
    this.#replace(instruction);
    this.#writer.byte(BRANCH);
    this.#writer.unsigned(this.#depth);
  }

  #chargeLength(instruction: number, operation: number): void {
    const each = LENGTHS[operation];
    if (each === undefined) return;
    this.#copyBefore(instruction);
    this.#writer.chargeLength(each, this.#isInChunk());
  }

  #endOf(instruction: number): number {
    return this.#code.instructions.offsets[instruction + 1] as number;
  }

  #copyTo(offset: number): void {
    if (offset <= this.#copied) return;
    this.#writer.bytes(this.#reader.bytes.subarray(this.#copied, offset));
    this.#copied = offset;
  }

  #copyBefore(instruction: number): void {
    this.#copyTo(this.#code.instructions.offsets[instruction] as number);
  }

  #replace(instruction: number): void {
    this.#copyBefore(instruction);
    this.#copied = this.#endOf(instruction);
  }

  /** The length, the local groups with those that were added, and the code. */
  #finish(target: ByteWriter): void {
    const { localGroups, first } = this.#body;
    const added = this.#writer.addedTypes();
    const head = this.#head;
    head.clear();
    head.unsigned(localGroups.count + added.length);
    head.bytes(this.#reader.bytes.subarray(localGroups.from, this.#code.instructions.offsets[first]));
    for (const type of added) {
      head.byte(1);
      head.byte(type);
    }
    const length = head.length + this.#writer.length;
    expectAtMost("bytes of a rewritten body", length, MAX_FUNCTION_REWRITTEN_BYTES);
    target.unsigned(length);
    target.bytes(head.written());
    target.bytes(this.#writer.written());
  }
}

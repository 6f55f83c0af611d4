// Owns where code is added to a body: what a segment costs at its beginning, a look at the fuel on entry and at the head
// of every loop, frames around calls, lengths before bulk work. It refuses nothing: the body has been checked.
//
// The global always holds the fuel that is left; inside a loop that calls nothing a local holds it too, so that going
// round writes memory but does not wait for it.

import { MAX_BODY_REWRITTEN_BYTES } from "../../protocol/limits.ts";
import { BLOCK, type BodyState, IF, LOOP, MARK_WITHOUT_CALLS } from "../checking/body-state.ts";
import { ByteWriter } from "../module/byte-writer.ts";
import { PREFIX_FC } from "../module/operations.ts";
import { I32 } from "../module/value-types.ts";
import { expectAtMost } from "../refusal.ts";
import type { BodyWriter } from "./body-writer.ts";
import {
  BYTES_PER_FUEL_SHIFT,
  ELEMENT_FUEL,
  frameBytes,
  PAGE_FUEL,
  UNCHECKED_LEAF_FUEL,
  UNCOUNTED_LEAF_BYTES,
} from "./fuel-schedule.ts";

const END = 0x0b;
const BRANCH = 0x0c;
const RETURN = 0x0f;
const GROW_MEMORY = 0x40;

/** Bulk instructions and what their last operand, a length, costs. */
const LENGTHS = new Map<number, { shift: number } | { times: number }>([
  [PREFIX_FC + 8, { shift: BYTES_PER_FUEL_SHIFT }],
  [PREFIX_FC + 10, { shift: BYTES_PER_FUEL_SHIFT }],
  [PREFIX_FC + 11, { shift: BYTES_PER_FUEL_SHIFT }],
  [PREFIX_FC + 12, { times: ELEMENT_FUEL }],
  [PREFIX_FC + 14, { times: ELEMENT_FUEL }],
  [PREFIX_FC + 15, { times: ELEMENT_FUEL }],
  [PREFIX_FC + 17, { times: ELEMENT_FUEL }],
]);

export class BodyRewriter {
  readonly #state: BodyState;
  readonly #code: BodyWriter;
  /** Offset up to which the body was copied. */
  #copied = 0;
  /** The opened blocks inside the function: true for a loop of the region in which the fuel is in its local. */
  readonly #open: boolean[] = [];
  /** How many of them are such loops. */
  #loaded = 0;
  #nextSegment = 0;
  #isFramed = false;
  readonly #head = new ByteWriter();

  constructor(state: BodyState, code: BodyWriter) {
    this.#state = state;
    this.#code = code;
  }

  /** Writes the body that was checked last, with its length, into `target`. `blockType` is asked for where it is needed. */
  rewrite(doesCall: boolean, blockType: () => number, target: ByteWriter): void {
    const state = this.#state;
    const code = this.#code;
    this.#copied = state.offsets[0] as number;
    this.#open.length = 0;
    this.#loaded = 0;
    this.#nextSegment = 1;
    code.begin(state.locals.length);
    const bytes = frameBytes(state.locals.length, state.highest, state.hasVectors);
    this.#isFramed = doesCall || bytes > UNCOUNTED_LEAF_BYTES;
    this.#enter(bytes);
    if (this.#isFramed) {
      code.byte(BLOCK);
      code.signed(blockType());
    }
    for (let instruction = 0; instruction < state.count - 1; instruction += 1) this.#rewriteOne(instruction);
    this.#copyTo(state.offsets[state.count - 1] as number);
    if (this.#isFramed) {
      code.byte(END);
      code.leaveFrame(bytes);
    }
    code.byte(END);
    this.#finish(target);
  }

  #enter(frame: number): void {
    const { segments, count, operations } = this.#state;
    const first = segments.costs[0] as number;
    if (this.#isFramed) {
      this.#code.enterFrame(first, frame);
      return;
    }
    const all = segments.costs.reduce((sum, cost) => sum + cost, 0);
    const isShort = all <= UNCHECKED_LEAF_FUEL && operations.subarray(0, count).indexOf(LOOP) < 0;
    if (first > 0 || !isShort) this.#code.charge(first, false, !isShort);
  }

  #rewriteOne(instruction: number): void {
    const { operations, marks, segments } = this.#state;
    const operation = operations[instruction] as number;
    const mark = marks[instruction] as number;
    if (operation === BLOCK || operation === LOOP || operation === IF)
      this.#openBlock(instruction, operation);
    else if (operation === END) this.#loaded -= this.#open.pop() === true ? 1 : 0;
    else if (operation === RETURN && this.#isFramed) this.#branchToEnd(instruction);
    else if (operation === GROW_MEMORY) this.#growMemory(instruction);
    else if (operation > PREFIX_FC) this.#chargeLength(instruction, operation);
    if (mark !== 0 && operation !== LOOP) {
      this.#copyTo(this.#endOf(instruction));
      this.#code.canonicalise(mark);
    }
    const isLoop = operation === LOOP;
    const isPlace = segments.places[this.#nextSegment] === instruction;
    const fuel = isPlace ? (segments.costs[this.#nextSegment] as number) : 0;
    if (isPlace) this.#nextSegment += 1;
    if (fuel === 0 && !isLoop) return;
    this.#copyTo(this.#endOf(instruction));
    this.#code.charge(fuel, this.#loaded > 0, isLoop);
  }

  #openBlock(instruction: number, operation: number): void {
    const isCallFree = operation === LOOP && this.#state.marks[instruction] === MARK_WITHOUT_CALLS;
    if (isCallFree && this.#loaded === 0) {
      this.#copyTo(this.#state.offsets[instruction] as number);
      this.#code.loadFuel();
    }
    this.#open.push(isCallFree);
    if (isCallFree) this.#loaded += 1;
  }

  /** The function's own end has moved behind the block that holds its code. */
  #branchToEnd(instruction: number): void {
    this.#replace(instruction);
    this.#code.byte(BRANCH);
    this.#code.unsigned(this.#open.length);
  }

  #growMemory(instruction: number): void {
    this.#replace(instruction);
    this.#code.growMemory(this.#loaded > 0, PAGE_FUEL);
  }

  #chargeLength(instruction: number, operation: number): void {
    const amount = LENGTHS.get(operation);
    if (amount === undefined) return;
    this.#copyTo(this.#state.offsets[instruction] as number);
    this.#code.tee(I32);
    this.#code.chargeLength(this.#loaded > 0, amount);
  }

  #endOf(instruction: number): number {
    return this.#state.offsets[instruction + 1] as number;
  }

  #copyTo(offset: number): void {
    if (offset <= this.#copied) return;
    this.#code.bytes(this.#state.module.bytes.subarray(this.#copied, offset));
    this.#copied = offset;
  }

  #replace(instruction: number): void {
    this.#copyTo(this.#state.offsets[instruction] as number);
    this.#copied = this.#endOf(instruction);
  }

  /** The length, the local groups with those that were added, and the code. */
  #finish(target: ByteWriter): void {
    const { localGroups, module, offsets } = this.#state;
    const { added } = this.#code;
    const head = this.#head;
    head.clear();
    head.unsigned(localGroups.count + added.length);
    head.bytes(module.bytes.subarray(localGroups.from, offsets[0]));
    for (const type of added) {
      head.byte(1);
      head.byte(type);
    }
    const length = head.length + this.#code.length;
    expectAtMost("bytes of a rewritten body", length, MAX_BODY_REWRITTEN_BYTES);
    target.unsigned(length);
    target.bytes(head.written());
    target.bytes(this.#code.written());
  }
}

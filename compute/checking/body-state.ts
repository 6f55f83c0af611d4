// Owns what is known at one point of a function body: the types on its operand stack with the origin of every float, and
// the blocks around it. It refuses operands of a wrong type, too many of them, and blocks too deep.

import { MAX_BLOCK_DEPTH, MAX_OPERANDS, MAX_STEPS_PER_MODULE_BYTE } from "../../protocol/limits.ts";
import { EXACT_BITS, FloatOrigins } from "../metering/float-origins.ts";
import { type BlockSegments, FuelSegments } from "../metering/fuel-segments.ts";
import { LocalOrigins } from "../metering/local-origins.ts";
import { ByteReader } from "../module/byte-reader.ts";
import type { DecodedModule } from "../module/decoded-module.ts";
import { type FunctionType, UNKNOWN } from "../module/value-types.ts";
import { expectAtMost, refuseInvalid } from "../refusal.ts";
import { type DirectCall, InstructionList } from "./checked-body.ts";

/** A block that has not ended. */
export interface Block {
  /** The opcode that opened it; the function itself counts as a block. */
  readonly opcode: number;
  readonly type: FunctionType;
  /** Operands below it, which it must leave alone. */
  readonly height: number;
  readonly segments: BlockSegments;
  isUnreachable: boolean;
}

export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const ELSE = 0x05;

export class BodyState {
  readonly module: DecodedModule;
  readonly reader: ByteReader;
  readonly segments = new FuelSegments();
  readonly floats = new FloatOrigins();
  readonly localOrigins = new LocalOrigins(this.floats);
  readonly blocks: Block[] = [];
  readonly instructions: InstructionList;
  locals: Uint8Array = new Uint8Array(0);
  parameters = 0;
  /** The local groups of the body as they stand: how many, and where the first begins. */
  localGroups = { count: 0, from: 0 };
  highest = 0;
  height = 0;
  hasVectors = false;
  hasLoop = false;
  hasLengths = false;
  calls: DirectCall[] = [];
  indirectTypes: FunctionType[] = [];
  #steps = 0;
  readonly #types = new Uint8Array(MAX_OPERANDS + 1);
  readonly #origins = new Int32Array(MAX_OPERANDS + 1);

  constructor(module: DecodedModule) {
    this.module = module;
    this.reader = new ByteReader(module.bytes);
    const most = module.bodies.reduce((sum, { from, to }) => sum + to - from, 0);
    this.instructions = new InstructionList(most);
  }

  /** Begins a body. */
  begin(): void {
    this.height = 0;
    this.highest = 0;
    this.blocks.length = 0;
    this.hasLoop = false;
    this.hasLengths = false;
    this.calls = [];
    this.indirectTypes = [];
    this.floats.begin();
  }

  /** The instruction being checked. */
  instruction(): number {
    return this.instructions.count - 1;
  }

  /** Where it begins. */
  offset(): number {
    return this.instructions.offsets[this.instruction()] ?? this.reader.at;
  }

  invalid(reason: string): never {
    return refuseInvalid(reason, this.offset());
  }

  /** Counts work beyond reading bytes, so that checking takes no longer than the module is long. */
  step(work: number): void {
    this.#steps += work;
    const { length } = this.module.bytes;
    if (this.#steps > length * MAX_STEPS_PER_MODULE_BYTE)
      expectAtMost("steps of checking", this.#steps, length * MAX_STEPS_PER_MODULE_BYTE);
  }

  push(type: number, origin = EXACT_BITS): void {
    const { height } = this;
    if (height >= MAX_OPERANDS) expectAtMost("operands at once", height + 1, MAX_OPERANDS);
    this.#types[height] = type;
    this.#origins[height] = origin;
    this.height = height + 1;
    if (this.height > this.highest) this.highest = this.height;
  }

  /** The operand taken last had its floats' bits from here. */
  origin = EXACT_BITS;

  /** Takes any operand; answers its type, UNKNOWN in code that is not reached. */
  popAny(): number {
    const block = this.blocks[this.blocks.length - 1] as Block;
    if (this.height === block.height) {
      if (!block.isUnreachable) this.invalid("operand missing");
      this.origin = EXACT_BITS;
      return UNKNOWN;
    }
    this.height -= 1;
    this.origin = this.#origins[this.height] as number;
    return this.#types[this.height] as number;
  }

  pop(expected: number): void {
    const type = this.popAny();
    if (type !== expected && type !== UNKNOWN) this.invalid("operand of another type");
  }

  /** Takes an operand whose NaN bits will be seen. */
  popExact(expected: number): void {
    this.pop(expected);
    this.floats.use(this.origin, 0);
  }

  popAll(types: Uint8Array): void {
    this.step(types.length);
    for (let index = types.length - 1; index >= 0; index -= 1) this.popExact(types[index] as number);
  }

  pushAll(types: Uint8Array): void {
    this.step(types.length);
    for (const type of types) this.push(type);
  }

  /** Holds the operands on top against a list, without taking them. */
  expectOnTop(types: Uint8Array): void {
    this.step(types.length);
    const block = this.blocks[this.blocks.length - 1] as Block;
    for (let index = 1; index <= types.length; index += 1) {
      const at = this.height - index;
      if (at < block.height) {
        if (!block.isUnreachable) this.invalid("operand missing");
        return;
      }
      const type = this.#types[at];
      if (type !== types[types.length - index] && type !== UNKNOWN) this.invalid("operand of another type");
    }
  }

  open(opcode: number, type: FunctionType): void {
    const depth = this.blocks.length;
    if (depth > MAX_BLOCK_DEPTH) expectAtMost("blocks within blocks", depth, MAX_BLOCK_DEPTH);
    const isOwn = opcode === LOOP || opcode === IF;
    if (opcode === LOOP) this.hasLoop = true;
    this.blocks.push({
      opcode,
      type,
      height: this.height,
      segments: this.segments.enter(this.instruction(), isOwn, depth),
      isUnreachable: false,
    });
    this.localOrigins.enter(opcode === LOOP, opcode === IF);
    this.pushAll(type.params);
  }

  /** Takes the block's results at its end. */
  close(): Block {
    const block = this.blocks[this.blocks.length - 1] as Block;
    this.popAll(block.type.results);
    if (this.height !== block.height) this.invalid("operands left over");
    this.blocks.pop();
    return block;
  }

  /** What follows is not executed. */
  stop(): void {
    const block = this.blocks[this.blocks.length - 1] as Block;
    this.height = block.height;
    block.isUnreachable = true;
    this.segments.stop();
    this.localOrigins.stop();
  }

  /** The types that a branch to this label takes along; notes that the block inside is left. */
  branchTypes(label: number): Uint8Array {
    const target = this.blocks.length - 1 - label;
    const block = this.blocks[target] ?? this.invalid("no such label");
    const { segments } = this.blocks[this.blocks.length - 1] as Block;
    segments.outermostTarget = Math.min(segments.outermostTarget, target);
    this.localOrigins.branch(target);
    return block.opcode === LOOP ? block.type.params : block.type.results;
  }
}

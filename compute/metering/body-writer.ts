// Owns the code that the rewriter adds to a body: charges, looks at the fuel, frames, canonical NaNs, and the locals that
// they use. It refuses to know where they go.

import { ByteWriter } from "../module/byte-writer.ts";
import { F32, F64, I32, I64, V128 } from "../module/value-types.ts";
import { CHUNK_FUEL } from "./fuel-schedule.ts";

/** Numbers of the globals that every rewritten module has after its own. */
export interface MeterGlobals {
  readonly fuel: number;
  readonly stack: number;
  readonly pages: number;
}

/** Locals that a rewritten body may have besides its own. */
const ADDED = { fuel: I64, stack: I64, number: I32, single: F32, double: F64, vector: V128 } as const;
type Added = keyof typeof ADDED;

const CANONICAL_SINGLE = [0x00, 0x00, 0xc0, 0x7f];
const CANONICAL_DOUBLE = [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f];

const UNREACHABLE = 0x00;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const NO_RESULT = 0x40;
const I64_LESS = 0x53;
const I64_GREATER = 0x55;
const I64_ADD = 0x7c;
const I64_SUBTRACT = 0x7d;
const I64_MULTIPLY = 0x7e;
const I64_AND = 0x83;
const I64_OR = 0x84;
const I64_OF_UNSIGNED = 0xad;

export class BodyWriter extends ByteWriter {
  readonly globals: MeterGlobals;
  readonly #added: Added[] = [];
  #firstAdded = 0;

  constructor(globals: MeterGlobals) {
    super(65_536);
    this.globals = globals;
  }

  /** Begins a body with so many locals of its own. */
  begin(locals: number): void {
    this.clear();
    this.#added.length = 0;
    this.#firstAdded = locals;
  }

  /** Types of the locals added, in order. */
  addedTypes(): number[] {
    return this.#added.map((name) => ADDED[name]);
  }

  #local(opcode: number, name: Added): void {
    const known = this.#added.indexOf(name);
    this.byte(opcode);
    this.unsigned(this.#firstAdded + (known >= 0 ? known : this.#added.push(name) - 1));
  }

  #get(name: Added): void {
    this.#local(0x20, name);
  }

  #set(name: Added): void {
    this.#local(0x21, name);
  }

  #tee(name: Added): void {
    this.#local(0x22, name);
  }

  #getGlobal(name: keyof MeterGlobals): void {
    this.byte(0x23);
    this.unsigned(this.globals[name]);
  }

  #setGlobal(name: keyof MeterGlobals): void {
    this.byte(0x24);
    this.unsigned(this.globals[name]);
  }

  op(...bytes: number[]): void {
    for (const byte of bytes) this.byte(byte);
  }

  #constant(value: number): void {
    this.byte(0x42);
    this.signed(value);
  }

  /** Takes a number off the fuel: of the global, or of the chunk that a loop runs down. */
  charge(fuel: number, isInLoop: boolean, isChecked: boolean): void {
    this.#beginCharge(isInLoop);
    this.#constant(fuel);
    this.#endCharge(isInLoop, isChecked);
  }

  /** Takes a fee per item off, for as many as the number on top says, and leaves that there. */
  chargeLength(each: number, isInLoop: boolean): void {
    this.#tee("number");
    this.#chargeNumber(each, isInLoop);
  }

  #chargeNumber(each: number, isInLoop: boolean): void {
    this.#beginCharge(isInLoop);
    this.#get("number");
    this.op(I64_OF_UNSIGNED);
    if (each !== 1) {
      this.#constant(each);
      this.op(I64_MULTIPLY);
    }
    this.#endCharge(isInLoop, true);
  }

  #beginCharge(isInLoop: boolean): void {
    if (isInLoop) this.#get("fuel");
    else this.#getGlobal("fuel");
  }

  #endCharge(isInLoop: boolean, isChecked: boolean): void {
    this.op(I64_SUBTRACT);
    if (isInLoop) {
      if (isChecked) this.#tee("fuel");
      else this.#set("fuel");
    } else {
      if (isChecked) this.#tee("fuel");
      this.#setGlobal("fuel");
      if (isChecked) this.#get("fuel");
    }
    if (!isChecked) return;
    if (isInLoop) this.#renewChunk();
    else this.#trapBelowZero();
  }

  #trapBelowZero(): void {
    this.#constant(0);
    this.op(I64_LESS, IF, NO_RESULT, UNREACHABLE, END);
  }

  /** When the chunk is used up: settles it with the global, traps if that is too, and begins the next. */
  #renewChunk(): void {
    this.#constant(0);
    this.op(I64_LESS, IF, NO_RESULT);
    this.leaveLoop();
    this.#getGlobal("fuel");
    this.#trapBelowZero();
    this.enterLoop();
    this.op(END);
  }

  /**
   * Before a loop in which nothing else can change the global: the local takes the last bits of the fuel, which run down
   * to where the next chunk begins. The global stands still until then, and is at most a chunk too high.
   */
  enterLoop(): void {
    this.#getGlobal("fuel");
    this.#constant(CHUNK_FUEL - 1);
    this.op(I64_AND);
    this.#set("fuel");
  }

  /** Puts what is left of the chunk in the place of those bits. */
  leaveLoop(): void {
    this.#getGlobal("fuel");
    this.#constant(-CHUNK_FUEL);
    this.op(I64_AND);
    this.#get("fuel");
    this.op(I64_ADD);
    this.#setGlobal("fuel");
  }

  /** On entry: takes a frame off, and fuel unless the caller did, and looks at both at once. */
  enterFrame(fuel: number, frame: number): void {
    this.#getGlobal("fuel");
    if (fuel > 0) {
      this.#constant(fuel);
      this.op(I64_SUBTRACT);
      this.#tee("fuel");
      this.#setGlobal("fuel");
      this.#get("fuel");
    }
    this.#getGlobal("stack");
    this.#tee("stack");
    this.#constant(frame);
    this.op(I64_SUBTRACT);
    this.#setGlobal("stack");
    this.#getGlobal("stack");
    this.op(I64_OR);
    this.#trapBelowZero();
  }

  /** Puts back what the stack was on entry: a store that waits for nothing. */
  leaveFrame(): void {
    this.#get("stack");
    this.#setGlobal("stack");
  }

  /**
   * Instead of memory.grow: beyond what the job may have it answers -1 as the specification lets it, and otherwise it
   * must succeed; an engine without memory ends the run without a result, for that is no property of the job.
   */
  growMemory(pageFuel: number, isInLoop: boolean): void {
    this.#tee("number");
    this.op(I64_OF_UNSIGNED, 0x3f, 0x00, I64_OF_UNSIGNED, I64_ADD);
    this.#getGlobal("pages");
    this.op(I64_GREATER, IF, I32, 0x41, 0x7f, ELSE);
    this.#chargeNumber(pageFuel, isInLoop);
    this.#get("number");
    this.op(0x40, 0x00);
    this.#tee("number");
    this.op(0x41, 0x7f, 0x46, IF, NO_RESULT);
    this.#constant(-1);
    this.#setGlobal("pages");
    this.op(UNREACHABLE, END);
    this.#get("number");
    this.op(END);
  }

  /** Makes the NaNs of the value on top canonical: 1 and 2 a scalar of 32 and 64 bits, 3 and 4 a vector of such. */
  canonicalise(mark: number): void {
    if (mark === 1) this.#canonicalScalar("single", [0x43, ...CANONICAL_SINGLE], 0x5c);
    else if (mark === 2) this.#canonicalScalar("double", [0x44, ...CANONICAL_DOUBLE], 0x62);
    else if (mark === 3)
      this.#canonicalVector(
        [1, 2, 3, 4].flatMap(() => CANONICAL_SINGLE),
        65,
      );
    else this.#canonicalVector([...CANONICAL_DOUBLE, ...CANONICAL_DOUBLE], 71);
  }

  /** Whatever is not equal to itself. */
  #canonicalScalar(name: Added, canonical: number[], unequal: number): void {
    this.#tee(name);
    this.#get(name);
    this.op(unequal, IF, NO_RESULT, ...canonical);
    this.#set(name);
    this.op(END);
    this.#get(name);
  }

  /** Lane by lane: v128.bitselect of the value and the canonical NaN by where the value equals itself. */
  #canonicalVector(canonical: number[], equal: number): void {
    this.#tee("vector");
    this.op(0xfd, 12, ...canonical);
    this.#get("vector");
    this.#get("vector");
    this.op(0xfd, equal, 0xfd, 82);
  }
}

// Owns the code that the rewriter adds to one body: charges, checks, canonical NaNs, and the locals they use. It refuses
// to know where they go.

import { ByteWriter } from "../module/byte-writer.ts";
import { F32, F64, I32, I64, V128 } from "../module/value-types.ts";

/** Numbers of the globals that every rewritten module has after its own. */
export interface MeterGlobals {
  readonly fuel: number;
  readonly stack: number;
  readonly pages: number;
}

const CANONICAL_SINGLE = [0x00, 0x00, 0xc0, 0x7f];
const CANONICAL_DOUBLE = [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f];

const GET_LOCAL = 0x20;
const SET_LOCAL = 0x21;
const TEE_LOCAL = 0x22;
const GET_GLOBAL = 0x23;
const SET_GLOBAL = 0x24;
const END = 0x0b;

export class BodyWriter extends ByteWriter {
  readonly globals: MeterGlobals;
  /** Types of the locals added, in order. */
  readonly added: number[] = [];
  #firstAdded = 0;

  constructor(globals: MeterGlobals) {
    super(65_536);
    this.globals = globals;
  }

  /** Begins a body with so many locals of its own. */
  begin(locals: number): void {
    this.clear();
    this.added.length = 0;
    this.#firstAdded = locals;
  }

  /** The number of the one added local of this type. */
  #local(type: number): number {
    const known = this.added.indexOf(type);
    return this.#firstAdded + (known >= 0 ? known : this.added.push(type) - 1);
  }

  op(...bytes: number[]): void {
    for (const byte of bytes) this.byte(byte);
  }

  get(type: number): void {
    this.byte(GET_LOCAL);
    this.unsigned(this.#local(type));
  }

  tee(type: number): void {
    this.byte(TEE_LOCAL);
    this.unsigned(this.#local(type));
  }

  set(type: number): void {
    this.byte(SET_LOCAL);
    this.unsigned(this.#local(type));
  }

  getGlobal(index: number): void {
    this.byte(GET_GLOBAL);
    this.unsigned(index);
  }

  setGlobal(index: number): void {
    this.byte(SET_GLOBAL);
    this.unsigned(index);
  }

  constant(value: number): void {
    this.byte(0x42);
    this.signed(value);
  }

  /** Reads the fuel into its local, before a loop in which nothing else can change it. */
  loadFuel(): void {
    this.getGlobal(this.globals.fuel);
    this.set(I64);
  }

  /** Takes a constant off the fuel. `isLoaded` where the local holds it. */
  charge(fuel: number, isLoaded: boolean, isChecked: boolean): void {
    if (isLoaded) this.get(I64);
    else this.getGlobal(this.globals.fuel);
    this.constant(fuel);
    this.op(0x7d);
    this.#keepFuel(isLoaded, isChecked);
  }

  /** Takes an amount off that depends on the number in the added local of 32 bits: shifted right, or multiplied. */
  chargeLength(isLoaded: boolean, amount: { shift: number } | { times: number }): void {
    if (isLoaded) this.get(I64);
    else this.getGlobal(this.globals.fuel);
    this.get(I32);
    this.op(0xad);
    if ("shift" in amount) {
      this.constant(amount.shift);
      this.op(0x88);
    } else {
      this.constant(amount.times);
      this.op(0x7e);
    }
    this.op(0x7d);
    this.#keepFuel(isLoaded, true);
  }

  #keepFuel(isLoaded: boolean, isChecked: boolean): void {
    if (isLoaded || isChecked) this.tee(I64);
    this.setGlobal(this.globals.fuel);
    if (!isChecked) return;
    this.get(I64);
    this.#trapBelowZero();
  }

  #trapBelowZero(): void {
    this.constant(0);
    this.op(0x53, 0x04, 0x40, 0x00, END);
  }

  /** On entry: takes fuel and a frame off, and looks at both at once. */
  enterFrame(fuel: number, frame: number): void {
    this.getGlobal(this.globals.fuel);
    this.constant(fuel);
    this.op(0x7d);
    this.tee(I64);
    this.setGlobal(this.globals.fuel);
    this.getGlobal(this.globals.stack);
    this.constant(frame);
    this.op(0x7d);
    this.setGlobal(this.globals.stack);
    this.get(I64);
    this.getGlobal(this.globals.stack);
    this.op(0x84);
    this.#trapBelowZero();
  }

  leaveFrame(frame: number): void {
    this.getGlobal(this.globals.stack);
    this.constant(frame);
    this.op(0x7c);
    this.setGlobal(this.globals.stack);
  }

  /**
   * Instead of memory.grow: beyond what the job may have it answers -1 as the specification lets it, and otherwise it
   * must succeed; an engine without memory ends the run without a result, for that is no property of the job.
   */
  growMemory(isLoaded: boolean, pageFuel: number): void {
    this.tee(I32);
    this.op(0xad, 0x3f, 0x00, 0xad, 0x7c);
    this.getGlobal(this.globals.pages);
    this.op(0x56, 0x04, I32, 0x41, 0x7f, 0x05);
    this.chargeLength(isLoaded, { times: pageFuel });
    this.get(I32);
    this.op(0x40, 0x00);
    this.tee(I32);
    this.op(0x41, 0x7f, 0x46, 0x04, 0x40);
    this.constant(-1);
    this.setGlobal(this.globals.pages);
    this.op(0x00, END);
    this.get(I32);
    this.op(END);
  }

  /** Makes the NaNs of the value on top canonical: 1 and 2 a scalar of 32 and 64 bits, 3 and 4 a vector of such. */
  canonicalise(mark: number): void {
    if (mark === 1) this.#canonicalScalar(F32, [0x43, ...CANONICAL_SINGLE], 0x5c);
    else if (mark === 2) this.#canonicalScalar(F64, [0x44, ...CANONICAL_DOUBLE], 0x62);
    else if (mark === 3)
      this.#canonicalVector(
        [1, 2, 3, 4].flatMap(() => CANONICAL_SINGLE),
        [0xfd, 65],
      );
    else this.#canonicalVector([...CANONICAL_DOUBLE, ...CANONICAL_DOUBLE], [0xfd, 71]);
  }

  #canonicalScalar(type: number, canonical: number[], unequal: number): void {
    this.tee(type);
    this.get(type);
    this.op(unequal, 0x04, 0x40, ...canonical);
    this.set(type);
    this.op(END);
    this.get(type);
  }

  #canonicalVector(canonical: number[], equal: number[]): void {
    this.tee(V128);
    this.op(0xfd, 12, ...canonical);
    this.get(V128);
    this.get(V128);
    this.op(...equal, 0xfd, 82);
  }
}

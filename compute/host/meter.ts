// Owns the fuel of a running job as seen from outside: reading it, and taking off what calls of the host cost. It refuses
// to let a call do its work when the fuel for it is not there.

import type { WideGlobal } from "./engine.ts";
import type { JobEnd } from "./job.ts";

/** One call of the host, whatever it does. */
export const CALL_FUEL = 2_000;
/** One entry of a list of buffers. */
export const BUFFER_FUEL = 200;
/** A byte written: copied, kept and hashed. */
export const WRITTEN_BYTE_FUEL = 100;
/** A random byte: hashed. */
export const RANDOM_BYTE_FUEL = 100;
/** A byte read: copied. */
export const READ_BYTE_FUEL = 1;

/** Ends the job from within a call of the host; nothing in a program can catch it. */
export class JobEnded extends Error {
  readonly end: JobEnd;
  readonly exitCode: number | null;

  constructor(end: JobEnd, exitCode: number | null = null) {
    super(end);
    this.end = end;
    this.exitCode = exitCode;
  }
}

export class Meter {
  readonly #limit: number;
  #fuel: WideGlobal = { value: 0n };

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Fills the instance's counter. */
  attach(fuel: WideGlobal): void {
    this.#fuel = fuel;
    fuel.value = BigInt(this.#limit);
  }

  /** Takes `fuel` off before the work is done. */
  take(fuel: number): void {
    const left = this.#fuel.value - BigInt(fuel);
    this.#fuel.value = left;
    if (left < 0n) throw new JobEnded("out_of_fuel");
  }

  isEmpty(): boolean {
    return this.#fuel.value < 0n;
  }

  used(): number {
    return this.#limit - Math.max(0, Number(this.#fuel.value));
  }
}

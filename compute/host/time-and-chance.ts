// Owns a job's clock and randomness: both follow from the job alone. It refuses the machine's: time passes with fuel, and
// with sleeping, which takes none.

import { sha256 } from "@noble/hashes/sha2.js";

/** About what a machine of the day does in a nanosecond, so that a job's clock is not far from its owner's. */
const FUEL_PER_NANOSECOND = 8n;
const MASK = (1n << 64n) - 1n;

export class JobClock {
  readonly #startedNs: bigint;
  readonly #fuelUsed: () => number;
  #sleptNs = 0n;

  constructor(clockS: number, fuelUsed: () => number) {
    this.#startedNs = BigInt(clockS) * 1_000_000_000n;
    this.#fuelUsed = fuelUsed;
  }

  /** Nanoseconds of one of preview 1's four clocks: wall, monotonic, and two of the time spent computing. */
  nowNs(clock: number): bigint {
    const computing = BigInt(this.#fuelUsed()) / FUEL_PER_NANOSECOND;
    if (clock >= 2) return computing;
    return ((clock === 0 ? this.#startedNs : 0n) + computing + this.#sleptNs) & MASK;
  }

  /** Lets so much time pass at once. */
  sleep(nanoseconds: bigint): void {
    this.#sleptNs = (this.#sleptNs + nanoseconds) & MASK;
  }
}

/** SHA-256 of the seed and a counter, block after block. */
export class JobRandomness {
  readonly #block = new Uint8Array(40);
  #counter = 0n;
  #left = new Uint8Array(0);

  constructor(seed: Uint8Array) {
    this.#block.set(seed);
  }

  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; ) {
      if (this.#left.length === 0) this.#left = this.#next();
      const part = this.#left.subarray(0, target.length - at);
      target.set(part, at);
      this.#left = this.#left.subarray(part.length);
      at += part.length;
    }
  }

  #next(): Uint8Array<ArrayBuffer> {
    new DataView(this.#block.buffer).setBigUint64(32, this.#counter, true);
    this.#counter += 1n;
    return new Uint8Array(sha256(this.#block));
  }
}

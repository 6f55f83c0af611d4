// Owns reading and writing the job's memory from outside. It refuses addresses beyond its end by answering an error
// number, as preview 1 does, and never throws at what a program passes.

import type { LinearMemory } from "./engine.ts";

/** Preview 1's error numbers. */
export const ERRNO = {
  success: 0,
  badFile: 8,
  fault: 21,
  invalid: 28,
  notPipe: 70,
} as const;

/** A call that ends with this error number. */
export class CallFailed extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

export class GuestMemory {
  readonly #memory: LinearMemory;
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** `length` bytes from `address`, both as the program passed them: 32 bits of either sign. */
  bytes(address: number, length: number): Uint8Array {
    const from = this.#at(address, length >>> 0);
    return this.#bytes.subarray(from, from + (length >>> 0));
  }

  u32(address: number): number {
    const at = this.#at(address, 4);
    return this.#view.getUint32(at, true);
  }

  u64(address: number): bigint {
    const at = this.#at(address, 8);
    return this.#view.getBigUint64(at, true);
  }

  setU32(address: number, value: number): void {
    const at = this.#at(address, 4);
    this.#view.setUint32(at, value, true);
  }

  setU64(address: number, value: bigint): void {
    const at = this.#at(address, 8);
    this.#view.setBigUint64(at, value, true);
  }

  /** The address, once it is known to lie within; comes before the view is looked at, which it may renew. */
  #at(address: number, length: number): number {
    // Growing the memory replaces its buffer.
    if (this.#bytes.buffer !== this.#memory.buffer) {
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#view = new DataView(this.#memory.buffer);
    }
    const from = address >>> 0;
    if (from + length > this.#bytes.length) throw new CallFailed(ERRNO.fault);
    return from;
  }
}

// Owns a job's three streams. It refuses to keep more output than the job's limit: the job ends there, with what fitted.

import { CallFailed, ERRNO } from "./guest-memory.ts";
import { JobEnded } from "./meter.ts";

export class JobStreams {
  readonly #stdin: Uint8Array;
  readonly #limit: number;
  readonly #written: [Uint8Array[], Uint8Array[]] = [[], []];
  readonly #isClosed = [false, false, false];
  #read = 0;
  #kept = 0;

  constructor(stdin: Uint8Array, outputBytes: number) {
    this.#stdin = stdin;
    this.#limit = outputBytes;
  }

  /** Throws a failure unless the number is one of the three that are open. */
  expectOpen(file: number): void {
    if (this.#isClosed[file] !== false) throw new CallFailed(ERRNO.badFile);
  }

  close(file: number): void {
    this.expectOpen(file);
    this.#isClosed[file] = true;
  }

  /** Copies what is left of the input into `target`; answers how much, nothing at its end. */
  read(file: number, target: Uint8Array): number {
    this.expectOpen(file);
    if (file !== 0) throw new CallFailed(ERRNO.badFile);
    const part = this.#stdin.subarray(this.#read, this.#read + target.length);
    target.set(part);
    this.#read += part.length;
    return part.length;
  }

  write(file: number, source: Uint8Array): void {
    this.expectOpen(file);
    if (file === 0) throw new CallFailed(ERRNO.badFile);
    const fits = Math.min(source.length, this.#limit - this.#kept);
    if (fits > 0) (file === 1 ? this.#written[0] : this.#written[1]).push(source.slice(0, fits));
    this.#kept += fits;
    if (fits < source.length) throw new JobEnded("output_too_large");
  }

  output(file: 1 | 2): Uint8Array {
    const parts = file === 1 ? this.#written[0] : this.#written[1];
    const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

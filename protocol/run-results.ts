// Owns what is made of a run's result by whoever has a part in it: its fuel as it is traded, the commitment that binds it before
// it is shown, and what a lease's voucher says of all its runs. It refuses nothing.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "./fields.ts";
import { type JobDescription, jobDigestOf } from "./jobs.ts";
import type { LeaseJob } from "./provider-frames.ts";

const bytesOf = (hex: Hex): Uint8Array => hexToBytes(hex.slice(2));
const hexOf = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`;

const NOTHING: Hex = `0x${"00".repeat(32)}`;

/** Fuel as it is traded: whole millions, rounded up, and never none. */
export function fuelMegaOf(fuelUsed: number): number {
  return Math.max(1, Math.ceil(fuelUsed / 1_000_000));
}

/** What a node commits to before it shows a result: SHA-256 of the result's hash and a salt of its own. */
export function commitmentOf(outputHash: Hex, salt: Hex): Hex {
  return hexOf(sha256(concatBytes(bytesOf(outputHash), bytesOf(salt))));
}

/** A lease's run as a job. Its salt is zero: what tells runs of a lease apart is their place in its tally. */
export function leaseDescription(job: LeaseJob, inputHash: Hex): JobDescription {
  return { ...job, inputHash, salt: NOTHING };
}

/** The digest of a lease's run, 32 bytes, by the hash of its input. */
export function leaseRunDigest(job: LeaseJob, inputHash: Hex): Uint8Array {
  return bytesOf(jobDigestOf(leaseDescription(job, inputHash)));
}

/** SHA-256 of no input. */
export const NO_INPUT_HASH: Hex = hexOf(sha256(new Uint8Array(0)));

/** The hash of an input, as jobs have it. */
export function inputHashOf(input: Uint8Array): Hex {
  return input.length === 0 ? NO_INPUT_HASH : hexOf(sha256(input));
}

/** What was run of a lease so far. */
export interface LeaseTally {
  readonly runs: number;
  /** Not rounded: only the sum is, so that many small runs cost no more than one large. */
  readonly fuel: number;
  /** Running hash over the digests of its jobs, and over the hashes of their results, in the order in which they ended. */
  readonly jobsDigest: Hex;
  readonly outputsHash: Hex;
}

/** A lease of which nothing was run. */
export const NO_RUNS: LeaseTally = { runs: 0, fuel: 0, jobsDigest: NOTHING, outputsHash: NOTHING };

/** Counts a lease's runs. */
export class LeaseCount {
  readonly #jobs: RunningHash;
  readonly #outputs: RunningHash;
  #runs: number;
  #fuel: number;

  constructor({ runs, fuel, jobsDigest, outputsHash }: LeaseTally) {
    this.#runs = runs;
    this.#fuel = fuel;
    this.#jobs = new RunningHash("polder-lease-jobs-1\n", bytesOf(jobsDigest));
    this.#outputs = new RunningHash("polder-lease-outputs-1\n", bytesOf(outputsHash));
  }

  get fuel(): number {
    return this.#fuel;
  }

  get runs(): number {
    return this.#runs;
  }

  get tally(): LeaseTally {
    const [jobsDigest, outputsHash] = [hexOf(this.#jobs.value), hexOf(this.#outputs.value)];
    return { runs: this.#runs, fuel: this.#fuel, jobsDigest, outputsHash };
  }

  /** The running hash over its jobs so far. */
  get jobsHash(): Uint8Array {
    return this.#jobs.value;
  }

  /** The running hash over its results so far. */
  get outputsHash(): Uint8Array {
    return this.#outputs.value;
  }

  /** One more run, by the 32 bytes of its job's digest and of its result's hash. */
  add(jobDigest: Uint8Array, outputHash: Uint8Array, fuelUsed: number): void {
    this.#runs += 1;
    this.#fuel += fuelUsed;
    this.#jobs.add(jobDigest);
    this.#outputs.add(outputHash);
  }
}

/** SHA-256 of a tag, the hash before and what is added. */
class RunningHash {
  readonly #buffer: Uint8Array;
  readonly #valueAt: number;
  #value: Uint8Array;

  constructor(tag: string, value: Uint8Array) {
    const bytes = utf8ToBytes(tag);
    this.#valueAt = bytes.length;
    this.#buffer = concatBytes(bytes, value, new Uint8Array(32));
    this.#value = value;
  }

  get value(): Uint8Array {
    return this.#value;
  }

  add(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#valueAt + 32);
    this.#value = sha256(this.#buffer);
    this.#buffer.set(this.#value, this.#valueAt);
  }
}

/** What is paid for a lease's fuel: its sum in whole millions, rounded up. */
export function deliveredMegaOf(fuel: number): number {
  return Math.ceil(fuel / 1_000_000);
}

/** What a voucher for a tally says: its fuel rounded up, the running hashes as digest and hash. */
export function voucherFields({ fuel, jobsDigest, outputsHash }: LeaseTally) {
  return { deliveredMega: deliveredMegaOf(fuel), jobDigest: jobsDigest, outputHash: outputsHash };
}

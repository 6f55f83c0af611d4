// Owns what is made of a run's result by whoever has a part in it: its fuel as it is traded, the commitment that binds it before
// it is shown, and what a lease's voucher says of all its runs. It refuses nothing.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "./fields.ts";
import type { JobDescription } from "./jobs.ts";
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

const JOBS_TAG = utf8ToBytes("polder-lease-jobs-1\n");
const OUTPUTS_TAG = utf8ToBytes("polder-lease-outputs-1\n");

/** The tally with one more run in it. */
export function addRun(tally: LeaseTally, jobDigest: Hex, outputHash: Hex, fuelUsed: number): LeaseTally {
  return {
    runs: tally.runs + 1,
    fuel: tally.fuel + fuelUsed,
    jobsDigest: hexOf(sha256(concatBytes(JOBS_TAG, bytesOf(tally.jobsDigest), bytesOf(jobDigest)))),
    outputsHash: hexOf(sha256(concatBytes(OUTPUTS_TAG, bytesOf(tally.outputsHash), bytesOf(outputHash)))),
  };
}

/** What a voucher for a tally says: its fuel rounded up, the running hashes as digest and hash. */
export function voucherFields({ fuel, jobsDigest, outputsHash }: LeaseTally) {
  return { deliveredMega: Math.ceil(fuel / 1_000_000), jobDigest: jobsDigest, outputHash: outputsHash };
}

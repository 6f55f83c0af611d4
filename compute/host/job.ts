// Owns what a job is given and what becomes of it, as values, and the hash that replicas compare. It refuses jobs whose
// limits or seed are not what they should be, before anything runs.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

export interface JobLimits {
  /** Fuel that the job may use. */
  readonly fuel: number;
  /** Bytes its memory may grow to; whole pages of 65,536 count. */
  readonly memoryBytes: number;
  /** Bytes it may write to standard output and error together. */
  readonly outputBytes: number;
}

export interface Job {
  /** Arguments after the program's name, which is always "job". */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
  readonly limits: JobLimits;
  /** 32 bytes from which all of the job's randomness follows. */
  readonly seed: Uint8Array;
  /** Unix seconds at which its clock starts. */
  readonly clockS: number;
}

/**
 * How a job ended. `exited` by itself; `trapped` by a fault of its own; the others by one of its limits, at the same
 * instruction everywhere.
 */
export type JobEnd =
  | "exited"
  | "trapped"
  | "out_of_fuel"
  | "stack_exhausted"
  | "output_too_large"
  | "memory_too_small";

export interface JobResult {
  readonly end: JobEnd;
  /** What it exited with; null when it did not. */
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly fuelUsed: number;
  /** SHA-256 over all of the above, in hex: equal exactly when everything above is. */
  readonly outputHash: string;
  /** The engine's words for a trap. They differ between engines and are not part of the hash. */
  readonly trap: string | null;
}

/** Why there is no result: reasons of this machine or this call, never of the job. */
export type NotRunReason =
  | "not_metered"
  | "other_version"
  | "job_malformed"
  | "engine_out_of_memory"
  | "engine_stack"
  | "engine_refused";

/** The job was not run to an end that others would reach too; running it elsewhere may help. */
export class JobNotRun extends Error {
  readonly reason: NotRunReason;

  constructor(reason: NotRunReason, detail: string) {
    super(`${reason}: ${detail}`);
    this.name = "JobNotRun";
    this.reason = reason;
  }
}

/** Arguments and environment together, in bytes. */
const MAX_STRINGS_BYTES = 131_072;

/** Throws `job_malformed` unless the job can be given to a program as it stands. */
export function checkJob({ args, env, limits, seed, clockS }: Job): void {
  const fail = (detail: string): never => {
    throw new JobNotRun("job_malformed", detail);
  };
  for (const [name, value] of Object.entries(limits))
    if (!Number.isSafeInteger(value) || value < 0) fail(`limits.${name} is no whole number`);
  if (seed.length !== 32) fail("seed is not 32 bytes");
  if (!Number.isSafeInteger(clockS) || clockS < 0 || clockS > 9_000_000_000) fail("clockS is no time");
  let bytes = 0;
  for (const text of [...args, ...Object.entries(env).flat()]) {
    if (text.includes("\0")) fail("an argument or variable holds a zero byte");
    bytes += 1 + 4 * text.length;
  }
  if (bytes > MAX_STRINGS_BYTES) fail("arguments and environment are too long");
  for (const name of Object.keys(env)) if (name === "" || name.includes("=")) fail("no name of a variable");
}

const encoder = new TextEncoder();

/** Makes the result with its hash. */
export function resultOf(parts: Omit<JobResult, "outputHash">): JobResult {
  return { ...parts, outputHash: bytesToHex(resultHash(parts)) };
}

/** The hash that replicas compare, 32 bytes. */
export function resultHash(parts: Omit<JobResult, "outputHash" | "trap">): Uint8Array {
  const { end, exitCode, stdout, stderr, fuelUsed } = parts;
  const head = encoder.encode(
    `polder-job-1 ${end} ${exitCode} ${fuelUsed} ${stdout.length} ${stderr.length}\n`,
  );
  if (stdout.length === 0 && stderr.length === 0) return sha256(head);
  return sha256.create().update(head).update(stdout).update(stderr).digest();
}

// Owns what a job is, as it travels: its description, the digest that stands for it everywhere, and what an app is told of
// it. It refuses descriptions beyond the limits; running one is compute/'s.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { address, bounded, bytes32, count, type Hex, instantS, obligationId } from "./fields.ts";
import {
  LEAST_MEGA_PER_SECOND,
  MAX_JOB_FUEL_MEGA,
  MAX_JOB_OUTPUT_BYTES,
  MAX_JOB_STRINGS_BYTES,
  MAX_JOB_WALL_SECONDS,
  MAX_MEMORY_PAGES,
  MAX_REFEREE_FUEL_MEGA,
  MAX_REFEREE_MEMORY_BYTES,
} from "./limits.ts";

/** When a job's clock starts unless it says otherwise: 1 January 2026. Fixed, so that the same job gives the same bytes. */
export const DEFAULT_START_S = 1_767_225_600;

const text = z
  .string()
  .max(MAX_JOB_STRINGS_BYTES)
  .regex(/^[^\0]*$/, "must hold no zero");

export const jobLimits = z.strictObject({
  fuelMega: bounded(1, MAX_JOB_FUEL_MEGA).meta({ description: "millions of fuel, the unit of the book" }),
  memoryBytes: bounded(65_536, MAX_MEMORY_PAGES * 65_536),
  outputBytes: bounded(0, MAX_JOB_OUTPUT_BYTES).meta({ description: "standard output and error together" }),
  wallSeconds: bounded(1, MAX_JOB_WALL_SECONDS).meta({
    description: "how long a node may take; it is the node's time, and no part of what the job computes",
  }),
});

/** Everything that decides what a job computes, and the salt that tells two orders of the same job apart. */
export const jobDescription = z.strictObject({
  module: bytes32.meta({ description: "SHA-256 of the module as it was uploaded" }),
  args: z.array(text).max(1_000),
  env: z.record(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^[^=\0]+$/),
    text,
  ),
  inputHash: bytes32.meta({ description: "SHA-256 of standard input" }),
  limits: jobLimits,
  startS: instantS.meta({ description: "where the job's clock starts" }),
  salt: bytes32.meta({ description: "no part of what the job computes" }),
});
export type JobDescription = z.infer<typeof jobDescription>;

/** True for a job that the referee does not run again, whatever its input is: only replicas check it. */
export function isBeyondReferee({ limits }: Pick<JobDescription, "limits">): boolean {
  return limits.fuelMega > MAX_REFEREE_FUEL_MEGA || limits.memoryBytes > MAX_REFEREE_MEMORY_BYTES;
}

/** True where a slow machine can use up the job's fuel in its wall time, so that it is its own fault if it does not. */
export function leavesTime({ limits }: Pick<JobDescription, "limits">): boolean {
  return limits.wallSeconds * LEAST_MEGA_PER_SECOND >= limits.fuelMega;
}

/** 32 bytes from which all of a job's randomness follows: the same for the same job, whoever runs it and whenever. */
export function jobSeedOf({ salt: _salt, limits, ...rest }: JobDescription): Uint8Array {
  const { wallSeconds: _wallSeconds, ...decisive } = limits;
  return sha256(utf8ToBytes(`polder-job-seed-1\n${canonical({ ...rest, limits: decisive })}`));
}

/** The digest that stands for one order of a job: in the book, in what its sellers sign, in the journal. */
export function jobDigestOf(description: JobDescription): Hex {
  return `0x${bytesToHex(sha256(utf8ToBytes(`polder-job-1\n${canonical(description)}`)))}`;
}

/** JSON with the names of every object in order: one text for one value. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical((value as Record<string, unknown>)[name])}`).join(",")}}`;
}

/** A module as it is stored. */
export const moduleAnswer = z
  .strictObject({
    module: bytes32.meta({ description: "SHA-256 of the bytes as they were uploaded; what jobs name" }),
    bytes: count,
    rewrittenBytes: count.meta({ description: "size of what is run" }),
    firstPages: count.meta({ description: "pages of 64 KiB that its memory begins with" }),
    rewriterVersion: count,
  })
  .meta({ id: "Module" });
export type ModuleAnswer = z.infer<typeof moduleAnswer>;

/** Where a job stands. `failed`: it was not run to an end by anybody; nothing is owed for it. */
export const jobStatus = z.enum(["queued", "running", "done", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof jobStatus>;

/** One run of a job: a seller's. */
export const jobRun = z.strictObject({
  provider: address,
  obligation: obligationId,
  priceMicrosPerTera: count,
  fuelMega: count.nullable(),
  outputHash: bytes32.nullable(),
  state: z.enum(["running", "reported", "gave_up", "late"]),
});
export type JobRun = z.infer<typeof jobRun>;

// Owns what an app asks for when it has a job run: the body of the request, its defaults, and the bytes of its input. It refuses
// input that is not exactly what it says it is, and more text than a job may have.

import { z } from "zod";
import { amountMicros, bounded, bytes32, instantS } from "./fields.ts";
import { DEFAULT_START_S, jobDescription, jobLimits } from "./jobs.ts";
import {
  MAX_JOB_INPUT_BYTES,
  MAX_JOB_PATIENCE_SECONDS,
  MAX_JOB_REPLICAS,
  MAX_JOB_STRINGS_BYTES,
  MAX_JOB_WAIT_SECONDS,
} from "./limits.ts";

/** What a job may use unless its request says otherwise: a second of a core, memory for a picture, an answer of a megabyte. */
export const DEFAULT_LIMITS = {
  fuelMega: 10_000,
  memoryBytes: 64 * 2 ** 20,
  outputBytes: 2 ** 20,
  wallSeconds: 30,
} as const;

const { fuelMega, memoryBytes, outputBytes, wallSeconds } = jobLimits.shape;

const requestLimits = z.strictObject({
  fuelMega: fuelMega.default(DEFAULT_LIMITS.fuelMega),
  memoryBytes: memoryBytes.default(DEFAULT_LIMITS.memoryBytes),
  outputBytes: outputBytes.default(DEFAULT_LIMITS.outputBytes),
  wallSeconds: wallSeconds.default(DEFAULT_LIMITS.wallSeconds),
});

const jobInput = z
  .union([
    z.strictObject({ base64: z.string() }),
    z.strictObject({ text: z.string() }),
    // It was JSON when it came; a decoder that looks into it would only bound how deep it may be.
    z.strictObject({ json: z.unknown().refine((value) => value !== undefined, "must be there") }),
  ])
  .meta({
    description:
      "standard input: bytes in base64; text, as UTF-8; or any JSON value, as the UTF-8 of its shortest text",
  });
export type JobInput = z.infer<typeof jobInput>;

const { module, args, env } = jobDescription.shape;

/** Body of `POST …/jobs` and of its quote. */
export const jobRequest = z
  .strictObject({
    module,
    input: jobInput.optional(),
    args: args.default([]),
    env: env.default({}),
    limits: requestLimits.default({ ...DEFAULT_LIMITS }),
    mostMicros: amountMicros.meta({
      description: "the most to pay for one try of the job, all its replicas together",
    }),
    replicas: bounded(1, MAX_JOB_REPLICAS)
      .default(1)
      .meta({ description: "providers that run it; of two or more, most must agree" }),
    salt: bytes32
      .optional()
      .meta({ description: "tells orders of one job apart: the same request with the same salt is one job" }),
    startS: instantS.default(DEFAULT_START_S).meta({ description: "where the job's clock starts" }),
    webhook: z
      .string()
      .max(2_048)
      .optional()
      .meta({ description: "https address that is told when the job is over" }),
    waitSeconds: bounded(0, MAX_JOB_WAIT_SECONDS)
      .default(30)
      .meta({ description: "how long the answer may wait for the job's end; wall seconds" }),
    patienceSeconds: bounded(0, MAX_JOB_PATIENCE_SECONDS)
      .default(0)
      .meta({ description: "how long it may wait for providers where there are none at once; wall seconds" }),
  })
  .refine((request) => stringBytes(request) <= MAX_JOB_STRINGS_BYTES, {
    path: ["args"],
    message: `arguments and variables must be at most ${MAX_JOB_STRINGS_BYTES} bytes together`,
  })
  .meta({ id: "JobRequest" });
export type JobRequest = z.infer<typeof jobRequest>;

const encoder = new TextEncoder();

function stringBytes(request: { readonly args: readonly string[]; readonly env: Record<string, string> }) {
  const texts = [...request.args, ...Object.entries(request.env).flat()];
  return texts.reduce((bytes, text) => bytes + encoder.encode(text).length, 0);
}

/** Why an input cannot be a job's. */
export type InputFault = "malformed" | "too_large";

/** Bytes of a job's standard input, or why there are none. */
export function inputBytes(input: JobInput | undefined): Uint8Array | InputFault {
  if (input === undefined) return new Uint8Array(0);
  if ("base64" in input) return decodeBase64(input.base64);
  const text = "text" in input ? input.text : jsonText(input.json);
  if (text === null) return "malformed";
  const bytes = encoder.encode(text);
  return bytes.length > MAX_JOB_INPUT_BYTES ? "too_large" : bytes;
}

/** The shortest text of a value; null for one so deep that writing it takes more stack than there is. */
function jsonText(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function decodeBase64(text: string): Uint8Array | InputFault {
  if (text.length > Math.ceil(MAX_JOB_INPUT_BYTES / 3) * 4) return "too_large";
  if (text.length % 4 !== 0 || !BASE64.test(text)) return "malformed";
  const characters = atob(text);
  if (characters.length > MAX_JOB_INPUT_BYTES) return "too_large";
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

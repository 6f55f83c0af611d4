// Owns what an app is told of a job: how it stands, what came of it, who ran it at which price, and the region's receipts for
// what was bought. It refuses nothing; it is what a desk answers.

import { z } from "zod";
import { ERRORS, type ErrorCode, isErrorCode } from "../protocol/errors.ts";
import { address, amountMicros, bytes32, count, entryNumber, instantS } from "../protocol/fields.ts";
import { jobRun, jobStatus } from "../protocol/jobs.ts";
import { receiptSchema } from "./receipt.ts";

/** How a job ended that was run to an end; the names of compute/host/job.ts. */
export const jobEnd = z.enum([
  "exited",
  "trapped",
  "out_of_fuel",
  "stack_exhausted",
  "output_too_large",
  "memory_too_small",
]);

/** Bytes that a job wrote: as text where they are UTF-8, else in base64. */
export const jobOutput = z
  .strictObject({ encoding: z.enum(["utf8", "base64"]), data: z.string() })
  .meta({ id: "JobOutput", description: "what a job wrote; text where it is UTF-8, else base64" });
export type JobOutput = z.infer<typeof jobOutput>;

export const jobResult = z.strictObject({
  end: jobEnd,
  exitCode: count.nullable().meta({ description: "null unless the job exited by itself" }),
  trap: z.string().nullable().meta({ description: "an engine's words for a fault; no part of the hash" }),
  fuelUsed: count.meta({ description: "fuel, not megafuel" }),
  outputHash: bytes32,
  stdoutBytes: count,
  stderrBytes: count,
  stdout: jobOutput.optional(),
  stderr: jobOutput.optional(),
});

const codes = Object.keys(ERRORS).filter(isErrorCode) as [ErrorCode, ...ErrorCode[]];

/** Why a job failed: a code of the table with its facts. */
export const jobProblem = z.strictObject({
  code: z.enum(codes),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export const jobPurchase = z.strictObject({
  commandId: bytes32,
  entry: entryNumber.meta({ description: "the journal entry in which it was bought" }),
  atS: instantS,
  receipt: receiptSchema,
});
export type JobPurchase = z.infer<typeof jobPurchase>;

export const jobAnswer = z
  .strictObject({
    job: bytes32.meta({ description: "the job's digest: its number everywhere" }),
    status: jobStatus,
    module: bytes32,
    fuelMega: count.meta({ description: "the most that one run may use" }),
    replicas: count,
    mostMicros: amountMicros,
    createdS: instantS,
    overS: instantS.nullable(),
    result: jobResult.nullable(),
    owedMicros: count.nullable().meta({
      description:
        "what the runs that count cost, once nobody has shown them to be wrong; null while there is no result",
    }),
    runs: z.array(jobRun),
    purchases: z.array(jobPurchase),
    problem: jobProblem.nullable().meta({ description: "why it failed" }),
    webhook: z
      .strictObject({ url: z.string(), state: z.enum(["waiting", "delivered", "given_up"]) })
      .nullable(),
  })
  .meta({ id: "Job" });
export type JobAnswer = z.infer<typeof jobAnswer>;

/** A line of the list of an account's jobs. */
export const jobSummary = jobAnswer.pick({
  job: true,
  status: true,
  module: true,
  replicas: true,
  mostMicros: true,
  createdS: true,
  overS: true,
});
export type JobSummary = z.infer<typeof jobSummary>;

export const jobListAnswer = z.strictObject({
  jobs: z.array(jobSummary),
  next: count.nullable().meta({ description: "where the next page begins; null at the end" }),
});
export type JobListAnswer = z.infer<typeof jobListAnswer>;

/** What a job would cost now. */
export const jobQuoteAnswer = z
  .strictObject({
    job: bytes32.meta({ description: "its digest, with the salt that was given or made for this quote" }),
    fuelMega: count,
    replicas: count,
    priceMicrosPerTera: count.meta({ description: "the dearest ask that it may take" }),
    costMicros: count.meta({
      description: "what it costs at most now; the unused part of its fuel is paid back",
    }),
    asks: z.array(
      z.strictObject({
        seller: address,
        priceMicrosPerTera: count,
        costMicros: count,
      }),
    ),
    problem: jobProblem.nullable().meta({ description: "what it would be refused for if it were sent now" }),
  })
  .meta({ id: "JobQuote" });
export type JobQuoteAnswer = z.infer<typeof jobQuoteAnswer>;

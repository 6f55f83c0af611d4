// Owns the commands about promised resources: orders in the continuous book, jobs and their results, settlements and audits. It
// refuses nothing beyond their fields; they are commands like the others, which are in commands.ts.

import { z } from "zod";
import {
  accountEnvelope,
  bounded,
  bytes32,
  count,
  envelope,
  instantS,
  obligationId,
  orderId,
  priceMicrosPerTera,
  quantityMega,
  side,
} from "./fields.ts";
import { MAX_JOB_REPLICAS } from "./limits.ts";
import { product } from "./products.ts";

export const timeInForce = z
  .enum(["good_till_time", "immediate_or_cancel", "fill_or_kill", "post_only"])
  .meta({
    description:
      "good_till_time: what does not trade at once rests; immediate_or_cancel: it does not; fill_or_kill: all at once or nothing; post_only: rests, and is refused where it would trade at once",
  });

export type TimeInForce = z.infer<typeof timeInForce>;

export const placeResourceOrder = z.strictObject({
  type: z.literal("place_resource_order"),
  ...accountEnvelope,
  product,
  side,
  quantityMega,
  priceMicrosPerTera,
  timeInForce,
  goodTillS: instantS.meta({ description: "when it stops resting; 0 where it does not rest" }),
});

export const cancelResourceOrder = z.strictObject({
  type: z.literal("cancel_resource_order"),
  ...accountEnvelope,
  orderId,
});

/**
 * Buys the running of one job at once: of each of `replicas` sellers the whole of its fuel, the best asks first. Nothing is
 * bought where fewer sellers have that much left.
 */
export const buyJob = z.strictObject({
  type: z.literal("buy_job"),
  ...accountEnvelope,
  jobDigest: bytes32.meta({ description: "what is to be run, see protocol/jobs.ts" }),
  fuelMega: quantityMega.meta({ description: "the most megafuel that a run may use" }),
  priceMicrosPerTera,
  replicas: bounded(1, MAX_JOB_REPLICAS).meta({
    description: "sellers that run it; of two or more those are paid that agree",
  }),
});

/**
 * A seller's word for what came of a job, bound to it by the signature; its evidence is that the edge holds the outputs. It is paid
 * when nobody has shown it to be wrong.
 */
export const reportResult = z.strictObject({
  type: z.literal("report_result"),
  ...accountEnvelope,
  obligationId,
  fuelMega: quantityMega.meta({ description: "megafuel used, rounded up" }),
  jobDigest: bytes32,
  outputHash: bytes32.meta({
    description: "hash of end, exit code, outputs and fuel, see compute/host/job.ts",
  }),
});

/** Binds the region, before an epoch's first job, to the secret that draws which of its results are run again. */
export const commitAudits = z.strictObject({
  type: z.literal("commit_audits"),
  ...envelope,
  epoch: count,
  commitment: bytes32.meta({ description: "SHA-256 of the epoch's secret" }),
});

/** Shows the secret of an epoch that is over, so that everybody can draw again. */
export const revealAudits = z.strictObject({
  type: z.literal("reveal_audits"),
  ...envelope,
  epoch: count,
  secret: bytes32,
});

/**
 * Ends a run of which nothing sound came in the job's own time, or a lease whose machine is gone: the buyer has at once what is left of its
 * money, and the seller does not get the job again. Said by the edge that handed the run out and would have held its result.
 */
export const releaseRun = z.strictObject({
  type: z.literal("release_run"),
  ...envelope,
  obligationId,
  jobDigest: bytes32.meta({ description: "32 zero bytes for a lease" }),
  hasFailed: z.boolean().meta({
    description:
      "whether it was the seller's fault; false where the job left too little time, or it had no chance",
  }),
});

/** What the referee got when it ran a job again. It differs from what was reported: nothing is paid. */
export const recordAudit = z.strictObject({
  type: z.literal("record_audit"),
  ...envelope,
  obligationId,
  fuelMega: quantityMega,
  outputHash: bytes32,
  blockNumber: count.meta({
    description: "finalised block after the report by which it was drawn; 0 without a chain",
  }),
  blockHash: bytes32,
});

/** Says what of a trade was delivered; what it says is paid only as its evidence bears it out. */
export const settleObligation = z.strictObject({
  type: z.literal("settle_obligation"),
  ...accountEnvelope,
  obligationId,
  deliveredMega: count.meta({ description: "in all since the trade, with what was settled before" }),
  jobDigest: bytes32.meta({ description: "what was to be done, or 32 zero bytes" }),
  outputHash: bytes32.meta({ description: "what came of it, or 32 zero bytes" }),
  isFinal: z
    .boolean()
    .meta({ description: "true: nothing more will be delivered, and the rest is paid back" }),
});

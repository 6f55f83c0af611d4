// Owns the events of promised resources: orders, trades, settlements and what was reported of jobs. It refuses nothing beyond their
// fields; they are events like the others, which are in events.ts.

import { z } from "zod";
import {
  accountNumber,
  bounded,
  bytes32,
  count,
  entryNumber,
  instantS,
  obligationId,
  priceMicrosPerTera,
  quantityMega,
  side,
} from "./fields.ts";
import { MAX_JOB_REPLICAS } from "./limits.ts";
import { product } from "./products.ts";

export const resourceOrderPlaced = z.strictObject({
  type: z.literal("resource_order_placed"),
  order: entryNumber,
  account: accountNumber,
  session: count.meta({ description: "0 when the wallet signed" }),
  product,
  side,
  quantityMega,
  priceMicrosPerTera,
  filledMega: count.meta({ description: "what trades at once" }),
  restingMega: count.meta({ description: "what waits in the book" }),
  goodTillS: instantS,
  rank: count.meta({ description: "of a seller's asks of one price and second the lower trades first" }),
  heldMicros: count.meta({ description: "what a buyer's trades and its resting rest can cost, into escrow" }),
  job: z
    .strictObject({ jobDigest: bytes32, replicas: bounded(1, MAX_JOB_REPLICAS) })
    .optional()
    .meta({ description: "what its sellers are to run, where a job was bought" }),
});

/** One order met others; each fill is an obligation of its own, numbered from `firstObligation` on. */
export const resourceTraded = z.strictObject({
  type: z.literal("resource_traded"),
  order: entryNumber.meta({ description: "the order that came" }),
  account: accountNumber.meta({ description: "whose it is" }),
  product,
  side: side.meta({ description: "the side of the order that came" }),
  orders: z.array(entryNumber).min(1).meta({ description: "those that rested, as they were met" }),
  quantityMega: z.array(quantityMega),
  priceMicrosPerTera: z.array(priceMicrosPerTera),
  firstObligation: obligationId,
  deadlineS: instantS,
  takeRateBps: count,
});

export const resourceOrderEnded = z.strictObject({
  type: z.literal("resource_order_ended"),
  order: entryNumber,
  unfilledMega: quantityMega,
  reason: z.enum([
    "cancelled",
    "expired",
    "session_revoked",
    "unmatched",
    "self_trade",
    "sweep_limit",
    "stake_too_small",
  ]),
  releasedMicros: count.meta({ description: "out of the buyer's escrow" }),
});

const resultVerdict = z.enum([
  "unchallenged",
  "agreed",
  "disagreed",
  "undecided",
  "audit_passed",
  "audit_failed",
]);
export type ResultVerdict = z.infer<typeof resultVerdict>;

export const obligationSettled = z.strictObject({
  type: z.literal("obligation_settled"),
  obligation: obligationId,
  deliveredMega: count.meta({ description: "by this settlement" }),
  means: z
    .enum(["none", "voucher", "job_result"])
    .meta({ description: "which evidence the entry holds; none only where nothing is paid" }),
  jobDigest: bytes32,
  outputHash: bytes32,
  paidMicros: count.meta({ description: "out of the buyer's escrow to the seller and the treasury" }),
  feeMicros: count.meta({ description: "of that, the treasury's" }),
  releasedMicros: count.meta({ description: "out of the buyer's escrow back to it" }),
  isClosed: z.boolean(),
  isFailure: z
    .boolean()
    .meta({ description: "the seller gave all of it up, or an audit showed it to be wrong" }),
  // Only where a job's reported result was judged.
  verdict: resultVerdict.optional(),
});

/** A seller said what came of a job. */
export const resultReported = z.strictObject({
  type: z.literal("result_reported"),
  obligation: obligationId,
  fuelMega: quantityMega,
  outputHash: bytes32,
  payableAtS: instantS.meta({
    description:
      "when it is settled unless something else decides it; later is said where others' results tell",
  }),
});

/** Everybody who runs a job has reported or will not, and no majority agrees: what is reported can be shown wrong until then. */
export const resultsAwaited = z.strictObject({
  type: z.literal("results_awaited"),
  obligations: z.array(obligationId).min(1),
  payableAtS: instantS,
  isDisputed: z
    .boolean()
    .meta({ description: "true: they differ, and are paid only if an audit bears them out" }),
});

/** Deadlines that passed, and runs that the edge released: what was not delivered goes back. */
export const obligationsLapsed = z.strictObject({
  type: z.literal("obligations_lapsed"),
  obligations: z.array(obligationId).min(1),
  releasedMicros: z.array(count),
  failures: z.array(bounded(0, 1)).meta({ description: "1: the seller was handed a run, and failed" }),
});

/** The draw of an epoch's audits is bound to a secret. */
export const auditsCommitted = z.strictObject({
  type: z.literal("audits_committed"),
  epoch: count,
  commitment: bytes32,
});

/** The secret of an epoch that is over. */
export const auditsRevealed = z.strictObject({
  type: z.literal("audits_revealed"),
  epoch: count,
  secret: bytes32,
});

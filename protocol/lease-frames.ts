// Owns what a buyer and a provider's object say to each other over a lease's socket. It refuses what is no frame; how frames
// with bytes travel is the same as between a node and its object.

import { z } from "zod";
import { bytes32, count, signatureBytes } from "./fields.ts";
import { leaseJob } from "./provider-frames.ts";
import type { LeaseRanFrame, LeaseRunFrame } from "./run-records.ts";

/** A buyer's number for a run. */
const run = count;

/** What was run of a lease so far, see run-results.ts. */
export const leaseTally = z.strictObject({
  runs: count,
  fuel: count,
  jobsDigest: bytes32,
  outputsHash: bytes32,
});

/** A buyer's signature under a tally: by a session key, or by its wallet where `sessionKey` is null. */
export const leaseVoucher = z.strictObject({
  deliveredMega: count,
  jobDigest: bytes32,
  outputHash: bytes32,
  signature: signatureBytes,
  sessionKey: bytes32.nullable(),
});
export type LeaseVoucher = z.infer<typeof leaseVoucher>;

/** What a buyer says. */
export const buyerFrame = z.discriminatedUnion("type", [
  /** Signed as LeaseHello, by a session key of the buyer's or, where it is null, its wallet. */
  z.strictObject({ type: z.literal("hello"), sessionKey: bytes32.nullable(), signature: signatureBytes }),
  /** What runs are of, by a number of the buyer's: said before the first of them. */
  z.strictObject({ type: z.literal("prepare"), job: count, description: leaseJob }),
  z.strictObject({ type: z.literal("voucher"), ...leaseVoucher.shape }),
]);
export type BuyerFrame = z.infer<typeof buyerFrame> | LeaseRunFrame;

/** What an object says. */
export const leaseFrame = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("challenge"), challenge: bytes32 }),
  z.strictObject({
    type: z.literal("open"),
    quantityMega: count,
    /** How far its provider runs ahead of vouchers. */
    creditMega: count,
    deadlineS: count,
    tally: leaseTally,
  }),
  /** The object no longer knows what this run is of: say it again. */
  z.strictObject({ type: z.literal("unprepared"), run }),
  z.strictObject({
    type: z.literal("refused"),
    run,
    code: z.string().max(60),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  }),
]);
export type LeaseFrame = z.infer<typeof leaseFrame> | LeaseRanFrame;

/** Runs of one lease that are under way at once. */
export const MAX_LEASE_RUNS_IN_FLIGHT = 256;

/** Close code of a lease's socket whose caller is not its buyer, or whose lease is none. */
export const CLOSE_LEASE_REFUSED = 4010;

/** How far a provider runs ahead of a lease's vouchers: a tenth of it. What it may lose is never more. */
export function leaseCreditMega(quantityMega: number): number {
  return Math.max(1, Math.floor(quantityMega / 10));
}

/** Kinds of runs that one buyer's socket, and one provider's object, keep at once. */
export const MAX_LEASE_JOBS = 256;

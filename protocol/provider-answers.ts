// Owns what can be read of a provider: its stake, its record and what follows from it. It refuses nothing; every figure follows from
// the journal.

import { z } from "zod";
import { address, bytes32, count } from "./fields.ts";

const share = count.nullable();

export const reputationAnswer = z
  .strictObject({
    account: address,
    stake: z
      .strictObject({ nodeKey: bytes32, stakedMicros: count, isUnbonding: z.boolean() })
      .nullable()
      .meta({ description: "on the region's chain; null where it never had any" }),
    jobs: count.meta({ description: "results that were paid" }),
    failures: count.meta({ description: "of which nothing came, or something wrong" }),
    lapses: count.meta({
      description: "of the failures, runs that the edge released: nothing sound came in time",
    }),
    reports: count,
    disagreements: count.meta({
      description: "results that a majority did not agree with; no proof of anything",
    }),
    auditsPassed: count,
    auditsFailed: count,
    deliveredBps: share.meta({ description: "of what it was to deliver, in hundredths of a percent" }),
    answeredBps: share.meta({ description: "of what it was to answer, what it answered in time" }),
    auditsPassedBps: share.meta({ description: "of its results that were run again, those that were right" }),
    meanSeconds: count.nullable().meta({ description: "from trade to report" }),
    deliveredMega: z.string().meta({ description: "megafuel delivered since the region began, decimal" }),
    earnedMicros: z.string().meta({ description: "what that brought after the fee, decimal" }),
    rank: count.meta({ description: "of asks of one price and second the lowest goes first" }),
  })
  .meta({ id: "ProviderReputation", description: "A provider's record" });
export type ProviderReputation = z.infer<typeof reputationAnswer>;

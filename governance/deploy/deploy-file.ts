// Owns the file that says what is to be deployed: chain, guardian, quote asset, how votes go, and the regions with their first
// terms. It refuses unknown fields, a region or an installer twice, numbers that no contract takes, votes that take longer than
// a freeze or a slash may wait, and rewards above the token's ceiling.

import { z } from "zod";
import { address, bounded, regionId, tokenAmount } from "../../protocol/fields.ts";
import { MAX_EPOCH_SLOTS, MAX_INSTALLERS, MAX_REGION_MICROS } from "../../protocol/limits.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { longestVoteSeconds, voteSchema } from "./vote-file.ts";

const UINT32 = 2 ** 32 - 1;
const BPS = 10_000;
/** More at once than anybody opens; each is some transactions. */
const MOST_REGIONS = 64;

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** A region's first terms. Closer bounds are the contract's, which is asked before anything is sent. */
export const deployedTermsSchema = z.strictObject({
  outflowCapBps: bounded(0, BPS),
  finalityDelaySeconds: bounded(0, UINT32),
  exitAfterSeconds: bounded(0, UINT32),
  leastDepositMicros: bounded(0, MAX_REGION_MICROS),
  emissionDecayBps: bounded(0, BPS),
  emissionPerEpoch: tokenAmount,
});

/** A region's first governed values besides its terms, by their names in the contract. */
export const deployedParametersSchema = z.strictObject({
  rewardWeightEnergy: bounded(0, UINT32),
  rewardWeightCompute: bounded(0, UINT32),
  rewardWeightBandwidth: bounded(0, UINT32),
  rewardPerFee: tokenAmount,
  shareCapBps: bounded(0, BPS),
  takeRateBps: bounded(0, BPS),
  networkFeeMicrosPerKwh: bounded(0, UINT32),
  clearingPriceK: bounded(0, BPS),
  proofDelaySeconds: bounded(0, UINT32),
  /** Micros. */
  providerMinimumStake: bounded(0, MAX_REGION_MICROS),
  unbondingSeconds: bounded(0, UINT32),
  slashBps: bounded(0, BPS),
  auditRateBps: bounded(0, BPS),
});

const deployedRegionSchema = z.strictObject({
  region: regionId,
  /** Sends the reports; the wallet of the mirror. */
  operator: address,
  windowSlots: z.union([z.literal(4), z.literal(96)]),
  epochSlots: bounded(1, MAX_EPOCH_SLOTS),
  /** The first epoch that is reported, with which the region's first window begins; the running one without it. */
  firstEpoch: bounded(1, UINT32).optional(),
  terms: deployedTermsSchema,
  parameters: deployedParametersSchema,
  installers: z.array(address).max(MAX_INSTALLERS).refine(isDistinct, "an installer stands twice"),
});
export type DeployedRegion = z.infer<typeof deployedRegionSchema>;

/** How long stakes can be reached. Bounds that governance/stake/StakeTypes.sol has as well. Seconds. */
const stakeSchema = z.strictObject({
  /** After a wrong a slash may be queued for so long. */
  auditSeconds: bounded(1, 30 * 86_400),
  /** From a slash's queueing to its being due: a vote must be able to cancel it. */
  slashDelaySeconds: bounded(1, 60 * 86_400),
});

const DAY_SECONDS = 86_400n;

/** What is to be deployed. All of it is the vote's afterwards. */
export const deployFileSchema = z
  .strictObject({
    chainId: bounded(1, Number.MAX_SAFE_INTEGER),
    /** Who may freeze epochs; whoever deploys, on the local chain only. */
    guardian: address.optional(),
    /** A token of six decimals, or play money that is made here, on the local chain only. */
    quote: z.union([z.literal("test"), address]),
    vote: voteSchema,
    stake: stakeSchema,
    regions: z
      .array(deployedRegionSchema)
      .max(MOST_REGIONS)
      .refine((regions) => isDistinct(regions.map(({ region }) => region)), "a region stands twice"),
  })
  .superRefine(({ vote, stake, regions }, context) => {
    const voteSeconds = longestVoteSeconds(vote);
    if (voteSeconds >= stake.slashDelaySeconds)
      context.addIssue({
        code: "custom",
        path: ["stake", "slashDelaySeconds"],
        message: `a vote may take ${voteSeconds} s, and a slash would be due before`,
      });
    const reachSeconds = stake.auditSeconds + stake.slashDelaySeconds;
    for (const [index, { parameters }] of regions.entries())
      if (parameters.unbondingSeconds < reachSeconds)
        context.addIssue({
          code: "custom",
          path: ["regions", index, "parameters", "unbondingSeconds"],
          message: `it counts as no less than audit and delay of a slash, ${reachSeconds} s`,
        });
    for (const [index, { region, terms }] of regions.entries())
      if (voteSeconds >= terms.exitAfterSeconds)
        context.addIssue({
          code: "custom",
          path: ["regions", index, "terms", "exitAfterSeconds"],
          message: `a vote on a freeze may take ${voteSeconds} s, and ${region} is over after ${terms.exitAfterSeconds}`,
        });
    const perDay = regions.reduce((sum, region) => sum + emissionPerDay(region), 0n);
    if (perDay > BigInt(vote.mostPerDay))
      context.addIssue({
        code: "custom",
        path: ["vote", "mostPerDay"],
        message: `the regions may reward ${perDay} a day: claims would have to wait`,
      });
  });
export type DeployFile = z.infer<typeof deployFileSchema>;

/** Of the first epoch; it only falls. Rounded up. */
function emissionPerDay({ epochSlots, terms }: DeployedRegion): bigint {
  const epochSeconds = BigInt(epochSlots * SLOT_SECONDS);
  return (BigInt(terms.emissionPerEpoch) * DAY_SECONDS + epochSeconds - 1n) / epochSeconds;
}

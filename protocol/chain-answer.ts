// Owns the shape of what a deployment says about its chain: how far it was mirrored, what was reported, and what is in the way.
// It refuses reasons outside of its list; no address of an endpoint and no key is ever in it.

import { z } from "zod";
import { address, bytes32, count, instantS } from "./fields.ts";

/** What can be in the way, each with what it means. Facts say the rest. */
export const CHAIN_PROBLEMS = {
  // The whole mirror.
  configuration_refused:
    "a variable or secret of the deployment is missing or malformed; nothing is mirrored",
  rpc_away: "an endpoint of the chain does not answer; nothing is mirrored or reported until it does",
  rpc_malformed: "an endpoint answers something that is none of what was asked",
  rpc_refused: "an endpoint refuses what it was asked",
  rpcs_disagree: "the endpoints tell different stories about the same block",
  wrong_chain: "an endpoint serves another chain",
  chain_behind: "the finalised block is older than the last one that was mirrored",
  contract_missing: "the settlement contract or the register does not answer as one",
  mirror_fault: "a fault of the mirror's own",
  // One region.
  region_away: "the region did not answer",
  other_mirror: "the region takes what the chain says from another wallet than this deployment's",
  not_on_chain: "nobody has opened the region on the chain",
  shape_differs: "the region on the chain has other windows or epochs than this one",
  past_changed:
    "the chain's deposits are not those that were credited: nothing is credited or reported any more",
  credit_refused: "the region refused a deposit; it is asked again",
  terms_differ: "the region was opened with other terms than on the chain: an honest report may be refused",
  terms_refused: "the region refused terms of the chain; it is asked again",
  terms_passed: "terms of the chain came too late and were passed over: an honest report may be refused",
  votes_differ:
    "the region's parameters are not those that the vote's contract has for it: nobody voted for them",
  parameters_refused:
    "the region refused parameters of a vote; those of the next one are taken, and these asked again",
  stakes_differ: "the contract of stakes has fewer events than the region has taken: it is another one",
  stake_refused:
    "the region refused how a provider's stake stands; its next event is taken, and this one asked again",
  slash_refused:
    "the contract of stakes refuses a slash for a failed audit for good; it is passed over, and the last one is told",
  slash_delayed: "a slash is in no block yet, or the contract cannot take it now; it is tried again",
  registry_incomplete: "an event of the register that must exist was not found",
  registry_refused: "the region cannot take an event of the register now; it is asked again",
  frozen: "an epoch is frozen; nothing is reported until a vote has decided",
  upheld: "a freeze was upheld: the region is over and everybody may leave",
  exiting: "everybody is leaving: nothing is credited or reported any more",
  other_operator: "on the chain another wallet reports for the region",
  report_missing: "the region has no report of an epoch that it closed",
  report_unbalanced: "what the region owes is not what was deposited; it is not reported",
  report_refused: "the contract would refuse the report",
  reported_otherwise: "the chain has another report of an epoch than the region's",
  report_delayed: "the report was sent and is in no block yet",
  gas_missing: "the mirror's wallet cannot pay for the report",
} as const;

export type ChainProblemCode = keyof typeof CHAIN_PROBLEMS;

const problemAnswer = z
  .strictObject({
    code: z.enum(Object.keys(CHAIN_PROBLEMS) as [ChainProblemCode, ...ChainProblemCode[]]),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .meta({ id: "ChainProblem" });

/** What a region may do on the chain. */
export const CHAIN_STAGES = ["none", "open", "frozen", "upheld", "exiting"] as const;

const chainRegion = z
  .strictObject({
    region: z.string(),
    stage: z.enum(CHAIN_STAGES),
    depositsMirrored: count,
    depositsOnChain: count,
    registryEventsMirrored: count,
    registryEventsOnChain: count,
    registryEventsPassedOver: z
      .record(z.string(), count)
      .meta({ description: "events that the region refuses for ever, by the code it refuses them with" }),
    termsMirrored: count,
    termsOnChain: count,
    votesMirrored: count.meta({ description: "last version of voted parameters that the region took" }),
    votesOnChain: count,
    stakeEventsMirrored: count.meta({ description: "last event of providers' stakes that the region took" }),
    stakeEventsOnChain: count,
    slashesOnChain: count.meta({ description: "slashes that were ever queued, whatever became of them" }),
    slashesWaiting: count.meta({ description: "failed audits whose slash is in no final block yet" }),
    slashesPassedOver: z
      .record(z.string(), count)
      .meta({ description: "failed audits that the contract refuses to slash for, by its word for why" }),
    lastSlashRefusal: z.strictObject({ entry: count, account: address, refusal: z.string() }).nullable(),
    isExitOpen: z.boolean(),
    lastClosedEpoch: count.nullable(),
    lastReportedEpoch: count.nullable(),
    lastFinalEpoch: count.nullable(),
    reportInFlight: z
      .strictObject({ epoch: count, nonce: count, sentAtMs: count, timesSent: count, transaction: bytes32 })
      .nullable(),
    problem: problemAnswer.nullable(),
  })
  .meta({
    id: "ChainRegion",
    description: "A region as finalised blocks have it, and how far it was mirrored",
  });

export const chainAnswer = z
  .strictObject({
    chainId: count,
    isMirrored: z.boolean().meta({ description: "false: this deployment has no chain to look at" }),
    settlement: address,
    meterRegistry: address,
    rewardParameters: address,
    providerStake: address,
    mirror: address,
    finalised: z
      .strictObject({
        block: count,
        hash: bytes32,
        timeS: instantS,
        head: count.meta({ description: "the newest block, final or not" }),
        behindSeconds: z.int().meta({ description: "market time less the block's" }),
      })
      .nullable(),
    rpcs: z.array(
      z.strictObject({
        name: z.string(),
        isOk: z.boolean(),
        lastError: z.string().nullable(),
        lastErrorAtMs: count.nullable(),
      }),
    ),
    regions: z.array(chainRegion),
    problem: problemAnswer.nullable(),
    lastPollAtMs: count.nullable().meta({ description: "wall time" }),
  })
  .meta({ id: "Chain", description: "How far this deployment has followed its chain" });

export type ChainProblem = z.infer<typeof problemAnswer>;
export type ChainRegion = z.infer<typeof chainRegion>;
export type ChainStatus = z.infer<typeof chainAnswer>;
export type ChainStage = (typeof CHAIN_STAGES)[number];

// Owns a deploy file for the local chain, and its parts that tests of other things need too: a vote with two members, a
// region's governed values. It refuses to be what any of them is about.

import {
  type DeployedRegion,
  type DeployFile,
  deployFileSchema,
} from "../../governance/deploy/deploy-file.ts";
import type { VoteFile } from "../../governance/deploy/vote-file.ts";
import type { Hex } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";

export const TOKEN = 10n ** 18n;

export const VOTE: VoteFile = {
  members: [
    { account: `0x${"e1".repeat(20)}`, amount: String(60_000n * TOKEN) },
    { account: `0x${"e2".repeat(20)}`, amount: String(40_000n * TOKEN) },
  ],
  treasuryAmount: String(100_000n * TOKEN),
  cap: String(10_000_000n * TOKEN),
  mostPerDay: String(100_000n * TOKEN),
  votingDelaySeconds: 60,
  votingPeriodSeconds: 600,
  lateQuorumSeconds: 60,
  timelockDelaySeconds: 60,
  quorumPercent: 20,
  proposalThreshold: String(1_000n * TOKEN),
};

export const REGION_PARAMETERS: DeployedRegion["parameters"] = {
  rewardWeightEnergy: 1,
  rewardWeightCompute: 0,
  rewardWeightBandwidth: 0,
  rewardPerFee: String(100n * TOKEN),
  shareCapBps: 2_000,
  takeRateBps: 100,
  networkFeeMicrosPerKwh: 20_000,
  clearingPriceK: 5_000,
  proofDelaySeconds: 3_600,
  providerMinimumStake: 50_000_000,
  unbondingSeconds: 14 * 86_400,
  slashBps: 1_000,
  auditRateBps: 500,
};

export const somebody = (byte: string): Hex => `0x${byte.repeat(20)}`;

export const REGION = {
  region: "polder-one",
  operator: somebody("0a"),
  windowSlots: 4,
  epochSlots: 96,
  terms: {
    outflowCapBps: 2_500,
    finalityDelaySeconds: 86_400,
    exitAfterSeconds: 7 * 86_400,
    leastDepositMicros: 1_000_000,
    emissionDecayBps: 10,
    emissionPerEpoch: "1000",
  },
  parameters: REGION_PARAMETERS,
  installers: [somebody("0c"), somebody("0b")],
} as const;
export const LOCAL: DeployFile = deployFileSchema.parse({
  chainId: LOCAL_CHAIN_ID,
  quote: "test",
  guardian: somebody("0e"),
  vote: VOTE,
  stake: { auditSeconds: 3 * 86_400, slashDelaySeconds: 7 * 86_400 },
  regions: [REGION],
});

// Owns the parameters that a local region opens with. It refuses the time for evidence, which is this machine's.

import type { Parameters } from "../../protocol/commands.ts";

export const LOCAL_PARAMETERS: Omit<Parameters, "proofDelaySeconds"> = {
  networkFeeMicrosPerKwh: 20_000,
  takeRateBps: 100,
  clearingPriceK: 5_000,
  emissionPerEpoch: "1000000000000000000000",
  emissionDecayBps: 10,
  rewardWeightEnergy: 1,
  rewardWeightCompute: 1,
  rewardWeightBandwidth: 0,
  shareCapBps: 2_000,
  outflowCapBps: 5_000,
  rewardPerFee: "100000000000000000000",
  providerMinimumStake: 50_000_000,
  auditRateBps: 500,
};

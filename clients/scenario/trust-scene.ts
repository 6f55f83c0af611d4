// Owns the market that operators lie about: its homes, its terms, and when it begins. It refuses to last: the homes trade for one
// epoch.

import type { Parameters } from "../../protocol/commands.ts";
import { EPOCH_SECONDS, type MarketScene, PROOF_DELAY_SECONDS, sceneTerms } from "./settled-market.ts";

export const REGION = "polder-trust";
export const SEED = "scenario/dishonest-operator";
/** Half an hour before the first epoch. */
export const BEGINS_AT_S = Date.UTC(2026, 5, 20, 9, 30) / 1_000;
export const FIRST_EPOCH = Math.floor(BEGINS_AT_S / EPOCH_SECONDS) + 1;

const PARAMETERS: Parameters = {
  networkFeeMicrosPerKwh: 20_000,
  takeRateBps: 100,
  clearingPriceK: 5_000,
  proofDelaySeconds: PROOF_DELAY_SECONDS,
  emissionPerEpoch: "1000000000000000000000",
  emissionDecayBps: 0,
  rewardWeightEnergy: 1,
  rewardWeightCompute: 0,
  rewardWeightBandwidth: 0,
  shareCapBps: 2_000,
  outflowCapBps: 2_000,
  rewardPerFee: "1000000000000000000",
  providerMinimumStake: 0,
  auditRateBps: 0,
};

export const TRUST_SCENE: MarketScene = {
  seed: SEED,
  terms: sceneTerms(REGION, "A region with an operator that lies", PARAMETERS),
  homes: [
    { name: "ada", netWh: 900, creditMicros: 1_000_000_000 },
    { name: "ben", netWh: -500, creditMicros: 2_000_000_000 },
    { name: "cleo", netWh: -300, creditMicros: 3_000_000_000 },
  ],
  firstEpoch: FIRST_EPOCH,
  tradedEpochs: 1,
};

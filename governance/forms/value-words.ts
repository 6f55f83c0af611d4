// Owns what each governed value is called in words: its unit, and what it does. It refuses to say what it may be; the contract
// does.

import type { GovernedValue } from "../../protocol/governed-values.ts";

interface Words {
  readonly unit: string;
  readonly meaning: string;
}

const BPS = "hundredths of a percent";

export const VALUE_WORDS: Readonly<Record<GovernedValue, Words>> = {
  rewardWeightEnergy: { unit: "weight", meaning: "energy's share of the emission, beside the other weights" },
  rewardWeightCompute: {
    unit: "weight",
    meaning: "compute's share of the emission, beside the other weights",
  },
  rewardWeightBandwidth: {
    unit: "weight",
    meaning: "bandwidth's share of the emission, beside the other weights",
  },
  emissionPerEpoch: { unit: "token base units", meaning: "the most that is rewarded in the first epoch" },
  emissionDecayBps: { unit: BPS, meaning: "by how much the emission falls from one epoch to the next" },
  rewardPerFee: {
    unit: "token base units per 1,000,000 micros",
    meaning: "the most that is rewarded for the fees that the rewarded work paid",
  },
  shareCapBps: { unit: BPS, meaning: "the most of an epoch's rewards that one account gets" },
  takeRateBps: { unit: BPS, meaning: "what the treasury takes of a sale" },
  networkFeeMicrosPerKwh: { unit: "micros per kWh", meaning: "what a buyer pays to the grid's operator" },
  clearingPriceK: {
    unit: "0 to 10000",
    meaning: "where in a slot's price interval its price stands: 0 low, 10000 high",
  },
  proofDelaySeconds: { unit: "seconds", meaning: "how long evidence is awaited after a window" },
  outflowCapBps: { unit: BPS, meaning: "the most of a region's money that may leave it in an epoch" },
  finalityDelaySeconds: { unit: "seconds", meaning: "from a report until it is final and pays" },
  exitAfterSeconds: { unit: "seconds", meaning: "silence after which everybody may leave" },
  leastDepositMicros: { unit: "micros", meaning: "the smallest deposit" },
  providerMinimumStake: { unit: "micros", meaning: "what a provider of compute or bandwidth puts down" },
  unbondingSeconds: { unit: "seconds", meaning: "from a provider's leaving until its stake is free" },
  slashBps: { unit: BPS, meaning: "the most of a stake that one fault costs" },
  auditRateBps: { unit: BPS, meaning: "how many of the jobs are run again by a referee" },
};

// Owns the names of a region's governed values in the order in which the contract keeps them, and which of them Settlement
// judges reports by. It refuses to know their bounds; the contract tells them.

/** As in the contract's enum. Amounts of the token are base units, of the quote asset micros, times seconds. */
export const PARAMETER_NAMES = [
  "rewardWeightEnergy",
  "rewardWeightCompute",
  "rewardWeightBandwidth",
  "emissionPerEpoch",
  "emissionDecayBps",
  "rewardPerFee",
  "shareCapBps",
  "takeRateBps",
  "networkFeeMicrosPerKwh",
  "clearingPriceK",
  "proofDelaySeconds",
  "outflowCapBps",
  "finalityDelaySeconds",
  "exitAfterSeconds",
  "leastDepositMicros",
  "providerMinimumStake",
  "unbondingSeconds",
  "slashBps",
  "auditRateBps",
] as const;
export type ParameterName = (typeof PARAMETER_NAMES)[number];

/** Values by name as the contract takes them. */
export function parameterValues(values: Readonly<Record<ParameterName, number | string>>): bigint[] {
  return PARAMETER_NAMES.map((name) => BigInt(values[name]));
}

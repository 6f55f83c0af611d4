// Owns what the charts of the economy show: fees against rewards, providers, self-trading and supply. It refuses figures that the
// result does not have; sums are drawn by period.

import type { EconomyRun } from "../economy.ts";
import type { EconomyResult } from "../result.ts";
import { selfTradingByLimit, selfTradingByPrice } from "./by-price.ts";
import { feesAgainstRewards, providersByPrice, supplyByCurve } from "./by-time.ts";
import type { Chart } from "./style.ts";

/** All charts of a result. */
export function chartsOf(result: EconomyResult, runs: readonly EconomyRun[]): Chart[] {
  return [
    feesAgainstRewards(result, runs),
    providersByPrice(result, runs),
    selfTradingByPrice(result),
    selfTradingByLimit(result),
    supplyByCurve(result, runs),
  ];
}

// Owns what a slot costs a household under its tariff alone: the yardstick a bill is held against. It refuses to know
// tariffs; prices are handed in.

import { divDown, divUp } from "../protocol/units.ts";

/**
 * Micros a slot costs under a tariff alone; negative is income. Import is rounded up and feed-in down, as the market
 * rounds, so that the two bills can be compared.
 * @param netWh as metered: export positive. Prices in micros per kWh.
 */
export function costUnderTariffMicros(
  netWh: number,
  retailMicrosPerKwh: number,
  feedInMicrosPerKwh: number,
): number {
  if (netWh < 0) return divUp(-netWh * retailMicrosPerKwh, 1000);
  if (netWh > 0) return 0 - divDown(netWh * feedInMicrosPerKwh, 1000);
  return 0;
}

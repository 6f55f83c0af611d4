// Owns a neighbourhood that no file was needed for: the generator's homes as a data set. It refuses nothing; the same
// seed gives the same homes.

import { slotAt } from "../../protocol/units.ts";
import { createNeighbourhood } from "../household/generator.ts";
import type { Dataset } from "./data-set.ts";

const RETAIL_MICROS = 300_000;
/** The first midsummer midnight (UTC) of the generated homes: a day with sun on one side and need on the other. */
const START_SLOT = slotAt(Date.UTC(2026, 5, 20) / 1000);

/** Generated homes in a Dutch polder for a number of days. */
export function generatedDataset(seed: number, homes: number, days: number): Dataset {
  const place = { latitude: 52.5, longitude: 5.5, timeZone: "Europe/Amsterdam" };
  const households = createNeighbourhood({ seed, count: homes, ...place });
  const slots = days * 96;
  const retail = { kind: "flat", microsPerKwh: RETAIL_MICROS } as const;
  return {
    name: `generated-${seed}`,
    homes: households.map((household) => ({
      name: household.name,
      slots,
      netWhBySlot: (index) => household.slotEnergy(START_SLOT + index).netWh,
    })),
    startSlot: START_SLOT,
    slots,
    slotsPerValue: 1,
    timeZone: place.timeZone,
    currency: "EUR",
    retail,
    feedInMicrosPerKwh: 80_000,
    tariff: (feedInMicrosPerKwh) => ({ name: "flat", currency: "EUR", feedInMicrosPerKwh, retail }),
  };
}

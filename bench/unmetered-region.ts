// Owns a region that settles on the chain and has no homes, for rows that measure what comes from the chain. It refuses to be
// more than its terms.

import type { RegionTerms } from "../clients/local/neighbourhood.ts";
import { PARAMETERS } from "./fleet.ts";

/** Wall milliseconds between two looks at the chain. */
export const POLL_MS = 1_000;
/** Wall milliseconds for reading the chain, and a command of the mirror's, on a machine that does all of it at once. */
export const WORK_MS = 250;
/** What such a row promises. */
export const POLL_LIMIT = `at most one poll of ${POLL_MS} ms, and ${WORK_MS} ms of work`;

/** Terms of one. */
export function unmeteredRegion(region: string, name: string): RegionTerms {
  return {
    quote: "settlement",
    profile: {
      region,
      name,
      place: "UTC",
      latitude: 0,
      longitude: 0,
      timeZone: "UTC",
      jurisdiction: "none",
      terms: "A measurement on one machine.",
      currency: "EUR",
      tariffs: [{ name: "none", retailMicrosPerKwh: 0, feedInMicrosPerKwh: 0 }],
      isSimulation: true,
    },
    windowSlots: 96,
    epochSlots: 96,
    parameters: PARAMETERS,
  };
}

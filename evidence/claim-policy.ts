// Owns how much of a window's readings a household claims: who claims everything shows everything. It refuses a policy
// that is no whole number of Wh.

import type { SlotClaim } from "./meter-statement.ts";

/** How much of a reading to claim. */
export interface ClaimPolicy {
  /** Most Wh of a slot. */
  readonly mostWh?: number;
  /** Claims are rounded down to a multiple of this many Wh; 1 if absent. */
  readonly stepWh?: number;
}

/**
 * Claims for signed readings, each with its reading's direction and not above it.
 * @param netWh whole Wh, export positive.
 * @throws RangeError for a policy that is not positive whole numbers.
 */
export function claimsOf(netWh: readonly number[], policy: ClaimPolicy = {}): SlotClaim[] {
  const { mostWh = Number.MAX_SAFE_INTEGER, stepWh = 1 } = policy;
  if (!Number.isSafeInteger(stepWh) || stepWh < 1) throw new RangeError("stepWh is a whole number from 1");
  if (!Number.isSafeInteger(mostWh) || mostWh < 0) throw new RangeError("mostWh is a whole number from 0");
  return netWh.map((net) => {
    const capped = Math.min(Math.abs(net), mostWh);
    return { isExport: net > 0, claimedWh: capped - (capped % stepWh) };
  });
}

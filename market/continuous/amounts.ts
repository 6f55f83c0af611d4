// Owns what quantities of a resource cost and what of it is fee, with the rounding that makes many small settlements cost no
// more than one large. It refuses to know who pays whom.
//
// Why no product passes 2⁵³: an order's q·p is at most 4·10¹⁵ when it is placed, it trades at its limit or better, and what
// is summed of it is what is left of that. A fee is taken apart first: sale·t could be 8·10¹⁸.

import { divUp } from "../../protocol/units.ts";

/** Quantities of a million: what a price is for. */
const MEGA_PER_TERA = 1_000_000;

/** Millionths of a micro that a quantity is worth at a price; exact. */
export function worth(quantityMega: number, priceMicrosPerTera: number): number {
  return quantityMega * priceMicrosPerTera;
}

/** Micros for a worth. Rounded up, so never less than it. */
export function costMicros(worthSum: number): number {
  return divUp(worthSum, MEGA_PER_TERA);
}

/**
 * Micros for `added` where `before` has been charged: `up(before + added) − up(before)`. However an order is cut into
 * pieces, they cost what the whole would.
 */
export function addedCostMicros(before: number, added: number): number {
  return costMicros(before + added) - costMicros(before);
}

/** Micros of a sale that go to the treasury: `up(sale · t, 10⁴)`, exact up to all money of a region. */
export function feeMicros(saleMicros: number, takeRateBps: number): number {
  const whole = Math.floor(saleMicros / 10_000);
  return whole * takeRateBps + divUp((saleMicros - whole * 10_000) * takeRateBps, 10_000);
}

/** Micros of fee for `added` where a sale of `before` has borne its own. */
export function addedFeeMicros(before: number, added: number, takeRateBps: number): number {
  return feeMicros(before + added, takeRateBps) - feeMicros(before, takeRateBps);
}

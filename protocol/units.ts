/** Owns the slot grid, exact integer division and how micros are written; refuses fractions, unsafe integers and divisors below one. */

/** Length of a slot. Seconds. The settlement interval of European electricity markets (15 minutes). */
export const SLOT_SECONDS = 900;

/** Fuel in a megafuel, the unit of the compute books. */
export const FUEL_PER_MEGA = 1_000_000;

/** True for integers whose neighbours are exact too, so that sums and comparisons of them cannot lie. */
export function isSafe(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function assertDivision(a: number, b: number): void {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b) || b < 1) {
    throw new RangeError(`division outside safe integers: ${a} / ${b}`);
  }
}

/**
 * Floor of a ÷ b, also below zero. Both safe integers, b ≥ 1; anything else is our own bug and throws.
 *
 * Exact without bigint: a quotient that is not whole lies at least 1/b from the next integer, and half the
 * spacing of doubles near a ÷ b is at most |a|/b · 2⁻⁵³, which is below 1/b while |a| < 2⁵³. So rounding never
 * reaches that integer. The `+ 0` turns minus zero into zero, which would otherwise hash differently.
 */
export function divDown(a: number, b: number): number {
  assertDivision(a, b);
  return Math.floor(a / b) + 0;
}

/** Ceiling of a ÷ b, also below zero. Same domain and the same reason for being exact as `divDown`. */
export function divUp(a: number, b: number): number {
  assertDivision(a, b);
  return Math.ceil(a / b) + 0;
}

/** The slot that holds a moment. `atS` in whole unix seconds; the slot holds its start and not its end. */
export function slotAt(atS: number): number {
  return divDown(atS, SLOT_SECONDS);
}

/** First second of a slot, in unix seconds. */
export function slotStartS(slot: number): number {
  return slot * SLOT_SECONDS;
}

/** Micros as a decimal with six places, exact: 210000 → "0.210000". */
export function decimalOfMicros(micros: number | bigint): string {
  const digits = String(micros < 0 ? -micros : micros).padStart(7, "0");
  return `${micros < 0 ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/**
 * Owns the amounts one account pays or receives for one slot; refuses ledgers, accounts and sums over them.
 *
 * Why no product passes 2⁵³: q ≤ 10⁶ Wh per account and slot and |p + n| ≤ 1.1·10⁷, so |q·(p + n)| ≤ 1.1·10¹³; a
 * sale is at most 10¹⁰ micros and t ≤ 2,000, so sale·t ≤ 2·10¹³. Over a side of 5·10⁹ Wh in 5,000 full accounts the
 * sum of all payments is at most 5.5·10¹³ micros. Why dust is never negative: buyers sum to at least
 * Σq·p/1000 + Σq·n/1000, the grid operator gets at most the second term, and sellers' sales at most the first.
 */
import { divDown, divUp } from "../../protocol/units.ts";

/** Micros a buyer pays for q Wh at p + n micros per kWh. Rounded up (towards more); negative where p + n is. */
export function buyerPays(quantityWh: number, priceMicros: number, networkFeeMicros: number): number {
  return divUp(quantityWh * (priceMicros + networkFeeMicros), 1000);
}

/** Micros of a buyer's payment that go to the grid operator. Rounded down, so it never exceeds what was paid for it. */
export function networkShare(quantityWh: number, networkFeeMicros: number): number {
  return divDown(quantityWh * networkFeeMicros, 1000);
}

/** Micros a seller's q Wh are worth at p, before the fee. Rounded down; a negative price costs the seller more. */
export function saleMicros(quantityWh: number, priceMicros: number): number {
  return divDown(quantityWh * priceMicros, 1000);
}

/** Micros of a sale that go to the treasury. Rounded up; nothing where the sale earned nothing. */
export function sellerFee(sale: number, takeRateBps: number): number {
  return sale > 0 ? divUp(sale * takeRateBps, 10_000) : 0;
}

/** Micros credited to a seller: sale minus fee. Both roundings favour the treasury; negative where the price is. */
export function sellerReceives(quantityWh: number, priceMicros: number, takeRateBps: number): number {
  const sale = saleMicros(quantityWh, priceMicros);
  return sale - sellerFee(sale, takeRateBps);
}

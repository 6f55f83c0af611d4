/** Owns finding the price interval by counting instead of sorting; refuses to look at who is filled. */
import { type Book, MAX_ABSOLUTE_NET_PRICE_MICROS, type Steps } from "./book.ts";

/** Least and greatest clearing price, in micros per kWh. */
export interface Crossing {
  lowMicros: number;
  highMicros: number;
}

/** 2¹² buckets of Wh are 32 kB, which stays in the first-level cache; three levels resolve any price. */
const BUCKET_BITS = 12;

/** Beyond every price a book may hold, on either side of zero. */
const NO_PRICE = MAX_ABSOLUTE_NET_PRICE_MICROS + 2;

/** The least price that has Wh, or `NO_PRICE`. */
function leastPrice(side: Steps): number {
  const { count, netPriceMicros, quantityWh } = side;
  let least = NO_PRICE;
  for (let i = 0; i < count; i++) {
    const price = netPriceMicros[i] as number;
    if (price < least && (quantityWh[i] as number) > 0) least = price;
  }
  return least;
}

/** The greatest price that has Wh, or −`NO_PRICE`. */
function greatestPrice(side: Steps): number {
  const { count, netPriceMicros, quantityWh } = side;
  let greatest = -NO_PRICE;
  for (let i = 0; i < count; i++) {
    const price = netPriceMicros[i] as number;
    if (price > greatest && (quantityWh[i] as number) > 0) greatest = price;
  }
  return greatest;
}

/** Adds a side's Wh within [from, to] to buckets of 2^shift prices; returns the Wh added. */
function countInto(buckets: Float64Array, side: Steps, from: number, to: number, shift: number): number {
  const { count, netPriceMicros, quantityWh } = side;
  const span = to - from;
  let sumWh = 0;
  for (let i = 0; i < count; i++) {
    const offset = ((netPriceMicros[i] as number) - from) >>> 0; // below `from` becomes huge: one test for both ends
    if (offset <= span) {
      const wh = quantityWh[i] as number;
      const bucket = offset >>> shift;
      buckets[bucket] = (buckets[bucket] as number) + wh;
      sumWh += wh;
    }
  }
  return sumWh;
}

/** The least price above `above` among steps that have Wh, or `NO_PRICE`. */
function nextPrice(side: Steps, above: number): number {
  const { count, netPriceMicros, quantityWh } = side;
  let next = NO_PRICE;
  for (let i = 0; i < count; i++) {
    const price = netPriceMicros[i] as number;
    if (price > above && price < next && (quantityWh[i] as number) > 0) next = price;
  }
  return next;
}

/**
 * The clearing interval [lo, hi], or null where the curves do not cross. O(steps), no sort.
 *
 * D(p) is the Wh bid at p or above, S(p) the Wh asked at p or below. Let W(p) be all Wh, of both sides, priced at
 * p or below, and B all Wh bid. Then S(p) − D(p+1) = W(p) − B, so `lo` (least p with D(p+1) ≤ S(p)) is the least
 * p with W(p) ≥ B. And S(p−1) ≤ D(p) is W(p−1) ≤ B, so `hi` (greatest such p) is the least p with W(p) > B: `lo`
 * itself, unless W(lo) = B exactly, and then the next price with any Wh. Both are one weighted selection over the
 * two sides together, and both lie between the least ask and the highest bid: below are only bids, above only
 * asks, so those need not be counted.
 */
export function findCrossing(book: Book): Crossing | null {
  let from = leastPrice(book.asks);
  let to = greatestPrice(book.bids);
  if (from > to) return null; // also where a side is empty

  const buckets = new Float64Array(1 << BUCKET_BITS);
  let neededWh = -1;
  for (;;) {
    const shift = Math.max(0, 32 - Math.clz32(to - from) - BUCKET_BITS);
    const bidWh = countInto(buckets, book.bids, from, to, shift);
    countInto(buckets, book.asks, from, to, shift);
    if (neededWh < 0) neededWh = bidWh;
    let bucket = 0;
    for (; (buckets[bucket] as number) < neededWh; bucket++) neededWh -= buckets[bucket] as number;
    if (shift === 0) {
      const lowMicros = from + bucket;
      if ((buckets[bucket] as number) > neededWh) return { lowMicros, highMicros: lowMicros };
      const highMicros = Math.min(nextPrice(book.bids, lowMicros), nextPrice(book.asks, lowMicros));
      return { lowMicros, highMicros };
    }
    from += bucket * 2 ** shift;
    to = Math.min(to, from + 2 ** shift - 1);
    buckets.fill(0);
  }
}

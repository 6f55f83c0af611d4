/** Owns the aggregated curve people see of a slot; refuses to show single orders or more levels than a page draws. */
import type { Book, Steps } from "./book.ts";

/** Levels kept per side: more than a chart can tell apart, and a bounded answer. */
export const MAX_CURVE_LEVELS = 200;

/** One side's staircase, best price first: `cumulativeWh[i]` is what the side offers at `priceMicros[i]` or better. */
export interface CurveSide {
  priceMicros: number[];
  cumulativeWh: number[];
}

/** Bids from the highest price down, asks from the lowest up; net prices, as the auction compares them. */
export interface Curve {
  bids: CurveSide;
  asks: CurveSide;
}

function staircase(side: Steps, order: (a: number, b: number) => number, maxLevels: number): CurveSide {
  const levels = new Map<number, number>();
  for (let i = 0; i < side.count; i++) {
    const wh = side.quantityWh[i] as number;
    const price = side.netPriceMicros[i] as number;
    if (wh > 0) levels.set(price, (levels.get(price) ?? 0) + wh);
  }
  const sorted = [...levels].sort((a, b) => order(a[0], b[0]));
  const kept = Math.min(sorted.length, maxLevels);
  const curve: CurveSide = { priceMicros: [], cumulativeWh: [] };
  let cumulativeWh = 0;
  for (let i = 0; i < sorted.length; i++) {
    const [price, wh] = sorted[i] as [number, number];
    cumulativeWh += wh;
    // Level number `next` of the kept ones, spread evenly from the best to the worst.
    const next = curve.priceMicros.length;
    if (i < (kept === 1 ? sorted.length - 1 : Math.floor((next * (sorted.length - 1)) / (kept - 1))))
      continue;
    curve.priceMicros.push(price);
    curve.cumulativeWh.push(cumulativeWh);
  }
  return curve;
}

/**
 * Unique price levels with cumulative Wh, at most `maxLevels` (≥ 1) a side; steps without Wh are left out.
 * Beyond that, neighbouring levels merge into the worst of them, so every point shown is exact and between two
 * points a side only looks smaller than it is, never larger. Best and worst level are always kept (with a single
 * level only the worst, which holds the total).
 */
export function aggregateCurve(book: Book, maxLevels: number = MAX_CURVE_LEVELS): Curve {
  if (!Number.isSafeInteger(maxLevels) || maxLevels < 1) throw new RangeError(`curve levels: ${maxLevels}`);
  return {
    bids: staircase(book.bids, (a, b) => b - a, maxLevels),
    asks: staircase(book.asks, (a, b) => a - b, maxLevels),
  };
}

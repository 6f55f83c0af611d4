/** Owns what the aggregated curve may say about a book; refuses clearing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Steps } from "../../market/auction/book.ts";
import { aggregateCurve, type CurveSide, MAX_CURVE_LEVELS } from "../../market/auction/curve.ts";

type Step = [wh: number, priceMicros: number];

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`auction curve: SEED=${seed}`);

function side(steps: Step[]): Steps {
  return {
    count: steps.length,
    netPriceMicros: Int32Array.from(steps, (step) => step[1]),
    quantityWh: Int32Array.from(steps, (step) => step[0]),
  };
}

describe("aggregated curve", () => {
  test("rejects: a number of levels that shows nothing", () => {
    const book = { bids: side([[1, 1]]), asks: side([]) };
    for (const levels of [0, -1, 0.5, Number.NaN])
      expect(() => aggregateCurve(book, levels)).toThrow(RangeError);
  });

  test("behavior: levels are unique, best first, with cumulative Wh, and steps without Wh are left out", () => {
    const steps: Step[] = [
      [10, 5],
      [1, -3],
      [0, 99],
      [4, 5],
      [2, 8],
    ];
    expect(aggregateCurve({ bids: side(steps), asks: side(steps) })).toEqual({
      bids: { priceMicros: [8, 5, -3], cumulativeWh: [2, 16, 17] },
      asks: { priceMicros: [-3, 5, 8], cumulativeWh: [1, 15, 17] },
    });
  });

  test("behavior: an empty side is an empty staircase", () => {
    const empty = { priceMicros: [], cumulativeWh: [] };
    expect(aggregateCurve({ bids: side([]), asks: side([[0, 1]]) })).toEqual({ bids: empty, asks: empty });
  });

  test("behavior: beyond the most levels, neighbours merge into the worst of them", () => {
    const steps = Array.from({ length: 1_000 }, (_, i): Step => [1, i]);
    const { bids, asks } = aggregateCurve({ bids: side(steps), asks: side(steps) });
    expect([bids.priceMicros.length, asks.priceMicros.length]).toEqual([MAX_CURVE_LEVELS, MAX_CURVE_LEVELS]);
    expect([bids.priceMicros[0], bids.priceMicros.at(-1), bids.cumulativeWh.at(-1)]).toEqual([999, 0, 1_000]);
    expect([asks.priceMicros[0], asks.priceMicros.at(-1), asks.cumulativeWh.at(-1)]).toEqual([0, 999, 1_000]);
    expect(aggregateCurve({ bids: side(steps), asks: side(steps) }, 1)).toEqual({
      bids: { priceMicros: [0], cumulativeWh: [1_000] },
      asks: { priceMicros: [999], cumulativeWh: [1_000] },
    });
  });

  test("property: every point is exact, and between points a side never looks larger than it is", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: -60, max: 60 })), {
      maxLength: 300,
      size: "max",
    });
    const shown = (curve: CurveSide, p: number, sign: 1 | -1): number =>
      curve.cumulativeWh[curve.priceMicros.findLastIndex((price) => sign * (price - p) <= 0)] ?? 0;
    fc.assert(
      fc.property(steps, steps, fc.integer({ min: 1, max: 150 }), (bids, asks, levels) => {
        const curve = aggregateCurve({ bids: side(bids), asks: side(asks) }, levels);
        for (const [steps, points, sign] of [
          [bids, curve.bids, -1],
          [asks, curve.asks, 1],
        ] as const) {
          const offered = (p: number) =>
            steps.reduce((sum, [wh, price]) => sum + (sign * (price - p) <= 0 ? wh : 0), 0);
          const all = new Set(steps.filter(([wh]) => wh > 0).map(([, price]) => price));
          expect(points.priceMicros.length).toBe(Math.min(levels, all.size));
          expect(points.cumulativeWh).toEqual(points.priceMicros.map(offered));
          for (let p = -61; p <= 61; p++) expect(shown(points, p, sign)).toBeLessThanOrEqual(offered(p));
          expect(shown(points, sign * 61, sign)).toBe(offered(sign * 61));
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});

/** Owns the exactness of the integer division and the slot grid that the auction's money stands on. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { divDown, divUp, isSafe, SLOT_SECONDS, slotAt, slotStartS } from "../../protocol/units.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`auction rounding: SEED=${seed}`);

const most = Number.MAX_SAFE_INTEGER;
const floor = (a: number, b: number): number => {
  const [x, y] = [BigInt(a), BigInt(b)];
  return Number(x / y - (x % y < 0n ? 1n : 0n));
};

describe("integer division", () => {
  test("rejects: divisors below one, fractions, unsafe integers and what is no number", () => {
    const bad = [
      [1, 0],
      [1, -1],
      [1, 0.5],
      [0.5, 1],
      [2 ** 53, 1],
      [1, 2 ** 53],
      [Number.NaN, 1],
      [1, Number.NaN],
      [Number.POSITIVE_INFINITY, 1],
    ] as const;
    for (const [a, b] of bad) {
      expect(() => divDown(a, b)).toThrow(RangeError);
      expect(() => divUp(a, b)).toThrow(RangeError);
    }
  });

  test("behavior: floor and ceiling on both sides of zero, and never minus zero", () => {
    expect([divDown(7, 2), divDown(-7, 2), divUp(7, 2), divUp(-7, 2)]).toEqual([3, -4, 4, -3]);
    for (const zero of [divDown(-0, 5), divUp(-0, 5), divUp(-1, 5), divDown(1, 5), divUp(-4, 5)]) {
      expect(Object.is(zero, 0)).toBe(true);
    }
    expect([divDown(most, 1), divUp(-most, 1), divDown(-most, most), divUp(1, most)]).toEqual([
      most,
      -most,
      -1,
      1,
    ]);
  });

  test("property: equal to bigint division, also one beside every multiple and near 2⁵³", () => {
    const any = fc.oneof(fc.integer(), fc.maxSafeInteger());
    const divisor = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: most }));
    const beside = fc
      .tuple(divisor, fc.integer({ min: 0, max: most }), fc.integer({ min: -1, max: 1 }), fc.boolean())
      .map(([b, n, by, below]): [number, number] => {
        const a = (n % (Math.floor(most / b) + 1)) * b + by;
        return [Math.min(most, Math.max(-most, below ? -a : a)), b];
      });
    fc.assert(
      fc.property(fc.oneof(fc.tuple(any, divisor), beside), ([a, b]) => {
        expect(divDown(a, b)).toBe(floor(a, b));
        expect(divUp(a, b)).toBe(-floor(-a, b) + 0);
      }),
      { seed, numRuns: 20_000 },
    );
  });

  test("behavior: safe means an integer whose neighbours are exact", () => {
    expect([0, -1, most, -most].every(isSafe)).toBe(true);
    expect([0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, "1", 1n, null, undefined].some(isSafe)).toBe(
      false,
    );
  });
});

describe("slots", () => {
  test("behavior: a slot holds its first second and not its end", () => {
    expect(SLOT_SECONDS).toBe(900);
    expect([slotAt(0), slotAt(899), slotAt(900), slotAt(-1), slotAt(-900)]).toEqual([0, 0, 1, -1, -1]);
    expect(slotStartS(slotAt(1_700_000_123))).toBe(1_700_000_100);
  });
});

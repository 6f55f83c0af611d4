/** Owns what holds for every book: the real auction against the naive one, and both against the market's rules. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clearAuction } from "../../market/auction/auction.ts";
import type { Auction, AuctionResult, Book, Steps } from "../../market/auction/book.ts";
import { clearNaively } from "../../market/auction/naive-auction.ts";

type Step = [wh: number, priceMicros: number];

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`auction properties: SEED=${seed}`);

function side(steps: Step[]): Steps {
  return {
    count: steps.length,
    netPriceMicros: Int32Array.from(steps, (step) => step[1]),
    quantityWh: Int32Array.from(steps, (step) => step[0]),
  };
}

const book = (bids: Step[], asks: Step[]): Book => ({ bids: side(bids), asks: side(asks) });
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const demandAt = (bids: Step[], p: number): number => sum(bids.map(([wh, price]) => (price >= p ? wh : 0)));
const supplyAt = (asks: Step[], p: number): number => sum(asks.map(([wh, price]) => (price <= p ? wh : 0)));

const k = fc.oneof(fc.constantFrom(0, 5_000, 10_000), fc.integer({ min: 0, max: 10_000 }));
const narrowPrice = fc.integer({ min: -4, max: 4 });
const anyPrice = fc.oneof(
  fc.integer({ min: -500_000, max: 500_000 }),
  fc.integer({ min: -10_000_000, max: 10_000_000 }),
  fc.integer({ min: 1 - 2 ** 30, max: 2 ** 30 - 1 }),
  fc.constantFrom(0, 4095, 4096, 4097, -4096, 2 ** 24, 1 - 2 ** 30, 2 ** 30 - 1),
);
const smallWh = fc.integer({ min: 0, max: 3 });
const anyWh = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: 1_000_000 }),
);

function steps(wh: fc.Arbitrary<number>, price: fc.Arbitrary<number>, maxLength: number) {
  return fc.array(fc.tuple(wh, price), { maxLength, size: "max" });
}

interface Sides {
  bids: Step[];
  asks: Step[];
}

function sides(
  wh: fc.Arbitrary<number>,
  price: fc.Arbitrary<number>,
  maxLength: number,
): fc.Arbitrary<Sides> {
  return fc.record({ bids: steps(wh, price, maxLength), asks: steps(wh, price, maxLength) });
}

/** Both sides hold the same Wh in another order and all cross: the book balances exactly and the interval is real. */
const balanced: fc.Arbitrary<Sides> = steps(anyWh, fc.integer({ min: 0, max: 50 }), 60).map((asks) => ({
  bids: asks.map(([wh, price]): Step => [wh, 50 + price]).reverse(),
  asks,
}));

const narrow = sides(smallWh, narrowPrice, 12);
const anySides = fc.oneof(
  narrow,
  sides(anyWh, narrowPrice, 200),
  sides(smallWh, anyPrice, 200),
  sides(anyWh, anyPrice, 200),
  balanced,
);

const forAll = <T extends [unknown, ...unknown[]]>(runs: number, property: fc.IProperty<T>): void =>
  fc.assert(property, { seed, numRuns: runs });

/** Nobody trades beyond its limit or its Wh, better steps fill wholly, and both sides trade the same. */
function expectFair({ bids, asks }: Sides, result: AuctionResult): void {
  expect(sum(result.bidFilledWh)).toBe(result.tradedWh);
  expect(sum(result.askFilledWh)).toBe(result.tradedWh);
  const { priceMicros, lowMicros, highMicros } = result;
  if (priceMicros === null || lowMicros === null || highMicros === null) {
    expect([priceMicros, lowMicros, highMicros, result.tradedWh]).toEqual([null, null, null, 0]);
    return;
  }
  expect(priceMicros >= lowMicros && priceMicros <= highMicros).toBe(true);
  const check = (steps: Step[], filledWh: Int32Array, sign: 1 | -1): boolean =>
    steps.every(([wh, price], i) => {
      const filled = filledWh[i] as number;
      const distance = sign * (price - priceMicros);
      if (distance > 0) return filled === 0;
      return distance < 0 ? filled === wh : filled >= 0 && filled <= wh;
    });
  expect(check(bids, result.bidFilledWh, -1)).toBe(true);
  expect(check(asks, result.askFilledWh, 1)).toBe(true);
}

describe("both auctions", () => {
  test("property: the real auction answers as the naive one", () => {
    forAll(
      1_000,
      fc.property(anySides, k, ({ bids, asks }, k) => {
        expect(clearAuction(book(bids, asks), k)).toEqual(clearNaively(book(bids, asks), k));
      }),
    );
  });

  test("property: the real auction answers as the naive one where the book balances", () => {
    let intervals = 0;
    forAll(
      300,
      fc.property(balanced, k, ({ bids, asks }, k) => {
        const result = clearAuction(book(bids, asks), k);
        expect(result).toEqual(clearNaively(book(bids, asks), k));
        if (result.lowMicros !== result.highMicros) intervals++;
      }),
    );
    expect(intervals).toBeGreaterThan(100); // otherwise the generator no longer tests what it is for
  });

  test("property: they agree on remainders that lie on the edges of the counting buckets", () => {
    // With few Wh to share, the remainders are small multiples of the quantities themselves.
    const edge = fc
      .tuple(fc.integer({ min: 0, max: 19 }), fc.integer({ min: -1, max: 1 }))
      .map(([bits, by]): Step => [Math.min(1_000_000, 2 ** bits + by), 5]);
    const edges = fc.array(edge, { minLength: 1, maxLength: 40, size: "max" });
    forAll(
      2_000,
      fc.property(edges, fc.integer({ min: 1, max: 20 }), (asks, wh) => {
        expect(clearAuction(book([[wh, 5]], asks), 0)).toEqual(clearNaively(book([[wh, 5]], asks), 0));
      }),
    );
  });

  test("property: they agree on margins whose remainders pass 32 bits", () => {
    const nearLimit = fc.array(fc.integer({ min: 999_900, max: 1_000_000 }), {
      minLength: 4_500,
      maxLength: 5_000,
    });
    forAll(
      5,
      fc.property(nearLimit, nearLimit, (bought, sold) => {
        const at = (quantities: number[]): Step[] => quantities.map((wh) => [wh, 5]);
        const orders = book(at(bought), at(sold));
        expect(clearAuction(orders, 0)).toEqual(clearNaively(orders, 0));
      }),
    );
  });
});

describe.each<[string, Auction]>([
  ["naive", clearNaively],
  ["real", clearAuction],
])("rules the %s auction keeps", (_name, clear) => {
  test("invariant: fills are fair, sum up, and price lies in its interval", () => {
    forAll(
      500,
      fc.property(anySides, k, (orders, k) => expectFair(orders, clear(book(orders.bids, orders.asks), k))),
    );
  });

  test("property: volume is the most any price gives, and the interval is the definition's, by trying all", () => {
    forAll(
      500,
      fc.property(narrow, k, ({ bids, asks }, k) => {
        const result = clear(book(bids, asks), k);
        const prices = Array.from({ length: 15 }, (_, i) => i - 7);
        const volumes = prices.map((p) => Math.min(demandAt(bids, p), supplyAt(asks, p)));
        expect(result.tradedWh).toBe(Math.max(...volumes));
        if (result.priceMicros === null) return;
        expect(result.lowMicros).toBe(prices.find((p) => demandAt(bids, p + 1) <= supplyAt(asks, p)));
        expect(result.highMicros).toBe(prices.findLast((p) => supplyAt(asks, p - 1) <= demandAt(bids, p)));
      }),
    );
  });

  test("property: the order of the steps matters to nobody by more than the last Wh of a tie", () => {
    const shuffled = anySides.chain((orders) =>
      fc.tuple(
        fc.constant(orders),
        fc.shuffledSubarray([...orders.bids.keys()], { minLength: orders.bids.length }),
        fc.shuffledSubarray([...orders.asks.keys()], { minLength: orders.asks.length }),
      ),
    );
    forAll(
      300,
      fc.property(shuffled, k, ([{ bids, asks }, bidOrder, askOrder], k) => {
        const result = clear(book(bids, asks), k);
        const again = clear(
          book(
            bidOrder.map((i) => bids[i] as Step),
            askOrder.map((i) => asks[i] as Step),
          ),
          k,
        );
        expect({ ...again, bidFilledWh: null, askFilledWh: null }).toEqual({
          ...result,
          bidFilledWh: null,
          askFilledWh: null,
        });
        const near = (order: number[], moved: Int32Array, filled: Int32Array): boolean =>
          order.every((from, to) => Math.abs((moved[to] as number) - (filled[from] as number)) <= 1);
        expect(near(bidOrder, again.bidFilledWh, result.bidFilledWh)).toBe(true);
        expect(near(askOrder, again.askFilledWh, result.askFilledWh)).toBe(true);
      }),
    );
  });

  test("property: of equal steps at the price the lower id never gets less", () => {
    forAll(
      300,
      fc.property(fc.oneof(narrow, sides(anyWh, narrowPrice, 60)), k, ({ bids, asks }, k) => {
        const result = clear(book(bids, asks), k);
        const ordered = (steps: Step[], filledWh: Int32Array): boolean => {
          const margin = steps.flatMap(([wh, price], i) =>
            price === result.priceMicros ? [[wh, filledWh[i] as number] as const] : [],
          );
          return margin.every(([wh, filled], i) =>
            margin.slice(i + 1).every(([laterWh, later]) => laterWh !== wh || filled >= later),
          );
        };
        expect(ordered(bids, result.bidFilledWh)).toBe(true);
        expect(ordered(asks, result.askFilledWh)).toBe(true);
      }),
    );
  });
});

describe.each<[string, Auction]>([
  ["naive", clearNaively],
  ["real", clearAuction],
])("what cannot matter to the %s auction", (_name, clear) => {
  test("property: k matters only where the book balances exactly, and never to the volume", () => {
    forAll(
      500,
      fc.property(anySides, k, ({ bids, asks }, k) => {
        const result = clear(book(bids, asks), k);
        const other = clear(book(bids, asks), 10_000 - k);
        expect(other.tradedWh).toBe(result.tradedWh);
        expect([other.lowMicros, other.highMicros]).toEqual([result.lowMicros, result.highMicros]);
        expect([other.bidFilledWh, other.askFilledWh]).toEqual([result.bidFilledWh, result.askFilledWh]);
        if (result.lowMicros === null || result.highMicros === null) return;
        if (result.lowMicros === result.highMicros) expect(other.priceMicros).toBe(result.priceMicros);
        else {
          expect(supplyAt(asks, result.lowMicros)).toBe(result.tradedWh);
          expect(demandAt(bids, result.highMicros)).toBe(result.tradedWh);
        }
      }),
    );
  });

  test("property: orders worse than the price move it only inside an interval that a balanced book left open", () => {
    forAll(
      500,
      fc.property(anySides, k, ({ bids, asks }, k) => {
        const result = clear(book(bids, asks), k);
        const { priceMicros, lowMicros, highMicros } = result;
        if (priceMicros === null) return;
        const without = clear(
          book(
            bids.filter(([, price]) => price >= priceMicros),
            asks.filter(([, price]) => price <= priceMicros),
          ),
          k,
        );
        expect(without.tradedWh).toBe(result.tradedWh);
        if (lowMicros === highMicros) expect(without.priceMicros).toBe(priceMicros);
      }),
    );
  });

  test("property: steps without Wh change nothing wherever they are", () => {
    forAll(
      300,
      fc.property(anySides, k, ({ bids, asks }, k) => {
        const real = (steps: Step[]): Step[] => steps.filter(([wh]) => wh > 0);
        const result = clear(book(bids, asks), k);
        const without = clear(book(real(bids), real(asks)), k);
        expect({ ...without, bidFilledWh: null, askFilledWh: null }).toEqual({
          ...result,
          bidFilledWh: null,
          askFilledWh: null,
        });
        const fills = (steps: Step[], filledWh: Int32Array) =>
          [...filledWh].filter((_, i) => steps[i]?.[0] !== 0);
        expect([...without.bidFilledWh]).toEqual(fills(bids, result.bidFilledWh));
        expect([...without.askFilledWh]).toEqual(fills(asks, result.askFilledWh));
      }),
    );
  });

  test("invariant: clearing reads the book only, and twice gives the same in memory of its own", () => {
    forAll(
      200,
      fc.property(anySides, k, ({ bids, asks }, k) => {
        const orders = book(bids, asks);
        const first = clear(orders, k);
        const copy = structuredClone(first);
        first.bidFilledWh.fill(99);
        first.askFilledWh.fill(99);
        expect(clear(orders, k)).toEqual(copy);
        expect(orders).toEqual(book(bids, asks));
      }),
    );
  });
});

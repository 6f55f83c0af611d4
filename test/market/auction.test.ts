/** Owns the contract every auction passes: refusals, worked examples and hand-made edges; refuses random books. */
import { describe, expect, test } from "vitest";
import { netAskPrice, netBidPrice } from "../../market/auction/ask-price.ts";
import { clearAuction } from "../../market/auction/auction.ts";
import type { Auction, Book, Steps } from "../../market/auction/book.ts";
import { clearNaively } from "../../market/auction/naive-auction.ts";

type Step = [wh: number, priceMicros: number];

function side(steps: Step[]): Steps {
  return {
    count: steps.length,
    netPriceMicros: Int32Array.from(steps, (step) => step[1]),
    quantityWh: Int32Array.from(steps, (step) => step[0]),
  };
}

const book = (bids: Step[], asks: Step[]): Book => ({ bids: side(bids), asks: side(asks) });

/** Price, interval, volume and fills as plain values, so that a case is one line. */
function outcome(clear: Auction, bids: Step[], asks: Step[], k = 5_000) {
  const result = clear(book(bids, asks), k);
  return {
    price: result.priceMicros,
    interval: result.lowMicros === null ? null : [result.lowMicros, result.highMicros],
    traded: result.tradedWh,
    bids: [...result.bidFilledWh],
    asks: [...result.askFilledWh],
  };
}

const auctions: [string, Auction][] = [
  ["naive", clearNaively],
  ["real", clearAuction],
];

describe.each(auctions)("refusals of the %s auction", (_name, clear) => {
  const good = (): Book => book([[10, 5]], [[10, 5]]);
  const cases: [string, (b: Book) => void, number][] = [
    ["k above 10000", () => {}, 10_001],
    ["k below zero", () => {}, -1],
    ["a fractional k", () => {}, 0.5],
    ["k that is not a number", () => {}, Number.NaN],
    ["a negative quantity", (b) => b.bids.quantityWh.fill(-1), 0],
    ["a quantity above the limit of an account", (b) => b.asks.quantityWh.fill(1_000_001), 0],
    ["a price outside 30 bits", (b) => b.asks.netPriceMicros.fill(2 ** 30), 0],
    ["a price outside 30 bits below zero", (b) => b.bids.netPriceMicros.fill(-(2 ** 30) - 1), 0],
    ["more steps than the columns hold", (b) => Object.assign(b.bids, { count: 2 }), 0],
    ["a negative count", (b) => Object.assign(b.asks, { count: -1 }), 0],
    ["a fractional count", (b) => Object.assign(b.asks, { count: 0.5 }), 0],
  ];
  test.each(cases)("rejects: %s, and leaves the book as it was", (_case, spoil, k) => {
    const spoiled = good();
    spoil(spoiled);
    const before = structuredClone(spoiled);
    expect(() => clear(spoiled, k)).toThrow(RangeError);
    expect(spoiled).toEqual(before);
  });

  test("rejects: a side of more than five billion Wh, and takes one of exactly that", () => {
    const full = Array.from({ length: 5_000 }, (): Step => [1_000_000, 7]);
    expect(() => clear(book([...full, [1, 7]], []), 0)).toThrow(RangeError);
    expect(() => clear(book([], [...full, [1, 7]]), 0)).toThrow(RangeError);
    expect(clear(book(full, full), 0).tradedWh).toBe(5_000_000_000);
  });
});

describe.each(auctions)("worked examples of the %s auction", (_name, clear) => {
  test("behavior: one bid and one ask share the gap left by the network fee", () => {
    const bid = netBidPrice(300_000, 20_000);
    expect(outcome(clear, [[1000, bid]], [[1000, netAskPrice(100_000, 0)]])).toEqual({
      price: 190_000,
      interval: [100_000, 280_000],
      traded: 1000,
      bids: [1000],
      asks: [1000],
    });
  });

  test("behavior: the long side shares the margin pro rata, the better ask fills wholly", () => {
    const asks: Step[] = [
      [700, 100_000],
      [500, 100_000],
      [300, 90_000],
      [400, 110_000],
    ];
    expect(outcome(clear, [[1000, 300_000]], asks)).toEqual({
      price: 100_000,
      interval: [100_000, 100_000],
      traded: 1000,
      bids: [1000],
      asks: [408, 292, 300, 0],
    });
  });

  test("behavior: in an exactly balanced book an order that does not trade bounds the interval", () => {
    const bids: Step[] = [
      [1000, 300_000],
      [1, 250_000],
    ];
    expect(outcome(clear, bids, [[1000, 100_000]])).toEqual({
      price: 275_000,
      interval: [250_000, 300_000],
      traded: 1000,
      bids: [1000, 0],
      asks: [1000],
    });
  });
});

describe.each(auctions)("books without a trade in the %s auction", (_name, clear) => {
  const cases: [string, Step[], Step[]][] = [
    ["nobody at all", [], []],
    ["only bids", [[10, 5]], []],
    ["only asks", [], [[10, 5]]],
    ["bids without Wh", [[0, 9]], [[10, 5]]],
    ["asks without Wh", [[10, 9]], [[0, 5]]],
    ["highest bid one micro below the least ask", [[10, 4]], [[10, 5]]],
    [
      "curves that only steps without Wh would cross",
      [
        [10, -7],
        [0, 9],
      ],
      [
        [0, -9],
        [10, -6],
      ],
    ],
  ];
  test.each(cases)("behavior: no price and no trade with %s", (_case, bids, asks) => {
    for (const k of [0, 5_000, 10_000]) {
      expect(outcome(clear, bids, asks, k)).toEqual({
        price: null,
        interval: null,
        traded: 0,
        bids: bids.map(() => 0),
        asks: asks.map(() => 0),
      });
    }
  });
});

describe.each(auctions)("prices of the %s auction", (_name, clear) => {
  const cases: [string, Step[], Step[], number, [number, number], number][] = [
    ["a balanced pair at one price trades there", [[3, 7]], [[3, 7]], 5_000, [7, 7], 7],
    ["k 0 is the buyers' end", [[3, 9]], [[3, 4]], 0, [4, 9], 4],
    ["k 10000 is the sellers' end", [[3, 9]], [[3, 4]], 10_000, [4, 9], 9],
    ["half a micro goes to the buyers", [[3, 9]], [[3, 4]], 5_000, [4, 9], 6],
    ["half a micro goes to the buyers below zero too", [[3, 0]], [[3, -3]], 5_000, [-3, 0], -2],
    ["a scarce ask lets the bids set the price", [[5, 9]], [[3, 4]], 5_000, [9, 9], 9],
    ["a scarce bid lets the asks set the price", [[3, 9]], [[5, 4]], 5_000, [4, 4], 4],
    ["a negative price stays negative", [[3, -50]], [[5, -90]], 5_000, [-90, -90], -90],
    ["an interval may span zero", [[3, 10]], [[3, -10]], 5_000, [-10, 10], 0],
    ["a price of zero is a price", [[5, 0]], [[3, -1]], 5_000, [0, 0], 0],
    [
      "the widest prices the columns take",
      [[1, 2 ** 30 - 1]],
      [[1, 1 - 2 ** 30]],
      5_000,
      [1 - 2 ** 30, 2 ** 30 - 1],
      0,
    ],
  ];
  test.each(cases)("behavior: %s", (_case, bids, asks, k, interval, price) => {
    const result = outcome(clear, bids, asks, k);
    expect(result).toMatchObject({ price, interval, traded: Math.min(bids[0]?.[0] ?? 0, asks[0]?.[0] ?? 0) });
  });

  test("behavior: in a balanced book an ask that does not trade lowers the sellers' end", () => {
    const result = outcome(
      clear,
      [[5, 100]],
      [
        [5, 10],
        [9, 40],
      ],
      10_000,
    );
    expect(result).toEqual({ price: 40, interval: [10, 40], traded: 5, bids: [5], asks: [5, 0] });
  });

  test("invariant: no answer holds a minus zero", () => {
    for (const [bid, ask] of [
      [0, 0],
      [0, -5],
      [5, -5],
    ] as const) {
      expect(Object.is(outcome(clear, [[1, bid]], [[1, ask]]).price, -0)).toBe(false);
    }
  });
});

describe.each(auctions)("the margin of the %s auction", (_name, clear) => {
  const at = (price: number, ...quantities: number[]): Step[] => quantities.map((wh) => [wh, price]);

  test("behavior: with both sides at the price only the long side is cut", () => {
    const bids: Step[] = [...at(9, 2), ...at(5, 6)];
    const asks: Step[] = [...at(5, 6, 6), ...at(1, 3)];
    expect(outcome(clear, bids, asks)).toEqual({
      price: 5,
      interval: [5, 5],
      traded: 8,
      bids: [2, 6],
      asks: [3, 2, 3], // 5 Wh left for two asks of 6: floors 2 and 2, equal remainders, the lower id first
    });
  });

  test("behavior: equal remainders go to the lowest ids", () => {
    expect(outcome(clear, at(5, 1, 1, 1, 1, 1), at(5, 2)).bids).toEqual([1, 1, 0, 0, 0]);
  });

  test("behavior: the greatest remainder goes before the lowest id", () => {
    expect(outcome(clear, at(5, 1, 1, 3), at(5, 1)).bids).toEqual([0, 0, 1]);
  });

  test("behavior: remainders of different sizes tie as well", () => {
    // 5 of 10 Wh: halves everywhere, so 1, 3 and 5 have the same remainder and 1 does not come last.
    expect(outcome(clear, at(5, 5, 1, 3, 1), at(5, 5)).bids).toEqual([3, 1, 1, 0]);
  });

  test("behavior: a margin that divides evenly leaves no remainder", () => {
    expect(outcome(clear, at(5, 100, 200, 300), at(5, 60)).bids).toEqual([10, 20, 30]);
  });

  test("behavior: steps without Wh at the price get nothing, and worse steps get nothing", () => {
    expect(outcome(clear, [...at(5, 0, 4, 0, 3), ...at(4, 9)], at(5, 4)).bids).toEqual([0, 2, 0, 2, 0]);
  });

  test("behavior: steps beyond the count are not read", () => {
    const long = book([...at(9, 7), ...at(9, -1)], [...at(1, 7), ...at(-(2 ** 31), 1)]);
    long.bids.count = 1;
    long.asks.count = 1;
    const result = clear(long, 0);
    expect(result).toMatchObject({ priceMicros: 1, tradedWh: 7 });
    expect([result.bidFilledWh.length, result.askFilledWh.length]).toEqual([1, 1]);
  });

  test("behavior: shares stay exact where products come close to their bound", () => {
    const bids = at(5, ...Array.from({ length: 5_000 }, (_, i) => 1_000_000 - (i % 7)));
    const asks = at(5, ...Array.from({ length: 4_999 }, (_, i) => 1_000_000 - (i % 11)));
    const result = outcome(clear, bids, asks);
    const total = BigInt(bids.reduce((sum, bid) => sum + bid[0], 0));
    const room = BigInt(result.traded);
    expect(result.bids.reduce((sum, wh) => sum + wh, 0)).toBe(result.traded);
    for (const [i, wh] of result.bids.entries()) {
      const floor = Number((BigInt(bids[i]?.[0] ?? 0) * room) / total);
      expect(wh === floor || wh === floor + 1).toBe(true);
    }
  });
});

/** Owns the money of a trade: limits to book prices, roundings and dust; refuses ledgers. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { netAskPrice, netBidPrice } from "../../market/auction/ask-price.ts";
import { clearAuction } from "../../market/auction/auction.ts";
import type { Steps } from "../../market/auction/book.ts";
import {
  buyerPays,
  networkShare,
  saleMicros,
  sellerFee,
  sellerReceives,
} from "../../market/auction/settlement.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`auction settlement: SEED=${seed}`);

const forAll = <T extends [unknown, ...unknown[]]>(runs: number, property: fc.IProperty<T>): void =>
  fc.assert(property, { seed, numRuns: runs });

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** All amounts of a slot in which `bought` and `sold` (Wh per account) traded at one price. */
function settle(bought: number[], sold: number[], price: number, networkFee: number, takeRateBps: number) {
  const pays = bought.map((wh) => buyerPays(wh, price, networkFee));
  const network = bought.map((wh) => networkShare(wh, networkFee));
  const fees = sold.map((wh) => sellerFee(saleMicros(wh, price), takeRateBps));
  const receives = sold.map((wh) => sellerReceives(wh, price, takeRateBps));
  return { pays, network, fees, receives, dust: sum(pays) - sum(network) - sum(fees) - sum(receives) };
}

const limit = fc.integer({ min: -10_000_000, max: 10_000_000 });
const networkFee = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000_000 }));
const takeRate = fc.oneof(fc.constantFrom(0, 2_000), fc.integer({ min: 0, max: 2_000 }));
const wh = fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 1_000_000 }));

describe("book prices", () => {
  test("rejects: limits, fees and rates outside their bounds", () => {
    const bad: (() => number)[] = [
      () => netAskPrice(10_000_001, 0),
      () => netAskPrice(-10_000_001, 0),
      () => netAskPrice(0.5, 0),
      () => netAskPrice(1, 2_001),
      () => netAskPrice(1, -1),
      () => netAskPrice(Number.NaN, 0),
      () => netBidPrice(10_000_001, 0),
      () => netBidPrice(1, 1_000_001),
      () => netBidPrice(1, -1),
      () => netBidPrice(1, 0.5),
    ];
    for (const call of bad) expect(call).toThrow(RangeError);
  });

  test("behavior: an ask is grossed up and rounded up, a bid loses the network fee", () => {
    expect(netAskPrice(100_000, 0)).toBe(100_000);
    expect(netAskPrice(100_000, 333)).toBe(103_445); // 10⁹ ÷ 9,667 = 103,444.7…
    expect(netAskPrice(10_000_000, 2_000)).toBe(12_500_000);
    expect(netAskPrice(1, 1)).toBe(2);
    expect(netAskPrice(0, 2_000)).toBe(0);
    expect(netAskPrice(-7, 2_000)).toBe(-7);
    expect(netBidPrice(300_000, 20_000)).toBe(280_000);
    expect(netBidPrice(10_000, 20_000)).toBe(-10_000);
    expect([netAskPrice(-0, 0), netBidPrice(-0, 0)]).toEqual([0, 0]);
  });

  test("property: at any price its ask accepts, a seller keeps its limit per kWh before rounding, and no lower price does", () => {
    const keeps = (price: number, t: number, wanted: number): boolean =>
      price <= 0 ? price >= wanted : BigInt(price) * BigInt(10_000 - t) >= BigInt(wanted) * 10_000n;
    forAll(
      2_000,
      fc.property(limit, takeRate, fc.integer({ min: 0, max: 1_000_000 }), (wanted, t, above) => {
        const ask = netAskPrice(wanted, t);
        expect(keeps(ask, t, wanted)).toBe(true);
        expect(keeps(ask + above, t, wanted)).toBe(true);
        expect(keeps(ask - 1, t, wanted)).toBe(false);
      }),
    );
  });
});

describe("settlement", () => {
  test("rejects: fractional Wh and fractional prices", () => {
    for (const call of [
      () => buyerPays(0.5, 1, 0),
      () => buyerPays(1, 0.5, 0),
      () => networkShare(1, 0.5),
      () => saleMicros(Number.NaN, 1),
      () => sellerFee(1, 0.5),
    ]) {
      expect(call).toThrow(RangeError);
    }
  });

  test("behavior: the worked example leaves three micros of dust", () => {
    expect(settle([334, 667], [1001], 123_457, 20_011, 333)).toEqual({
      pays: [47_919, 95_694],
      network: [6_683, 13_347],
      fees: [4_116],
      receives: [119_464],
      dust: 3,
    });
    expect(saleMicros(1001, 123_457)).toBe(123_580);
  });

  test("behavior: below zero the buyer is paid less and the seller pays more, and no fee is due", () => {
    expect(buyerPays(1, -1_500, 0)).toBe(-1);
    expect(saleMicros(1, -1_500)).toBe(-2);
    expect(sellerFee(-2, 2_000)).toBe(0);
    expect(sellerReceives(1, -1_500, 2_000)).toBe(-2);
    expect(settle([1], [1], -1_500, 0, 2_000).dust).toBe(1);
    expect(Object.is(buyerPays(1, -1, 0), 0)).toBe(true);
    expect(Object.is(saleMicros(0, -1), 0)).toBe(true);
  });

  test("behavior: a fee is due from the first micro of a sale", () => {
    expect([sellerFee(0, 2_000), sellerFee(1, 1), sellerFee(1, 0), sellerFee(10_000, 333)]).toEqual([
      0, 1, 0, 333,
    ]);
  });

  test("property: dust is never negative, and at most a micro per rounding", () => {
    const cut = fc.array(wh, { minLength: 1, maxLength: 20 });
    forAll(
      1_000,
      fc.property(cut, cut, limit, networkFee, takeRate, (bought, sold, price, n, t) => {
        const gap = sum(bought) - sum(sold);
        if (gap > 0) sold.push(gap);
        if (gap < 0) bought.push(-gap);
        const { dust } = settle(bought, sold, price, n, t);
        expect(dust).toBeGreaterThanOrEqual(0);
        expect(dust).toBeLessThan(2 * bought.length + sold.length);
      }),
    );
  });

  test("property: amounts are what exact arithmetic gives, at the limits too", () => {
    const floor = (a: bigint, b: bigint): bigint => a / b - (a % b < 0n ? 1n : 0n);
    forAll(
      2_000,
      fc.property(wh, limit, networkFee, takeRate, (q, p, n, t) => {
        expect(buyerPays(q, p, n)).toBe(Number(-floor(-(BigInt(q) * BigInt(p + n)), 1000n)));
        expect(networkShare(q, n)).toBe(Number(floor(BigInt(q) * BigInt(n), 1000n)));
        const sale = Number(floor(BigInt(q) * BigInt(p), 1000n));
        expect(saleMicros(q, p)).toBe(sale);
        expect(sellerFee(sale, t)).toBe(sale > 0 ? Number(-floor(-(BigInt(sale) * BigInt(t)), 10_000n)) : 0);
      }),
    );
  });

  test("property: through the auction nobody does worse than its all-in limit by more than the roundings", () => {
    const orders = fc.array(fc.tuple(wh, limit), { minLength: 1, maxLength: 30 });
    forAll(
      300,
      fc.property(orders, orders, networkFee, takeRate, (buys, sells, n, t) => {
        const side = (steps: [number, number][], net: (limit: number) => number): Steps => ({
          count: steps.length,
          quantityWh: Int32Array.from(steps, ([wh]) => wh),
          netPriceMicros: Int32Array.from(steps, ([, wanted]) => net(wanted)),
        });
        const book = {
          bids: side(buys, (l) => netBidPrice(l, n)),
          asks: side(sells, (l) => netAskPrice(l, t)),
        };
        const { priceMicros: price, bidFilledWh, askFilledWh } = clearAuction(book, 5_000);
        if (price === null) return;
        for (const [i, [, wanted]] of buys.entries()) {
          const q = bidFilledWh[i] as number;
          expect(buyerPays(q, price, n) * 1000 - q * wanted).toBeLessThan(1000);
        }
        for (const [i, [, wanted]] of sells.entries()) {
          const q = askFilledWh[i] as number;
          expect(q * wanted - sellerReceives(q, price, t) * 1000).toBeLessThan(2000);
        }
      }),
    );
  });
});

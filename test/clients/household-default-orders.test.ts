// Owns the proof that default orders cover every slot once, cross, and leave nobody worse off than the tariff alone.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DefaultOrderTerms,
  type DesiredOrder,
  defaultLimits,
  defaultOrders,
  isInForce,
  LEAST_MARGIN_MICROS_PER_KWH,
} from "../../clients/household/default-orders.ts";
import { retailAt, type Tariff, tariffCostMicros } from "../../clients/household/tariff.ts";
import { divDown, divUp } from "../../protocol/units.ts";

const terms = {
  retailMicrosPerKwh: 300_000,
  feedInMicrosPerKwh: 80_000,
  networkFeeMicrosPerKwh: 20_000,
  takeRateBps: 100,
};
const grossUp = (price: number, takeRateBps: number) =>
  price <= 0 ? price : divUp(price * 10_000, 10_000 - takeRateBps);

/** What the market's settlement makes of q Wh at price p, written out from its rules. */
function buyerPays(q: number, p: number, networkFee: number): number {
  return divUp(q * (p + networkFee), 1000);
}
function sellerReceives(q: number, p: number, takeRateBps: number): number {
  const sale = divDown(q * p, 1000);
  return sale - (sale > 0 ? divUp(sale * takeRateBps, 10_000) : 0);
}

/** Wide gaps and narrow ones around the least margin, where roundings are as large as the gain. */
const market = fc
  .record({
    gapMicrosPerKwh: fc.oneof(
      fc.integer({ min: -100_000, max: 1_000_000 }),
      fc.integer({ min: 0, max: 9_000 }),
    ),
    feedInMicrosPerKwh: fc.oneof(
      fc.integer({ min: -500_000, max: 500_000 }),
      fc.integer({ min: -5, max: 2_005 }),
    ),
    networkFeeMicrosPerKwh: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200_000 })),
    takeRateBps: fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 2_000 })),
  })
  .map(({ gapMicrosPerKwh, ...rest }) => ({
    ...rest,
    retailMicrosPerKwh: gapMicrosPerKwh + rest.networkFeeMicrosPerKwh + rest.feedInMicrosPerKwh,
  }));
const wh = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1_000_000 }));

describe("limits", () => {
  test("rejects: a gap of nothing, of less than nothing, and one that roundings could eat", () => {
    const gap = (micros: number) =>
      defaultLimits({ ...terms, takeRateBps: 0, retailMicrosPerKwh: 100_000 + micros });
    expect([gap(-50_000), gap(0), gap(4 * LEAST_MARGIN_MICROS_PER_KWH - 1)]).toEqual([null, null, null]);
    expect(gap(4 * LEAST_MARGIN_MICROS_PER_KWH)).toEqual({
      sellMicrosPerKwh: 82_000,
      buyMicrosPerKwh: 106_000,
    });
  });
  test("rejects: a take rate that lifts the ask above the bid", () => {
    const dear = { retailMicrosPerKwh: 400_000, feedInMicrosPerKwh: 300_000, networkFeeMicrosPerKwh: 0 };
    expect(defaultLimits({ ...dear, takeRateBps: 2_000 })).toBeNull();
    expect(defaultLimits({ ...dear, takeRateBps: 500 })).not.toBeNull();
  });
  test("rejects: a take rate outside the market's limits", () => {
    expect(() => defaultLimits({ ...terms, takeRateBps: 2_001 })).toThrow(RangeError);
    expect(() => defaultLimits({ ...terms, takeRateBps: -1 })).toThrow(RangeError);
  });
  test("behavior: a quarter of the gap inside the tariff", () => {
    expect(defaultLimits(terms)).toEqual({ sellMicrosPerKwh: 130_000, buyMicrosPerKwh: 250_000 });
  });
  test("property: bid and ask of one tariff cross", () => {
    fc.assert(
      fc.property(market, (given) => {
        const limits = defaultLimits(given);
        if (limits === null) return;
        const bid = limits.buyMicrosPerKwh - given.networkFeeMicrosPerKwh;
        expect(grossUp(limits.sellMicrosPerKwh, given.takeRateBps)).toBeLessThanOrEqual(bid);
      }),
    );
  });
  test("property: at any price between them no slot is dearer than the tariff alone, from 1 Wh up", () => {
    let traded = 0;
    fc.assert(
      fc.property(market, wh, wh, fc.double({ min: 0, max: 1, noNaN: true }), (given, q, rest, share) => {
        const limits = defaultLimits(given);
        if (limits === null) return;
        traded++;
        const ask = grossUp(limits.sellMicrosPerKwh, given.takeRateBps);
        const bid = limits.buyMicrosPerKwh - given.networkFeeMicrosPerKwh;
        const price = ask + Math.floor((bid - ask) * share);
        const tariff = tariffOf(
          { kind: "flat", microsPerKwh: given.retailMicrosPerKwh },
          given.feedInMicrosPerKwh,
        );
        for (const left of [0, rest]) {
          const bought =
            buyerPays(q, price, given.networkFeeMicrosPerKwh) + tariffCostMicros(tariff, 0, -left);
          expect(bought).toBeLessThanOrEqual(tariffCostMicros(tariff, 0, -(q + left)));
          const sold = -sellerReceives(q, price, given.takeRateBps) + tariffCostMicros(tariff, 0, left);
          expect(sold).toBeLessThanOrEqual(tariffCostMicros(tariff, 0, q + left));
        }
      }),
      { numRuns: 20_000 },
    );
    expect(traded).toBeGreaterThan(2_000);
  });
  test("behavior: a smaller margin could cost a micro, which is why there is a least one", () => {
    // Seller, fee of 1 bps, 1 of 1500 Wh sold at feed-in + 1993: 2 micros per kWh of feed-in.
    const tariff = tariffOf({ kind: "flat", microsPerKwh: 328_000 }, 2);
    const ask = grossUp(2 + 1_993, 1);
    expect(-sellerReceives(1, ask, 1) + tariffCostMicros(tariff, 0, 1_499)).toBe(
      tariffCostMicros(tariff, 0, 1_500) + 1,
    );
    // Buyer, 1 of 2000 Wh bought at retail − 988.
    const dear = tariffOf({ kind: "flat", microsPerKwh: 327_998 }, 0);
    expect(buyerPays(1, 327_998 - 988, 0) + tariffCostMicros(dear, 0, -1_999)).toBe(
      tariffCostMicros(dear, 0, -2_000) + 1,
    );
  });
});

function tariffOf(retail: Tariff["retail"], feedInMicrosPerKwh = 80_000): Tariff {
  return { name: "test", currency: "EUR", feedInMicrosPerKwh, retail };
}

function hourly(timeZone: string, peak: readonly number[]): Tariff {
  const microsPerKwh = Array.from({ length: 24 }, (_, hour) => (peak.includes(hour) ? 500_000 : 250_000));
  return tariffOf({ kind: "hourly", timeZone, microsPerKwh });
}

function span(tariff: Tariff, from: string, until: string): DefaultOrderTerms {
  const slot = (iso: string) => Date.parse(iso) / 900_000;
  return { tariff, networkFeeMicrosPerKwh: 0, takeRateBps: 0, fromSlot: slot(from), untilSlot: slot(until) };
}

/** Every slot has exactly one order per side at its own limit, or none where there is no limit; none outside. */
function expectCovered(given: DefaultOrderTerms, orders: readonly DesiredOrder[]): void {
  for (let slot = given.fromSlot - 100; slot < given.untilSlot + 100; slot++) {
    const inside = slot >= given.fromSlot && slot < given.untilSlot;
    const limits = inside
      ? defaultLimits({
          retailMicrosPerKwh: retailAt(given.tariff, slot),
          feedInMicrosPerKwh: given.tariff.feedInMicrosPerKwh,
          networkFeeMicrosPerKwh: given.networkFeeMicrosPerKwh,
          takeRateBps: given.takeRateBps,
        })
      : null;
    const prices = (side: string) =>
      orders
        .filter((o) => o.side === side && isInForce(o, slot))
        .map((o) => o.steps[0]?.limitPriceMicrosPerKwh);
    if (prices("sell").join() !== (limits === null ? "" : `${limits.sellMicrosPerKwh}`)) {
      expect.fail(`slot ${slot} sells at ${prices("sell").join()}, not ${limits?.sellMicrosPerKwh}`);
    }
    if (prices("buy").join() !== (limits === null ? "" : `${limits.buyMicrosPerKwh}`)) {
      expect.fail(`slot ${slot} buys at ${prices("buy").join()}, not ${limits?.buyMicrosPerKwh}`);
    }
  }
}

describe("orders", () => {
  test("rejects: an empty, a backward and a negative span, and a tariff without a price", () => {
    const flat = { ...span(tariffOf({ kind: "flat", microsPerKwh: 300_000 }), "2025-06-01", "2025-06-02") };
    expect(() => defaultOrders({ ...flat, untilSlot: flat.fromSlot })).toThrow(/not a span/);
    expect(() => defaultOrders({ ...flat, untilSlot: flat.fromSlot - 1 })).toThrow(/not a span/);
    expect(() => defaultOrders({ ...flat, fromSlot: -1 })).toThrow(/not a span/);
    const series = tariffOf({ kind: "series", startSlot: 0, slotsPerValue: 4, microsPerKwh: [1] });
    expect(() => defaultOrders({ ...flat, tariff: series })).toThrow(/no price/);
  });

  test("behavior: a flat tariff is one order a side, whatever the span", () => {
    const given = span(
      tariffOf({ kind: "flat", microsPerKwh: 300_000 }),
      "2025-03-01T00:45Z",
      "2025-04-20T10:30Z",
    );
    const validity = { validFromS: given.fromSlot * 900, validUntilS: given.untilSlot * 900, hours: [] };
    expect(defaultOrders({ ...given, sellCapWhPerSlot: 900 })).toEqual([
      { side: "sell", steps: [{ limitPriceMicrosPerKwh: 135_000, capWhPerSlot: 900 }], ...validity },
      { side: "buy", steps: [{ limitPriceMicrosPerKwh: 245_000, capWhPerSlot: 1_000_000 }], ...validity },
    ]);
  });

  test("behavior: a side that may trade nothing has no order, and no gap is no order", () => {
    const given = span(tariffOf({ kind: "flat", microsPerKwh: 300_000 }), "2025-03-01", "2025-03-02");
    expect(defaultOrders({ ...given, sellCapWhPerSlot: 0 }).map((order) => order.side)).toEqual(["buy"]);
    expect(defaultOrders({ ...given, networkFeeMicrosPerKwh: 300_000 })).toEqual([]);
  });

  test("behavior: a price per hour becomes a set of UTC hours, and a new one when the clocks change", () => {
    const given = span(hourly("Europe/Amsterdam", [17, 18, 19]), "2025-03-24", "2025-04-05");
    const orders = defaultOrders(given);
    expectCovered(given, orders);
    const peaks = orders.filter((o) => o.side === "sell" && o.steps[0]?.limitPriceMicrosPerKwh === 185_000);
    expect(peaks.map((o) => o.hours)).toEqual([
      [16, 17, 18],
      [15, 16, 17],
    ]);
    expect(orders.length).toBe(8);
  });

  test("behavior: where a UTC hour holds two prices, the orders are split by time", () => {
    for (const zone of ["Australia/Adelaide", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"]) {
      const given = span(hourly(zone, [7, 8, 17, 18, 19]), "2025-04-04", "2025-04-08");
      expectCovered(given, defaultOrders(given));
    }
  });

  test("behavior: prices that differ on weekends need one order a week, not one a day", () => {
    const slots = 14 * 96;
    const weekday = (hour: number) => (hour >= 16 && hour < 21 ? 540_000 : 220_000);
    const weekend = (hour: number) => (hour >= 16 && hour < 21 ? 400_000 : 220_000);
    const monday = Date.parse("2025-07-07") / 900_000;
    const microsPerKwh = Array.from({ length: slots / 4 }, (_, i) =>
      (Math.floor(i / 24) % 7 < 5 ? weekday : weekend)(i % 24),
    );
    const tariff = tariffOf({ kind: "series", startSlot: monday, slotsPerValue: 4, microsPerKwh });
    const given = {
      tariff,
      networkFeeMicrosPerKwh: 0,
      takeRateBps: 0,
      fromSlot: monday,
      untilSlot: monday + slots,
    };
    const orders = defaultOrders(given);
    expectCovered(given, orders);
    expect(orders.filter((order) => order.side === "buy").length).toBe(5);
  });

  test("property: any series of prices is covered exactly once a side", () => {
    const prices = fc.constantFrom(90_000, 200_000, 300_000, 400_000);
    const daily = fc.array(prices, { minLength: 96, maxLength: 96 });
    const series = fc.tuple(daily, daily, fc.integer({ min: 1, max: 4 }), fc.boolean());
    fc.assert(
      fc.property(
        series,
        fc.nat(95),
        fc.integer({ min: 1, max: 380 }),
        ([one, two, coarse, hours], offset, length) => {
          const day = (d: number) => (d % 3 === 2 ? two : one);
          const microsPerKwh = Array.from({ length: 500 }, (_, i) => {
            const at = hours ? Math.floor((i % 96) / 4) * 4 : Math.floor((i % 96) / coarse) * coarse;
            return day(Math.floor(i / 96))[at] as number;
          });
          const startSlot = 96 * 20_000;
          const tariff = tariffOf({ kind: "series", startSlot, slotsPerValue: 1, microsPerKwh });
          const fromSlot = startSlot + offset;
          const given = {
            tariff,
            networkFeeMicrosPerKwh: 0,
            takeRateBps: 0,
            fromSlot,
            untilSlot: fromSlot + length,
          };
          expectCovered(given, defaultOrders(given));
        },
      ),
      { numRuns: 60 },
    );
  });
});

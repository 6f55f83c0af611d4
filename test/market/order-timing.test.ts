// Owns when an order, its change and its end act on slots. It refuses any way to re-price energy that has flowed.

import { describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import {
  address,
  authorise,
  cancel,
  deadlineS,
  enrol,
  FIRST_SLOT,
  type Market,
  MIDNIGHT_S,
  openMarket,
  place,
  prove,
  readings,
  revoke,
  session,
  settle,
  word,
} from "../support/market.ts";

const DAY_S = 86_400;

/** Ann sells, Bob buys whatever is offered up to 300,000; both have a meter. */
function street(windowSlots: 4 | 96 = 4): { market: Market; ann: Hex; bob: Hex } {
  const market = openMarket({ windowSlots, epochSlots: 96 });
  const [ann, bob] = settle(market, 2) as [Hex, Hex];
  market.accept(place(bob, "buy", [[300_000, 1_000]]));
  return { market, ann, bob };
}

/** What Ann sold in each slot of the first window when both homes had 100 Wh in every slot. */
function soldBySlot(market: Market, ann: Hex): number[] {
  prove(market, FIRST_SLOT, { 1: [100, 100, 100, 100], 2: [-100, -100, -100, -100] });
  return [0, 1, 2, 3].map((slot) => market.filled(FIRST_SLOT + slot, ann));
}

describe("placing", () => {
  test("behavior: an order applies only to slots that start after it was accepted", () => {
    const { market, ann } = street();
    market.to(MIDNIGHT_S + 900 + 1);
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    expect(soldBySlot(market, ann)).toEqual([0, 0, 100, 100]);
  });

  test("behavior: the slot that starts in the very second of acceptance has started", () => {
    const { market, ann } = street();
    market.to(MIDNIGHT_S + 900);
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    expect(soldBySlot(market, ann)).toEqual([0, 0, 100, 100]);
  });

  test("behavior: an order placed after the window ended does not touch it, although it has not cleared", () => {
    const { market, ann } = street();
    market.to(MIDNIGHT_S + 3_600);
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    expect(soldBySlot(market, ann)).toEqual([0, 0, 0, 0]);
  });

  test("behavior: validity bounds are the slots that start from the first and before the second instant", () => {
    const { market, ann } = street();
    const span = { validFromS: MIDNIGHT_S + 1, validUntilS: MIDNIGHT_S + 2_701 };
    market.accept(place(ann, "sell", [[100_000, 1_000]], span));
    expect(soldBySlot(market, ann)).toEqual([0, 100, 100, 100]);
    const exact = street();
    const exactSpan = { validFromS: MIDNIGHT_S + 900, validUntilS: MIDNIGHT_S + 2_700 };
    exact.market.accept(place(exact.ann, "sell", [[100_000, 1_000]], exactSpan));
    expect(soldBySlot(exact.market, exact.ann)).toEqual([0, 100, 100, 0]);
  });

  test("behavior: hours are UTC hours of day and come back every day", () => {
    const { market, ann, bob } = street(96);
    market.accept(place(ann, "sell", [[100_000, 1_000]], { hours: [0, 13, 23] }));
    for (const day of [0, 1]) {
      const first = FIRST_SLOT + 96 * day;
      market.to(MIDNIGHT_S + DAY_S * (day + 1));
      market.accept(readings(ann, 1, first, new Array<number>(96).fill(10), 96));
      market.accept(readings(bob, 2, first, new Array<number>(96).fill(-10), 96));
      market.to(deadlineS(first, 96));
      const hours = new Set<number>();
      for (let slot = 0; slot < 96; slot += 1)
        if (market.filled(first + slot, ann) > 0) hours.add(Math.floor(slot / 4));
      expect([...hours]).toEqual([0, 13, 23]);
    }
  });
});

describe("changing and ending", () => {
  test("behavior: a cancellation acts from the next slot; energy that has flowed keeps its order", () => {
    const { market, ann } = street();
    const { number } = market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.to(MIDNIGHT_S + 900 + 450);
    market.accept(cancel(ann, number));
    expect(soldBySlot(market, ann)).toEqual([100, 100, 0, 0]);
  });

  test("behavior: cancelling after the window does not undo any of its trades", () => {
    const { market, ann } = street();
    const { number } = market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.to(MIDNIGHT_S + 3_600);
    market.accept(cancel(ann, number));
    expect(soldBySlot(market, ann)).toEqual([100, 100, 100, 100]);
  });

  test("behavior: a replacement takes over from the next slot, without a gap and without both", () => {
    const { market, ann } = street();
    const { number } = market.accept(place(ann, "sell", [[100_000, 70]]));
    market.to(MIDNIGHT_S + 10);
    market.accept(place(ann, "sell", [[200_000, 30]], { replaces: number }));
    expect(soldBySlot(market, ann)).toEqual([70, 30, 30, 30]);
  });

  test("behavior: an order cancelled before it began never trades and leaves the book in bulk", () => {
    const { market, ann, bob } = street();
    for (let index = 0; index < 200; index += 1) {
      const { number } = market.accept(place(ann, "sell", [[100_000, 70]]));
      market.accept(cancel(ann, number));
      expect(market.state.tables.orders.rows).toBeLessThan(1 + 64 + 1);
    }
    expect(soldBySlot(market, ann)).toEqual([0, 0, 0, 0]);
    expect(market.filled(FIRST_SLOT, bob)).toBe(0);
    expect(market.state.tables.orders.rows).toBe(1);
  });

  test("behavior: revoking a session ends its orders from the next slot, and only its own", () => {
    const { market, ann } = street();
    for (const key of [7, 8]) market.accept(authorise(ann, word(key)));
    market.accept(place(ann, "sell", [[100_000, 40]], {}, session(word(7))));
    market.accept(place(ann, "sell", [[100_000, 20]], {}, session(word(8))));
    market.accept(place(ann, "sell", [[100_000, 10]]));
    market.to(MIDNIGHT_S + 1_000);
    market.accept(revoke(ann, word(7), session(word(7))));
    expect(soldBySlot(market, ann)).toEqual([70, 70, 30, 30]);
  });

  test("behavior: an order does not outlive the session key that placed it", () => {
    const { market, ann } = street();
    market.accept(authorise(ann, word(7), { sessionExpiresAtS: MIDNIGHT_S + 1_800 }));
    market.accept(place(ann, "sell", [[100_000, 40]], {}, session(word(7))));
    expect(soldBySlot(market, ann)).toEqual([40, 40, 0, 0]);
    expect(market.state.indexes.sessionByKey.size).toBe(0);
  });
});

describe("several orders and meters of an account", () => {
  test("behavior: orders are merged by price, the older first at the same price", () => {
    const { market, ann } = street();
    market.accept(authorise(ann, word(7)));
    market.accept(
      place(ann, "sell", [
        [150_000, 30],
        [250_000, 1_000],
      ]),
    );
    market.accept(
      place(
        ann,
        "sell",
        [
          [100_000, 20],
          [150_000, 40],
        ],
        {},
        session(word(7)),
      ),
    );
    prove(market, FIRST_SLOT, { 1: [60, 100, 20], 2: [-1_000, -1_000, -10] });
    // 20 at 100,000, then 30 of the older and 10 of the newer order at 150,000.
    expect(market.slot(FIRST_SLOT)).toMatchObject({ offeredWh: 60, sessionWh: [30] });
    expect(market.slot(FIRST_SLOT + 1)).toMatchObject({ offeredWh: 100, sessionWh: [60] });
    expect(market.slot(FIRST_SLOT + 2)).toMatchObject({ offeredWh: 20, tradedWh: 10, sessionWh: [10] });
  });

  test("behavior: an account's meters are summed per slot first, so nobody trades with himself", () => {
    const { market, ann, bob } = street();
    market.accept(enrol(11));
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(ann, "buy", [[300_000, 1_000]]));
    market.to(MIDNIGHT_S + 3_600);
    market.accept(readings(ann, 11, FIRST_SLOT, [-40, -500, -100]));
    prove(market, FIRST_SLOT, { 1: [100, 100, 100, 100], 2: [-100, -100, 100, -100] });
    expect([0, 1, 2, 3].map((slot) => market.filled(FIRST_SLOT + slot, ann))).toEqual([60, 0, 0, 100]);
    expect(market.slot(FIRST_SLOT)).toMatchObject({ surplusWh: 60, needWh: 100, askedWh: 100, tradedWh: 60 });
    expect(market.slot(FIRST_SLOT + 1)).toMatchObject({
      surplusWh: 0,
      needWh: 500,
      askedWh: 500,
      tradedWh: 0,
    });
    expect(market.slot(FIRST_SLOT + 1).priceMicrosPerKwh).toBeNull();
    expect(market.filled(FIRST_SLOT + 2, bob)).toBe(0);
  });

  test("behavior: what no meter proves is zero, whatever the order says", () => {
    const { market, ann } = street();
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    prove(market, FIRST_SLOT, { 2: [-100, -100] });
    expect(market.slot(FIRST_SLOT)).toMatchObject({ surplusWh: 0, offeredWh: 0, tradedWh: 0, accounts: [] });
    expect(market.filled(FIRST_SLOT, address(1))).toBe(0);
  });

  test("behavior: a step's cap bounds each slot and the rest stays unsold", () => {
    const { market, ann } = street();
    market.accept(
      place(ann, "sell", [
        [100_000, 25],
        [200_000, 50],
      ]),
    );
    expect(soldBySlot(market, ann)).toEqual([75, 75, 75, 75]);
  });
});

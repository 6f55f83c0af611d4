// Owns what an account and a session key can bear: steps are cut so that no balance and no limit is ever passed, and
// the bill says so. It refuses an overdraft by a single micro.

import { describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import {
  authorise,
  credit,
  FIRST_SLOT,
  GRID,
  type Market,
  openMarket,
  place,
  prove,
  session,
  settle,
  TREASURY,
  wallet,
  word,
} from "../support/market.ts";

function homes(parameters = {}): { market: Market; ann: Hex; bob: Hex } {
  const market = openMarket({ parameters, epochSlots: 96 });
  const [ann, bob] = settle(market, 2, 0) as [Hex, Hex];
  return { market, ann, bob };
}

/** The bill's cut flag of an account in a slot of the open window, or of the cleared slot's event. */
const wasCut = (market: Market, slot: number, owner: Hex): boolean =>
  market.slot(slot).cut.includes(market.account(owner));

describe("balances", () => {
  test("behavior: a buyer's step is cut to what its balance bears at its limit, and its bill says so", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 29_999));
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [500], 2: [-100, -5] });
    // 29,999 micros bear 99 Wh at 0.3; at the price of 100,000 they cost 9,900.
    expect(market.filled(FIRST_SLOT, bob)).toBe(-99);
    expect(wasCut(market, FIRST_SLOT, bob)).toBe(true);
    expect(wasCut(market, FIRST_SLOT, ann)).toBe(false);
    expect(market.slot(FIRST_SLOT)).toMatchObject({ needWh: 100, askedWh: 99, tradedWh: 99 });
    expect(market.slot(FIRST_SLOT + 1).cut).toEqual([]);
    expect(market.balance(bob)).toBe(29_999 - 9_900);
  });

  test("behavior: an account without money buys nothing and is told", () => {
    const { market, ann, bob } = homes();
    market.accept(place(ann, "sell", [[0, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [500], 2: [-100] });
    expect(market.slot(FIRST_SLOT)).toMatchObject({ askedWh: 0, tradedWh: 0, cut: [market.account(bob)] });
  });

  test("behavior: slots clear in order, and each sees what the one before left over", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 30_000));
    market.accept(place(ann, "sell", [[300_000, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [60, 60, 60], 2: [-60, -60, -60] });
    expect([0, 1, 2].map((slot) => market.filled(FIRST_SLOT + slot, bob))).toEqual([-60, -40, 0]);
    expect([0, 1, 2].map((slot) => wasCut(market, FIRST_SLOT + slot, bob))).toEqual([false, true, true]);
    expect(market.balance(bob)).toBe(0);
    expect(market.balance(ann)).toBe(30_000);
  });

  test("behavior: a seller at a negative price pays, and is cut to what it can pay", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(ann, 5_000));
    market.accept(place(ann, "sell", [[-100_000, 1_000]]));
    market.accept(place(bob, "buy", [[-100_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [80], 2: [-80] });
    expect(market.slot(FIRST_SLOT).priceMicrosPerKwh).toBe(-100_000);
    expect(market.filled(FIRST_SLOT, ann)).toBe(50);
    expect(wasCut(market, FIRST_SLOT, ann)).toBe(true);
    expect([market.balance(ann), market.balance(bob)]).toEqual([0, 5_000]);
  });

  test("behavior: the limit is all-in, so the network fee is inside what a balance bears", () => {
    const { market, ann, bob } = homes({ networkFeeMicrosPerKwh: 50_000, takeRateBps: 200 });
    market.accept(credit(bob, 15_000));
    market.accept(place(ann, "sell", [[98_000, 1_000]]));
    market.accept(place(bob, "buy", [[150_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [200], 2: [-200] });
    expect(market.slot(FIRST_SLOT)).toMatchObject({
      priceMicrosPerKwh: 100_000,
      tradedWh: 100,
      networkMicros: 5_000,
      feeMicros: 200,
    });
    expect([
      market.balance(bob),
      market.balance(GRID),
      market.balance(TREASURY),
      market.balance(ann),
    ]).toEqual([0, 5_000, 200, 9_800]);
  });

  test("behavior: two orders of an account share one purse, best price first", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 10_000));
    market.accept(place(ann, "sell", [[0, 1_000]]));
    market.accept(place(bob, "buy", [[100_000, 100]]));
    market.accept(place(bob, "buy", [[200_000, 40]]));
    prove(market, FIRST_SLOT, { 1: [1], 2: [-100] });
    expect(market.slot(FIRST_SLOT).askedWh).toBe(40 + 20);
  });

  test("behavior: rounding up never takes a balance below zero", () => {
    const { market, ann, bob } = homes({ networkFeeMicrosPerKwh: 20_011 });
    market.accept(credit(bob, 1));
    market.accept(place(ann, "sell", [[-10_000_000, 1_000]]));
    market.accept(place(bob, "buy", [[999, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [1], 2: [-1] });
    expect(market.balance(bob)).toBeGreaterThanOrEqual(0);
  });

  test("regression: a payment of exactly nothing is zero and not minus zero", () => {
    const { market, ann, bob } = homes();
    market.accept(place(ann, "sell", [[0, 1_000]]));
    market.accept(place(bob, "buy", [[0, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [7], 2: [-7] });
    const { tradedWh, amountMicros } = market.slot(FIRST_SLOT);
    expect(tradedWh).toBe(7);
    expect(amountMicros.map((amount) => Object.is(amount, 0))).toEqual([true, true]);
  });
});

describe("session keys", () => {
  test("behavior: the spending limit is spent by trades and cuts what comes after, for good", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 1_000_000));
    market.accept(authorise(bob, word(7), { spendingLimitMicros: 15_000 }));
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(bob, "buy", [[100_000, 1_000]], {}, session(word(7))));
    prove(market, FIRST_SLOT, { 1: [100, 100, 100], 2: [-100, -100, -100] });
    expect([0, 1, 2].map((slot) => market.filled(FIRST_SLOT + slot, bob))).toEqual([-100, -50, 0]);
    expect([0, 1, 2].map((slot) => wasCut(market, FIRST_SLOT + slot, bob))).toEqual([false, true, true]);
    prove(market, FIRST_SLOT + 96, { 1: [100], 2: [-100] });
    expect(market.filled(FIRST_SLOT + 96, bob)).toBe(0);
    expect(market.balance(bob)).toBe(985_000);
  });

  test("behavior: two orders of a key share its spending limit within a slot", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 1_000_000));
    market.accept(authorise(bob, word(7), { spendingLimitMicros: 15_000 }));
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    for (let order = 0; order < 2; order += 1)
      market.accept(place(bob, "buy", [[100_000, 100]], {}, session(word(7))));
    prove(market, FIRST_SLOT, { 1: [1_000], 2: [-200] });
    expect(market.slot(FIRST_SLOT)).toMatchObject({
      askedWh: 150,
      tradedWh: 150,
      sessionWh: [150],
      sessionMicros: [15_000],
    });
  });

  test("behavior: what a key may not spend its wallet's own order still may", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 1_000_000));
    market.accept(authorise(bob, word(7), { spendingLimitMicros: 5_000 }));
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(bob, "buy", [[100_000, 1_000]], {}, session(word(7))));
    market.accept(place(bob, "buy", [[100_000, 1_000]], {}, wallet(bob)));
    prove(market, FIRST_SLOT, { 1: [100], 2: [-100] });
    expect(market.slot(FIRST_SLOT)).toMatchObject({ tradedWh: 100, sessionWh: [50], sessionMicros: [5_000] });
  });

  test("behavior: a seller's key spends where the price is negative, and earning does not refill it", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(ann, 1_000_000));
    market.accept(credit(bob, 1_000_000));
    market.accept(authorise(ann, word(7), { spendingLimitMicros: 3_000 }));
    market.accept(place(ann, "sell", [[-100_000, 1_000]], {}, session(word(7))));
    market.accept(place(bob, "buy", [[-100_000, 1_000]], { validUntilS: (FIRST_SLOT + 2) * 900 }));
    market.accept(place(bob, "buy", [[500_000, 1_000]], { validFromS: (FIRST_SLOT + 2) * 900 }));
    prove(market, FIRST_SLOT, { 1: [20, 20, 20, 20], 2: [-20, -20, -40, -40] });
    expect([0, 1, 2, 3].map((slot) => market.filled(FIRST_SLOT + slot, ann))).toEqual([20, 10, 0, 0]);
  });

  test("behavior: the daily Wh count per UTC day, over all orders of the key, and begin again the next day", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 1_000_000));
    market.accept(authorise(ann, word(7), { dailyWh: 150 }));
    market.accept(place(ann, "sell", [[100_000, 60]], {}, session(word(7))));
    market.accept(place(ann, "sell", [[110_000, 60]], {}, session(word(7))));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [100, 100, 100], 2: [-100, -100, -100] });
    expect([0, 1, 2].map((slot) => market.filled(FIRST_SLOT + slot, ann))).toEqual([100, 50, 0]);
    prove(market, FIRST_SLOT + 92, { 1: [0, 0, 0, 100], 2: [0, 0, 0, -100] });
    expect(market.filled(FIRST_SLOT + 95, ann)).toBe(0);
    prove(market, FIRST_SLOT + 96, { 1: [100, 100], 2: [-100, -100] });
    expect([96, 97].map((slot) => market.filled(FIRST_SLOT + slot, ann))).toEqual([100, 50]);
  });

  test("behavior: a key with nothing to spend may still sell above zero", () => {
    const { market, ann, bob } = homes();
    market.accept(credit(bob, 1_000_000));
    market.accept(authorise(ann, word(7), { spendingLimitMicros: 0 }));
    market.accept(place(ann, "sell", [[1, 60]], {}, session(word(7))));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [50], 2: [-100] });
    expect(market.filled(FIRST_SLOT, ann)).toBe(50);
    expect(market.slot(FIRST_SLOT).cut).toEqual([]);
  });
});

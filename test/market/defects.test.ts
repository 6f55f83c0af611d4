// Owns the defects seen in other systems, each told as a small street in which it would show. It refuses to let any of
// them in.

import { describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import {
  authorise,
  deadlineS,
  FIRST_SLOT,
  type Market,
  MIDNIGHT_S,
  openMarket,
  place,
  prove,
  readings,
  session,
  setParameters,
  settle,
  word,
} from "../support/market.ts";

describe("defects seen in other systems", () => {
  const street = (parameters = {}): { market: Market; ann: Hex; bob: Hex; total: () => number } => {
    const market = openMarket({ parameters });
    const [ann, bob] = settle(market, 2) as [Hex, Hex];
    const total = (): number => {
      const { columns, rows } = market.state.tables.accounts;
      return columns.freeMicros.subarray(0, rows).reduce((sum, micros) => sum + micros, 0);
    };
    return { market, ann, bob, total };
  };

  test("regression: one meter missing charges nobody, least of all the side that proved", () => {
    for (const proved of [{ 1: [100] }, { 2: [-100] }] as Record<number, number[]>[]) {
      const { market, ann, bob } = street();
      market.accept(place(ann, "sell", [[100_000, 1_000]]));
      market.accept(place(bob, "buy", [[300_000, 1_000]]));
      prove(market, FIRST_SLOT, proved);
      expect(market.slot(FIRST_SLOT)).toMatchObject({
        tradedWh: 0,
        priceMicrosPerKwh: null,
        accounts: [],
        cut: [],
      });
      expect([market.balance(ann), market.balance(bob)]).toEqual([1_000_000_000, 1_000_000_000]);
    }
  });

  test("regression: an order that does not trade never sets a price outside the matched range", () => {
    const { market, ann, bob } = street();
    market.accept(
      place(ann, "sell", [
        [100_000, 50],
        [9_000_000, 1_000],
      ]),
    );
    market.accept(
      place(bob, "buy", [
        [300_000, 50],
        [-9_000_000, 1_000],
      ]),
    );
    prove(market, FIRST_SLOT, { 1: [1_000], 2: [-1_000] });
    const { priceMicrosPerKwh, tradedWh } = market.slot(FIRST_SLOT);
    expect(tradedWh).toBe(50);
    expect(priceMicrosPerKwh).toBe(200_000);
  });

  test("regression: no money moves before delivery is proved and its window closes", () => {
    const { market, ann, bob } = street();
    const before = [market.balance(ann), market.balance(bob)];
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    market.to(MIDNIGHT_S + 3_600);
    market.accept(readings(ann, 1, FIRST_SLOT, [100]));
    market.accept(readings(bob, 2, FIRST_SLOT, [-100]));
    market.to(deadlineS(FIRST_SLOT) - 1);
    expect([market.balance(ann), market.balance(bob)]).toEqual(before);
    market.to(deadlineS(FIRST_SLOT));
    expect(market.balance(ann)).toBeGreaterThan(before[0] as number);
  });

  test("regression: every fee, network share and grain of dust that is recorded is collected", () => {
    const { market, ann, bob, total } = street({ networkFeeMicrosPerKwh: 20_011, takeRateBps: 333 });
    const before = total();
    market.accept(place(ann, "sell", [[100_001, 1_000]]));
    market.accept(place(bob, "buy", [[300_007, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [101, 333, 7, 1], 2: [-77, -334, -7, -1] });
    const cleared = market.events("slot_cleared");
    const sum = (pick: (event: (typeof cleared)[number]) => number): number =>
      cleared.reduce((all, event) => all + pick(event), 0);
    const { header, tables } = market.state;
    expect(tables.accounts.columns.freeMicros[header.treasuryAccount]).toBe(
      sum((event) => event.feeMicros + event.dustMicros),
    );
    expect(tables.accounts.columns.freeMicros[header.gridOperatorAccount]).toBe(
      sum((event) => event.networkMicros),
    );
    expect(sum((event) => event.feeMicros)).toBeGreaterThan(0);
    expect(sum((event) => event.dustMicros)).toBeGreaterThan(0);
    expect(total()).toBe(before);
  });

  test("regression: a refused replacement leaves the order it was to replace in the book", () => {
    const { market, ann, bob } = street();
    const { number } = market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    market.refuse(
      place(
        ann,
        "sell",
        [
          [2, 1],
          [1, 1],
        ],
        { replaces: number },
      ),
      "ladder_unsorted",
    );
    market.refuse(place(bob, "sell", [[2, 1]], { replaces: number }), "order_not_owned");
    market.refuse(
      place(ann, "sell", [[2, 1]], { replaces: number, validUntilS: 900 }),
      "slot_already_started",
    );
    prove(market, FIRST_SLOT, { 1: [100], 2: [-100] });
    expect(market.filled(FIRST_SLOT, ann)).toBe(100);
  });

  test("regression: a negative price stays negative, and the seller pays it", () => {
    const { market, ann, bob, total } = street({ networkFeeMicrosPerKwh: 10_000, takeRateBps: 500 });
    const before = total();
    market.accept(place(ann, "sell", [[-90_000, 1_000]]));
    market.accept(place(bob, "buy", [[-20_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [100], 2: [-100] });
    expect(market.slot(FIRST_SLOT)).toMatchObject({
      priceMicrosPerKwh: -60_000,
      feeMicros: 0,
      networkMicros: 1_000,
      dustMicros: 0,
    });
    expect([market.balance(ann), market.balance(bob)]).toEqual([
      1_000_000_000 - 6_000,
      1_000_000_000 + 5_000,
    ]);
    expect(total()).toBe(before);
  });

  test("regression: a bid that loses is visible: asked for, not filled, at which price", () => {
    const market = openMarket();
    const [ann, bob, cas] = settle(market, 3) as [Hex, Hex, Hex];
    market.accept(place(ann, "sell", [[100_000, 100]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    market.accept(place(cas, "buy", [[150_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [100], 2: [-100], 3: [-40] });
    expect(market.slot(FIRST_SLOT)).toMatchObject({ askedWh: 140, tradedWh: 100, needWh: 140 });
    expect(market.slot(FIRST_SLOT).priceMicrosPerKwh).toBeGreaterThanOrEqual(150_000);
    expect(market.filled(FIRST_SLOT, cas)).toBe(0);
  });

  test("regression: a rate is applied exactly as voted, in every slot from its epoch on and never before", () => {
    const { market, ann, bob } = street({ takeRateBps: 100 });
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    const rates = [100];
    for (let epoch = 0; epoch < 6; epoch += 1) {
      market.to((FIRST_SLOT + 8 * epoch) * 900 + 60);
      rates.push(7 * (epoch + 1));
      market.accept(setParameters({ takeRateBps: 7 * (epoch + 1) }));
      for (const window of [0, 4])
        prove(market, FIRST_SLOT + 8 * epoch + window, { 1: [333, 101], 2: [-333, -150] });
    }
    const traded = market.events("slot_cleared").filter(({ tradedWh }) => tradedWh > 0);
    expect(traded).toHaveLength(24);
    for (const { slot, feeMicros, tradedWh, priceMicrosPerKwh } of traded) {
      const rate = rates[Math.floor((slot - FIRST_SLOT) / 8)] as number;
      const sale = Math.floor((tradedWh * (priceMicrosPerKwh as number)) / 1_000);
      expect(feeMicros, `slot ${slot}`).toBe(Math.ceil((sale * rate) / 10_000));
    }
  });

  test("regression: limits hold at the moment they are reached, also where nobody looks until much later", () => {
    const { market, ann, bob } = street();
    market.accept(
      authorise(bob, word(7), { spendingLimitMicros: 25_000, sessionExpiresAtS: MIDNIGHT_S + 2_700 }),
    );
    market.accept(place(ann, "sell", [[300_000, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]], {}, session(word(7))));
    market.to(MIDNIGHT_S + 3_600);
    market.accept(readings(ann, 1, FIRST_SLOT, [50, 50, 50, 50]));
    market.accept(readings(bob, 2, FIRST_SLOT, [-50, -20, -50, -50]));
    market.to(MIDNIGHT_S + 30 * 86_400);
    expect([0, 1, 2, 3].map((slot) => market.filled(FIRST_SLOT + slot, bob))).toEqual([-50, -20, -13, 0]);
    expect(market.balance(bob)).toBe(1_000_000_000 - 15_000 - 6_000 - 3_900);
    const first = market.entries.find(({ events }) => events[0]?.type === "slot_cleared");
    expect(first?.atS).toBe(deadlineS(FIRST_SLOT));
  });
});

// Owns the trade of promised resources in a region: orders, escrow, obligations and their settlement, told to the micro. It
// refuses random mixes, which are in resource-properties.test.ts.

import { describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import { address, credit, FIRST_SLOT, type Market, openMarket, TREASURY, wallet } from "../support/market.ts";
import { delivered, givenUp, order, withdrawOrder } from "../support/resource-drafts.ts";

const [ANN, BOB, CAI] = [address(1), address(2), address(3)] as [Hex, Hex, Hex];

function trading(takeRateBps = 0): Market {
  const market = openMarket({ parameters: { takeRateBps } });
  for (const owner of [ANN, BOB, CAI]) market.accept(credit(owner, 1_000_000));
  return market;
}

const escrow = (market: Market, owner: Hex): number =>
  market.state.tables.accounts.columns.escrowMicros[market.account(owner)] as number;

const failuresOf = (market: Market, owner: Hex): number => {
  const { tables, indexes } = market.state;
  const row = indexes.providerByAccount.get(market.account(owner));
  return row === undefined ? 0 : (tables.providers.columns.failures[row] as number);
};

const last = <T>(all: readonly T[]): T => all.at(-1) as T;

describe("trades and escrow", () => {
  test("behavior: a buyer's escrow holds what its trades cost at the resting prices, and no more", () => {
    const market = trading();
    market.accept(order(market, ANN, "sell", 1_000, 200_000));
    market.accept(order(market, BOB, "sell", 1_000, 100_000));
    const { events } = market.accept(order(market, CAI, "buy", 1_500, 300_000));
    expect(events.map(({ type }) => type)).toEqual(["resource_order_placed", "resource_traded"]);
    // 1,000 at 0.1 and 500 at 0.2 a megafuel: 100 + 100 micros.
    expect([escrow(market, CAI), market.balance(CAI)]).toEqual([200, 999_800]);
    const [trade] = market.events("resource_traded");
    expect(trade).toMatchObject({
      quantityMega: [1_000, 500],
      priceMicrosPerTera: [100_000, 200_000],
      firstObligation: 1,
      deadlineS: market.atS + 3_600,
    });
  });

  test("behavior: a bid that waits holds its limit, trades at it and gives back what is cancelled", () => {
    const market = trading();
    const bid = market.accept(order(market, CAI, "buy", 1_000, 300_000)).number;
    expect(escrow(market, CAI)).toBe(300);
    market.accept(order(market, ANN, "sell", 400, 100_000, { timeInForce: "immediate_or_cancel" }));
    expect(escrow(market, CAI)).toBe(300);
    expect(last(market.events("resource_traded")).priceMicrosPerTera).toEqual([300_000]);
    market.accept(withdrawOrder(CAI, bid));
    expect([escrow(market, CAI), market.balance(CAI)]).toEqual([120, 999_880]);
    market.refuse(withdrawOrder(CAI, bid), "order_not_found");
  });

  test("behavior: many small fills of an order never cost more than one large", () => {
    const market = trading();
    for (let index = 0; index < 7; index += 1)
      market.accept(order(market, index % 2 === 0 ? ANN : BOB, "sell", 1, 100));
    market.accept(order(market, CAI, "buy", 7, 100));
    // Seven times 0.0001 micros: one micro in all, not seven.
    expect(escrow(market, CAI)).toBe(1);
    for (let id = 1; id <= 7; id += 1) market.accept(delivered(id % 2 === 1 ? ANN : BOB, id, 1, CAI));
    expect([escrow(market, CAI), market.balance(CAI)]).toEqual([0, 999_999]);
    expect(market.balance(ANN) + market.balance(BOB)).toBe(2_000_001);
  });

  test("rejects: more than the free balance, and an order of which the rest would be too much", () => {
    const market = trading();
    market.accept(order(market, ANN, "sell", 1_000_000, 1_000_001));
    expect(
      market.refuse(order(market, CAI, "buy", 1_000_000, 2_000_000), "funds_insufficient").facts,
    ).toEqual({
      freeMicros: 1_000_000,
      heldMicros: 1_000_001,
    });
    market.accept(order(market, CAI, "buy", 999_999, 2_000_000));
    expect(market.balance(CAI)).toBe(0);
  });

  test("behavior: an order that is refused says why, one that is filled in part says what its rest became", () => {
    const market = trading();
    const buy = (
      quantity: number,
      price: number,
      timeInForce: "immediate_or_cancel" | "fill_or_kill" | "post_only",
    ) => order(market, CAI, "buy", quantity, price, { timeInForce });
    market.refuse(buy(10, 100, "immediate_or_cancel"), "order_unmatched");
    market.accept(order(market, ANN, "sell", 10, 100));
    expect(market.refuse(buy(11, 100, "fill_or_kill"), "order_unfillable").facts).toEqual({
      reachedMega: 10,
    });
    market.refuse(buy(1, 100, "post_only"), "order_would_trade");
    market.refuse(order(market, ANN, "buy", 1, 100), "self_trade_prevented");
    market.accept(buy(11, 100, "immediate_or_cancel"));
    expect(last(market.events("resource_order_ended"))).toMatchObject({
      reason: "unmatched",
      unfilledMega: 1,
    });
  });
});

describe("settlement", () => {
  test("behavior: what was delivered is paid, the fee is the treasury's, the rest returns at once", () => {
    const market = trading(333);
    market.accept(order(market, ANN, "sell", 1_000, 1_000_000));
    market.accept(order(market, CAI, "buy", 1_000, 1_000_000));
    const treasury = market.balance(TREASURY);
    market.accept(delivered(ANN, 1, 601, CAI, { isFinal: true }));
    const [settled] = market.events("obligation_settled");
    // 601 micros, of which 3.33 % rounded up are 21.
    expect(settled).toMatchObject({ paidMicros: 601, feeMicros: 21, releasedMicros: 399, isClosed: true });
    expect([market.balance(CAI), escrow(market, CAI)]).toEqual([999_399, 0]);
    expect([market.balance(ANN), market.balance(TREASURY) - treasury]).toEqual([1_000_580, 21]);
    market.refuse(delivered(ANN, 1, 601, CAI), "obligation_not_found");
  });

  test("behavior: at the deadline everything returns, whoever asks, and nobody is said to have failed", () => {
    const market = trading();
    market.accept(order(market, ANN, "sell", 1_000, 1_000_000));
    market.accept(order(market, CAI, "buy", 1_000, 1_000_000));
    const deadlineS = market.atS + 3_600;
    market.to(deadlineS - 1);
    expect(escrow(market, CAI)).toBe(1_000);
    market.atS = deadlineS;
    // Anybody's command finds it due.
    market.accept(order(market, BOB, "sell", 1, 1));
    expect([market.balance(CAI), escrow(market, CAI)]).toEqual([1_000_000, 0]);
    expect(market.events("obligations_lapsed")).toEqual([
      { type: "obligations_lapsed", obligations: [1], releasedMicros: [1_000], failures: [0] },
    ]);
    // A buyer that vouches for nothing says nothing about its seller.
    expect(market.state.tables.providers.rows).toBe(0);
    market.refuse(delivered(ANN, 1, 5, CAI), "obligation_not_found");
  });

  test("behavior: who failed to deliver stands behind others of the same price and second", () => {
    const market = trading();
    market.accept(order(market, ANN, "sell", 1, 1_000_000));
    market.accept(order(market, CAI, "buy", 1, 1_000_000));
    // What its buyer says of it alone counts for nothing.
    market.accept(order(market, BOB, "sell", 1, 900_000));
    market.accept(order(market, CAI, "buy", 1, 900_000));
    market.accept(delivered(CAI, 2, 0, CAI, { isFinal: true }));
    market.accept(givenUp(ANN, 1));
    expect([failuresOf(market, ANN), failuresOf(market, BOB)]).toEqual([1, 0]);
    market.accept(order(market, ANN, "sell", 1, 1_000_000));
    market.accept(order(market, BOB, "sell", 1, 1_000_000));
    market.accept(order(market, CAI, "buy", 1, 1_000_000));
    const { obligations } = market.state.tables;
    expect(obligations.columns.seller[obligations.rows - 1]).toBe(market.account(BOB));
  });

  test("behavior: a lease is settled bit by bit, at the price and fee of its trade, and ends with its time", () => {
    const market = trading(100);
    const product = "compute-lease-day" as const;
    market.accept(order(market, ANN, "sell", 1_000, 1_000_000, { product }));
    market.accept(order(market, CAI, "buy", 1_000, 1_000_000, { product }));
    for (const [mega, paid] of [
      [1, 1],
      [50, 49],
      [99, 49],
      [400, 301],
    ] as const) {
      market.accept(delivered(ANN, 1, mega, CAI));
      expect(last(market.events("obligation_settled"))).toMatchObject({ paidMicros: paid, isClosed: false });
    }
    // The fee is rounded up once over all settlements: 1 % of 400.
    expect([market.balance(ANN), escrow(market, CAI)]).toEqual([1_000_396, 600]);
    market.to(market.atS + 86_400);
    expect([market.balance(CAI), escrow(market, CAI)]).toEqual([999_600, 0]);
    // That nobody used the rest is no failure.
    expect(last(market.events("obligations_lapsed")).failures).toEqual([0]);
  });

  test("behavior: only its seller ends a lease early; a job ends with its only delivery", () => {
    const market = trading();
    const product = "compute-lease-hour" as const;
    market.accept(order(market, ANN, "sell", 100, 1_000_000, { product }));
    market.accept(order(market, CAI, "buy", 100, 1_000_000, { product }));
    market.accept(delivered(CAI, 1, 10, CAI, { isFinal: true }));
    expect(last(market.events("obligation_settled"))).toMatchObject({ isClosed: false, paidMicros: 10 });
    market.accept(delivered(ANN, 1, 10, CAI, { isFinal: true, agreedBy: null }));
    expect(last(market.events("obligation_settled"))).toMatchObject({
      isClosed: true,
      paidMicros: 0,
      releasedMicros: 90,
      means: "none",
      isFailure: false,
    });
  });

  test("behavior: a seller that gives up a job before anything came of it has failed", () => {
    const market = trading();
    market.accept(order(market, ANN, "sell", 100, 1_000_000));
    market.accept(order(market, CAI, "buy", 100, 1_000_000));
    market.refuse(delivered(CAI, 1, 0, CAI, { isFinal: true, agreedBy: null }), "evidence_malformed");
    market.accept(delivered(ANN, 1, 0, CAI, { isFinal: true, agreedBy: null }));
    expect(last(market.events("obligation_settled"))).toMatchObject({ isFailure: true, releasedMicros: 100 });
    expect(market.balance(CAI)).toBe(1_000_000);
  });

  test("rejects: a payment without evidence, on another's agreement, for another delivery, or by a stranger", () => {
    const market = trading();
    market.accept(order(market, ANN, "sell", 100, 1_000_000));
    market.accept(order(market, CAI, "buy", 100, 1_000_000));
    market.refuse(delivered(ANN, 1, 10, CAI, { agreedBy: null }), "evidence_malformed");
    market.refuse(delivered(ANN, 1, 10, CAI, { agreedBy: [] }), "delivery_not_agreed");
    market.refuse(
      delivered(ANN, 1, 10, CAI, { agreedBy: [wallet(ANN), wallet(BOB)] }),
      "delivery_not_agreed",
    );
    for (const facts of [
      { obligation: 2 },
      { deliveredMega: 11 },
      { jobDigest: "0x00" },
      { outputHash: "0x00" },
    ] as const)
      market.refuse(delivered(ANN, 1, 10, CAI, { facts }), "delivery_not_agreed");
    market.refuse(delivered(BOB, 1, 10, CAI), "obligation_not_owned");
    market.refuse(delivered(ANN, 1, 101, CAI), "delivery_out_of_bounds");
    market.refuse(delivered(ANN, 2, 10, CAI), "obligation_not_found");
    expect(escrow(market, CAI)).toBe(100);
  });
});

describe("what ends by itself", () => {
  test("behavior: orders stop resting at their second, and a bid's escrow comes back", () => {
    const market = trading();
    const ask = market.accept(order(market, ANN, "sell", 10, 2_000_000, { restSeconds: 60 })).number;
    const bid = market.accept(order(market, CAI, "buy", 10, 1_000_000, { restSeconds: 60 })).number;
    market.to(market.atS + 59);
    expect(market.state.indexes.book.size).toBe(2);
    const [entry] = market.to(market.atS + 1);
    expect(entry?.events).toEqual([
      { type: "resource_order_ended", order: ask, unfilledMega: 10, reason: "expired", releasedMicros: 0 },
      { type: "resource_order_ended", order: bid, unfilledMega: 10, reason: "expired", releasedMicros: 10 },
    ]);
    expect([market.state.indexes.book.size, market.balance(CAI)]).toEqual([0, 1_000_000]);
  });

  test("behavior: slots clear between deadlines as if there were none", () => {
    const market = trading();
    market.accept(order(market, ANN, "sell", 10, 1_000_000, { product: "compute-lease-day" }));
    market.accept(order(market, CAI, "buy", 10, 1_000_000, { product: "compute-lease-day" }));
    market.to(market.atS + 2 * 86_400);
    expect(market.events("slot_cleared").map(({ slot }) => slot)[0]).toBe(FIRST_SLOT);
    expect(market.events("obligations_lapsed")).toHaveLength(1);
  });
});

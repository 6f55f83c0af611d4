// Owns what a session key may do with compute: its scope, its limits with escrow counted, and what revoking it ends. It
// refuses energy, which is in order-timing.test.ts and rejections.test.ts.

import { describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import {
  address,
  authorise,
  credit,
  type Market,
  openMarket,
  revoke,
  session,
  wallet,
  word,
} from "../support/market.ts";
import { COMPUTE_SCOPE, delivered, givenUp, order, withdrawOrder } from "../support/resource-drafts.ts";

const [ANN, BOB] = [address(1), address(2)] as [Hex, Hex];
const KEY = word(7);
const BY_KEY = { signer: session(KEY) };

/** Ann sells 1,000 at 0.1; Bob has a key for compute with some limits. */
function keyed(scope: Parameters<typeof authorise>[2] = {}): Market {
  const market = openMarket();
  for (const owner of [ANN, BOB]) market.accept(credit(owner, 1_000_000));
  market.accept(authorise(BOB, KEY, { ...COMPUTE_SCOPE, ...scope }));
  market.accept(order(market, ANN, "sell", 1_000, 100_000));
  return market;
}

const spent = (market: Market): number => market.state.tables.sessions.columns.spentMicros[0] as number;

describe("a key's scope", () => {
  test("rejects: a resource, a side or a price that the wallet did not allow", () => {
    const limitOf = (
      scope: Parameters<typeof authorise>[2],
      side: "sell" | "buy",
      price: number,
    ): unknown => {
      const market = keyed(scope);
      return market.refuse(order(market, BOB, side, 1, price, BY_KEY), "session_scope").facts.limit;
    };
    expect(limitOf({ resources: ["energy"] }, "buy", 100_000)).toBe("resources");
    expect(limitOf({ resources: ["bandwidth"] }, "buy", 100_000)).toBe("resources");
    expect(limitOf({ sides: ["sell"] }, "buy", 100_000)).toBe("sides");
    expect(limitOf({ sides: ["buy"] }, "sell", 200_000)).toBe("sides");
    expect(limitOf({ highestBidMicrosPerTera: 99_999 }, "buy", 100_000)).toBe("highestBidMicrosPerTera");
    expect(limitOf({ leastAskMicrosPerTera: 200_001 }, "sell", 200_000)).toBe("leastAskMicrosPerTera");
  });

  test("rejects: an energy order by a key that is for compute only", () => {
    const market = keyed({ resources: ["compute"] });
    const command = { type: "cancel_order", account: BOB, orderId: 1 } as const;
    expect(
      market.refuse({ command, signer: session(KEY), evidence: null }, "session_scope").facts.limit,
    ).toBe("resources");
  });

  test("rejects: to cancel an order of a side that the key may not trade, or of another resource", () => {
    const market = keyed({ sides: ["sell"] });
    const bid = market.accept(order(market, BOB, "buy", 10, 50_000)).number;
    expect(market.refuse(withdrawOrder(BOB, bid, session(KEY)), "session_scope").facts.limit).toBe("sides");
    market.refuse(withdrawOrder(BOB, bid - 1, session(KEY)), "order_not_owned");
    market.accept(withdrawOrder(BOB, bid));
  });
});

describe("a key's limits", () => {
  test("rejects: money above the spending limit, what is in escrow counted", () => {
    const market = keyed({ spendingLimitMicros: 50 });
    market.accept(order(market, BOB, "buy", 200, 100_000, BY_KEY));
    market.accept(order(market, BOB, "buy", 300, 90_000, BY_KEY));
    expect(spent(market)).toBe(47);
    const facts = market.refuse(order(market, BOB, "buy", 40, 100_000, BY_KEY), "session_scope").facts;
    expect(facts).toEqual({ limit: "spendingLimitMicros", leftMicros: 3, asked: 4 });
    // The wallet itself has no such limit.
    market.accept(order(market, BOB, "buy", 40, 100_000));
    expect(spent(market)).toBe(47);
  });

  test("behavior: what comes back makes room again, what is paid does not", () => {
    const market = keyed({ spendingLimitMicros: 50 });
    market.accept(order(market, BOB, "buy", 200, 100_000, BY_KEY));
    const bid = market.accept(order(market, BOB, "buy", 300, 90_000, BY_KEY)).number;
    market.accept(delivered(ANN, 1, 150, BOB, { isFinal: true, agreedBy: [session(KEY)] }));
    expect(spent(market)).toBe(42);
    market.accept(withdrawOrder(BOB, bid));
    expect(spent(market)).toBe(15);
    market.accept(order(market, BOB, "buy", 350, 100_000, BY_KEY));
    market.refuse(order(market, BOB, "buy", 1, 100_000, BY_KEY), "session_scope");
    market.to(market.atS + 3_600);
    expect(spent(market)).toBe(15);
  });

  test("rejects: more than a day's orders may be; what is cancelled the same day makes room", () => {
    const market = keyed({ dailyMega: 100 });
    const bid = market.accept(order(market, BOB, "buy", 60, 50_000, BY_KEY)).number;
    expect(market.refuse(order(market, BOB, "sell", 41, 200_000, BY_KEY), "session_scope").facts).toEqual({
      limit: "dailyMega",
      leftMega: 40,
      asked: 41,
    });
    market.accept(withdrawOrder(BOB, bid));
    market.accept(order(market, BOB, "sell", 100, 200_000, BY_KEY));
    market.refuse(order(market, BOB, "buy", 1, 50_000, BY_KEY), "session_scope");
    market.to(market.atS + 86_400);
    market.accept(order(market, BOB, "buy", 100, 50_000, BY_KEY));
  });

  test("behavior: what an order does not trade and does not let rest is not counted", () => {
    const market = keyed({ dailyMega: 1_000 });
    const all = { ...BY_KEY, timeInForce: "immediate_or_cancel" } as const;
    market.accept(withdrawOrder(ANN, market.state.tables.restingOrders.columns.id[0] as number));
    market.accept(order(market, ANN, "sell", 10, 100_000));
    market.accept(order(market, BOB, "buy", 1_000, 100_000, all));
    market.accept(order(market, BOB, "buy", 990, 50_000, BY_KEY));
  });
});

describe("a key's end", () => {
  test("behavior: revoking a key ends its orders at once and gives back what they hold; trades stay", () => {
    const market = keyed();
    market.accept(order(market, BOB, "buy", 200, 100_000, BY_KEY));
    const bid = market.accept(order(market, BOB, "buy", 300, 50_000, BY_KEY)).number;
    const ask = market.accept(order(market, BOB, "sell", 300, 200_000, BY_KEY)).number;
    const other = market.accept(order(market, BOB, "buy", 10, 50_000)).number;
    const { events } = market.accept(revoke(BOB, KEY));
    expect(events.filter(({ type }) => type === "resource_order_ended")).toEqual([
      {
        type: "resource_order_ended",
        order: bid,
        unfilledMega: 300,
        reason: "session_revoked",
        releasedMicros: 15,
      },
      {
        type: "resource_order_ended",
        order: ask,
        unfilledMega: 300,
        reason: "session_revoked",
        releasedMicros: 0,
      },
    ]);
    const { book } = market.state.indexes;
    expect([book.find(bid), book.find(ask), book.find(other)?.id]).toEqual([null, null, other]);
    market.refuse(order(market, BOB, "buy", 1, 100_000, BY_KEY), "session_revoked");
    // The key bought it, so its voucher still pays for it; for what the wallet bought it does not.
    market.accept(order(market, BOB, "buy", 5, 100_000));
    market.refuse(delivered(ANN, 2, 5, BOB, { agreedBy: [session(KEY)] }), "delivery_not_agreed");
    market.accept(delivered(ANN, 1, 200, BOB, { agreedBy: [session(KEY)] }));
    market.accept(delivered(ANN, 2, 5, BOB, { agreedBy: [wallet(BOB)] }));
  });

  test("behavior: a key's order rests no longer than the key lives", () => {
    const market = keyed({ sessionExpiresAtS: openMarket().atS + 100 });
    market.accept(order(market, BOB, "buy", 10, 50_000, { ...BY_KEY, restSeconds: 5_000 }));
    expect(market.events("resource_order_placed").at(-1)?.goodTillS).toBe(market.atS + 100);
    market.to(market.atS + 100);
    expect(market.events("resource_order_ended").at(-1)?.reason).toBe("expired");
  });

  test("behavior: a key whose trades are open is remembered past its end, until they are settled", () => {
    const market = keyed({ sessionExpiresAtS: openMarket().atS + 100 });
    const day = { ...BY_KEY, product: "compute-lease-day" } as const;
    market.accept(order(market, ANN, "sell", 10, 100_000, { product: "compute-lease-day" }));
    market.accept(order(market, BOB, "buy", 10, 100_000, day));
    market.to(market.atS + 3 * 3_600);
    market.accept(delivered(ANN, 1, 4, BOB, { agreedBy: [session(KEY)] }));
    market.to(market.atS + 2 * 86_400);
    expect(market.state.indexes.sessionByKey.has(KEY)).toBe(false);
  });

  test("rejects: a key for energy is told that there is no such order or trade, not that it may not", () => {
    const market = openMarket();
    market.accept(credit(BOB, 1_000));
    market.accept(authorise(BOB, word(7), { resources: ["energy"] }));
    const signer = session(word(7));
    market.refuse(withdrawOrder(BOB, 99, signer), "order_not_found");
    market.refuse({ ...givenUp(BOB, 99), signer }, "obligation_not_found");
  });
});

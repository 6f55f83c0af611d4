// Owns who gets a job of several that ask the same for it. It refuses what a job costs and when
// it is paid, which is in jobs.test.ts.

import { describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import { address, credit, openMarket, replay, word } from "../support/market.ts";
import { buyJob, givenUp, order, result } from "../support/resource-drafts.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const [ANN, BOB, CAI, DEB] = [address(1), address(2), address(3), address(4)] as [Hex, Hex, Hex, Hex];

describe("sellers of a job", () => {
  test("behavior: at one price whoever has the fewest jobs before it goes first, then the book decides", () => {
    const market = openMarket();
    const sellers = [ANN, BOB, CAI];
    for (const owner of [...sellers, DEB]) market.accept(credit(owner, 1_000_000));
    const asks = sellers.map(
      (seller) => market.accept(order(market, seller, "sell", 1_000, 1_000_000)).number,
    );
    market.accept(order(market, BOB, "sell", 1_000, 1_100_000));
    let jobs = 0;
    const bought = (replicas = 1): (Hex | undefined)[] => {
      jobs += 1;
      market.accept(buyJob(DEB, 100, 1_200_000, { replicas, jobDigest: word(jobs) }));
      const { orders } = market.events("resource_traded").at(-1) as { readonly orders: readonly number[] };
      return orders.map((ask) => sellers[asks.indexOf(ask)]);
    };
    expect(Array.from({ length: 4 }, () => bought()).flat()).toEqual([ANN, BOB, CAI, ANN]);
    expect(bought(2)).toEqual([BOB, CAI]);
    // Each has two. What was reported is not before its seller any more, nor what was given up, nor what lapsed.
    market.accept(result(CAI, 3, 50, { jobDigest: word(3) }));
    expect(bought()).toEqual([CAI]);
    market.accept(givenUp(BOB, 2));
    expect([...bought(), ...bought()]).toEqual([BOB, ANN]);
    market.accept(order(market, ANN, "sell", 100, 1_000_000 - 1));
    expect(bought(), "a lower price first, however busy").toEqual([undefined]);
    const rebuilt = replay(market.lines);
    expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
    expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
  });
});

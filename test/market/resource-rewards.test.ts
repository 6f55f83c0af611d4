// Owns what deliveries of compute earn: shares by the resource's weight, capped by what their fees justify, beside those for
// energy. It refuses to count what was promised and not delivered.

import { describe, expect, test } from "vitest";
import { rewardOf } from "../../market/evolve.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  address,
  credit,
  deadlineS,
  FIRST_SLOT,
  type Market,
  MIDNIGHT_S,
  openMarket,
  place,
  prove,
  settle,
} from "../support/market.ts";
import { delivered, order } from "../support/resource-drafts.ts";

const [CAI, DAN, EVE] = [address(11), address(12), address(13)] as [Hex, Hex, Hex];

/** Weights 3 for energy and 1 for compute, 10 % fees, and an emission of a million. */
function rewarding(more: { rewardPerFee?: string; shareCapBps?: number } = {}): Market {
  const market = openMarket({
    parameters: { rewardWeightEnergy: 3, rewardWeightCompute: 1, takeRateBps: 1_000, ...more },
  });
  for (const owner of [CAI, DAN, EVE]) market.accept(credit(owner, 1_000_000));
  return market;
}

/** `seller` delivers so much to Eve, at one micro a megafuel. */
function deliver(market: Market, seller: Hex, mega: number, of = mega): void {
  market.accept(order(market, seller, "sell", of, 1_000_000));
  market.accept(order(market, EVE, "buy", of, 1_000_000));
  market.accept(delivered(seller, market.state.header.nextObligation - 1, mega, EVE, { isFinal: true }));
}

/** Goes on until the epoch in which slot `FIRST_SLOT` is has closed. */
const close = (market: Market) => {
  market.to(deadlineS(FIRST_SLOT + 4));
  return market.events("epoch_closed").at(-1);
};

describe("rewards for compute", () => {
  test("behavior: an epoch's deliveries share the resource's part of the emission by what was delivered", () => {
    const market = rewarding();
    deliver(market, CAI, 300);
    deliver(market, DAN, 100, 400);
    expect(close(market)?.resources).toEqual([
      {
        resource: "compute",
        units: "400",
        feesMicros: 40,
        accounts: [market.account(CAI), market.account(DAN)],
        deliveredMega: [300, 100],
        // A quarter of a million by weight, three quarters of that to Cai.
        rewards: ["30000", "10000"],
        providerFeesMicros: [30, 10],
      },
    ]);
    expect(rewardOf(market.state, market.account(CAI))).toBe(30_000n);
  });

  test("behavior: without the fees' cap the shares are the weight's", () => {
    const market = rewarding({ rewardPerFee: "1000000000000" });
    deliver(market, CAI, 300);
    deliver(market, DAN, 100);
    expect(close(market)?.resources?.[0]?.rewards).toEqual(["187500", "62500"]);
  });

  test("behavior: an account that sells energy and delivers compute earns the sum", () => {
    const market = rewarding({ rewardPerFee: "1000000000000" });
    const [ann, bob] = settle(market, 2) as [Hex, Hex];
    market.accept(place(ann, "sell", [[100_000, 1_000]]));
    market.accept(place(bob, "buy", [[300_000, 1_000]]));
    deliver(market, ann, 5);
    prove(market, FIRST_SLOT, { 1: [100], 2: [-100] });
    const closed = close(market);
    expect([closed?.rewards[0], closed?.resources?.[0]?.rewards]).toEqual(["750000", ["250000"]]);
    expect(rewardOf(market.state, market.account(ann))).toBe(1_000_000n);
    expect(market.state.header.epochFeesMicros).toBe(0);
  });

  test("behavior: nothing is earned by what was promised, and an epoch begins to count anew", () => {
    const market = rewarding();
    market.accept(order(market, CAI, "sell", 500, 1_000_000));
    market.accept(order(market, EVE, "buy", 500, 1_000_000));
    expect(close(market)?.resources).toEqual([]);
    market.to(MIDNIGHT_S + 3 * 3_600);
    deliver(market, CAI, 7);
    market.to(deadlineS(FIRST_SLOT + 12));
    expect(market.events("epoch_closed").at(-1)?.resources?.[0]?.units).toBe("7");
    market.to(deadlineS(FIRST_SLOT + 20));
    expect(market.events("epoch_closed").at(-1)?.resources).toEqual([]);
  });

  test("behavior: trading with oneself costs more in fees than the cap lets it earn back at one micro a token", () => {
    const market = rewarding({ rewardPerFee: "900000" });
    deliver(market, CAI, 1_000);
    const reward = Number(close(market)?.resources?.[0]?.rewards[0]);
    expect(reward).toBeLessThan(100);
  });
});

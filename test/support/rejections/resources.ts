// Owns a case for every refusal of the continuous book and of its obligations, in the order of the error table. It refuses a
// case that needs more than the market.

import { expect } from "vitest";
import type { Hex } from "../../../protocol/fields.ts";
import {
  MAX_OBLIGATIONS_PER_ACCOUNT,
  MAX_OBLIGATIONS_PER_REGION,
  MAX_ORDER_FILLS,
  MAX_REST_SECONDS,
} from "../../../protocol/limits.ts";
import { deposit, openSettlement, stake } from "../chain-money.ts";
import { address, authorise, credit, type Market, OPERATOR, openMarket, session, word } from "../market.ts";
import { buyJob, delivered, order, result } from "../resource-drafts.ts";
import type { RejectionCase } from "./rejection-case.ts";

const [ANN, BOB, CAI] = [address(1), address(2), address(3)] as [Hex, Hex, Hex];

/** Three accounts with money, and Ann's ask of 10 at 100. */
export function asking(quantity = 10): Market {
  const market = openMarket();
  for (const owner of [ANN, BOB, CAI]) market.accept(credit(owner, 1_000_000));
  market.accept(order(market, ANN, "sell", quantity, 100));
  return market;
}

/** Cai has bought 5 of Ann's ask: obligation 1. */
function owing(): Market {
  const market = asking();
  market.accept(order(market, CAI, "buy", 5, 100));
  return market;
}

/** Ann runs a job of 5 for Cai: obligation 1. */
export function running(): Market {
  const market = asking();
  market.accept(buyJob(CAI, 5, 100));
  return market;
}

/** As if so many obligations were open, of which an account has some. */
function crowded(market: Market, size: number, ofAccount: number, run: () => void): void {
  const { obligations } = market.state.indexes;
  Object.defineProperty(obligations, "size", { value: size, configurable: true });
  Object.defineProperty(obligations, "of", { value: () => ofAccount, configurable: true });
  run();
  Reflect.deleteProperty(obligations, "size");
  Reflect.deleteProperty(obligations, "of");
}

export const resourceCases: readonly RejectionCase[] = [
  {
    code: "order_too_large",
    when: "quantity times price is more than a region may hold",
    run: () => {
      const market = asking();
      market.refuse(order(market, ANN, "sell", 2_000_000_001, 2_000_000), "order_too_large");
      market.refuse(order(market, CAI, "buy", 4e15, 2, { timeInForce: "fill_or_kill" }), "order_too_large");
      market.accept(order(market, ANN, "sell", 2_000_000_000, 2_000_000));
    },
  },
  {
    code: "good_till_out_of_bounds",
    when: "an order that rests has no end, a past or a distant one, and when one that does not rest has any",
    run: () => {
      const market = asking();
      const resting = (restSeconds: number, timeInForce: "good_till_time" | "post_only" = "good_till_time") =>
        order(market, BOB, "sell", 1, 100, { restSeconds, timeInForce });
      for (const seconds of [0 - market.atS, -1, 0, MAX_REST_SECONDS + 1]) {
        market.refuse(resting(seconds), "good_till_out_of_bounds");
        market.refuse(resting(seconds, "post_only"), "good_till_out_of_bounds");
      }
      const { command, ...rest } = order(market, CAI, "buy", 1, 100, { timeInForce: "immediate_or_cancel" });
      market.refuse(
        { ...rest, command: { ...command, goodTillS: market.atS + 9 } },
        "good_till_out_of_bounds",
      );
      market.accept(resting(1));
      market.accept(resting(MAX_REST_SECONDS));
    },
  },
  {
    code: "stake_too_small",
    when: "a seller other than the operator has less at stake than the minimum, or takes it back",
    run: () => {
      const market = openSettlement({ providerMinimumStake: 50_000_000 });
      for (const owner of [BOB, OPERATOR]) market.accept(deposit(market, owner, 1_000_000));
      const ask = (owner: Hex) => order(market, owner, "sell", 10, 100);
      expect(market.refuse(ask(BOB), "stake_too_small").facts).toEqual({
        stakedMicros: 0,
        leastMicros: 50_000_000,
        isUnbonding: false,
      });
      market.accept(stake(market, BOB, { stakedMicros: 49_999_999 }));
      market.refuse(ask(BOB), "stake_too_small");
      market.accept(stake(market, BOB, { isUnbonding: true }));
      market.refuse(ask(BOB), "stake_too_small");
      market.accept(stake(market, BOB));
      market.accept(ask(BOB));
      market.accept(ask(OPERATOR));
    },
  },
  {
    code: "order_would_trade",
    when: "a post-only order would trade at once",
    run: () => {
      const market = asking();
      market.refuse(order(market, CAI, "buy", 1, 100, { timeInForce: "post_only" }), "order_would_trade");
      market.accept(order(market, CAI, "buy", 1, 99, { timeInForce: "post_only" }));
    },
  },
  {
    code: "order_unmatched",
    when: "nothing rests at the price of an order that does not wait",
    run: () => {
      const market = asking();
      market.refuse(
        order(market, CAI, "buy", 1, 99, { timeInForce: "immediate_or_cancel" }),
        "order_unmatched",
      );
      // Another product's ask is another book's.
      const product = "compute-lease-day" as const;
      const elsewhere = order(market, CAI, "buy", 1, 100, { product, timeInForce: "immediate_or_cancel" });
      market.refuse(elsewhere, "order_unmatched");
    },
  },
  {
    code: "sellers_insufficient",
    when: "fewer sellers have the whole fuel of a job than are to run it",
    run: () => {
      const market = asking();
      market.accept(order(market, ANN, "sell", 10, 100));
      market.accept(order(market, BOB, "sell", 9, 90));
      market.accept(order(market, CAI, "sell", 10, 90));
      // Ann twice, Bob with too little, Cai's own.
      expect(market.refuse(buyJob(CAI, 10, 100, { replicas: 2 }), "sellers_insufficient").facts).toEqual({
        sellers: 1,
        replicas: 2,
      });
      market.accept(buyJob(CAI, 9, 100, { replicas: 2 }));
    },
  },
  {
    code: "order_unfillable",
    when: "less than the whole of a fill-or-kill is to be had",
    run: () => {
      const market = asking();
      const whole = order(market, CAI, "buy", 11, 100, { timeInForce: "fill_or_kill" });
      expect(market.refuse(whole, "order_unfillable").facts).toEqual({ reachedMega: 10 });
    },
  },
  {
    code: "self_trade_prevented",
    when: "the first order that an order meets is the account's own",
    run: () => {
      const market = asking();
      market.refuse(order(market, ANN, "buy", 1, 100), "self_trade_prevented");
      const whole = order(market, ANN, "buy", 1, 100, { timeInForce: "fill_or_kill" });
      market.refuse(whole, "self_trade_prevented");
    },
  },
  {
    code: "sweep_limit_reached",
    when: "the whole of a fill-or-kill is dust of more orders than one may meet",
    run: () => {
      const market = asking(1);
      for (let index = 0; index < MAX_ORDER_FILLS; index += 1) {
        const owner = address(100 + Math.floor(index / 200));
        if (index % 200 === 0) market.accept(credit(owner, 1));
        market.accept(order(market, owner, "sell", 1, 100));
      }
      const whole = order(market, CAI, "buy", MAX_ORDER_FILLS + 1, 100, { timeInForce: "fill_or_kill" });
      expect(market.refuse(whole, "sweep_limit_reached").facts.reachedMega).toBe(MAX_ORDER_FILLS);
    },
  },
  {
    code: "obligations_exhausted",
    when: "an account or the region has as many unsettled trades as it may",
    run: () => {
      const market = asking();
      const buy = order(market, CAI, "buy", 1, 100);
      crowded(market, 5, MAX_OBLIGATIONS_PER_ACCOUNT, () => {
        expect(market.refuse(buy, "obligations_exhausted").facts.of).toBe("account");
      });
      crowded(market, MAX_OBLIGATIONS_PER_REGION, 0, () => {
        expect(market.refuse(buy, "obligations_exhausted").facts.of).toBe("region");
      });
      market.accept(buy);
    },
  },
  {
    code: "obligation_not_found",
    when: "a trade was never made, was settled, or is past its deadline",
    run: () => {
      const market = owing();
      market.refuse(delivered(ANN, 2, 1, CAI), "obligation_not_found");
      market.accept(delivered(ANN, 1, 5, CAI));
      market.refuse(delivered(ANN, 1, 5, CAI), "obligation_not_found");
    },
  },
  {
    code: "obligation_not_owned",
    when: "a stranger settles it, or its buyer reports",
    run: () => {
      const market = owing();
      market.refuse(delivered(BOB, 1, 5, CAI), "obligation_not_owned");
      market.refuse(result(CAI, 1, 5), "obligation_not_owned");
    },
  },
  {
    code: "delivery_out_of_bounds",
    when: "more than the trade or less than was settled is said to be delivered, or used by a job",
    run: () => {
      running().refuse(result(ANN, 1, 6), "delivery_out_of_bounds");
      const market = owing();
      market.refuse(delivered(ANN, 1, 6, CAI), "delivery_out_of_bounds");
      market.accept(delivered(ANN, 1, 3, CAI));
      market.refuse(delivered(ANN, 1, 2, CAI), "delivery_out_of_bounds");
    },
  },
  {
    code: "delivery_not_agreed",
    when: "the evidence is of another delivery, or the buyer has not agreed to it",
    run: () => {
      const market = owing();
      market.accept(authorise(BOB, word(7), { resources: ["compute"] }));
      market.accept(authorise(CAI, word(8), { resources: ["energy"] }));
      market.refuse(delivered(ANN, 1, 5, CAI, { facts: { obligation: 2 } }), "delivery_not_agreed");
      for (const signer of [session(word(7)), session(word(8)), session(word(9))])
        market.refuse(delivered(ANN, 1, 5, CAI, { agreedBy: [signer] }), "delivery_not_agreed");
    },
  },
];

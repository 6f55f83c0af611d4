// Owns a case for every refusal about money, keys and orders, in the order of the error table. It refuses a case
// that needs more than the market.

import { expect } from "vitest";
import {
  MAX_ACCOUNTS_PER_REGION,
  MAX_ORDERS_PER_ACCOUNT,
  MAX_ORDERS_PER_ACCOUNT_WINDOW,
  MAX_REGION_MICROS,
  MAX_SESSIONS_PER_ACCOUNT,
} from "../../../protocol/limits.ts";
import { SLOT_SECONDS } from "../../../protocol/units.ts";
import { openSettlement } from "../chain-money.ts";
import {
  address,
  admit,
  authorise,
  cancel,
  credit,
  Market,
  MIDNIGHT_S,
  OPENED_AT_S,
  open,
  openMarket,
  place,
  revoke,
  session,
  setParameters,
  TREASURY,
  word,
} from "../market.ts";
import { provable, type RejectionCase } from "./rejection-case.ts";

export const termsCases: readonly RejectionCase[] = [
  {
    code: "region_money_limit",
    when: "a credit would pass what a region may hold",
    run: () => {
      const market = openMarket();
      market.accept(credit(address(1), MAX_REGION_MICROS - 1));
      market.refuse(credit(address(2), 2), "region_money_limit");
      market.accept(credit(address(2), 1));
      market.refuse(credit(address(2), 1), "region_money_limit");
    },
  },
  {
    code: "account_exists",
    when: "an account is admitted that is open",
    run: () => {
      const { market, ann } = provable();
      market.refuse(admit(ann), "account_exists");
      market.refuse(admit(TREASURY), "account_exists");
    },
  },
  {
    code: "accounts_exhausted",
    when: "a credit or an admission would open one account too many",
    run: () => {
      const market = openMarket();
      const { accounts } = market.state.tables;
      while (accounts.rows < MAX_ACCOUNTS_PER_REGION) accounts.append();
      market.refuse(credit(address(1), 5), "accounts_exhausted");
      market.refuse(admit(address(1)), "accounts_exhausted");
    },
  },
  {
    code: "parameters_out_of_bounds",
    when: "the proof delay is longer than the window, an epoch is not whole windows, the mirror is missing or needless, or terms are the chain's",
    run: () => {
      const market = openMarket();
      market.refuse(setParameters({ proofDelaySeconds: 3_601 }), "parameters_out_of_bounds");
      const unopened = new Market(OPENED_AT_S);
      unopened.refuse(open({ epochSlots: 10 }), "parameters_out_of_bounds");
      unopened.refuse(open({ windowSlots: 96, epochSlots: 48 }), "parameters_out_of_bounds");
      unopened.refuse(open({ quote: "settlement" }), "parameters_out_of_bounds");
      unopened.refuse(open({ mirror: address(5) }), "parameters_out_of_bounds");
      // What the chain's contract judges reports by is not the operator's to set.
      const settling = openSettlement();
      for (const changed of [
        { outflowCapBps: 5_001 },
        { emissionPerEpoch: "1000001" },
        { emissionDecayBps: 999 },
      ])
        settling.refuse(setParameters(changed), "parameters_out_of_bounds");
    },
  },
  {
    code: "session_exists",
    when: "a key is authorised twice, for the same account or another, even after it was revoked",
    run: () => {
      const { market, ann, bob } = provable();
      market.accept(authorise(ann, word(7)));
      market.refuse(authorise(ann, word(7)), "session_exists");
      market.refuse(authorise(bob, word(7)), "session_exists");
      market.accept(revoke(ann, word(7)));
      market.refuse(authorise(ann, word(7)), "session_exists");
    },
  },
  {
    code: "sessions_exhausted",
    when: "an account authorises one key too many",
    run: () => {
      const { market, ann, bob } = provable();
      for (let key = 0; key < MAX_SESSIONS_PER_ACCOUNT; key += 1)
        market.accept(authorise(ann, word(100 + key)));
      market.refuse(authorise(ann, word(7)), "sessions_exhausted");
      market.accept(authorise(bob, word(7)));
    },
  },
  {
    code: "ladder_unsorted",
    when: "a ladder goes from worse to better, or stays",
    run: () => {
      const { market, ann } = provable();
      for (const steps of [
        [
          [2, 1],
          [1, 1],
        ],
        [
          [2, 1],
          [2, 1],
        ],
        [
          [-1, 1],
          [0, 1],
          [-2, 1],
        ],
      ] as [number, number][][]) {
        market.refuse(place(ann, "sell", steps), "ladder_unsorted");
      }
      for (const steps of [
        [
          [1, 1],
          [2, 1],
        ],
        [
          [2, 1],
          [2, 1],
        ],
        [
          [0, 1],
          [-1, 1],
          [3, 1],
        ],
      ] as [number, number][][]) {
        market.refuse(place(ann, "buy", steps), "ladder_unsorted");
      }
    },
  },
  {
    code: "order_span_empty",
    when: "an order ends before a slot of it begins",
    run: () => {
      const { market, ann } = provable();
      const fromS = MIDNIGHT_S + 86_400;
      for (const [validFromS, validUntilS] of [
        [fromS, fromS],
        [fromS, fromS - 900],
        [fromS + 1, fromS + 900],
      ] as const) {
        market.refuse(place(ann, "sell", [[1, 1]], { validFromS, validUntilS }), "order_span_empty");
      }
    },
  },
  {
    code: "slot_already_started",
    when: "an order is only for slots that have begun, or its key expires before the next one",
    run: () => {
      const { market, ann } = provable();
      market.refuse(
        place(ann, "sell", [[1, 1]], { validUntilS: MIDNIGHT_S + 3_600 }),
        "slot_already_started",
      );
      const until = { validFromS: market.atS, validUntilS: market.atS + 900 };
      market.refuse(place(ann, "sell", [[1, 1]], until), "slot_already_started");
      market.accept(authorise(ann, word(7), { sessionExpiresAtS: market.atS + 900 }));
      market.refuse(place(ann, "sell", [[1, 1]], {}, session(word(7))), "slot_already_started");
    },
  },
  {
    code: "order_not_found",
    when: "an order that never was, or is over, is cancelled or replaced",
    run: () => {
      const { market, ann } = provable();
      const { number } = market.accept(place(ann, "sell", [[1, 1]]));
      market.refuse(cancel(ann, 999), "order_not_found");
      market.refuse(place(ann, "sell", [[1, 1]], { replaces: 999 }), "order_not_found");
      market.accept(cancel(ann, number));
      market.refuse(cancel(ann, number), "order_not_found");
      market.refuse(place(ann, "sell", [[1, 1]], { replaces: number }), "order_not_found");
    },
  },
  {
    code: "order_not_owned",
    when: "another's order is cancelled or replaced",
    run: () => {
      const { market, ann, bob } = provable();
      const { number } = market.accept(place(ann, "sell", [[1, 1]]));
      market.refuse(cancel(bob, number), "order_not_owned");
      market.refuse(place(bob, "sell", [[1, 1]], { replaces: number }), "order_not_owned");
    },
  },
  {
    code: "orders_exhausted",
    when: "an account places one order too many; replacing one is still possible",
    run: () => {
      const { market, ann, bob } = provable();
      for (let index = 0; index < MAX_ORDERS_PER_ACCOUNT; index += 1)
        market.accept(place(ann, "sell", [[1, 1]]));
      const { number } = market.entries.at(-1) as { number: number };
      market.refuse(place(ann, "buy", [[1, 1]]), "orders_exhausted");
      market.accept(place(ann, "sell", [[2, 1]], { replaces: number }));
      market.refuse(place(ann, "sell", [[1, 1]]), "orders_exhausted");
      market.accept(place(bob, "sell", [[1, 1]]));
      replaceSlotBySlot();
    },
  },
];

/** Orders that ended and still apply to slots that have not cleared count until their windows close. */
function replaceSlotBySlot(): void {
  const { market, ann } = provable();
  let live = Array.from(
    { length: MAX_ORDERS_PER_ACCOUNT },
    () => market.accept(place(ann, "sell", [[1, 1]])).number,
  );
  for (let held = live.length; held + live.length <= MAX_ORDERS_PER_ACCOUNT_WINDOW; held += live.length) {
    market.to(market.atS + SLOT_SECONDS);
    live = live.map((replaces) => market.accept(place(ann, "sell", [[1, 1]], { replaces })).number);
  }
  market.to(market.atS + SLOT_SECONDS);
  const [replaces] = live as [number];
  expect(market.refuse(place(ann, "sell", [[1, 1]], { replaces }), "orders_exhausted").facts.of).toBe(
    "window",
  );
  market.to(market.atS + 12 * SLOT_SECONDS);
  market.accept(place(ann, "sell", [[1, 1]], { replaces }));
}

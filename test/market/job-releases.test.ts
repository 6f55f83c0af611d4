// Owns runs of jobs of which nothing came: who may release one, what its buyer has back, and who is not asked again. It refuses what is
// paid for results, which is in jobs.test.ts.

import { describe, expect, test } from "vitest";
import { jobRecordAt } from "../../market/resources/reputation.ts";
import { type Hex, NO_HASH } from "../../protocol/fields.ts";
import {
  address,
  credit,
  type Market,
  OPERATOR,
  openMarket,
  replay,
  session,
  wallet,
  word,
} from "../support/market.ts";
import { buyJob, delivered, givenUp, order, released, result } from "../support/resource-drafts.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const [ANN, BOB, CAI, DEB] = [address(1), address(2), address(3), address(4)] as [Hex, Hex, Hex, Hex];

/** Three sellers, each with an ask of 1,000 at 1, 1.1 and 1.2 micros a megafuel. */
function selling(): Market {
  const market = openMarket();
  for (const owner of [ANN, BOB, CAI, DEB]) market.accept(credit(owner, 1_000_000));
  for (const [index, seller] of [ANN, BOB, CAI].entries())
    market.accept(order(market, seller, "sell", 1_000, 1_000_000 + index * 100_000));
  return market;
}

const escrow = (market: Market, owner: Hex): number =>
  market.state.tables.accounts.columns.escrowMicros[market.account(owner)] as number;
const types = (events: readonly { readonly type: string }[]): string[] => events.map(({ type }) => type);
const counted = (market: Market, owner: Hex) => {
  const { tables, indexes } = market.state;
  return jobRecordAt(tables.providers, indexes.providerByAccount.get(market.account(owner)));
};

/** The journal gives the same state again. */
function expectReplayed(market: Market): void {
  const rebuilt = replay(market.lines);
  expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
  expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
}

describe("a run of which nothing came", () => {
  test("rejects: a result that the region does not hold, and a release by anybody else, of another job, or of what is reported", () => {
    const market = selling();
    market.accept(buyJob(DEB, 100, 1_000_000));
    for (const attested of [
      null,
      { means: "voucher" },
      { obligation: 2 },
      { deliveredMega: 62 },
      { jobDigest: word(1) },
      { outputHash: word(1) },
      { agreedBy: [] },
      { agreedBy: [wallet(DEB)] },
      { agreedBy: [session(word(0xed))] },
    ] as const)
      market.refuse(result(ANN, 1, 61, { attested }), "result_not_attested");
    for (const signer of [wallet(ANN), wallet(DEB), wallet(OPERATOR), session(word(7))])
      market.refuse(released(1, word(0x10b), { signer }), "not_referee");
    market.refuse(released(2), "obligation_not_found");
    market.refuse(released(1, word(1)), "result_of_other_job");
    market.accept(result(ANN, 1, 61));
    market.refuse(released(1), "result_reported_before");
    market.accept(order(market, DEB, "buy", 1, 1_000_000));
    market.refuse(released(2), "result_of_other_job");
  });

  test("behavior: a run that the edge releases costs its buyer nothing from then on, and its seller has failed", () => {
    const market = selling();
    market.accept(buyJob(DEB, 100, 1_000_000));
    expect(market.accept(released(1)).events).toEqual([
      { type: "obligations_lapsed", obligations: [1], releasedMicros: [100], failures: [1] },
    ]);
    expect([escrow(market, DEB), market.balance(DEB)]).toEqual([0, 1_000_000]);
    expect(counted(market, ANN)).toMatchObject({ failures: 1, lapses: 1 });
    // Where the job's own limits left too little time it is nobody's failure.
    market.accept(buyJob(DEB, 100, 1_000_000, { jobDigest: word(0x20b) }));
    market.accept(released(2, word(0x20b), { hasFailed: false }));
    expect(counted(market, ANN)).toMatchObject({ failures: 1, lapses: 1 });
    market.accept(buyJob(DEB, 100, 1_000_000, { jobDigest: word(0x20b) }));
    market.accept(released(3, word(0x20b), { hasFailed: false }));
    market.refuse(buyJob(DEB, 100, 1_000_000, { jobDigest: word(0x20b) }), "order_unmatched");
    // However right it is: another was asked instead.
    market.refuse(result(ANN, 1, 61), "obligation_not_found");
    market.refuse(released(1), "obligation_not_found");
    expectReplayed(market);
  });

  test("behavior: who failed a job, or let it go by twice, does not get it again while its trade would have lasted", () => {
    const market = selling();
    const sellerOf = (more: { readonly jobDigest?: Hex } = {}, buyer = DEB): number => {
      const { number } = market.accept(buyJob(buyer, 100, 1_200_000, more));
      const { columns, rows } = market.state.tables.obligations;
      expect(columns.purchase[rows - 1]).toBe(number);
      return columns.seller[rows - 1] as number;
    };
    const [ann, bob, cai] = [ANN, BOB, CAI].map((owner) => market.account(owner));
    expect(sellerOf()).toBe(ann);
    market.accept(released(1));
    expect([sellerOf({ jobDigest: word(0x20b) }), sellerOf({}, CAI)], "another job, another buyer").toEqual([
      ann,
      ann,
    ]);
    for (const [obligation, seller] of [
      [4, bob],
      [5, bob],
    ] as const) {
      expect(sellerOf()).toBe(seller);
      market.accept(givenUp(BOB, obligation));
    }
    expect(sellerOf()).toBe(cai);
    market.accept(released(6));
    market.refuse(buyJob(DEB, 100, 1_200_000), "order_unmatched");
    expectReplayed(market);
    market.to(market.atS + 3_600);
    expect(sellerOf()).toBe(ann);
  });

  test("behavior: a lease that is released pays what was vouched for and gives the rest back at once", () => {
    const market = openMarket();
    for (const owner of [ANN, DEB]) market.accept(credit(owner, 1_000_000));
    const product = "compute-lease-week" as const;
    market.accept(order(market, ANN, "sell", 1_000, 1_000_000, { product }));
    market.accept(order(market, DEB, "buy", 1_000, 1_000_000, { product }));
    market.accept(delivered(ANN, 1, 250, DEB));
    market.refuse(released(1), "result_of_other_job");
    market.refuse(released(1, NO_HASH, { signer: wallet(DEB) }), "not_referee");
    expect(market.accept(released(1, NO_HASH)).events).toEqual([
      { type: "obligations_lapsed", obligations: [1], releasedMicros: [750], failures: [1] },
    ]);
    expect([market.balance(ANN), market.balance(DEB), escrow(market, DEB)]).toEqual([1_000_250, 999_750, 0]);
    market.refuse(delivered(ANN, 1, 260, DEB), "obligation_not_found");
    expect(counted(market, ANN)).toMatchObject({ failures: 1, lapses: 1 });
    expectReplayed(market);
  });

  test("behavior: with the release of one of three the other two agree at once", () => {
    const market = selling();
    market.accept(buyJob(DEB, 100, 1_200_000, { replicas: 3 }));
    market.accept(result(ANN, 1, 50));
    market.accept(result(CAI, 3, 50));
    expect(types(market.accept(released(2)).events)).toEqual([
      "obligations_lapsed",
      "obligation_settled",
      "obligation_settled",
    ]);
    expect([escrow(market, DEB), market.balance(DEB)]).toEqual([0, 999_890]);
    expectReplayed(market);
  });
});

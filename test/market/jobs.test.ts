// Owns jobs in a region: what is bought of whom, when results are paid and when they are not, told to the micro. It refuses random
// mixes, which are in job-properties.test.ts, and audits.

import { describe, expect, test } from "vitest";
import { countsAt } from "../../market/resources/providers.ts";
import { freeze, thaw } from "../../market/snapshot.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_JOB_ASKS_SEEN, RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import { deposit, openSettlement, stake, vote } from "../support/chain-money.ts";
import {
  address,
  authorise,
  credit,
  type Market,
  OPERATOR,
  openMarket,
  replay,
  revoke,
  session,
  word,
} from "../support/market.ts";
import { buyJob, COMPUTE_SCOPE, delivered, givenUp, order, result } from "../support/resource-drafts.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const [ANN, BOB, CAI, DEB] = [address(1), address(2), address(3), address(4)] as [Hex, Hex, Hex, Hex];

/** Three sellers, each with an ask of 1,000 at 1, 1.1 and 1.2 micros a megafuel. */
function selling(takeRateBps = 0): Market {
  const market = openMarket({ parameters: { takeRateBps } });
  for (const owner of [ANN, BOB, CAI, DEB]) market.accept(credit(owner, 1_000_000));
  for (const [index, seller] of [ANN, BOB, CAI].entries())
    market.accept(order(market, seller, "sell", 1_000, 1_000_000 + index * 100_000));
  return market;
}

const escrow = (market: Market, owner: Hex): number =>
  market.state.tables.accounts.columns.escrowMicros[market.account(owner)] as number;
const types = (events: readonly { readonly type: string }[]): string[] => events.map(({ type }) => type);
const verdicts = (market: Market): (string | undefined)[] =>
  market.events("obligation_settled").map(({ verdict }) => verdict);

/** What is counted of a seller. */
function counted(market: Market, owner: Hex): Record<string, number> {
  const { columns } = market.state.tables.providers;
  const row = market.state.indexes.providerByAccount.get(market.account(owner)) ?? -1;
  const names = ["jobs", "failures", "lapses", "reports", "reportSeconds", "disagreements"] as const;
  return Object.fromEntries(names.map((name) => [name, columns[name][row] ?? 0]));
}

/** A vote that asks for more than Ann has, from the next epoch on. */
function raised(market: Market): { readonly fromEpoch: number } {
  const fromEpoch = Math.floor(market.atS / 7_200) + 1;
  market.accept(vote(market, fromEpoch, { providerMinimumStake: 50_000_001 }));
  return { fromEpoch };
}

/** The journal gives the same state again. */
function expectReplayed(market: Market): void {
  const rebuilt = replay(market.lines);
  expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
  expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
}

describe("buying a job", () => {
  test("rejects: a price nobody asks, too few sellers, too little money, and changes nothing", () => {
    const market = selling();
    market.refuse(buyJob(DEB, 10, 999_999), "order_unmatched");
    market.refuse(buyJob(DEB, 1_001, 2_000_000), "order_unmatched");
    market.refuse(buyJob(DEB, 10, 1_100_000, { replicas: 3 }), "sellers_insufficient");
    market.refuse(buyJob(ANN, 10, 1_200_000, { replicas: 3 }), "sellers_insufficient");
    market.refuse(buyJob(DEB, 2_000_000_000, 1_000_000, { replicas: 3 }), "order_too_large");
    market.accept(order(market, DEB, "buy", 1_000_000, 999_001));
    market.refuse(buyJob(DEB, 1_000, 1_200_000), "funds_insufficient");
    expectReplayed(market);
  });

  test("rejects: what a session key may not: another resource, a side, a price, its money, its day", () => {
    const market = selling();
    const key = session(word(7));
    const buy = buyJob(DEB, 100, 1_000_000, { signer: key });
    for (const [more, limit] of [
      [{ resources: ["energy"] }, "resources"],
      [{ sides: ["sell"] }, "sides"],
      [{ highestBidMicrosPerTera: 999_999 }, "highestBidMicrosPerTera"],
      [{ spendingLimitMicros: 99 }, "spendingLimitMicros"],
      [{ dailyMega: 99 }, "dailyMega"],
    ] as const) {
      market.accept(authorise(DEB, word(7), { ...COMPUTE_SCOPE, ...(more as object) }));
      expect(market.refuse(buy, "session_scope").facts.limit).toBe(limit);
      market.accept(revoke(DEB, word(7)));
      // A revoked key is gone with its window.
      market.to(market.atS + 7_200);
    }
    market.accept(authorise(DEB, word(7), { ...COMPUTE_SCOPE, spendingLimitMicros: 100, dailyMega: 100 }));
    market.accept(buy);
  });

  test("behavior: the best asks of so many sellers, each for the whole fuel at its own price", () => {
    const market = selling();
    market.accept(order(market, BOB, "sell", 99, 900_000));
    market.accept(order(market, DEB, "sell", 100, 950_000));
    const { events, number } = market.accept(buyJob(DEB, 100, 1_100_000, { replicas: 2 }));
    expect(types(events)).toEqual(["resource_order_placed", "resource_traded"]);
    expect(events[0]).toMatchObject({
      order: number,
      quantityMega: 200,
      filledMega: 200,
      restingMega: 0,
      heldMicros: 210,
      job: { jobDigest: word(0x10b), replicas: 2 },
    });
    // Past Bob's ask that is too small, and past Deb's own.
    expect(events[1]).toMatchObject({ quantityMega: [100, 100], priceMicrosPerTera: [1_000_000, 1_100_000] });
    expect([escrow(market, DEB), market.balance(DEB)]).toEqual([210, 999_790]);
    expectReplayed(market);
  });

  test("behavior: a seller that owes a run of the job does not get it again, until it gave it up", () => {
    const market = selling();
    const sellerOf = (jobDigest?: Hex): number => {
      market.accept(buyJob(DEB, 100, 1_200_000, jobDigest === undefined ? {} : { jobDigest }));
      return market.events("resource_traded").at(-1)?.orders[0] as number;
    };
    const first = sellerOf();
    const [second, third] = [sellerOf(), sellerOf()];
    expect(new Set([first, second, third]).size).toBe(3);
    market.refuse(buyJob(DEB, 100, 1_200_000), "order_unmatched");
    expect(sellerOf(word(0x20b)), "another job").toBe(first);
    market.accept(buyJob(CAI, 100, 1_200_000));
    market.accept(givenUp(ANN, 1));
    expect(sellerOf()).toBe(first);
    expectReplayed(market);
  });

  test("behavior: dust in front of an ask is passed over, up to a limit", () => {
    const market = selling();
    for (let index = 0; index < MAX_JOB_ASKS_SEEN; index += 1) {
      const owner = address(100 + Math.floor(index / 256));
      if (index % 256 === 0) market.accept(credit(owner, 1));
      if (index === MAX_JOB_ASKS_SEEN - 1) market.accept(buyJob(DEB, 2, 2_000_000));
      market.accept(order(market, owner, "sell", 1, 500_000));
    }
    expect(market.refuse(buyJob(DEB, 2, 2_000_000), "sweep_limit_reached").facts.sellers).toBe(0);
  });

  test("behavior: a provider that takes its stake back gets no new work", () => {
    const market = openSettlement();
    market.accept(stake(market, ANN));
    market.accept(deposit(market, DEB, 1_000_000));
    market.accept(order(market, ANN, "sell", 20, 100));
    market.accept(buyJob(DEB, 10, 100));
    expect(types(market.accept(stake(market, ANN, { isUnbonding: true })).events)).toEqual([
      "chain_event_mirrored",
      "stake_recorded",
      "resource_order_ended",
    ]);
    market.refuse(buyJob(DEB, 10, 100), "order_unmatched");
    market.refuse(order(market, ANN, "sell", 10, 100), "stake_too_small");
    // What it sold before it may still deliver.
    market.accept(authorise(ANN, word(0x5e1), COMPUTE_SCOPE));
    market.accept(result(ANN, 1, 10, { signer: session(word(0x5e1)) }));
    market.accept(stake(market, ANN));
    market.accept(order(market, ANN, "sell", 10, 100));
    market.accept(buyJob(DEB, 10, 100, { jobDigest: word(0x20b) }));
    expectReplayed(market);
  });

  test("behavior: a stake that fell below a raised minimum is passed over", () => {
    const market = openSettlement({ providerMinimumStake: 50_000_000 });
    market.accept(stake(market, ANN));
    for (const owner of [DEB, OPERATOR]) market.accept(deposit(market, owner, 1_000_000));
    market.accept(order(market, ANN, "sell", 20, 100));
    market.accept(order(market, OPERATOR, "sell", 20, 200));
    const { fromEpoch } = raised(market);
    market.accept(buyJob(DEB, 10, 200));
    market.to(fromEpoch * 7_200);
    market.accept(buyJob(DEB, 10, 200));
    const { columns, rows } = market.state.tables.obligations;
    expect([...columns.seller.subarray(0, rows)]).toEqual([market.account(ANN), market.account(OPERATOR)]);
  });
});

describe("one seller", () => {
  test("behavior: what it reports is paid when its time to be challenged is over, the rest returns", () => {
    const market = selling(1_000);
    market.accept(buyJob(DEB, 100, 1_000_000));
    const tradedAtS = market.atS;
    market.to(tradedAtS + 3_599);
    const { events } = market.accept(result(ANN, 1, 61));
    const payableAtS = tradedAtS + 3_599 + RESULT_CHALLENGE_SECONDS;
    expect(events).toEqual([
      { type: "result_reported", obligation: 1, fuelMega: 61, outputHash: word(0x0a7), payableAtS },
    ]);
    // Past its deadline nothing lapses.
    market.to(payableAtS - 1);
    expect([escrow(market, DEB), market.balance(ANN)]).toEqual([100, 1_000_000]);
    market.to(payableAtS);
    expect(market.events("obligation_settled")).toEqual([
      {
        type: "obligation_settled",
        obligation: 1,
        deliveredMega: 61,
        means: "job_result",
        jobDigest: word(0x10b),
        outputHash: word(0x0a7),
        paidMicros: 61,
        feeMicros: 7,
        releasedMicros: 39,
        isClosed: true,
        isFailure: false,
        verdict: "unchallenged",
      },
    ]);
    expect([escrow(market, DEB), market.balance(DEB), market.balance(ANN)]).toEqual([0, 999_939, 1_000_054]);
    expect(counted(market, ANN)).toMatchObject({ jobs: 1, failures: 0, reports: 1, reportSeconds: 3_599 });
    const sold = market.state.indexes.providerByAccount.get(market.account(ANN));
    expect(countsAt(market.state.tables.providers, sold, "compute")).toMatchObject({
      units: 61,
      earnedMicros: 54,
    });
    expectReplayed(market);
  });

  test("behavior: without a report everything returns at the deadline; nobody says that it was asked, so it has not failed", () => {
    const market = selling();
    market.accept(buyJob(DEB, 100, 1_000_000));
    market.to(market.atS + 3_600);
    expect([escrow(market, DEB), market.balance(DEB)]).toEqual([0, 1_000_000]);
    expect(counted(market, ANN)).toMatchObject({ jobs: 0, failures: 0, lapses: 0, reports: 0 });
    market.refuse(result(ANN, 1, 61), "obligation_not_found");
  });

  test("behavior: it may give up before it reports, and has failed", () => {
    const market = selling();
    market.accept(buyJob(DEB, 100, 1_000_000));
    expect(types(market.accept(givenUp(ANN, 1)).events)).toEqual(["obligation_settled"]);
    expect(counted(market, ANN)).toMatchObject({ failures: 1, lapses: 0 });
    expect(market.balance(DEB)).toBe(1_000_000);
  });
});

describe("several sellers", () => {
  /** Deb has bought obligations 1 to 3 of Ann, Bob and Cai. */
  function three(): Market {
    const market = selling();
    market.accept(buyJob(DEB, 100, 1_200_000, { replicas: 3 }));
    return market;
  }

  test("behavior: with the last report those that agree are paid at once, the other is not and has not failed", () => {
    const market = three();
    market.accept(result(ANN, 1, 50));
    market.accept(result(BOB, 2, 50, { output: 1 }));
    expect(types(market.accept(result(CAI, 3, 50)).events)).toEqual([
      "result_reported",
      "obligation_settled",
      "obligation_settled",
      "obligation_settled",
    ]);
    expect(verdicts(market)).toEqual(["agreed", "disagreed", "agreed"]);
    expect([ANN, BOB, CAI].map((seller) => market.balance(seller) - 1_000_000)).toEqual([50, 0, 60]);
    expect([escrow(market, DEB), market.balance(DEB)]).toEqual([0, 999_890]);
    expect(counted(market, BOB)).toMatchObject({ jobs: 0, failures: 0, disagreements: 1 });
    expectReplayed(market);
  });

  test("behavior: equal outputs at different fuel do not agree", () => {
    const market = three();
    market.accept(result(ANN, 1, 50));
    market.accept(result(BOB, 2, 51));
    const { events } = market.accept(result(CAI, 3, 52));
    expect(events[1]).toEqual({
      type: "results_awaited",
      obligations: [1, 2, 3],
      payableAtS: market.atS + RESULT_CHALLENGE_SECONDS,
      isDisputed: true,
    });
    market.to(market.atS + RESULT_CHALLENGE_SECONDS);
    expect(verdicts(market)).toEqual(["undecided", "undecided", "undecided"]);
    expect([escrow(market, DEB), market.balance(DEB)]).toEqual([0, 1_000_000]);
    expect(counted(market, ANN)).toMatchObject({ jobs: 0, failures: 0, disagreements: 0 });
    expectReplayed(market);
  });

  test("behavior: two of those that are left agree, when the third gives up", () => {
    const market = three();
    market.accept(result(ANN, 1, 50));
    market.accept(result(CAI, 3, 50));
    market.accept(givenUp(BOB, 2));
    expect(verdicts(market)).toEqual([undefined, "agreed", "agreed"]);
    expect(market.balance(DEB)).toBe(999_890);
  });

  test("behavior: two of those that are left agree, when the third lapses", () => {
    const market = three();
    market.accept(result(ANN, 1, 50));
    market.accept(result(CAI, 3, 50));
    const [entry] = market
      .to(market.atS + 3_600)
      .filter(({ events }) => types(events).includes("obligations_lapsed"));
    expect(types(entry?.events ?? [])).toEqual([
      "obligations_lapsed",
      "obligation_settled",
      "obligation_settled",
    ]);
    expect([escrow(market, DEB), market.balance(DEB)]).toEqual([0, 999_890]);
    expectReplayed(market);
  });

  test("behavior: the only one left can be shown wrong for as long as one that ran alone", () => {
    const market = three();
    market.accept(result(BOB, 2, 50));
    market.accept(givenUp(ANN, 1));
    const lapseS = market.atS + 3_600;
    market.to(lapseS);
    expect(market.events("results_awaited")).toEqual([
      {
        type: "results_awaited",
        obligations: [2],
        payableAtS: lapseS + RESULT_CHALLENGE_SECONDS,
        isDisputed: false,
      },
    ]);
    expect(escrow(market, DEB)).toBe(110);
    market.to(lapseS + RESULT_CHALLENGE_SECONDS);
    expect(verdicts(market)).toEqual([undefined, "unchallenged"]);
    expect(market.balance(DEB)).toBe(999_945);
    expectReplayed(market);
  });

  test("behavior: two that differ are no majority, whichever came first", () => {
    const market = three();
    market.accept(result(ANN, 1, 50));
    market.accept(givenUp(BOB, 2));
    market.accept(result(CAI, 3, 49));
    expect(market.events("results_awaited")).toMatchObject([{ obligations: [1, 3], isDisputed: true }]);
  });

  test("behavior: a settlement on a voucher is for trades of no job in particular", () => {
    const market = three();
    market.accept(order(market, DEB, "buy", 10, 1_000_000));
    market.accept(delivered(ANN, 4, 10, DEB));
    expect(market.balance(ANN)).toBe(1_000_010);
  });
});

describe("what earlier rules left", () => {
  test("regression: a snapshot and entries from before jobs go on as they were", () => {
    const market = openMarket();
    for (const owner of [ANN, DEB]) market.accept(credit(owner, 1_000_000));
    market.accept(order(market, ANN, "sell", 10, 100));
    market.accept(order(market, DEB, "buy", 5, 100));
    market.accept(givenUp(ANN, 1));
    market.accept(order(market, DEB, "buy", 5, 100));
    const { head, sections } = freeze(market.state);
    const { audits: _audits, ...rows } = head.rows;
    const old = { ...(JSON.parse(JSON.stringify(head)) as typeof head), rules: 4, rows };
    for (const { parameters } of old.header.parameters) {
      delete (parameters as Partial<typeof parameters>).providerMinimumStake;
      delete (parameters as Partial<typeof parameters>).auditRateBps;
    }
    const later = new Set([
      ...["jobDigest", "replicas", "reportedMega", "reportedHash", "payableAtS", "isDisputed"],
      ...["jobs", "lapses", "reports", "reportSeconds", "disagreements", "auditsPassed", "auditsFailed"],
    ]);
    const kept = sections.filter(({ table, column }) => table !== "audits" && !later.has(column));
    expect(bytesOf(thaw(old, kept)).equals(bytesOf(market.state))).toBe(true);
    for (const lack of later)
      expect(() =>
        thaw(
          head,
          sections.filter(({ column }) => column !== lack),
        ),
      ).toThrow(lack);
    const lines = market.lines.map((line) =>
      line.replaceAll(/,"providerMinimumStake":\d+,"auditRateBps":\d+/g, ""),
    );
    expect(lines.join("")).not.toBe(market.lines.join(""));
    // The opening stays as it was written; what holds asks nothing of providers.
    const replayed = replay(lines);
    expect(replayed.header.parameters).toEqual(market.state.header.parameters);
    replayed.header.opened = market.state.header.opened;
    expect(bytesOf(replayed).equals(bytesOf(market.state))).toBe(true);
  });
});

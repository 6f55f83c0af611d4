// Owns audits of jobs in a region: what running a job again decides, and when an epoch's secret is bound and shown. It refuses an
// audit that costs an honest seller anything.

import { expect, test } from "vitest";
import { violations } from "../../market/invariants.ts";
import type { Hex } from "../../protocol/fields.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import { address, credit, type Market, openMarket, replay, word } from "../support/market.ts";
import { audited, buyJob, commitAudits, order, result, revealAudits } from "../support/resource-drafts.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const [ANN, BOB, CAI, DEB] = [address(1), address(2), address(3), address(4)] as [Hex, Hex, Hex, Hex];
const SECRET = word(0x5ec2e7);
const epochNow = (market: Market): number => Math.floor(market.atS / 7_200);

function bound(): Market {
  const market = openMarket({ parameters: { takeRateBps: 1_000 } });
  for (const owner of [ANN, BOB, CAI, DEB]) market.accept(credit(owner, 1_000_000));
  for (const seller of [ANN, BOB, CAI]) market.accept(order(market, seller, "sell", 1_000, 1_000_000));
  market.accept(commitAudits(epochNow(market), SECRET));
  return market;
}

function counted(market: Market, owner: Hex): Record<string, number> {
  const { columns } = market.state.tables.providers;
  const row = market.state.indexes.providerByAccount.get(market.account(owner)) ?? -1;
  const names = ["jobs", "failures", "disagreements", "auditsPassed", "auditsFailed"] as const;
  return Object.fromEntries(names.map((name) => [name, columns[name][row] ?? 0]));
}

test("behavior: a result that is right is paid at once and counted", () => {
  const market = bound();
  market.accept(buyJob(DEB, 100, 1_000_000));
  market.accept(result(ANN, 1, 60));
  const [settled] = market.accept(audited(1, 60)).events;
  expect(settled).toMatchObject({
    verdict: "audit_passed",
    paidMicros: 60,
    feeMicros: 6,
    releasedMicros: 40,
  });
  expect(counted(market, ANN)).toEqual({
    ...{ jobs: 1, failures: 0, disagreements: 0, auditsPassed: 1, auditsFailed: 0 },
  });
  market.refuse(audited(1, 60), "obligation_not_found");
});

test("behavior: another output, or the same at other fuel, is a failure, and the app has its money back", () => {
  const market = bound();
  for (const [id, output, fuel] of [
    [1, 0x0a8, 60],
    [2, 0x0a7, 59],
  ] as const) {
    market.accept(buyJob(DEB, 100, 1_000_000));
    market.accept(result(ANN, id, 60));
    expect(market.accept(audited(id, fuel, output)).events).toMatchObject([
      { verdict: "audit_failed", means: "none", paidMicros: 0, releasedMicros: 100, isFailure: true },
    ]);
  }
  expect([market.balance(DEB), market.balance(ANN)]).toEqual([1_000_000, 1_000_000]);
  expect(counted(market, ANN)).toMatchObject({ jobs: 0, failures: 2, auditsFailed: 2 });
});

test("behavior: of results that differ the audit pays those that are right, and only the others have failed", () => {
  const market = bound();
  // Nothing was bound for the epoch in which this is sold: who differ are run again all the same.
  market.to((epochNow(market) + 1) * 7_200);
  market.accept(buyJob(DEB, 100, 1_000_000, { replicas: 3 }));
  market.accept(result(ANN, 1, 60, { output: 1 }));
  market.accept(result(BOB, 2, 60, { output: 2 }));
  market.accept(result(CAI, 3, 60, { output: 3 }));
  const { events } = market.accept(audited(3, 60, 2));
  expect(events).toMatchObject([
    { obligation: 1, verdict: "audit_failed" },
    { obligation: 2, verdict: "audit_passed", paidMicros: 60 },
    { obligation: 3, verdict: "audit_failed" },
  ]);
  expect([ANN, BOB, CAI].map((seller) => counted(market, seller).failures)).toEqual([1, 0, 1]);
  expect(market.balance(DEB)).toBe(999_940);
});

test("rejects: an audit after the result was paid", () => {
  const market = bound();
  market.accept(buyJob(DEB, 100, 1_000_000));
  market.accept(result(ANN, 1, 60));
  market.to(market.atS + RESULT_CHALLENGE_SECONDS);
  market.refuse(audited(1, 59), "obligation_not_found");
});

test("behavior: epochs are bound one after the other, shown when nothing of them is open, and leave then", () => {
  const market = bound();
  const first = epochNow(market);
  for (let epoch = first + 1; epoch < first + 9; epoch += 1) {
    market.accept(commitAudits(epoch, word(epoch)));
    market.to(epoch * 7_200 + 3_600);
    market.accept(revealAudits(epoch - 1, epoch - 1 === first ? SECRET : word(epoch - 1)));
  }
  expect(market.events("audits_revealed").map(({ epoch }) => epoch - first)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7,
  ]);
  expect(market.state.tables.audits.rows).toBeLessThan(4);
  expect(violations(market.state)).toEqual([]);
  const rebuilt = replay(market.lines);
  expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
  expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
});

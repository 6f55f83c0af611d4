// Owns what a record is worth: shares, means and the rank among equal asks. It refuses a rank by which a wrong answer pays.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JobRecord, rankOf, reputationOf } from "../../market/resources/reputation.ts";
import type { Hex } from "../../protocol/fields.ts";
import { address, credit, type Market, openMarket, word } from "../support/market.ts";
import { audited, buyJob, commitAudits, order, result } from "../support/resource-drafts.ts";

const [ANN, BOB, DEB] = [address(1), address(2), address(4)] as [Hex, Hex, Hex];

const record = (more: Partial<JobRecord> = {}): JobRecord => ({
  ...{ jobs: 0, failures: 0, lapses: 0, reports: 0, reportSeconds: 0 },
  ...{ disagreements: 0, auditsPassed: 0, auditsFailed: 0 },
  ...more,
});

describe("shares and means", () => {
  test("behavior: there is none of what never happened", () => {
    expect(reputationOf(record())).toEqual({
      ...{ deliveredBps: null, answeredBps: null, auditsPassedBps: null, meanSeconds: null },
    });
  });

  test("behavior: each is of its own", () => {
    const one = record({ jobs: 2, failures: 1, lapses: 1, reports: 3, reportSeconds: 20 });
    expect(reputationOf({ ...one, auditsPassed: 1, auditsFailed: 3 })).toEqual({
      ...{ deliveredBps: 6_666, answeredBps: 7_500, auditsPassedBps: 2_500, meanSeconds: 6 },
    });
  });
});

describe("the rank", () => {
  const counts = fc.record({
    jobs: fc.nat(100_000),
    failures: fc.nat(1_000),
    auditsFailed: fc.nat(100),
    reports: fc.nat(100_000),
    reportSeconds: fc.nat(360_000_000),
  });

  test("property: a failure never betters it, a wrong result worsens it at least as much, a job never worsens it", () => {
    fc.assert(
      fc.property(counts, (some) => {
        const one = record(some);
        const rank = rankOf(one);
        const failed = rankOf({ ...one, failures: one.failures + 1 });
        const wrong = rankOf({ ...one, failures: one.failures + 1, auditsFailed: one.auditsFailed + 1 });
        expect(failed).toBeGreaterThanOrEqual(rank);
        expect(wrong).toBeGreaterThanOrEqual(failed);
        expect(rankOf({ ...one, jobs: one.jobs + 1 })).toBeLessThanOrEqual(rank);
        expect(rank).toBeGreaterThanOrEqual(0);
        expect(rank).toBeLessThan(2 ** 32);
      }),
    );
  });

  test("behavior: of two that are as reliable the faster goes first, and reliability before speed", () => {
    const fast = record({ jobs: 100, reports: 100, reportSeconds: 200 });
    const slow = { ...fast, reportSeconds: 90_000 };
    expect(rankOf(fast)).toBeLessThan(rankOf(slow));
    expect(rankOf(slow)).toBeLessThan(rankOf({ ...fast, failures: 1 }));
  });

  test("behavior: nobody with a clean record stands behind somebody without any", () => {
    expect(rankOf(record({ jobs: 1, reports: 1, reportSeconds: 3_599 }))).toBeLessThan(rankOf(record()));
    expect(rankOf(record())).toBeLessThan(rankOf(record({ failures: 1 })));
  });
});

/** Ann and Bob ask the same at the same second; who sells the next job. */
function nextSeller(market: Market, [first, second]: readonly [Hex, Hex]): number {
  for (const seller of [first, second]) market.accept(order(market, seller, "sell", 10, 500_000));
  market.accept(buyJob(DEB, 10, 500_000));
  const { columns, rows } = market.state.tables.obligations;
  return columns.seller[rows - 1] as number;
}

test("behavior: of equal asks the better record sells, whoever asked first", () => {
  const market = openMarket();
  for (const owner of [ANN, BOB, DEB]) market.accept(credit(owner, 1_000_000));
  market.accept(commitAudits(Math.floor(market.atS / 7_200), word(1)));
  for (const seller of [ANN, BOB]) {
    market.accept(order(market, seller, "sell", 10, 100_000));
    market.accept(buyJob(DEB, 10, 100_000));
  }
  market.accept(result(ANN, 1, 10));
  market.accept(result(BOB, 2, 10));
  market.accept(audited(1, 9));
  market.accept(audited(2, 10));
  expect(nextSeller(market, [ANN, BOB])).toBe(market.account(BOB));
});

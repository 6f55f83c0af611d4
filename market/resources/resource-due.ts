// Owns what becomes due of promised resources: orders stop resting at their end, what was not delivered by a deadline goes back,
// and what was reported and not shown to be wrong is paid. It refuses to know who asks: anybody's command, or an alarm, finds it due at the same moment.

import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import { MAX_ENDINGS_PER_ENTRY } from "../../protocol/limits.ts";
import { BUY } from "../continuous/book.ts";
import type { RegionState } from "../state.ts";
import { close, judge, resultAt, resultsOf } from "./job-results.ts";
import { obligationAt } from "./obligations.ts";
import { escrowMicros, jobAt, purchaseRow, worthOf } from "./purchases.ts";
import { Settlements } from "./settlements.ts";

/** When the first order stops resting or the first obligation ends, or null. */
export function nextResourceDueS({ indexes: { book, obligations } }: RegionState): number | null {
  const expiryS = book.nextExpiryS();
  const endS = obligations.nextEndS();
  if (expiryS === null || endS === null) return expiryS ?? endS;
  return Math.min(expiryS, endS);
}

/** What is due at the state's moment: orders before obligations, so many an entry. Reads the state only. */
export function advanceResources(state: RegionState): readonly MarketEvent[] {
  const { atS } = state.header;
  const expired = state.indexes.book.expired(atS, MAX_ENDINGS_PER_ENTRY);
  if (expired.length > 0) return expired.map((order) => endResting(state, order, "expired"));
  return endObligations(state);
}

/** The end of an order that rests: what it holds for its rest goes back. */
export function endResting(
  { tables: { purchases }, indexes }: RegionState,
  order: number,
  reason: "cancelled" | "expired" | "session_revoked" | "stake_too_small",
): EventOf<"resource_order_ended"> {
  const resting = indexes.book.find(order);
  if (resting === null) throw new Error(`order ${order} ends and does not rest`);
  let releasedMicros = 0;
  if (resting.side === BUY) {
    const held = worthOf(purchases, purchaseRow(purchases, order));
    releasedMicros = escrowMicros(held) - escrowMicros({ ...held, resting: 0 });
  }
  return { type: "resource_order_ended", order, unfilledMega: resting.restingMega, reason, releasedMicros };
}

/**
 * What becomes of obligations that end: those of which nothing was reported lapse, results that nobody has shown to be wrong are
 * paid, and results that differ are not. With those that lapse, others' results of their jobs may be all there are.
 */
function endObligations(state: RegionState): MarketEvent[] {
  const { obligations, purchases } = state.tables;
  const settlements = new Settlements(purchases);
  const rows = fitting(state, state.indexes.obligations.ending(state.header.atS, MAX_ENDINGS_PER_ENTRY));
  const lapsed = new Set(rows.filter((row) => obligations.columns.reportedMega[row] === 0));
  const events: MarketEvent[] = lapsed.size === 0 ? [] : [lapse(state, [...lapsed], settlements, 0)];
  const judged = new Set<number>();
  for (const row of lapsed) {
    const purchase = obligations.columns.purchase[row] as number;
    if (judged.has(purchase) || jobAt(purchases, purchaseRow(purchases, purchase)) === null) continue;
    judged.add(purchase);
    const results = resultsOf(state, row, (other) => lapsed.has(other));
    if (results !== null) events.push(...judge(results, settlements, state.header.atS));
  }
  for (const row of rows) {
    const result = resultAt(state, row);
    if (result !== null)
      events.push(close(settlements, result, result.obligation.isDisputed ? "undecided" : "unchallenged"));
  }
  return events;
}

/** As many rows as one entry bears, the others of their jobs counted in: at least one. */
function fitting({ tables: { obligations, purchases } }: RegionState, rows: readonly number[]): number[] {
  let left = MAX_ENDINGS_PER_ENTRY;
  const cut = rows.findIndex((row, index) => {
    const purchase = purchaseRow(purchases, obligations.columns.purchase[row] as number);
    left -= Math.max(1, purchases.columns.replicas[purchase] as number);
    return left < 0 && index > 0;
  });
  return cut < 0 ? [...rows] : rows.slice(0, cut);
}

/**
 * Closes obligations of which nothing was delivered, or no more will be: what is left goes back.
 * @param failure 1 where the region's edge says that it was the seller's fault; a deadline alone does not tell that it was asked
 */
export function lapse(
  { tables: { obligations } }: RegionState,
  rows: readonly number[],
  settlements: Settlements,
  failure: 0 | 1,
): EventOf<"obligations_lapsed"> {
  const ended = rows.map((row) => obligationAt(obligations, row));
  return {
    type: "obligations_lapsed",
    obligations: ended.map(({ id }) => id),
    releasedMicros: ended.map((one) => settlements.lapse(one)),
    failures: ended.map(() => failure),
  };
}

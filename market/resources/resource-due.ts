// Owns what becomes due of promised resources: orders stop resting at their end, and what was not delivered by a deadline
// goes back. It refuses to know who asks: anybody's command, or an alarm, finds it due at the same moment.

import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import { MAX_ENDINGS_PER_ENTRY } from "../../protocol/limits.ts";
import { productOf } from "../../protocol/products.ts";
import { worth } from "../continuous/amounts.ts";
import { BUY } from "../continuous/book.ts";
import type { RegionState } from "../state.ts";
import { obligationAt } from "./obligations.ts";
import { escrowMicros, purchaseRow, type Worth, worthOf } from "./purchases.ts";

/** When the first order stops resting or the first deadline passes, or null. */
export function nextResourceDueS({ indexes: { book, obligations } }: RegionState): number | null {
  const expiryS = book.nextExpiryS();
  const deadlineS = obligations.nextDeadlineS();
  if (expiryS === null || deadlineS === null) return expiryS ?? deadlineS;
  return Math.min(expiryS, deadlineS);
}

/** What is due at the state's moment: orders before deadlines, so many an entry. Reads the state only. */
export function advanceResources(state: RegionState): readonly MarketEvent[] {
  const { atS } = state.header;
  const expired = state.indexes.book.expired(atS, MAX_ENDINGS_PER_ENTRY);
  if (expired.length > 0) return expired.map((order) => endResting(state, order, "expired"));
  return [lapse(state, state.indexes.obligations.ending(atS, MAX_ENDINGS_PER_ENTRY))];
}

/** The end of an order that rests: what it holds for its rest goes back. */
export function endResting(
  { tables: { purchases }, indexes }: RegionState,
  order: number,
  reason: "cancelled" | "expired" | "session_revoked",
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

/** Closes obligations whose deadline has passed. Several may be of one order, whose rounding they share. */
function lapse(state: RegionState, rows: readonly number[]): EventOf<"obligations_lapsed"> {
  const { obligations, purchases } = state.tables;
  const left = new Map<number, Worth>();
  const ids: number[] = [];
  const releasedMicros: number[] = [];
  const failures: number[] = [];
  for (const row of rows) {
    const obligation = obligationAt(obligations, row);
    const { id, purchase, product, quantityMega, deliveredMega, priceMicrosPerTera } = obligation;
    const held = left.get(purchase) ?? worthOf(purchases, purchaseRow(purchases, purchase));
    const open = held.open - worth(quantityMega - deliveredMega, priceMicrosPerTera);
    const after = { ...held, open };
    left.set(purchase, after);
    ids.push(id);
    releasedMicros.push(escrowMicros(held) - escrowMicros(after));
    failures.push(isFailure(product, deliveredMega) ? 1 : 0);
  }
  return { type: "obligations_lapsed", obligations: ids, releasedMicros, failures };
}

/**
 * A job of which nothing came is its seller's failure. A lease is there to be used: that nobody used it is not.
 */
export function isFailure(product: number, deliveredMega: number): boolean {
  return deliveredMega === 0 && !productOf(product).isLease;
}

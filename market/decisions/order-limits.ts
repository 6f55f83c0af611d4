// Owns what every order of a promised resource must keep within, however its trades were found: the bounds of accounts and of a
// region, the buyer's free money, its session key. It refuses what goes beyond, and says what an order that does not makes true.

import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import {
  MAX_OBLIGATIONS_PER_ACCOUNT,
  MAX_OBLIGATIONS_PER_REGION,
  MAX_RESTING_ORDERS_PER_ACCOUNT,
  MAX_RESTING_ORDERS_PER_REGION,
} from "../../protocol/limits.ts";
import { PRODUCTS, type ProductName } from "../../protocol/products.ts";
import { slotAt } from "../../protocol/units.ts";
import { costMicros, worth } from "../continuous/amounts.ts";
import { type BookOrder, BUY, type Outcome } from "../continuous/book.ts";
import type { Occasion } from "../decision.ts";
import { freeMicros } from "../ledger.ts";
import { parametersAtSlot } from "../parameters.ts";
import { dayMega } from "../resources/session-counts.ts";
import type { RegionState } from "../state.ts";

/** What an order puts into escrow, where everybody's limits bear what becomes of it. */
export function heldFor(
  occasion: Occasion,
  order: BookOrder,
  outcome: Outcome,
): { readonly heldMicros: number } | { readonly rejection: Rejection } {
  const { state } = occasion;
  const full = refuseFull(state, order, outcome);
  if (full !== null) return { rejection: full };
  const heldMicros = order.side === BUY ? mostOwed(order, outcome) : 0;
  const free = freeMicros(state, order.account);
  if (heldMicros > free)
    return { rejection: rejected("funds_insufficient", { freeMicros: free, heldMicros }) };
  const beyond = refuseBeyondSession(occasion, outcome, heldMicros);
  return beyond === null ? { heldMicros } : { rejection: beyond };
}

/** What an order that is taken makes true: it was placed, and what it trades. */
export function takenEvents(
  { state, atS }: Occasion,
  product: ProductName,
  order: BookOrder,
  outcome: Outcome,
  heldMicros: number,
  job?: NonNullable<EventOf<"resource_order_placed">["job"]>,
): MarketEvent[] {
  const side = order.side === BUY ? "buy" : "sell";
  const events: MarketEvent[] = [
    {
      type: "resource_order_placed",
      order: order.id,
      account: order.account,
      session: order.session,
      product,
      side,
      quantityMega: order.quantityMega,
      priceMicrosPerTera: order.priceMicrosPerTera,
      filledMega: outcome.filledMega,
      restingMega: outcome.restingMega,
      goodTillS: order.goodTillS,
      rank: order.rank,
      heldMicros,
      ...(job === undefined ? {} : { job }),
    },
  ];
  if (outcome.orders.length > 0)
    events.push({
      type: "resource_traded",
      order: order.id,
      account: order.account,
      product,
      side,
      orders: [...outcome.orders],
      quantityMega: [...outcome.quantityMega],
      priceMicrosPerTera: [...outcome.priceMicrosPerTera],
      firstObligation: state.header.nextObligation,
      deadlineS: atS + PRODUCTS[product].deliverySeconds,
      takeRateBps: parametersAtSlot(state, slotAt(atS)).takeRateBps,
    });
  return events;
}

/** Keeps what rests and what is unsettled within the bounds of an account and of a region. */
function refuseFull({ indexes }: RegionState, order: BookOrder, outcome: Outcome): Rejection | null {
  const { restingByAccount, book, obligations } = indexes;
  if (outcome.restingMega > 0) {
    if ((restingByAccount.get(order.account) ?? 0) >= MAX_RESTING_ORDERS_PER_ACCOUNT)
      return rejected("orders_exhausted", { limit: MAX_RESTING_ORDERS_PER_ACCOUNT });
    if (book.size >= MAX_RESTING_ORDERS_PER_REGION)
      return rejected("orders_exhausted", { limit: MAX_RESTING_ORDERS_PER_REGION, of: "region" });
  }
  const trades = outcome.orders.length;
  if (trades > 0 && obligations.size + trades > MAX_OBLIGATIONS_PER_REGION)
    return rejected("obligations_exhausted", { limit: MAX_OBLIGATIONS_PER_REGION, of: "region" });
  if (trades > 0 && obligations.of(order.account) + trades > MAX_OBLIGATIONS_PER_ACCOUNT)
    return rejected("obligations_exhausted", { limit: MAX_OBLIGATIONS_PER_ACCOUNT, of: "account" });
  return null;
}

/** The most that a buyer's trades and its rest can cost, in micros: rounded up once for the whole order. */
function mostOwed(order: BookOrder, { quantityMega, priceMicrosPerTera, restingMega }: Outcome): number {
  const traded = quantityMega.reduce(
    (sum, mega, index) => sum + worth(mega, priceMicrosPerTera[index] as number),
    0,
  );
  return costMicros(traded + worth(restingMega, order.priceMicrosPerTera));
}

/** A session key's orders stay within what it may spend, escrow counted, and what a day's orders may be. */
function refuseBeyondSession(
  { state, atS, signer }: Occasion,
  { filledMega, restingMega }: Outcome,
  heldMicros: number,
): Rejection | null {
  if (signer.scheme !== "session") return null;
  const row = state.indexes.sessionByKey.get(signer.key) as number;
  const { columns } = state.tables.sessions;
  const leftMicros = (columns.spendingLimitMicros[row] as number) - (columns.spentMicros[row] as number);
  if (heldMicros > leftMicros)
    return rejected("session_scope", { limit: "spendingLimitMicros", leftMicros, asked: heldMicros });
  const leftMega = (columns.dailyMega[row] as number) - dayMega(state, row, atS);
  const asked = filledMega + restingMega;
  return asked > leftMega ? rejected("session_scope", { limit: "dailyMega", leftMega, asked }) : null;
}

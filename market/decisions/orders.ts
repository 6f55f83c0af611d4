// Owns standing orders: placing, replacing, cancelling. It refuses anything that would re-price energy that has
// already flowed: a change acts on slots that start after it was accepted.

import type { CommandOf, LadderStep } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import { type MarketEvent, NO_END_SLOT } from "../../protocol/events.ts";
import type { Side } from "../../protocol/fields.ts";
import { MAX_ORDERS_PER_ACCOUNT, MAX_ORDERS_PER_ACCOUNT_WINDOW } from "../../protocol/limits.ts";
import { divUp, SLOT_SECONDS, slotAt } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { type RegionState, termsOf } from "../state.ts";
import { findRow } from "../table.ts";

const ALL_HOURS = 2 ** 24 - 1;

/** Places a ladder order, ending in the same decision the one it replaces. */
export function placeOrder(occasion: Occasion<CommandOf<"place_order">>): Decision {
  const { state, command, account, atS, entry } = occasion;
  const { side, steps, replaces, hours } = command;
  const unsorted = refuseLadder(side, steps) ?? refuseHours(hours);
  if (unsorted !== null) return { rejection: unsorted };
  const span = spanOf(occasion);
  if ("rejection" in span) return span;
  const events: MarketEvent[] = [];
  const nextSlot = slotAt(atS) + 1;
  if (replaces !== 0) {
    const refusal = refuseEnding(occasion, replaces);
    if (refusal !== null) return { rejection: refusal };
    events.push({ type: "order_ended", order: replaces, untilSlot: nextSlot, reason: "replaced" });
  }
  const { live, inWindow } = countOrders(state, account, nextSlot);
  if (live - events.length >= MAX_ORDERS_PER_ACCOUNT) {
    return { rejection: rejected("orders_exhausted", { limit: MAX_ORDERS_PER_ACCOUNT }) };
  }
  // Ended orders that traded, or may yet, stay until their window closes.
  if (inWindow >= MAX_ORDERS_PER_ACCOUNT_WINDOW) {
    return {
      rejection: rejected("orders_exhausted", { limit: MAX_ORDERS_PER_ACCOUNT_WINDOW, of: "window" }),
    };
  }
  events.push({
    type: "order_placed",
    order: entry,
    account,
    session: span.session,
    side,
    steps,
    fromSlot: span.fromSlot,
    untilSlot: span.untilSlot,
    hours: hours.length === 0 ? ALL_HOURS : hours.reduce((bits, hour) => bits | (1 << hour), 0),
  });
  return { events };
}

/** Ends an order from the next slot on. */
export function cancelOrder(occasion: Occasion<CommandOf<"cancel_order">>): Decision {
  const { command, atS } = occasion;
  const refusal = refuseEnding(occasion, command.orderId);
  if (refusal !== null) return { rejection: refusal };
  return {
    events: [
      { type: "order_ended", order: command.orderId, untilSlot: slotAt(atS) + 1, reason: "cancelled" },
    ],
  };
}

/** Orders of an account: those that apply to some slot from `fromSlot` on, and all that apply to any slot at all. */
export function countOrders(
  state: RegionState,
  account: number,
  fromSlot: number,
): { readonly live: number; readonly inWindow: number } {
  const { fromSlot: from, untilSlot: until } = state.tables.orders.columns;
  let live = 0;
  let inWindow = 0;
  for (const row of state.indexes.ordersByAccount.get(account) ?? []) {
    if ((until[row] as number) <= (from[row] as number)) continue;
    inWindow += 1;
    if ((until[row] as number) > fromSlot) live += 1;
  }
  return { live, inWindow };
}

function refuseLadder(side: Side, steps: readonly LadderStep[]): Rejection | null {
  for (let index = 1; index < steps.length; index += 1) {
    const worse =
      (steps[index] as LadderStep).limitPriceMicrosPerKwh -
      (steps[index - 1] as LadderStep).limitPriceMicrosPerKwh;
    if (side === "sell" ? worse <= 0 : worse >= 0) return rejected("ladder_unsorted", { side, step: index });
  }
  return null;
}

function refuseHours(hours: readonly number[]): Rejection | null {
  for (let index = 1; index < hours.length; index += 1) {
    if ((hours[index] as number) <= (hours[index - 1] as number)) {
      return rejected("malformed_request", { path: "command.hours", expected: "ascending hours" });
    }
  }
  return null;
}

/** The slots the order applies to: those that start from now on, inside its validity and its session's life. */
function spanOf(
  occasion: Occasion<CommandOf<"place_order">>,
): { fromSlot: number; untilSlot: number; session: number } | { rejection: Rejection } {
  const { state, command, atS, signer } = occasion;
  const { validFromS, validUntilS } = command;
  const wantedUntil = validUntilS === 0 ? NO_END_SLOT : divUp(validUntilS, SLOT_SECONDS);
  const wantedFrom = divUp(validFromS, SLOT_SECONDS);
  if (validUntilS !== 0 && wantedUntil <= wantedFrom)
    return { rejection: rejected("order_span_empty", { validFromS, validUntilS }) };
  const fromSlot = Math.max(slotAt(atS) + 1, wantedFrom, termsOf(state).firstSlot);
  let untilSlot = wantedUntil;
  let session = 0;
  if (signer.scheme === "session") {
    const row = state.indexes.sessionByKey.get(signer.key) as number;
    session = state.tables.sessions.columns.id[row] as number;
    untilSlot = Math.min(
      untilSlot,
      divUp(state.tables.sessions.columns.expiresAtS[row] as number, SLOT_SECONDS),
    );
  }
  if (untilSlot <= fromSlot)
    return { rejection: rejected("slot_already_started", { firstOpenSlot: fromSlot, untilSlot }) };
  return { fromSlot, untilSlot, session };
}

/** An order may be ended by its owner's wallet, and by a session key that may trade its side. */
function refuseEnding({ state, account, atS, signer }: Occasion, order: number): Rejection | null {
  const { columns, rows } = state.tables.orders;
  const row = findRow(columns.id, rows, order);
  if (row < 0 || (columns.untilSlot[row] as number) <= slotAt(atS) + 1)
    return rejected("order_not_found", { orderId: order });
  if (columns.account[row] !== account) return rejected("order_not_owned", { orderId: order });
  if (signer.scheme === "wallet") return null;
  const session = state.indexes.sessionByKey.get(signer.key) as number;
  const mayEnd =
    ((state.tables.sessions.columns.sides[session] as number) >>> (columns.side[row] as number)) & 1;
  return mayEnd === 1 ? null : rejected("session_scope", { limit: "sides", asked: `end order ${order}` });
}

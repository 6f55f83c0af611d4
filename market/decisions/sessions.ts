// Owns session keys: authorised once by the wallet, with a scope, a spending limit and an expiry. It refuses whatever
// is outside the scope, and a key that is unknown, expired or revoked.

import type { Command, CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { MarketEvent } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_SESSIONS_PER_ACCOUNT } from "../../protocol/limits.ts";
import { PRODUCTS, productOf, type Resource } from "../../protocol/products.ts";
import { slotAt } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { openRow } from "../resources/obligations.ts";
import type { RegionState } from "../state.ts";
import { endOrdersOfSession } from "./resource-orders.ts";

export const RESOURCE_BITS = { energy: 1, compute: 2, bandwidth: 4 } as const;
export const SIDE_BITS = { sell: 1, buy: 2 } as const;

/** Authorises a key for an account. A key that is still known, even revoked, is not authorised again. */
export function authoriseSession({
  state,
  command,
  account,
  atS,
}: Occasion<CommandOf<"authorise_session">>): Decision {
  if (state.indexes.sessionByKey.has(command.key)) return { rejection: rejected("session_exists") };
  if (command.sessionExpiresAtS <= atS) {
    return { rejection: rejected("session_expired", { expiredAtS: command.sessionExpiresAtS }) };
  }
  const { columns, rows } = state.tables.sessions;
  let held = 0;
  for (let row = 0; row < rows; row += 1) if (columns.account[row] === account) held += 1;
  if (held >= MAX_SESSIONS_PER_ACCOUNT) {
    return { rejection: rejected("sessions_exhausted", { limit: MAX_SESSIONS_PER_ACCOUNT }) };
  }
  const event: MarketEvent = {
    type: "session_authorised",
    session: state.header.nextSession,
    account,
    key: command.key,
    resources: command.resources.reduce((bits, resource) => bits | RESOURCE_BITS[resource], 0),
    sides: command.sides.reduce((bits, side) => bits | SIDE_BITS[side], 0),
    leastAskMicrosPerKwh: command.leastAskMicrosPerKwh,
    highestBidMicrosPerKwh: command.highestBidMicrosPerKwh,
    dailyWh: command.dailyWh,
    leastAskMicrosPerTera: command.leastAskMicrosPerTera,
    highestBidMicrosPerTera: command.highestBidMicrosPerTera,
    dailyMega: command.dailyMega,
    spendingLimitMicros: command.spendingLimitMicros,
    expiresAtS: command.sessionExpiresAtS,
  };
  return { events: [event] };
}

/** Revokes a key, by the wallet or by itself, and ends its live orders from the next slot on. */
export function revokeSession({
  state,
  command,
  account,
  atS,
  signer,
}: Occasion<CommandOf<"revoke_session">>): Decision {
  const row = state.indexes.sessionByKey.get(command.key);
  const { columns } = state.tables.sessions;
  if (row === undefined || columns.account[row] !== account)
    return { rejection: rejected("session_unknown") };
  if (columns.revokedFromSlot[row] !== 0) return { rejection: rejected("session_revoked") };
  if (signer.scheme === "session" && signer.key !== command.key) {
    return {
      rejection: rejected("session_scope", { limit: "command", asked: "revoke_session of another key" }),
    };
  }
  const session = columns.id[row] as number;
  const fromSlot = slotAt(atS) + 1;
  const ended = ordersOfSession(state, session, fromSlot);
  return {
    events: [
      { type: "session_revoked", session, fromSlot },
      ...ended.map(
        (order) => ({ type: "order_ended", order, untilSlot: fromSlot, reason: "session_revoked" }) as const,
      ),
      ...endOrdersOfSession(state, session),
    ],
  };
}

/** Why a key does not act for an account now, or null. */
export function keyRefusal(
  state: RegionState,
  account: number | undefined,
  key: Hex,
  atS: number,
): Rejection | null {
  const row = state.indexes.sessionByKey.get(key);
  const { columns } = state.tables.sessions;
  if (row === undefined || columns.account[row] !== account) return rejected("session_unknown");
  if (columns.revokedFromSlot[row] !== 0) return rejected("session_revoked");
  const expiresAtS = columns.expiresAtS[row] as number;
  return expiresAtS <= atS ? rejected("session_expired", { expiredAtS: expiresAtS }) : null;
}

/** Why a session key may not send this command, or null. Limits on quantities and money act when a slot clears. */
export function sessionRefusal({ state, command, account, atS, signer }: Occasion): Rejection | null {
  if (signer.scheme !== "session") return null;
  const refusal = keyRefusal(state, account, signer.key, atS);
  if (refusal !== null) return refusal;
  const row = state.indexes.sessionByKey.get(signer.key) as number;
  const { columns } = state.tables.sessions;
  if (command.type === "revoke_session") return null;
  const resource = resourceOf(state, command);
  if (resource !== null && ((columns.resources[row] as number) & RESOURCE_BITS[resource]) === 0)
    return rejected("session_scope", { limit: "resources", asked: resource });
  if (command.type === "place_resource_order") return refuseResourceOrder(state, row, command);
  if (command.type === "buy_job") return refuseResourceOrder(state, row, { side: "buy", ...command });
  if (command.type !== "place_order") return null;
  if (((columns.sides[row] as number) & SIDE_BITS[command.side]) === 0) {
    return rejected("session_scope", { limit: "sides", asked: command.side });
  }
  const leastAsk = columns.leastAsk[row] as number;
  const highestBid = columns.highestBid[row] as number;
  for (const { limitPriceMicrosPerKwh } of command.steps) {
    if (command.side === "sell" && limitPriceMicrosPerKwh < leastAsk) {
      return rejected("session_scope", {
        limit: "leastAskMicrosPerKwh",
        least: leastAsk,
        asked: limitPriceMicrosPerKwh,
      });
    }
    if (command.side === "buy" && limitPriceMicrosPerKwh > highestBid) {
      return rejected("session_scope", {
        limit: "highestBidMicrosPerKwh",
        most: highestBid,
        asked: limitPriceMicrosPerKwh,
      });
    }
  }
  return null;
}

/** The resource that a command is about; what names an order or a trade is about its resource, and null where there is none. */
function resourceOf({ tables, indexes }: RegionState, command: Command): Resource | null {
  if (command.type === "place_resource_order") return PRODUCTS[command.product].resource;
  if (command.type === "cancel_resource_order") {
    const order = indexes.book.find(command.orderId);
    return order === null ? null : productOf(order.product).resource;
  }
  if (command.type === "buy_job") return "compute";
  if (command.type === "settle_obligation" || command.type === "report_result") {
    const row = openRow(tables.obligations, command.obligationId);
    return row < 0 ? null : productOf(tables.obligations.columns.product[row] as number).resource;
  }
  return "energy";
}

/** What of a resource order is outside a session's scope; money and quantities are counted where it is placed. */
function refuseResourceOrder(
  { tables: { sessions } }: RegionState,
  row: number,
  { side, priceMicrosPerTera: asked }: Pick<CommandOf<"place_resource_order">, "side" | "priceMicrosPerTera">,
): Rejection | null {
  const { columns } = sessions;
  if (((columns.sides[row] as number) & SIDE_BITS[side]) === 0)
    return rejected("session_scope", { limit: "sides", asked: side });
  const least = columns.leastAskMicrosPerTera[row] as number;
  const most = columns.highestBidMicrosPerTera[row] as number;
  if (side === "sell" && asked < least)
    return rejected("session_scope", { limit: "leastAskMicrosPerTera", least, asked });
  return side === "buy" && asked > most
    ? rejected("session_scope", { limit: "highestBidMicrosPerTera", most, asked })
    : null;
}

/** Live orders that a session key placed, ascending. */
function ordersOfSession(state: RegionState, session: number, fromSlot: number): number[] {
  const { columns, rows } = state.tables.orders;
  const found: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    if (columns.session[row] === session && (columns.untilSlot[row] as number) > fromSlot) {
      found.push(columns.id[row] as number);
    }
  }
  return found;
}

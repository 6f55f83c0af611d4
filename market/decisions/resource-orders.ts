// Owns orders in the continuous book: placing and cancelling. It refuses an order that would neither trade nor rest and says
// why, and a buyer whose free money does not cover what its trades and its rest can cost.

import type { CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import { MAX_REGION_MICROS, MAX_REST_SECONDS } from "../../protocol/limits.ts";
import { productNumber } from "../../protocol/products.ts";
import { worth } from "../continuous/amounts.ts";
import { type BookOrder, BUY, isRefused, type Outcome, SELL } from "../continuous/book.ts";
import type { Decision, Occasion } from "../decision.ts";
import { jobRecordAt, rankOf } from "../resources/reputation.ts";
import { endResting } from "../resources/resource-due.ts";
import type { RegionState } from "../state.ts";
import { heldFor, takenEvents } from "./order-limits.ts";
import { refuseSeller } from "./seller-standing.ts";

type Placing = Occasion<CommandOf<"place_resource_order">>;

/** Places an order: what can trade does, at the resting orders' prices, and each trade becomes an obligation. */
export function placeResourceOrder(occasion: Placing): Decision {
  const { state } = occasion;
  const order = bookOrder(occasion);
  if ("rejection" in order) return order;
  const stranger = order.side === SELL ? refuseSeller(state, order.account, occasion.atS) : null;
  if (stranger !== null) return { rejection: stranger };
  const outcome = state.indexes.book.match(order);
  if (isRefused(outcome)) return { rejection: refusalOf(order, outcome) };
  const bearing = heldFor(occasion, order, outcome);
  if ("rejection" in bearing) return bearing;
  return { events: eventsOf(occasion, order, outcome, bearing.heldMicros) };
}

/** Takes an order out of the book at once. */
export function cancelResourceOrder(occasion: Occasion<CommandOf<"cancel_resource_order">>): Decision {
  const { state, command, account, signer } = occasion;
  const { orderId } = command;
  const resting = state.indexes.book.find(orderId);
  if (resting === null) return { rejection: rejected("order_not_found", { orderId }) };
  if (resting.account !== account) return { rejection: rejected("order_not_owned", { orderId }) };
  if (signer.scheme === "session") {
    const row = state.indexes.sessionByKey.get(signer.key) as number;
    const sides = state.tables.sessions.columns.sides[row] as number;
    if (((sides >>> resting.side) & 1) === 0)
      return { rejection: rejected("session_scope", { limit: "sides", asked: `cancel order ${orderId}` }) };
  }
  return { events: [endResting(state, orderId, "cancelled")] };
}

/** Ends every order of a session key that rests: what revoking it does. */
export function endOrdersOfSession(state: RegionState, session: number): EventOf<"resource_order_ended">[] {
  const { columns } = state.tables.restingOrders;
  return endOrders(state, "session_revoked", (row) => columns.session[row] === session);
}

/** Ends every ask of an account that rests: what losing its stake does. */
export function endAsksOf(state: RegionState, account: number): EventOf<"resource_order_ended">[] {
  const { columns } = state.tables.restingOrders;
  return endOrders(
    state,
    "stake_too_small",
    (row) => columns.account[row] === account && columns.side[row] === SELL,
  );
}

function endOrders(
  state: RegionState,
  reason: "session_revoked" | "stake_too_small",
  isMeant: (row: number) => boolean,
): EventOf<"resource_order_ended">[] {
  const { columns, rows } = state.tables.restingOrders;
  const ended: EventOf<"resource_order_ended">[] = [];
  for (let row = 0; row < rows; row += 1) {
    if (isMeant(row) && (columns.restingMega[row] as number) > 0)
      ended.push(endResting(state, columns.id[row] as number, reason));
  }
  return ended;
}

/** The order as the book takes it. A session key's order rests no longer than the key lives. */
function bookOrder({
  state,
  command,
  account,
  atS,
  entry,
  signer,
}: Placing): BookOrder | { rejection: Rejection } {
  const { product, side, quantityMega, priceMicrosPerTera, timeInForce } = command;
  if (worth(quantityMega, priceMicrosPerTera) > MAX_REGION_MICROS)
    return { rejection: rejected("order_too_large", { limit: MAX_REGION_MICROS }) };
  const rests = timeInForce === "good_till_time" || timeInForce === "post_only";
  const [leastS, mostS] = rests ? [atS + 1, atS + MAX_REST_SECONDS] : [0, 0];
  if (command.goodTillS < leastS || command.goodTillS > mostS)
    return {
      rejection: rejected("good_till_out_of_bounds", { goodTillS: command.goodTillS, leastS, mostS }),
    };
  let session = 0;
  let goodTillS = command.goodTillS;
  if (signer.scheme === "session") {
    const row = state.indexes.sessionByKey.get(signer.key) as number;
    const { columns } = state.tables.sessions;
    session = columns.id[row] as number;
    if (rests) goodTillS = Math.min(goodTillS, columns.expiresAtS[row] as number);
  }
  return {
    id: entry,
    account,
    session,
    product: productNumber(product),
    side: side === "buy" ? BUY : SELL,
    quantityMega,
    priceMicrosPerTera,
    timeInForce,
    goodTillS,
    placedAtS: atS,
    rank: side === "buy" ? 0 : rankNow(state, account),
  };
}

/** A seller's rank by its record until now. */
function rankNow({ tables, indexes }: RegionState, account: number): number {
  return rankOf(jobRecordAt(tables.providers, indexes.providerByAccount.get(account)));
}

function refusalOf(order: BookOrder, { shortfall, reachedMega }: Outcome): Rejection {
  switch (shortfall) {
    case "post_only":
      return rejected("order_would_trade", { reachedMega });
    case "unmatched":
      return rejected("order_unmatched", { priceMicrosPerTera: order.priceMicrosPerTera });
    case "fill_or_kill":
      return rejected("order_unfillable", { reachedMega });
    case "self_trade":
      return rejected("self_trade_prevented", { reachedMega });
    case "sweep_limit":
      return rejected("sweep_limit_reached", { reachedMega });
    case null:
      throw new Error(`order ${order.id} neither trades nor rests, and nothing is in its way`);
  }
}

function eventsOf(occasion: Placing, order: BookOrder, outcome: Outcome, heldMicros: number): MarketEvent[] {
  const { product } = occasion.command;
  const { unfilledMega, shortfall } = outcome;
  const events = takenEvents(occasion, product, order, outcome, heldMicros);
  if (shortfall === "unmatched" || shortfall === "self_trade" || shortfall === "sweep_limit")
    events.push({
      type: "resource_order_ended",
      order: order.id,
      unfilledMega,
      reason: shortfall,
      releasedMicros: 0,
    });
  return events;
}

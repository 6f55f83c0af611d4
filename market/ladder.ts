// Owns how an account's metered quantity becomes steps of a slot's book: filled into its ladders from the best step,
// cut to what its balance and its session keys can bear. It refuses quantities that no meter proved.

import type { Parameters } from "../protocol/commands.ts";
import { MAX_LADDER_STEPS } from "../protocol/limits.ts";
import { divDown, SLOT_SECONDS } from "../protocol/units.ts";
import { netAskPrice, netBidPrice } from "./auction/ask-price.ts";
import type { Book, Steps } from "./auction/book.ts";
import { freeMicros } from "./ledger.ts";
import type { RegionState } from "./state.ts";
import { findRow } from "./table.ts";

/** A slot's book with the way back from each step to its order. */
export interface SlotBook {
  readonly book: Book;
  /** Order row of each bid and ask, in the order of the book's columns. */
  readonly bidOrders: Int32Array;
  readonly askOrders: Int32Array;
  /** Wh that meters proved on each side. */
  readonly surplusWh: number;
  readonly needWh: number;
  /** Accounts whose steps were cut, ascending. */
  readonly cut: readonly number[];
}

/** One step of an account on its way into the book. */
interface Candidate {
  readonly cell: number;
  readonly order: number;
  readonly limit: number;
  readonly cap: number;
}

/** Budgets are compared in thousandths of a micro; nothing costs more than 10⁶ Wh at 10⁷, so this much is plenty. */
const PLENTY_MICROS = 10_000_000_001;

/** Builds the book of a slot from standing orders and the open window's readings. */
export function slotBook(state: RegionState, slot: number, parameters: Parameters): SlotBook {
  const { window } = state.tables;
  const slots = window.schema.netWh.width;
  const quantities = new Int32Array(state.tables.orders.rows * MAX_LADDER_STEPS);
  const heads = ordersByAccount(state, slot);
  const cut: number[] = [];
  let surplusWh = 0;
  let needWh = 0;
  for (let row = 0; row < window.rows; row += 1) {
    const net = window.columns.netWh[row * slots + (slot % slots)] as number;
    if (net === 0) continue;
    if (net > 0) surplusWh += net;
    else needWh -= net;
    const account = window.columns.account[row] as number;
    const candidates = candidatesOf(state, heads, account, net > 0 ? 0 : 1);
    if (candidates.length > 0 && fill(state, slot, account, Math.abs(net), candidates, quantities))
      cut.push(account);
  }
  cut.sort((left, right) => left - right);
  return { ...collect(state, quantities, parameters), surplusWh, needWh, cut };
}

/** Whether an order applies to a slot. */
export function appliesTo(state: RegionState, row: number, slot: number): boolean {
  const { fromSlot, untilSlot, hours } = state.tables.orders.columns;
  if ((fromSlot[row] as number) > slot || (untilSlot[row] as number) <= slot) return false;
  const hour = Math.floor((slot * SLOT_SECONDS) / 3600) % 24;
  return (((hours[row] as number) >>> hour) & 1) === 1;
}

interface OrderLists {
  readonly heads: Int32Array;
  readonly next: Int32Array;
}

/** Linked lists of the orders that apply to a slot, per account; −1 ends a list. */
function ordersByAccount(state: RegionState, slot: number): OrderLists {
  const { orders, accounts } = state.tables;
  const heads = new Int32Array(accounts.rows).fill(-1);
  const next = new Int32Array(orders.rows);
  for (let row = orders.rows - 1; row >= 0; row -= 1) {
    if (!appliesTo(state, row, slot)) continue;
    const account = orders.columns.account[row] as number;
    next[row] = heads[account] as number;
    heads[account] = row;
  }
  return { heads, next };
}

/** An account's steps on one side, best price first, older order first at the same price. */
function candidatesOf(
  state: RegionState,
  { heads, next }: OrderLists,
  account: number,
  side: number,
): Candidate[] {
  const { columns } = state.tables.orders;
  const found: Candidate[] = [];
  let orders = 0;
  for (let order = heads[account] as number; order >= 0; order = next[order] as number) {
    if (columns.side[order] !== side) continue;
    orders += 1;
    for (let step = 0; step < (columns.steps[order] as number); step += 1) {
      const cell = order * MAX_LADDER_STEPS + step;
      found.push({ cell, order, limit: columns.price[cell] as number, cap: columns.cap[cell] as number });
    }
  }
  // A single ladder is sorted already; the sort is stable, so equal prices keep the older order first.
  if (orders > 1)
    found.sort((left, right) => (side === 1 ? right.limit - left.limit : left.limit - right.limit));
  return found;
}

/** Writes each step's quantity; true when a balance or a session key's limit cut one. */
function fill(
  state: RegionState,
  slot: number,
  account: number,
  quantityWh: number,
  candidates: readonly Candidate[],
  quantities: Int32Array,
): boolean {
  const isBuyer = state.tables.orders.columns.side[(candidates[0] as Candidate).order] === 1;
  const purse = new Budget(freeMicros(state, account), Number.POSITIVE_INFINITY);
  const keys = new Map<number, Budget>();
  let left = quantityWh;
  let wasCut = false;
  for (const { cell, order, limit, cap } of candidates) {
    if (left === 0) break;
    const wanted = Math.min(left, cap);
    // A buyer pays at most its limit; a seller pays only where its limit is below zero.
    const cost = isBuyer ? limit : -limit;
    let granted = purse.grant(wanted, cost);
    const session = state.tables.orders.columns.session[order] as number;
    if (session !== 0) {
      const key = keys.get(session) ?? sessionBudget(state, session, slot);
      keys.set(session, key);
      granted = key.grant(granted, cost);
      key.spend(granted, cost);
    }
    purse.spend(granted, cost);
    quantities[cell] = granted;
    wasCut ||= granted < wanted;
    left -= granted;
  }
  return wasCut;
}

/** What may still be spent in a slot: money in thousandths of a micro and Wh. Every product stays below 2⁵³. */
class Budget {
  #milliMicros: number;
  #wh: number;

  constructor(micros: number, wh: number) {
    this.#milliMicros = Math.max(0, Math.min(micros, PLENTY_MICROS)) * 1000;
    this.#wh = wh;
  }

  /** How much of `wanted` Wh it bears at `cost` micros per kWh. */
  grant(wanted: number, cost: number): number {
    const bearable = cost > 0 ? Math.min(wanted, divDown(this.#milliMicros, cost)) : wanted;
    return Math.min(bearable, this.#wh);
  }

  spend(wh: number, cost: number): void {
    if (cost > 0) this.#milliMicros -= wh * cost;
    this.#wh -= wh;
  }
}

function sessionBudget(state: RegionState, session: number, slot: number): Budget {
  const { columns, rows } = state.tables.sessions;
  const row = findRow(columns.id, rows, session);
  if (row < 0) return new Budget(0, 0);
  const today =
    columns.day[row] === Math.floor((slot * SLOT_SECONDS) / 86_400) ? (columns.dayWh[row] as number) : 0;
  return new Budget(
    (columns.spendingLimitMicros[row] as number) - (columns.spentMicros[row] as number),
    Math.max(0, (columns.dailyWh[row] as number) - today),
  );
}

/** Gathers the filled steps into the book's columns, by order number and step: ties go to the lowest. */
function collect(
  state: RegionState,
  quantities: Int32Array,
  parameters: Parameters,
): Pick<SlotBook, "book" | "bidOrders" | "askOrders"> {
  const { orders } = state.tables;
  const { side, price } = orders.columns;
  let bidCount = 0;
  let askCount = 0;
  for (let cell = 0; cell < quantities.length; cell += 1) {
    if ((quantities[cell] as number) === 0) continue;
    if (side[Math.floor(cell / MAX_LADDER_STEPS)] === 1) bidCount += 1;
    else askCount += 1;
  }
  const bids = emptySteps(bidCount);
  const asks = emptySteps(askCount);
  const bidOrders = new Int32Array(bidCount);
  const askOrders = new Int32Array(askCount);
  for (let cell = 0; cell < quantities.length; cell += 1) {
    const quantity = quantities[cell] as number;
    if (quantity === 0) continue;
    const order = Math.floor(cell / MAX_LADDER_STEPS);
    const isBid = side[order] === 1;
    const limit = price[cell] as number;
    const steps = isBid ? bids : asks;
    const ways = isBid ? bidOrders : askOrders;
    steps.netPriceMicros[steps.count] = isBid
      ? netBidPrice(limit, parameters.networkFeeMicrosPerKwh)
      : netAskPrice(limit, parameters.takeRateBps);
    steps.quantityWh[steps.count] = quantity;
    ways[steps.count] = order;
    steps.count += 1;
  }
  return { book: { bids, asks }, bidOrders, askOrders };
}

function emptySteps(capacity: number): Steps {
  return { count: 0, netPriceMicros: new Int32Array(capacity), quantityWh: new Int32Array(capacity) };
}

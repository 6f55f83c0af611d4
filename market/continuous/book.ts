// Owns the shape of a continuous price-time book, what an order in it may ask for, and what becomes of an order. It refuses,
// by assertion, orders that break the arithmetic's bounds; how a book finds its best order is each implementation's own.

import { MAX_ORDER_FILLS, MAX_REGION_MICROS } from "../../protocol/limits.ts";
import type { TimeInForce } from "../../protocol/resource-commands.ts";

/** Sides as they stand in columns. */
export const SELL = 0;
export const BUY = 1;
export type BookSide = typeof SELL | typeof BUY;

/** An order as it comes to the book. */
export interface BookOrder {
  /** Ascends from order to order: the entry that accepted it. */
  readonly id: number;
  readonly account: number;
  /** Session key that placed it; 0 for the wallet. */
  readonly session: number;
  /** Which of the books: orders of different products never meet. */
  readonly product: number;
  readonly side: BookSide;
  /** Megafuel or megabytes. */
  readonly quantityMega: number;
  /** Limit, in micros for a million of them. */
  readonly priceMicrosPerTera: number;
  readonly timeInForce: TimeInForce;
  /** First second in which it rests no more; read only where it rests. */
  readonly goodTillS: number;
  readonly placedAtS: number;
  /** Reputation of who placed it: of orders with one price and one second the lower goes first. */
  readonly rank: number;
}

/** An order that rests, with what is left of it. */
export type RestingOrder = Omit<BookOrder, "quantityMega" | "timeInForce"> & { readonly restingMega: number };

/**
 * Why something of an order did not trade and does not rest: `unmatched`, nothing more at its price; `fill_or_kill`, less
 * than the whole was to be had; `post_only`, it would have traded at once; `self_trade`, the next order is the account's
 * own, and the newer of the two gives way; `sweep_limit`, as many orders were met as one may meet.
 */
export type Shortfall = "unmatched" | "fill_or_kill" | "post_only" | "self_trade" | "sweep_limit";

/** What becomes of an order, each fill at the resting order's price. An order that neither trades nor rests is refused. */
export interface Outcome {
  /** Resting orders it trades with, in the order in which they are met. */
  readonly orders: readonly number[];
  readonly quantityMega: readonly number[];
  readonly priceMicrosPerTera: readonly number[];
  /** Sum of the fills. */
  readonly filledMega: number;
  /** What rests then. */
  readonly restingMega: number;
  /** What neither trades nor rests, and why. */
  readonly unfilledMega: number;
  readonly shortfall: Shortfall | null;
  /** What could have been had at once before anything stood in the way. */
  readonly reachedMega: number;
}

/**
 * A book of resting orders. Best is the highest bid and the lowest ask; of equal prices the earlier second, then the lower
 * rank, then the lower id.
 */
export interface ContinuousBook {
  /** Orders that rest. */
  readonly size: number;
  /** What would become of an order now. Reads only. */
  match(order: BookOrder): Outcome;
  /** Lets `restingMega` of an order rest. Its id is above those of all orders before. */
  rest(order: BookOrder, restingMega: number): void;
  /** Takes from a resting order what traded; one with nothing left leaves the book. */
  fill(id: number, quantityMega: number): void;
  /** Takes an order out of the book. */
  remove(id: number): void;
  /** A resting order, or null. */
  find(id: number): RestingOrder | null;
  /** One side of a product, best first. */
  orders(product: number, side: BookSide): Iterable<RestingOrder>;
  /** The first second at which some order rests no more, or null. */
  nextExpiryS(): number | null;
  /** Orders that rest no more at a moment, by their end and then their id; at most `limit`. */
  expired(atS: number, limit: number): number[];
  /** What is wrong inside, or null. */
  check(): string | null;
}

/** Matches an order and does what follows: fills, and what is left rests. */
export function place(book: ContinuousBook, order: BookOrder): Outcome {
  const outcome = book.match(order);
  const { orders, quantityMega, restingMega } = outcome;
  for (let index = 0; index < orders.length; index += 1)
    book.fill(orders[index] as number, quantityMega[index] as number);
  if (restingMega > 0) book.rest(order, restingMega);
  return outcome;
}

/** True for what is neither traded nor left to rest. */
export function isRefused({ orders, restingMega }: Outcome): boolean {
  return orders.length === 0 && restingMega === 0;
}

/** Why an order's rest is what it is, once what it meets is known: the one rule of what becomes of it. */
export function shortfallOf(
  order: BookOrder,
  reachedMega: number,
  stopped: "self_trade" | "sweep_limit" | null,
): Shortfall | null {
  const isWhole = reachedMega === order.quantityMega;
  if (order.timeInForce === "post_only" && (reachedMega > 0 || stopped !== null)) return "post_only";
  if (isWhole) return null;
  if (stopped !== null) return stopped;
  if (order.timeInForce === "fill_or_kill") return "fill_or_kill";
  return order.timeInForce === "immediate_or_cancel" ? "unmatched" : null;
}

/** True when an order keeps nothing of what it met. */
export function isVoid({ timeInForce }: BookOrder, shortfall: Shortfall | null): boolean {
  return shortfall !== null && (timeInForce === "fill_or_kill" || timeInForce === "post_only");
}

/** True when a sweep has met as many orders as one may. */
export function isSweepFull(fills: number): boolean {
  return fills >= MAX_ORDER_FILLS;
}

/**
 * Asserts what callers owe the book: whole numbers from one on whose product is money of a region at most. An order that
 * fails is our own bug, so this throws instead of answering with a refusal.
 */
export function assertOrder({ id, quantityMega, priceMicrosPerTera, placedAtS, goodTillS }: BookOrder): void {
  const isWhole =
    Number.isSafeInteger(quantityMega) &&
    Number.isSafeInteger(priceMicrosPerTera) &&
    Number.isSafeInteger(id);
  if (!isWhole || quantityMega < 1 || priceMicrosPerTera < 1 || id < 1)
    throw new RangeError(`order ${id} asks for ${quantityMega} at ${priceMicrosPerTera}`);
  if (quantityMega * priceMicrosPerTera > MAX_REGION_MICROS)
    throw new RangeError(`order ${id} is worth more than the arithmetic bears`);
  if (!Number.isSafeInteger(placedAtS) || !Number.isSafeInteger(goodTillS) || placedAtS < 0 || goodTillS < 0)
    throw new RangeError(`order ${id} rests from ${placedAtS} until ${goodTillS}`);
}

/** Asserts that an order may rest: some of it, until later than now, and younger than every order before. */
export function assertRest(order: BookOrder, restingMega: number, newestId: number): void {
  assertOrder(order);
  const { id, quantityMega, goodTillS, placedAtS } = order;
  if (!Number.isSafeInteger(restingMega) || restingMega < 1 || restingMega > quantityMega)
    throw new RangeError(`${restingMega} of ${quantityMega} of order ${id} cannot rest`);
  if (goodTillS <= placedAtS) throw new RangeError(`order ${id} rests until ${goodTillS}, which has passed`);
  if (id <= newestId) throw new RangeError(`order ${id} is not newer than ${newestId}`);
}

/** Asserts that a resting order bears a fill. */
export function assertFill(id: number, restingMega: number, quantityMega: number): void {
  if (!Number.isSafeInteger(quantityMega) || quantityMega < 1 || quantityMega > restingMega)
    throw new RangeError(`${quantityMega} of ${restingMega} of order ${id} cannot be filled`);
}

/** The book's orders as text, best first: the same for every implementation that holds the same orders. */
export function bookText(book: ContinuousBook, products: readonly number[]): string {
  const lines = products.flatMap((product) =>
    [SELL, BUY].flatMap((side) =>
      [...book.orders(product, side as BookSide)].map((order) =>
        [
          product,
          side,
          order.priceMicrosPerTera,
          order.placedAtS,
          order.rank,
          order.id,
          order.account,
          order.session,
          order.restingMega,
          order.goodTillS,
        ].join(" "),
      ),
    ),
  );
  return lines.join("\n");
}

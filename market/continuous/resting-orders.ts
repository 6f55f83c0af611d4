// Owns the columns in which a book's resting orders are kept and stored: rows ascend by id, one with nothing left is dead
// and leaves with others in bulk. It refuses to know an order of prices; that is the index's.

import { column, Table } from "../table.ts";
import type { BookOrder, BookSide, RestingOrder } from "./book.ts";

const RESTING_ORDERS = {
  id: column("f64"),
  account: column("u32"),
  /** 0 when the wallet signed. */
  session: column("u32"),
  product: column("u8"),
  /** 0 sell, 1 buy. */
  side: column("u8"),
  priceMicrosPerTera: column("f64"),
  /** 0: dead. */
  restingMega: column("f64"),
  goodTillS: column("f64"),
  placedAtS: column("f64"),
  rank: column("u32"),
};

export type RestingOrders = Table<typeof RESTING_ORDERS>;

/** An empty table of resting orders. */
export function createRestingOrders(): RestingOrders {
  return new Table(RESTING_ORDERS);
}

/** Adds a row for what is left of an order; answers it. */
export function appendOrder(table: RestingOrders, order: BookOrder, restingMega: number): number {
  const row = table.extend();
  const { columns } = table;
  columns.id[row] = order.id;
  columns.account[row] = order.account;
  columns.session[row] = order.session;
  columns.product[row] = order.product;
  columns.side[row] = order.side;
  columns.priceMicrosPerTera[row] = order.priceMicrosPerTera;
  columns.restingMega[row] = restingMega;
  columns.goodTillS[row] = order.goodTillS;
  columns.placedAtS[row] = order.placedAtS;
  columns.rank[row] = order.rank;
  return row;
}

/** Row of an order that still rests, or −1. */
export function liveRow({ columns, rows }: RestingOrders, id: number): number {
  const row = rowNear(columns.id, rows, id);
  return row >= 0 && (columns.restingMega[row] as number) > 0 ? row : -1;
}

/**
 * Row whose ascending `ids` value is `id`, or −1. Ids come at an even pace, so the search begins where the id would be if
 * they were spaced evenly and doubles its stride from there: near for most, and never worse than twice a binary search.
 */
function rowNear(ids: Float64Array, rows: number, id: number): number {
  if (rows === 0) return -1;
  const first = ids[0] as number;
  const last = ids[rows - 1] as number;
  if (id < first || id > last) return -1;
  const guess = last === first ? 0 : Math.floor(((id - first) * (rows - 1)) / (last - first));
  let low = guess;
  let high = guess;
  let stride = 8;
  if ((ids[guess] as number) < id) {
    while ((ids[high] as number) < id) {
      low = high + 1;
      high = Math.min(rows - 1, high + stride);
      stride *= 2;
    }
  } else {
    while ((ids[low] as number) > id) {
      high = low - 1;
      low = Math.max(0, low - stride);
      stride *= 2;
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? low : -1;
}

/** A row as an order. */
export function orderAt({ columns }: RestingOrders, row: number): RestingOrder {
  return {
    id: columns.id[row] as number,
    account: columns.account[row] as number,
    session: columns.session[row] as number,
    product: columns.product[row] as number,
    side: columns.side[row] as BookSide,
    priceMicrosPerTera: columns.priceMicrosPerTera[row] as number,
    restingMega: columns.restingMega[row] as number,
    goodTillS: columns.goodTillS[row] as number,
    placedAtS: columns.placedAtS[row] as number,
    rank: columns.rank[row] as number,
  };
}

/** True when so many rows are dead that moving the others is paid for twice by those that died. */
export function isCrowded(rows: number, dead: number): boolean {
  return dead >= 1_024 && dead * 3 >= rows * 2;
}

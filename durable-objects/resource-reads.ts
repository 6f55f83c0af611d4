// Owns what can be read of promised resources: the books by price, an account's orders and its trades that are not settled
// yet. It refuses to change anything and to answer with more than a page.

import { type BookSide, BUY, SELL } from "../market/continuous/book.ts";
import { obligationAt, openRow, reportAt } from "../market/resources/obligations.ts";
import { jobAt, purchaseRow } from "../market/resources/purchases.ts";
import { addressOf, type RegionState } from "../market/state.ts";
import { readHex } from "../market/table.ts";
import type { Book, OpenObligation, ResourceOrder } from "../protocol/answers.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_PAGE_ROWS } from "../protocol/limits.ts";
import { type ProductName, productNumber, productOf } from "../protocol/products.ts";

/** Prices of each side that a book shows. */
const SHOWN_PRICES = 100;

/** A book of more orders than this is told again for a while instead of being gone through for each who asks. */
const MANY_ORDERS = 2_000;
const TOLD_AGAIN_MS = 1_000;

/** What rests in the books of a region, by price. */
export class BookReads {
  readonly #told = new Map<ProductName, { readonly book: Book; readonly untilMs: number }>();

  /** A product's book: as it is now, or, where that is much, as it was up to a second ago; its `entry` says when. */
  book(state: RegionState, product: ProductName, nowMs: number): Book {
    const told = this.#told.get(product);
    if (told !== undefined && told.untilMs > nowMs) return told.book;
    this.#told.delete(product);
    const sides = [SELL, BUY].map((side) => sideOf(state, product, side as BookSide));
    const [asks, bids] = sides as [Book["asks"], Book["bids"]];
    const book = { product, asks, bids, entry: state.header.entry };
    if (ordersIn(asks) + ordersIn(bids) > MANY_ORDERS)
      this.#told.set(product, { book, untilMs: nowMs + TOLD_AGAIN_MS });
    return book;
  }
}

function ordersIn(levels: Book["asks"]): number {
  return levels.reduce((sum, { orders }) => sum + orders, 0);
}

function sideOf({ indexes }: RegionState, product: ProductName, side: BookSide): Book["asks"] {
  const levels: { priceMicrosPerTera: number; restingMega: bigint; orders: number }[] = [];
  for (const { priceMicrosPerTera, restingMega } of indexes.book.orders(productNumber(product), side)) {
    const level = levels.at(-1);
    if (level?.priceMicrosPerTera === priceMicrosPerTera) {
      level.restingMega += BigInt(restingMega);
      level.orders += 1;
    } else if (levels.length === SHOWN_PRICES) break;
    else levels.push({ priceMicrosPerTera, restingMega: BigInt(restingMega), orders: 1 });
  }
  return levels.map((level) => ({ ...level, restingMega: level.restingMega.toString() }));
}

/** An account's orders that rest, ascending. */
export function resourceOrdersOf(state: RegionState, address: Hex): ResourceOrder[] {
  const account = state.indexes.accountByAddress.get(address);
  const { columns, rows } = state.tables.restingOrders;
  const found: ResourceOrder[] = [];
  for (let row = 0; row < rows; row += 1) {
    const restingMega = columns.restingMega[row] as number;
    if (columns.account[row] !== account || restingMega === 0) continue;
    found.push({
      orderId: columns.id[row] as number,
      account: address,
      product: productOf(columns.product[row] as number).name,
      side: columns.side[row] === BUY ? "buy" : "sell",
      restingMega,
      priceMicrosPerTera: columns.priceMicrosPerTera[row] as number,
      goodTillS: columns.goodTillS[row] as number,
      session: columns.session[row] as number,
    });
  }
  return found;
}

/** Trades that are not settled yet in which an account buys or sells, ascending, at most a page. */
export function obligationsOf(state: RegionState, address: Hex): OpenObligation[] {
  const account = state.indexes.accountByAddress.get(address);
  const { obligations } = state.tables;
  const { buyer, seller, quantityMega } = obligations.columns;
  const found: OpenObligation[] = [];
  for (let row = 0; row < obligations.rows && found.length < MAX_PAGE_ROWS; row += 1) {
    const isOwn = buyer[row] === account || seller[row] === account;
    if (isOwn && (quantityMega[row] as number) > 0) found.push(obligationIn(state, row));
  }
  return found;
}

/** A trade that is not settled yet, or null. */
export function openObligation(state: RegionState, obligationId: number): OpenObligation | null {
  const row = openRow(state.tables.obligations, obligationId);
  return row < 0 ? null : obligationIn(state, row);
}

/** The session key that placed a buy order, or null where the wallet did. A key is remembered as long as its orders are open. */
export function buyerKeyOf({ tables: { purchases, sessions } }: RegionState, purchase: number): Hex | null {
  const id = purchases.columns.session[purchaseRow(purchases, purchase)] as number;
  if (id === 0) return null;
  for (let row = 0; row < sessions.rows; row += 1)
    if (sessions.columns.id[row] === id) return readHex(sessions.columns.key, row, 32);
  throw new Error(`the session key ${id} of buy order ${purchase} is not remembered`);
}

function obligationIn(state: RegionState, row: number): OpenObligation {
  const { obligations, purchases } = state.tables;
  const { id, purchase, sale, product, payableAtS, isDisputed, ...one } = obligationAt(obligations, row);
  const report = reportAt(obligations, row);
  return {
    obligationId: id,
    product: productOf(product).name,
    buyer: addressOf(state, one.buyer),
    seller: addressOf(state, one.seller),
    buyOrderId: purchase,
    sellOrderId: sale,
    boughtBy: buyerKeyOf(state, purchase),
    quantityMega: one.quantityMega,
    deliveredMega: one.deliveredMega,
    priceMicrosPerTera: one.priceMicrosPerTera,
    paidMicros: one.paidMicros,
    takeRateBps: one.takeRateBps,
    deadlineS: one.deadlineS,
    job: jobAt(purchases, purchaseRow(purchases, purchase)),
    result: report === null ? null : { ...report, payableAtS, isDisputed },
  };
}

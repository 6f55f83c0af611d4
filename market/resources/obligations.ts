// Owns the trades that are not settled yet: who owes whom how much of what until when, and what was reported of a job. It refuses
// to move money; rows ascend by number, a closed one is dead and leaves with others in bulk.

import type { Hex } from "../../protocol/fields.ts";
import { productNumber } from "../../protocol/products.ts";
import { ExpiryHeap } from "../continuous/expiry-heap.ts";
import { isCrowded } from "../continuous/resting-orders.ts";
import { column, findRow, readHex, Table } from "../table.ts";

const JOB = productNumber("compute-job");

const OBLIGATIONS = {
  id: column("f64"),
  /** The buy and the sell order that met. */
  purchase: column("f64"),
  sale: column("f64"),
  buyer: column("u32"),
  seller: column("u32"),
  product: column("u8"),
  priceMicrosPerTera: column("f64"),
  /** 0: closed. */
  quantityMega: column("f64"),
  deliveredMega: column("f64"),
  /** Paid for what was delivered so far, fee included. */
  paidMicros: column("f64"),
  /** In force when the trade was made. */
  takeRateBps: column("u16"),
  deadlineS: column("f64"),
  /** What its seller says came of the job: megafuel used, 0 while it has said nothing. */
  reportedMega: column("f64"),
  reportedHash: column("u8", 32),
  /** When a reported job ends by itself, in place of the deadline. */
  payableAtS: column("f64"),
  /** 1: no majority agrees with the report, nor with another; it ends unpaid unless an audit bears it out. */
  isDisputed: column("u8"),
};

export type Obligations = Table<typeof OBLIGATIONS>;

/** An empty table of obligations. */
export function createObligations(): Obligations {
  return new Table(OBLIGATIONS);
}

/** An obligation as plain values. */
export interface Obligation {
  readonly id: number;
  readonly purchase: number;
  readonly sale: number;
  readonly buyer: number;
  readonly seller: number;
  readonly product: number;
  readonly priceMicrosPerTera: number;
  readonly quantityMega: number;
  readonly deliveredMega: number;
  readonly paidMicros: number;
  readonly takeRateBps: number;
  readonly deadlineS: number;
  /** 0: nothing was reported. */
  readonly reportedMega: number;
  readonly payableAtS: number;
  readonly isDisputed: boolean;
}

/** What a seller says came of a job. */
export interface Report {
  readonly fuelMega: number;
  readonly outputHash: Hex;
}

/** Row of an open obligation, or −1. */
export function openRow({ columns, rows }: Obligations, id: number): number {
  const row = findRow(columns.id, rows, id);
  return row >= 0 && (columns.quantityMega[row] as number) > 0 ? row : -1;
}

/** A row as plain values. */
export function obligationAt({ columns }: Obligations, row: number): Obligation {
  return {
    id: columns.id[row] as number,
    purchase: columns.purchase[row] as number,
    sale: columns.sale[row] as number,
    buyer: columns.buyer[row] as number,
    seller: columns.seller[row] as number,
    product: columns.product[row] as number,
    priceMicrosPerTera: columns.priceMicrosPerTera[row] as number,
    quantityMega: columns.quantityMega[row] as number,
    deliveredMega: columns.deliveredMega[row] as number,
    paidMicros: columns.paidMicros[row] as number,
    takeRateBps: columns.takeRateBps[row] as number,
    deadlineS: columns.deadlineS[row] as number,
    reportedMega: columns.reportedMega[row] as number,
    payableAtS: columns.payableAtS[row] as number,
    isDisputed: columns.isDisputed[row] === 1,
  };
}

/** What was reported of a row's job, or null. */
export function reportAt({ columns }: Obligations, row: number): Report | null {
  const fuelMega = columns.reportedMega[row] as number;
  return fuelMega === 0 ? null : { fuelMega, outputHash: readHex(columns.reportedHash, row, 32) };
}

/** Rows of the open obligations of a job's purchase, ascending: they were made together, so they stand together. */
export function rowsOfPurchase({ columns, rows }: Obligations, row: number): number[] {
  const purchase = columns.purchase[row] as number;
  let first = row;
  while (first > 0 && columns.purchase[first - 1] === purchase) first -= 1;
  const found: number[] = [];
  for (let next = first; next < rows && columns.purchase[next] === purchase; next += 1)
    if ((columns.quantityMega[next] as number) > 0) found.push(next);
  return found;
}

/** Sellers who still owe some of these purchases, which ascend. */
export function sellersOwing({ columns, rows }: Obligations, purchases: readonly number[]): Set<number> {
  const sellers = new Set<number>();
  if (purchases.length === 0) return sellers;
  for (let row = 0; row < rows; row += 1) {
    const isOpen = (columns.quantityMega[row] as number) > 0;
    if (isOpen && purchases.includes(columns.purchase[row] as number))
      sellers.add(columns.seller[row] as number);
  }
  return sellers;
}

/** When a row ends by itself: at its deadline, or when what was reported of it is settled. */
function endOf({ columns }: Obligations, row: number): number {
  const payableAtS = columns.payableAtS[row] as number;
  return payableAtS === 0 ? (columns.deadlineS[row] as number) : payableAtS;
}

/** Open obligations by their end and by account; made again from the rows at any time. */
export class ObligationIndex {
  readonly #table: () => Obligations;
  readonly #ends: ExpiryHeap;
  /** Open obligations of each account, bought and sold. */
  readonly #byAccount = new Map<number, number>();
  /** Jobs that each account was sold and has not reported. */
  readonly #running = new Map<number, number>();
  #open = 0;

  /** @param table the rows; asked for anew each time, because a region's tables may be replaced. */
  constructor(table: () => Obligations) {
    this.#table = table;
    this.#ends = new ExpiryHeap((row, endS) => {
      const current = this.#table();
      return (current.columns.quantityMega[row] as number) > 0 && endOf(current, row) === endS;
    });
    this.rebuild();
  }

  /** Open obligations of everybody. */
  get size(): number {
    return this.#open;
  }

  /** Open obligations in which an account is buyer or seller. */
  of(account: number): number {
    return this.#byAccount.get(account) ?? 0;
  }

  /** Jobs that an account has sold and not reported: what its machine is at, or has before it. */
  running(seller: number): number {
    return this.#running.get(seller) ?? 0;
  }

  /** When the first of them ends, or null. */
  nextEndS(): number | null {
    return this.#ends.firstEndS();
  }

  /** Rows of those that end at a moment or before, first to end first; at most `limit`. */
  ending(atS: number, limit: number): number[] {
    return this.#ends.ending(atS, limit);
  }

  /** Every open obligation with its end, in no particular order; for whoever compares two indexes. */
  *[Symbol.iterator](): Generator<[number, number]> {
    const table = this.#table();
    for (const row of this.#ends.rows()) yield [table.columns.id[row] as number, endOf(table, row)];
  }

  /** Adds a row that has been written. */
  add(row: number): void {
    this.#ends.push(row, endOf(this.#table(), row));
    this.#count(row, 1);
  }

  /** Lets a reported row end by itself at another time than before. */
  postpone(row: number, payableAtS: number): void {
    const table = this.#table();
    const isSame = endOf(table, row) === payableAtS;
    if (payableAtS !== 0) this.#run(row, -1);
    table.columns.payableAtS[row] = payableAtS;
    if (!isSame) this.#ends.push(row, payableAtS);
  }

  /** Closes a row; the dead leave the table in bulk, so that each costs little. */
  close(row: number): void {
    const table = this.#table();
    table.columns.quantityMega[row] = 0;
    this.#count(row, -1);
    if (!isCrowded(table.rows, table.rows - this.#open)) return;
    table.retain((other) => (table.columns.quantityMega[other] as number) > 0);
    this.rebuild();
  }

  /** Makes the index again from the rows. */
  rebuild(): void {
    const { columns, rows } = this.#table();
    this.#ends.clear();
    this.#byAccount.clear();
    this.#running.clear();
    this.#open = 0;
    for (let row = 0; row < rows; row += 1) if ((columns.quantityMega[row] as number) > 0) this.add(row);
  }

  #count(row: number, change: 1 | -1): void {
    const { buyer, seller } = this.#table().columns;
    for (const account of [buyer[row] as number, seller[row] as number])
      addTo(this.#byAccount, account, change);
    this.#run(row, change);
    this.#open += change;
  }

  /** Counts a row among what its seller is at, if it is a job that was not reported. */
  #run(row: number, change: 1 | -1): void {
    const { product, seller, payableAtS } = this.#table().columns;
    if (product[row] === JOB && payableAtS[row] === 0) addTo(this.#running, seller[row] as number, change);
  }
}

function addTo(counts: Map<number, number>, account: number, change: 1 | -1): void {
  const held = (counts.get(account) ?? 0) + change;
  if (held === 0) counts.delete(account);
  else counts.set(account, held);
}

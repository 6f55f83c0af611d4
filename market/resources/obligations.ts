// Owns the trades that are not settled yet: who owes whom how much of what until when. It refuses to move money; rows ascend
// by number, a closed one is dead and leaves with others in bulk.

import { ExpiryHeap } from "../continuous/expiry-heap.ts";
import { isCrowded } from "../continuous/resting-orders.ts";
import { column, findRow, Table } from "../table.ts";

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
  };
}

/** Open obligations by deadline and by account; made again from the rows at any time. */
export class ObligationIndex {
  readonly #table: () => Obligations;
  readonly #deadlines: ExpiryHeap;
  /** Open obligations of each account, bought and sold. */
  readonly #byAccount = new Map<number, number>();
  #open = 0;

  /** @param table the rows; asked for anew each time, because a region's tables may be replaced. */
  constructor(table: () => Obligations) {
    this.#table = table;
    this.#deadlines = new ExpiryHeap((row) => (this.#table().columns.quantityMega[row] as number) > 0);
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

  /** When the first of them ends, or null. */
  nextDeadlineS(): number | null {
    return this.#deadlines.firstEndS();
  }

  /** Rows of those that end at a moment or before, first to end first; at most `limit`. */
  ending(atS: number, limit: number): number[] {
    return this.#deadlines.ending(atS, limit);
  }

  /** Every open obligation with its deadline, in no particular order; for whoever compares two indexes. */
  *[Symbol.iterator](): Generator<[number, number]> {
    const { columns } = this.#table();
    for (const row of this.#deadlines.rows())
      yield [columns.id[row] as number, columns.deadlineS[row] as number];
  }

  /** Adds a row that has been written. */
  add(row: number): void {
    const { columns } = this.#table();
    this.#deadlines.push(row, columns.deadlineS[row] as number);
    this.#count(row, 1);
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
    this.#deadlines.clear();
    this.#byAccount.clear();
    this.#open = 0;
    for (let row = 0; row < rows; row += 1) if ((columns.quantityMega[row] as number) > 0) this.add(row);
  }

  #count(row: number, change: 1 | -1): void {
    const { buyer, seller } = this.#table().columns;
    for (const account of [buyer[row] as number, seller[row] as number]) {
      const held = this.of(account) + change;
      if (held === 0) this.#byAccount.delete(account);
      else this.#byAccount.set(account, held);
    }
    this.#open += change;
  }
}

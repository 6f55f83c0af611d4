// Owns what every buy order holds in escrow: what it has settled, what its trades can still cost and what its rest can. It
// refuses to hold more or less than that: rounding is the order's, however it was cut into trades.

import type { Hex } from "../../protocol/fields.ts";
import { costMicros } from "../continuous/amounts.ts";
import { column, findRow, readHex, Table } from "../table.ts";

const PURCHASES = {
  /** Of the buy order. */
  id: column("f64"),
  account: column("u32"),
  /** 0 when the wallet signed. */
  session: column("u32"),
  /** Millionths of a micro: of deliveries settled, of trades not settled yet, and of the rest that waits. */
  settledWorth: column("f64"),
  openWorth: column("f64"),
  restingWorth: column("f64"),
  /** What is to be run, where a job was bought; and how many sellers run it, 0 for every other order. */
  jobDigest: column("u8", 32),
  replicas: column("u8"),
};

export type Purchases = Table<typeof PURCHASES>;

/** An empty table of purchases. */
export function createPurchases(): Purchases {
  return new Table(PURCHASES);
}

/** What a purchase is worth, in millionths of a micro. */
export interface Worth {
  readonly settled: number;
  readonly open: number;
  readonly resting: number;
}

/** The row of a buy order that something is still open of. */
export function purchaseRow({ columns, rows }: Purchases, order: number): number {
  const row = findRow(columns.id, rows, order);
  if (row < 0) throw new Error(`buy order ${order} holds nothing`);
  return row;
}

/** A job that was bought. */
export interface Job {
  readonly jobDigest: Hex;
  readonly replicas: number;
}

/** The job that a purchase is of, or null. */
export function jobAt({ columns }: Purchases, row: number): Job | null {
  const replicas = columns.replicas[row] as number;
  return replicas === 0 ? null : { jobDigest: readHex(columns.jobDigest, row, 32), replicas };
}

/**
 * Numbers of an account's purchases of one job. Almost always there is none, and to know that is to run through one column:
 * tens of microseconds in a full region.
 */
export function purchasesOfJob({ columns, rows }: Purchases, account: number, jobDigest: Hex): number[] {
  const found: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    if (columns.account[row] !== account || columns.replicas[row] === 0) continue;
    if (readHex(columns.jobDigest, row, 32) === jobDigest) found.push(columns.id[row] as number);
  }
  return found;
}

/** What a purchase is worth now. */
export function worthOf({ columns }: Purchases, row: number): Worth {
  return {
    settled: columns.settledWorth[row] as number,
    open: columns.openWorth[row] as number,
    resting: columns.restingWorth[row] as number,
  };
}

/** Micros that must be in escrow for it: the whole, rounded up once, less what is paid. */
export function escrowMicros({ settled, open, resting }: Worth): number {
  return costMicros(settled + open + resting) - costMicros(settled);
}

/** True for a purchase of which nothing is open: its row may leave. */
export function isDone({ columns }: Purchases, row: number): boolean {
  return columns.openWorth[row] === 0 && columns.restingWorth[row] === 0;
}

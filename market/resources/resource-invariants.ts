// Owns what must be true of orders, escrow and obligations after every entry. It refuses nothing and repairs nothing: it
// names what is broken, beside the other invariants.

import { PRODUCTS } from "../../protocol/products.ts";
import { worth } from "../continuous/amounts.ts";
import { BUY } from "../continuous/book.ts";
import type { Invariant } from "../invariants.ts";
import type { RegionState } from "../state.ts";
import { findRow } from "../table.ts";
import { type Obligation, obligationAt } from "./obligations.ts";
import { escrowMicros, jobAt, purchaseRow, worthOf } from "./purchases.ts";

/** Invariants of promised resources; docs/INVARIANTS.md explains each by this name. */
export const RESOURCE_INVARIANTS: readonly Invariant[] = [
  {
    name: "escrow-is-owed",
    check: ({ tables: { accounts, purchases } }) => {
      const owed = new Float64Array(accounts.rows);
      for (let row = 0; row < purchases.rows; row += 1) {
        const account = purchases.columns.account[row] as number;
        owed[account] = (owed[account] as number) + escrowMicros(worthOf(purchases, row));
      }
      const wrong = owed.findIndex((micros, account) => accounts.columns.escrowMicros[account] !== micros);
      return wrong < 0
        ? null
        : `account ${wrong} has ${accounts.columns.escrowMicros[wrong]} micros in escrow and may owe ${owed[wrong]}`;
    },
  },
  {
    name: "purchases-are-open",
    check: ({ tables, indexes }) => {
      const open = new Map<number, number>();
      for (const { purchase, quantityMega, deliveredMega, priceMicrosPerTera } of openObligations(tables)) {
        const left = worth(quantityMega - deliveredMega, priceMicrosPerTera);
        open.set(purchase, (open.get(purchase) ?? 0) + left);
      }
      const { columns, rows } = tables.purchases;
      for (let row = 0; row < rows; row += 1) {
        const id = columns.id[row] as number;
        const resting = indexes.book.find(id);
        const rests = resting === null ? 0 : worth(resting.restingMega, resting.priceMicrosPerTera);
        const worthNow = worthOf(tables.purchases, row);
        if (worthNow.open !== (open.get(id) ?? 0) || worthNow.resting !== rests)
          return `buy order ${id} counts ${worthNow.open} open and ${worthNow.resting} resting`;
        open.delete(id);
      }
      const [stray] = open.keys();
      return stray === undefined ? null : `buy order ${stray} is owed for and holds nothing`;
    },
  },
  {
    name: "book-is-sound",
    check: ({ tables, indexes }) => {
      const problem = indexes.book.check();
      if (problem !== null) return problem;
      const { columns, rows } = tables.restingOrders;
      const held = new Map<number, number>();
      for (let row = 0; row < rows; row += 1) {
        if ((columns.restingMega[row] as number) === 0) continue;
        const [id, account] = [columns.id[row] as number, columns.account[row] as number];
        held.set(account, (held.get(account) ?? 0) + 1);
        if (columns.side[row] === BUY && findRow(tables.purchases.columns.id, tables.purchases.rows, id) < 0)
          return `bid ${id} rests and holds nothing`;
      }
      for (const [account, count] of held)
        if (indexes.restingByAccount.get(account) !== count)
          return `account ${account} lets ${count} orders rest`;
      return held.size === indexes.restingByAccount.size
        ? null
        : "accounts are counted that let nothing rest";
    },
  },
  {
    name: "nothing-rests-past-its-time",
    check: ({ header, indexes: { book, obligations } }) => {
      // What ends at the entry's own moment may be left to the next, so many are named in one.
      const dueS = Math.min(book.nextExpiryS() ?? header.atS, obligations.nextEndS() ?? header.atS);
      return dueS >= header.atS ? null : `something ended at ${dueS} and the region is at ${header.atS}`;
    },
  },
  {
    name: "deliveries-within-trades",
    check: ({ tables }) => {
      for (const one of openObligations(tables)) {
        const { id, buyer, seller, quantityMega, deliveredMega, paidMicros } = one;
        if (buyer === seller) return `obligation ${id} is owed by its buyer`;
        if (deliveredMega < 0 || deliveredMega >= quantityMega)
          return `obligation ${id} is open with ${deliveredMega} of ${quantityMega} delivered`;
        if (deliveredMega === 0 && paidMicros !== 0)
          return `obligation ${id} has cost ${paidMicros} micros and nothing was delivered`;
      }
      return null;
    },
  },
  {
    name: "audits-are-bound",
    check: ({ tables: { audits } }) => {
      for (let row = 1; row < audits.rows; row += 1)
        if ((audits.columns.epoch[row - 1] as number) >= (audits.columns.epoch[row] as number))
          return `epoch ${audits.columns.epoch[row]} was bound after a later one`;
      return null;
    },
  },
  {
    name: "results-are-of-jobs",
    check: ({ tables }) => {
      const { purchases } = tables;
      for (const one of openObligations(tables)) {
        const { id, quantityMega, deliveredMega, reportedMega, payableAtS, isDisputed, deadlineS } = one;
        const job = jobAt(purchases, purchaseRow(purchases, one.purchase));
        if (job !== null && deliveredMega !== 0) return `job ${id} is open and was paid`;
        if (reportedMega === 0) {
          if (payableAtS !== 0 || isDisputed) return `obligation ${id} is to be paid for nothing`;
        } else if (job === null || reportedMega > quantityMega)
          return `${reportedMega} of ${quantityMega} are reported for obligation ${id}, of ${job?.jobDigest}`;
        else if (payableAtS <= deadlineS - PRODUCTS["compute-job"].deliverySeconds)
          return `the result of obligation ${id} is settled at ${payableAtS}`;
      }
      return null;
    },
  },
];

function* openObligations({ obligations }: RegionState["tables"]): Generator<Obligation> {
  for (let row = 0; row < obligations.rows; row += 1)
    if ((obligations.columns.quantityMega[row] as number) > 0) yield obligationAt(obligations, row);
}

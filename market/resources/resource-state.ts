// Owns the part of a region's state that is about promised resources: its tables and the look-ups over them. It refuses to
// decide anything; what may change it is in resource-evolve.ts.

import { ColumnBook } from "../continuous/column-book.ts";
import { createRestingOrders, type RestingOrders } from "../continuous/resting-orders.ts";
import { type Audits, createAudits } from "./audits.ts";
import { createMissedRuns, type MissedRuns } from "./missed-runs.ts";
import { createObligations, ObligationIndex, type Obligations } from "./obligations.ts";
import { createProviders, type Providers } from "./providers.ts";
import { createPurchases, type Purchases } from "./purchases.ts";

export interface ResourceTables {
  restingOrders: RestingOrders;
  purchases: Purchases;
  obligations: Obligations;
  providers: Providers;
  audits: Audits;
  missedRuns: MissedRuns;
}

/** Made again from the tables at any time; never stored. */
export interface ResourceIndexes {
  readonly book: ColumnBook;
  /** Orders that each account lets rest. */
  readonly restingByAccount: Map<number, number>;
  readonly obligations: ObligationIndex;
  /** Row of each account that has delivered or failed. */
  readonly providerByAccount: Map<number, number>;
}

/** Empty tables. */
export function createResourceTables(): ResourceTables {
  return {
    restingOrders: createRestingOrders(),
    purchases: createPurchases(),
    obligations: createObligations(),
    providers: createProviders(),
    audits: createAudits(),
    missedRuns: createMissedRuns(),
  };
}

/** Look-ups over tables that may be replaced by others. */
export function createResourceIndexes(tables: () => ResourceTables): ResourceIndexes {
  return {
    book: new ColumnBook(() => tables().restingOrders),
    restingByAccount: new Map(),
    obligations: new ObligationIndex(() => tables().obligations),
    providerByAccount: new Map(),
  };
}

/** Makes the look-ups that are not kept by an index of their own. */
export function indexResources(tables: ResourceTables, indexes: ResourceIndexes): void {
  const { restingOrders, providers } = tables;
  indexes.book.rebuild();
  indexes.obligations.rebuild();
  for (let row = 0; row < restingOrders.rows; row += 1) {
    if ((restingOrders.columns.restingMega[row] as number) > 0)
      countResting(indexes, restingOrders.columns.account[row] as number, 1);
  }
  for (let row = 0; row < providers.rows; row += 1)
    indexes.providerByAccount.set(providers.columns.account[row] as number, row);
}

/** Counts an order that came to rest, or rests no more. */
export function countResting({ restingByAccount }: ResourceIndexes, account: number, change: 1 | -1): void {
  const held = (restingByAccount.get(account) ?? 0) + change;
  if (held === 0) restingByAccount.delete(account);
  else restingByAccount.set(account, held);
}

// Owns the providers of compute and bandwidth that have something at stake on the chain: whose stake it is, under which key. It
// refuses to judge whether a stake is enough for an order.

import type { EventOf } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import { column, readHex, Table, writeHex } from "./table.ts";

/** A row per account that ever staked. One with nothing left stays: its key is nobody else's. */
const PROVIDERS = {
  account: column("u32"),
  /** Public key that signs its results. */
  nodeKey: column("u8", 32),
  /** What it can lose, without what slashes that are queued hold back already. */
  stakedMicros: column("f64"),
  /** 1: it is leaving, and gets no new work. */
  isUnbonding: column("u8"),
};

export interface ProviderTables {
  readonly providers: Table<typeof PROVIDERS>;
}

export interface ProviderIndexes {
  readonly providerByAccount: Map<number, number>;
  /** By the keys that providers sign with now. */
  readonly providerByKey: Map<Hex, number>;
}

interface ProviderState {
  readonly tables: ProviderTables;
  readonly indexes: ProviderIndexes;
}

/** A provider's standing on the chain, as far as it was mirrored. */
export interface Provider {
  readonly nodeKey: Hex;
  readonly stakedMicros: number;
  readonly isUnbonding: boolean;
}

export function createProviderTables(): ProviderTables {
  return { providers: new Table(PROVIDERS) };
}

export function createProviderIndexes(): ProviderIndexes {
  return { providerByAccount: new Map(), providerByKey: new Map() };
}

/** Makes the look-ups again from the table. */
export function indexProviders({ providers }: ProviderTables, indexes: ProviderIndexes): void {
  for (let row = 0; row < providers.rows; row += 1) {
    indexes.providerByAccount.set(providers.columns.account[row] as number, row);
    indexes.providerByKey.set(readHex(providers.columns.nodeKey, row, 32), row);
  }
}

/** Writes how a provider stands now, whatever it had before. */
export function writeProvider({ tables, indexes }: ProviderState, event: EventOf<"stake_recorded">): void {
  const { providers } = tables;
  const { columns } = providers;
  let row = indexes.providerByAccount.get(event.account);
  if (row === undefined) {
    row = providers.append();
    columns.account[row] = event.account;
    indexes.providerByAccount.set(event.account, row);
  } else indexes.providerByKey.delete(readHex(columns.nodeKey, row, 32));
  writeHex(columns.nodeKey, row, event.nodeKey);
  indexes.providerByKey.set(event.nodeKey, row);
  columns.stakedMicros[row] = event.stakedMicros;
  columns.isUnbonding[row] = event.isUnbonding ? 1 : 0;
}

/** What an account has at stake; null where it never staked. */
export function providerOf({ tables, indexes }: ProviderState, account: number): Provider | null {
  const row = indexes.providerByAccount.get(account);
  if (row === undefined) return null;
  const { nodeKey, stakedMicros, isUnbonding } = tables.providers.columns;
  return {
    nodeKey: readHex(nodeKey, row, 32),
    stakedMicros: stakedMicros[row] as number,
    isUnbonding: isUnbonding[row] === 1,
  };
}

/** The account that signs with a key now, or null. */
export function accountOfKey({ tables, indexes }: ProviderState, nodeKey: Hex): number | null {
  const row = indexes.providerByKey.get(nodeKey);
  return row === undefined ? null : (tables.providers.columns.account[row] as number);
}

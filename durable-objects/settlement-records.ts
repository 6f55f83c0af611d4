// Owns what a region keeps of each closed epoch for its report to the chain: state hash, journal root, the deposits counted,
// and what every account is owed. It refuses to be a source: all of it follows from the journal.

import { encodeLeaves, type SumLeaf } from "../evidence/sum-tree.ts";
import { rewardOf } from "../market/evolve.ts";
import type { Entry } from "../market/journal.ts";
import { addressOf, type RegionState, termsOf } from "../market/state.ts";
import type { Hex } from "../protocol/fields.ts";
import { slotStartS } from "../protocol/units.ts";
import type { RegionStore } from "./region-store.ts";

/** What a region says of a closed epoch. */
export interface EpochReport {
  readonly epoch: number;
  /** The journal entry that closed it. */
  readonly entry: number;
  /** SHA-256 over the state's canonical bytes after that entry. */
  readonly stateHash: Hex;
  /** The journal's chain hash at that entry. */
  readonly journalRoot: Hex;
  /** Index of the last deposit credited by then, and the hash of all up to it. */
  readonly lastDeposit: number;
  readonly depositsHash: Hex;
  /** What every account is owed, packed; `decodeLeaves` reads it. */
  readonly leaves: Uint8Array;
}

/**
 * Leaves are kept this long after their epoch: a report is final after thirty days at the latest, and whoever claims late
 * claims against a newer one, which owes it the same and more.
 */
const KEPT_SECONDS = 45 * 86_400;

/** What every account of a region is owed now, in the order of their numbers. */
export function sumLeavesOf(state: RegionState): SumLeaf[] {
  const { columns, rows } = state.tables.accounts;
  return Array.from({ length: rows }, (_, account) => ({
    account: addressOf(state, account),
    sums: {
      withdrawalsMicros: BigInt(columns.withdrawnMicros[account] as number),
      heldMicros: BigInt(columns.freeMicros[account] as number),
      rewards: rewardOf(state, account),
    },
  }));
}

/** Keeps the report of an epoch that an entry has closed, in the transaction of its journal row. */
export function keepReport(store: RegionStore, state: RegionState, entry: Entry, hash: string): void {
  const { quote, epochSlots } = termsOf(state);
  if (quote !== "settlement") return;
  for (const event of entry.events) {
    if (event.type !== "epoch_closed") continue;
    const { epoch } = event;
    const { mirrored, depositsHash } = state.header;
    const record: Omit<EpochReport, "leaves"> = {
      epoch,
      entry: entry.number,
      stateHash: entry.stateHash as Hex,
      journalRoot: `0x${hash}`,
      lastDeposit: mirrored.deposits,
      depositsHash,
    };
    store.putReport(epoch, JSON.stringify(record), encodeLeaves(sumLeavesOf(state)));
    store.forgetReports(epoch - Math.ceil(KEPT_SECONDS / slotStartS(epochSlots)));
  }
}

/** The report of a closed epoch, or null where it has not closed or is older than what is kept. */
export function reportOf(store: RegionStore, epoch: number): EpochReport | null {
  const found = store.report(epoch);
  if (found === null) return null;
  return { ...(JSON.parse(found.record) as Omit<EpochReport, "leaves">), leaves: found.leaves };
}

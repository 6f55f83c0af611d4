// Owns what a region keeps of each closed epoch for its report to the chain: state hash, journal root, the deposits counted,
// and what every account is owed. It refuses to be a source: all of it follows from the journal.

import type { EpochReport } from "../evidence/epoch-report.ts";
import { encodeLeaves } from "../evidence/sum-tree.ts";
import { accountSums } from "../market/account-sums.ts";
import type { Entry } from "../market/journal.ts";
import { type RegionState, termsOf } from "../market/state.ts";
import type { Hex } from "../protocol/fields.ts";
import { slotStartS } from "../protocol/units.ts";
import type { RegionStore } from "./region-store.ts";

/** What a region keeps of a closed epoch: its report without what takes long to hash. */
export interface KeptReport
  extends Pick<EpochReport, "epoch" | "stateHash" | "journalRoot" | "lastDeposit" | "depositsHash"> {
  /** The journal entry that closed it. */
  readonly entry: number;
  /** What every account is owed, packed; `decodeLeaves` reads it. */
  readonly leaves: Uint8Array;
}

/**
 * Leaves are kept this long after their epoch: a report is final after thirty days at the latest, and whoever claims late
 * claims against a newer one, which owes it the same and more.
 */
const KEPT_SECONDS = 45 * 86_400;

/** Keeps the report of an epoch that an entry has closed, in the transaction of its journal row. */
export function keepReport(store: RegionStore, state: RegionState, entry: Entry, hash: string): void {
  const { quote, epochSlots } = termsOf(state);
  if (quote !== "settlement") return;
  for (const event of entry.events) {
    if (event.type !== "epoch_closed") continue;
    const { epoch } = event;
    const { mirrored, depositsHash } = state.header;
    const record: Omit<KeptReport, "leaves"> = {
      epoch,
      entry: entry.number,
      stateHash: entry.stateHash as Hex,
      journalRoot: `0x${hash}`,
      lastDeposit: mirrored.deposits,
      depositsHash,
    };
    store.putReport(epoch, JSON.stringify(record), encodeLeaves(accountSums(state)));
    store.forgetReports(epoch - Math.ceil(KEPT_SECONDS / slotStartS(epochSlots)));
  }
}

/** The report of a closed epoch, or null where it has not closed or is older than what is kept. */
export function reportOf(store: RegionStore, epoch: number): KeptReport | null {
  const found = store.report(epoch);
  if (found === null) return null;
  return { ...(JSON.parse(found.record) as Omit<KeptReport, "leaves">), leaves: found.leaves };
}

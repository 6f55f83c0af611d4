// Owns what a region reports of a closed epoch, as the contract keeps it (governance/settlement, `Report`). It refuses to say
// where a report came from: from a region, a journal or a chain, two of the same epoch must be equal.

import type { Hex } from "../protocol/fields.ts";
import type { Sums } from "./sum-tree.ts";

/** One epoch's report. */
export interface EpochReport {
  readonly epoch: number;
  /** SHA-256 over the state's canonical bytes after the entry that closed the epoch. */
  readonly stateHash: Hex;
  /** The journal's chain hash at that entry. */
  readonly journalRoot: Hex;
  /** Index of the last deposit credited by then, and the hash of all up to it. */
  readonly lastDeposit: number;
  readonly depositsHash: Hex;
  readonly certificateRoot: Hex;
  readonly sumRoot: Hex;
  readonly totals: Sums;
}

const NOTHING: Hex = `0x${"00".repeat(32)}`;

/** What is reported of an epoch before a region's first: nothing is owed to anybody. */
export const EMPTY_REPORT: EpochReport = {
  epoch: 0,
  stateHash: NOTHING,
  journalRoot: NOTHING,
  lastDeposit: 0,
  depositsHash: NOTHING,
  certificateRoot: NOTHING,
  sumRoot: NOTHING,
  totals: { withdrawalsMicros: 0n, heldMicros: 0n, rewards: 0n },
};

/** Names the first part in which two reports of an epoch differ, with both values, or null where they are equal. */
export function differenceOf(
  one: EpochReport,
  other: EpochReport,
): { readonly part: string; readonly one: string; readonly other: string } | null {
  for (const [part, value] of partsOf(one)) {
    const beside = partsOf(other).get(part) as string;
    if (value !== beside) return { part, one: value, other: beside };
  }
  return null;
}

/** The parts in the order in which a difference says most: deposits and sums before hashes over everything. */
function partsOf(report: EpochReport): Map<string, string> {
  const { withdrawalsMicros, heldMicros, rewards } = report.totals;
  return new Map([
    ["epoch", String(report.epoch)],
    ["lastDeposit", String(report.lastDeposit)],
    ["depositsHash", report.depositsHash],
    ["withdrawalsMicros", String(withdrawalsMicros)],
    ["heldMicros", String(heldMicros)],
    ["rewards", String(rewards)],
    ["sumRoot", report.sumRoot],
    ["certificateRoot", report.certificateRoot],
    ["journalRoot", report.journalRoot],
    ["stateHash", report.stateHash],
  ]);
}

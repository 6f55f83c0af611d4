// Owns the epochs whose draw of audits is bound to a secret: by what, since when, and whether it was shown. It refuses to draw; a
// row leaves when it was shown and nothing that was sold in its epoch can still be open.

import type { Hex } from "../../protocol/fields.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import { PRODUCTS } from "../../protocol/products.ts";
import { slotStartS } from "../../protocol/units.ts";
import { column, findRow, readHex, Table, writeHex } from "../table.ts";

/** Ascending by epoch. */
const AUDITS = {
  epoch: column("f64"),
  commitment: column("u8", 32),
  committedAtS: column("f64"),
  /** 1: the secret was shown. */
  isRevealed: column("u8"),
};

export type Audits = Table<typeof AUDITS>;

/** An empty table. */
export function createAudits(): Audits {
  return new Table(AUDITS);
}

/** What an epoch is bound to. */
export interface AuditCommitment {
  readonly commitment: Hex;
  readonly committedAtS: number;
  readonly isRevealed: boolean;
}

/** What an epoch is bound to, or null. */
export function auditOf(audits: Audits, epoch: number): AuditCommitment | null {
  const row = findRow(audits.columns.epoch, audits.rows, epoch);
  if (row < 0) return null;
  return {
    commitment: readHex(audits.columns.commitment, row, 32),
    committedAtS: audits.columns.committedAtS[row] as number,
    isRevealed: audits.columns.isRevealed[row] === 1,
  };
}

/** Market time from which nothing that was sold in an epoch can still be reported: its secret may be shown. */
export function revealableFromS(epochSlots: number, epoch: number): number {
  return slotStartS((epoch + 1) * epochSlots) + PRODUCTS["compute-job"].deliverySeconds;
}

/** Adds an epoch in its place, and lets those go that are over. */
export function writeCommitment(
  audits: Audits,
  { epoch, commitment }: { readonly epoch: number; readonly commitment: Hex },
  epochSlots: number,
  atS: number,
): void {
  const { columns } = audits;
  audits.retain(
    (row) =>
      columns.isRevealed[row] === 0 ||
      revealableFromS(epochSlots, columns.epoch[row] as number) + RESULT_CHALLENGE_SECONDS > atS,
  );
  const row = audits.append();
  audits.columns.epoch[row] = epoch;
  writeHex(audits.columns.commitment, row, commitment);
  audits.columns.committedAtS[row] = atS;
}

/** Marks an epoch as shown. */
export function writeReveal(audits: Audits, epoch: number): void {
  audits.columns.isRevealed[findRow(audits.columns.epoch, audits.rows, epoch)] = 1;
}

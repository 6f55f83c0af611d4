// Owns the receipts of a journal row: one signature for all its entries. It refuses nothing; the same row always gives
// the same receipts, so they are made again instead of being kept.

import {
  buildReceiptTree,
  NO_COMMAND,
  type Receipt,
  receiptLeafBytes,
  receiptStatementBytes,
} from "../evidence/receipt.ts";
import { decodeLine, type Entry } from "../market/journal.ts";
import type { Hex } from "../protocol/fields.ts";
import { sha256Bytes } from "./digest.ts";
import type { JournalRow } from "./region-store.ts";

/** Who signs, for which region. */
export interface ReceiptAuthority {
  readonly chainId: number;
  readonly region: string;
  readonly key: Hex;
  readonly sign: (message: Uint8Array) => Hex;
}

/** Receipts of a row's entries, which must be all of them in order; signs once. */
export function receiptsOf(
  authority: ReceiptAuthority,
  row: Pick<JournalRow, "first" | "last" | "atS">,
  entries: readonly { readonly entry: Entry; readonly hash: string }[],
): (entry: number) => Receipt {
  const { chainId, region, key, sign } = authority;
  const leaves = entries.map(({ entry: { number, commandId }, hash }) => ({
    region,
    chainId,
    entry: number,
    commandId: commandId ?? NO_COMMAND,
    entryHash: `0x${hash}` as Hex,
  }));
  const tree = buildReceiptTree(leaves.map(receiptLeafBytes), sha256Bytes);
  const batch = { firstEntry: row.first, lastEntry: row.last, atS: row.atS, root: tree.root };
  const signature = sign(receiptStatementBytes({ chainId, region, ...batch }));
  return (entry) => {
    const index = entry - row.first;
    const leaf = leaves[index];
    if (leaf === undefined)
      throw new Error(`entry ${entry} is not in the row from ${row.first} to ${row.last}`);
    return { ...leaf, batch, path: tree.pathOf(index), key, signature };
  };
}

/** The entries of a row as stored. @throws Error when a line is not a journal line: storage is broken. */
export function entriesOf(
  row: Pick<JournalRow, "first" | "text">,
): { readonly entry: Entry; readonly hash: string }[] {
  return row.text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const decoded = decodeLine(line);
      if (decoded === null) throw new Error(`the journal row from entry ${row.first} holds a broken line`);
      return { entry: JSON.parse(decoded.body) as Entry, hash: decoded.hash };
    });
}

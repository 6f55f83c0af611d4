// Owns how a flush's entries become journal rows of bounded size. It refuses nothing; a line longer than a row may be has
// a row of its own.

import { type Entry, encodeLine } from "../market/journal.ts";
import { MAX_JOURNAL_ROW_BYTES } from "../protocol/limits.ts";

/** An entry with the chain hash it leads to and its line of text, newline included. */
export interface Line {
  readonly entry: Entry;
  readonly hash: string;
  readonly text: string;
}

/** A run of lines that is stored, and signed, as one. */
export interface LineRow {
  readonly first: number;
  readonly last: number;
  readonly lines: readonly Line[];
}

/** The line of an entry whose exact bytes and chain hash are known. */
export function lineOf(entry: Entry, body: string, hash: string): Line {
  return { entry, hash, text: `${encodeLine(hash, body)}\n` };
}

/** Cuts lines into runs that fit a row. */
export function rowsOf(lines: readonly Line[]): LineRow[] {
  const rows: Line[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    if (characters + line.text.length > MAX_JOURNAL_ROW_BYTES) {
      rows.push([]);
      characters = 0;
    }
    rows.at(-1)?.push(line);
    characters += line.text.length;
  }
  return rows.map((row) => ({
    first: (row[0] as Line).entry.number,
    last: (row.at(-1) as Line).entry.number,
    lines: row,
  }));
}

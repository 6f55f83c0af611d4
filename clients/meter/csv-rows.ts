// Owns cutting lines into cells and finding columns in them. It refuses cells that run on over a line's end: a line is a
// row, so that line numbers are exact and a forgotten quote does not swallow a file.

import type { Column, CsvMapping } from "./csv-mapping.ts";
import { MeterFileError } from "./interval.ts";

const DELIMITERS = [";", "\t", "|", ","] as const;
const QUOTE = '"';

/** The delimiter that stands most often in a line; a comma where there is none. */
export function delimiterOf(line: string): CsvMapping["delimiter"] & string {
  let best: (typeof DELIMITERS)[number] = ",";
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const count = line.split(delimiter).length - 1;
    if (count > most) {
      best = delimiter;
      most = count;
    }
  }
  return best;
}

/** The cells of a line, or null where its quotes do not close. */
export function cellsOf(line: string, delimiter: string): string[] | null {
  if (!line.includes(QUOTE)) return line.split(delimiter);
  const cells: string[] = [];
  for (let at = 0; ; ) {
    if (line[at] !== QUOTE) {
      const end = line.indexOf(delimiter, at);
      cells.push(line.slice(at, end < 0 ? line.length : end));
      if (end < 0) return cells;
      at = end + 1;
      continue;
    }
    let cell = "";
    for (let from = at + 1; ; ) {
      const end = line.indexOf(QUOTE, from);
      if (end < 0) return null;
      cell += line.slice(from, end);
      at = end + 1;
      if (line[at] !== QUOTE) break;
      cell += QUOTE;
      from = at + 1;
    }
    cells.push(cell);
    if (at === line.length) return cells;
    if (line[at] !== delimiter) return null;
    at += 1;
  }
}

/** Place of a column, from 0. @throws MeterFileError that names the columns there are */
export function placeOf(
  column: Column,
  header: readonly string[],
  named: boolean,
  file: string,
  line: number,
): number {
  const place = typeof column === "number" ? column - 1 : named ? header.indexOf(column) : -1;
  if (place >= 0 && place < header.length) return place;
  const has = named ? `it has ${header.slice(0, 20).join(", ")}` : `it has ${header.length} columns`;
  throw new MeterFileError(file, `has no column ${column}; ${has.slice(0, 300)}`, { line, field: "header" });
}

// Owns reading a CSV file strictly: the named columns, the same width on every line, plain numbers in their range. It
// refuses to skip, trim or repair a line.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { CsvError, parse } from "csv-parse/sync";
import { parseDecimalMicros } from "../household/tariff.ts";
import { DataError } from "./data-set.ts";

/** Largest file that is read, after unpacking: a year of one minute readings of many homes fits. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

export interface Table {
  readonly file: string;
  readonly header: readonly string[];
  readonly rows: number;
  /** Text of a cell; row 0 is the first line below the header. Throws DataError for a column that is not there. */
  text(row: number, column: string): string;
  /** A finite number in [minimum, maximum]. Throws DataError that names file, line and column otherwise. */
  number(row: number, column: string, minimum: number, maximum: number): number;
  /** A price in whole micros, as plain decimal text within ±10. Throws DataError where it would be rounded. */
  micros(row: number, column: string, minimum: number): number;
  /** A DataError at a cell, for checks that a range cannot say. */
  error(row: number, column: string, problem: string): DataError;
}

function readText(path: string, file: string): string {
  try {
    const bytes = readFileSync(path);
    const plain = path.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: MAX_FILE_BYTES }) : bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (error) {
    throw new DataError(file, `cannot be read: ${(error as Error).message}`);
  }
}

function parseRows(text: string, file: string): string[][] {
  try {
    // No quoting: these files have none, so a line is a row and line numbers are exact.
    return parse(text, { quote: false, skip_empty_lines: false, max_record_size: 65_536 });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(file, error.message);
  }
}

/** More than any price per kWh: a value beyond it is a wrong unit. */
const MAX_PRICE = 10;

/** Plain decimals and the exponent form that numeric tools write. */
const NUMBER = /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$/;

/** Reads a CSV file (unpacked where it ends in `.gz`) with a header that has at least `columns`. Throws DataError. */
export function readTable(path: string, columns: readonly string[]): Table {
  const file = basename(path);
  const [header, ...lines] = parseRows(readText(path, file), file);
  if (header === undefined) throw new DataError(file, "is empty");
  const places = new Map(header.map((name, i) => [name, i]));
  if (places.size !== header.length) throw new DataError(file, "names a column twice", { line: 1 });
  const missing = columns.filter((name) => !places.has(name));
  if (missing.length > 0) throw new DataError(file, `has no column ${missing.join(", ")}`, { line: 1 });
  const error = (row: number, column: string, problem: string) =>
    new DataError(file, problem, { line: row + 2, column });
  const text = (row: number, column: string): string => {
    const cell = lines[row]?.[places.get(column) ?? -1];
    if (cell === undefined) throw error(row, column, "is not there");
    return cell;
  };
  const number = (row: number, column: string, minimum: number, maximum: number): number => {
    const cell = text(row, column);
    const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    const found = JSON.stringify(cell.slice(0, 40));
    throw error(row, column, `expected a number from ${minimum} to ${maximum}, found ${found}`);
  };
  return {
    file,
    header,
    rows: lines.length,
    text,
    error,
    number,
    micros(row, column, minimum) {
      number(row, column, minimum, MAX_PRICE);
      try {
        return parseDecimalMicros(text(row, column));
      } catch (fault) {
        throw error(row, column, (fault as Error).message);
      }
    },
  };
}

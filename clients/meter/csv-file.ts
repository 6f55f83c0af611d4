// Owns readings in CSV files as their mapping describes them. It refuses files without the columns that the mapping
// names; a row that cannot be read is left out by line, field and reason.

import type { CsvMapping } from "./csv-mapping.ts";
import { mappingOfHeader } from "./csv-mapping.ts";
import { cellsOf, delimiterOf } from "./csv-rows.ts";
import { CsvTable } from "./csv-table.ts";
import {
  type Batch,
  type ChannelBook,
  type Interval,
  MeterFileError,
  type Note,
  shortened,
} from "./interval.ts";
import { type MeterClock, parseClock } from "./meter-clock.ts";
import type { Member } from "./meter-file.ts";
import { RowTimes } from "./row-times.ts";
import { RowValues } from "./row-values.ts";
import { readLines } from "./text-lines.ts";

export interface CsvOptions {
  readonly channels: ChannelBook;
  /** Without it the header must speak for itself. */
  readonly mapping?: CsvMapping | undefined;
  /** Of times without a zone; it wins over the mapping's. */
  readonly clock?: MeterClock | undefined;
}

/** A row whose time is known. */
export interface TimedRow {
  readonly cells: readonly string[];
  readonly line: number;
  readonly meter: string;
  /** The moment of its label, unix seconds. */
  readonly atS: number;
  /** The label by its local clock, seconds as if it were UTC; null where it names its zone. */
  readonly localS: number | null;
}

/** Rows looked at for the length of intervals when the mapping does not say it. */
const LOOK_ROWS = 64;

/** Intervals and notes of a CSV file. @throws MeterFileError */
export async function* parseCsv(member: Member, options: CsvOptions): AsyncGenerator<Batch> {
  const reader = new CsvReader(member.name, options);
  for await (const { lines, firstLine } of readLines(member, options.mapping?.encoding)) {
    for (let i = 0; i < lines.length; i += 1) reader.read(lines[i] as string, firstLine + i);
    yield reader.take();
  }
  reader.end();
  yield reader.take();
}

class CsvReader {
  readonly #file: string;
  readonly #options: CsvOptions;
  #intervals: Interval[] = [];
  #notes: Note[] = [];
  #table: CsvTable | null = null;
  #times: RowTimes | null = null;
  #values: RowValues | null = null;
  /** Rows that wait for the length of intervals. */
  #waiting: TimedRow[] | null = [];
  #rows = 0;
  #read = 0;
  #firstNote: Note | null = null;

  constructor(file: string, options: CsvOptions) {
    this.#file = file;
    this.#options = options;
  }

  take(): Batch {
    const batch = { intervals: this.#intervals, notes: this.#notes };
    this.#read += batch.intervals.length;
    this.#firstNote ??= batch.notes.find(({ isLoss }) => isLoss) ?? null;
    this.#intervals = [];
    this.#notes = [];
    return batch;
  }

  read(text: string, line: number): void {
    if (line <= (this.#options.mapping?.skipLines ?? 0) || text.trim() === "") return;
    const table = this.#table;
    if (table === null) {
      this.#begin(text, line);
      return;
    }
    this.#row(table, text, line);
  }

  /** @throws MeterFileError where no row could be read */
  end(): void {
    if (this.#waiting !== null && this.#waiting.length > 0) this.#release();
    if (this.#values !== null) this.#notes.push(...this.#values.end());
    const { intervals, notes } = this.take();
    this.#intervals = [...intervals];
    this.#notes = [...notes];
    if (this.#rows === 0) throw new MeterFileError(this.#file, "has no row of readings");
    if (this.#read > 0) return;
    const first = this.#firstNote;
    if (first === null) throw new MeterFileError(this.#file, "has no row that makes an interval");
    const reason = `no row can be read; the first: ${first.reason}${first.found ? ` (${first.found})` : ""}`;
    throw new MeterFileError(this.#file, reason, { line: first.line, field: first.field });
  }

  /** The first line: a header, or without one the first row. */
  #begin(text: string, line: number): void {
    const { mapping: given, clock: own, channels } = this.#options;
    const delimiter = given?.delimiter ?? delimiterOf(text);
    const cells = cellsOf(text, delimiter)?.map((cell) => cell.trim());
    if (cells === undefined)
      throw new MeterFileError(this.#file, "has a quote that does not close", { line });
    const mapping = given ?? mappingOfHeader(cells);
    if (mapping === null)
      throw new MeterFileError(this.#file, "says not which columns are what: give a mapping file", {
        line,
        field: "header",
      });
    const table = new CsvTable(this.#file, mapping, delimiter, cells, line);
    const clock = own ?? (mapping.zone === undefined ? null : parseClock(mapping.zone));
    this.#table = table;
    this.#times = new RowTimes(mapping, clock);
    this.#values = new RowValues(this.#file, mapping, table, channels);
    if (mapping.intervalMinutes !== undefined || mapping.cumulative) this.#waiting = null;
    if (!mapping.header) this.#row(table, text, line);
  }

  #row(table: CsvTable, text: string, line: number) {
    this.#rows += 1;
    const cells = cellsOf(text, table.delimiter);
    if (cells === null) return this.#note(line, "row", "has a quote that does not close", text);
    if (cells.length !== table.width) {
      const reason = `has not the ${table.width} cells of the first line`;
      return this.#note(line, "row", reason, `${cells.length} cells`);
    }
    const written = table.timeText(cells);
    const meter = table.meterOf(cells);
    const read = (this.#times as RowTimes).read(written, meter);
    if (typeof read === "string") return this.#note(line, "time", read, written);
    if (read.isRepeated)
      this.#notes.push({
        isLoss: false,
        file: this.#file,
        line,
        field: "time",
        reason: "is shown twice by the clock on that day; read in the order of lines",
        found: shortened(written),
      });
    const row = { cells, line, meter, atS: read.atS, localS: read.localS };
    if (this.#waiting === null) this.#emit(row);
    else {
      this.#waiting.push(row);
      if (this.#waiting.length >= LOOK_ROWS) this.#release();
    }
  }

  /** Enough rows were seen to know how long an interval is. */
  #release(): void {
    const rows = this.#waiting ?? [];
    this.#waiting = null;
    const durationS = (this.#times as RowTimes).derive(rows);
    if (durationS === null)
      throw new MeterFileError(this.#file, "says not how long its intervals are: give intervalMinutes", {
        line: rows[0]?.line ?? 1,
        field: "time",
      });
    for (const row of rows) this.#emit(row);
  }

  #emit(row: TimedRow): void {
    const values = this.#values as RowValues;
    const stretch = (this.#times as RowTimes).stretchOf(row);
    values.read(row, stretch, this.#intervals, this.#notes);
  }

  #note(line: number, field: string, reason: string, found: string): void {
    const note = {
      isLoss: true,
      file: this.#file,
      line,
      field,
      reason,
      found: shortened(found.slice(0, 60)),
    };
    this.#notes.push(note);
  }
}

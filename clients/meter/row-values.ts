// Owns the energies of a CSV file's row: units, mean powers, signs, registers that count up. It refuses values that are
// no numbers, and qualities that say there are no data.

import type { TimedRow } from "./csv-file.ts";
import { type CsvMapping, isPower } from "./csv-mapping.ts";
import type { CsvTable, ValueColumn } from "./csv-table.ts";
import { scaledDecimal } from "./decimal.ts";
import {
  type Channel,
  type ChannelBook,
  energyFault,
  type Flow,
  type Interval,
  type Note,
  type Quality,
  shortened,
} from "./interval.ts";
import { RegisterSeries, type RegisterStep } from "./register-series.ts";
import type { RowStretch } from "./row-times.ts";

/** Power of ten from a unit to µWh, of a power to µWh in an hour. */
const POWERS = { Wh: 6, W: 6, kWh: 9, kW: 9, MWh: 12 } as const;
const HOUR_SECONDS = 3_600;

/** Reads the values of a file's rows, in their order. */
export class RowValues {
  readonly #file: string;
  readonly #table: CsvTable;
  readonly #channels: ChannelBook;
  readonly #power: number;
  readonly #separator: 44 | 46;
  readonly #isPower: boolean;
  readonly #isNetImport: boolean;
  readonly #marks = new Map<string, Quality | null>();
  readonly #isQualified: boolean;
  /** Registers that count up, by channel; null where values are energies of intervals. */
  readonly #registers: Map<Channel, RegisterSeries> | null;
  #lastLine = 0;
  #meter: string | null = null;
  #ofMeter: readonly Channel[] = [];

  constructor(file: string, mapping: CsvMapping, table: CsvTable, channels: ChannelBook) {
    this.#file = file;
    this.#table = table;
    this.#channels = channels;
    this.#power = POWERS[mapping.unit];
    this.#isPower = isPower(mapping.unit);
    this.#separator = mapping.decimal === "," ? 44 : 46;
    this.#isNetImport = mapping.values.net?.positive === "import";
    this.#registers = mapping.cumulative ? new Map() : null;
    this.#isQualified = mapping.quality !== undefined;
    if (mapping.quality === undefined) return;
    const { actual, estimated, substituted, missing } = mapping.quality;
    for (const mark of actual) this.#marks.set(mark, "actual");
    for (const mark of estimated) this.#marks.set(mark, "estimated");
    for (const mark of substituted) this.#marks.set(mark, "substituted");
    for (const mark of missing) this.#marks.set(mark, null);
  }

  /** Adds a row's intervals and notes to the lists. */
  read(row: TimedRow, stretch: RowStretch, intervals: Interval[], notes: Note[]): void {
    const { cells, line, meter } = row;
    this.#lastLine = line;
    const quality = this.#qualityOf(cells);
    if (quality === null) {
      notes.push(this.#note(line, "quality", "says that there are no data", "a row"));
      return;
    }
    if (meter !== this.#meter) this.#choose(meter);
    const { values } = this.#table;
    for (let i = 0; i < values.length; i += 1) {
      const column = values[i] as ValueColumn;
      const channel = this.#ofMeter[i] as Channel;
      const cell = cells[column.place] as string;
      if (this.#registers !== null) this.#count(row, channel, cell, quality, intervals, notes);
      else {
        const fault = this.#measure(cell, channel, stretch, quality, line, intervals);
        if (fault !== null) notes.push(this.#note(line, column.name, fault, cell));
      }
    }
  }

  /** What is still held of registers when no row follows. */
  end(): Note[] {
    if (this.#registers === null) return [];
    return [...this.#registers].flatMap(([channel, series]) =>
      this.#notesOf(series.end(), channel, this.#lastLine),
    );
  }

  #choose(meter: string): void {
    this.#meter = meter;
    this.#ofMeter = this.#table.values.map(({ name, measure }) =>
      this.#channels.of(this.#file, meter === "" ? "1" : meter, name, measure),
    );
  }

  #qualityOf(cells: readonly string[]): Quality | null {
    const place = this.#table.qualityPlace;
    if (!this.#isQualified || place === null) return "actual";
    const quality = this.#marks.get((cells[place] as string).trim());
    return quality === undefined ? "unknown" : quality;
  }

  #measure(
    cell: string,
    channel: Channel,
    { startS, durationS }: RowStretch,
    quality: Quality,
    line: number,
    intervals: Interval[],
  ): string | null {
    const written = scaledDecimal(cell, 0, cell.length, this.#power, this.#separator);
    const signed = this.#isPower ? Math.round((written * durationS) / HOUR_SECONDS) + 0 : written;
    const isNet = channel.measure === "net";
    const microWh = isNet ? Math.abs(signed) : signed;
    const fault = energyFault(microWh, durationS);
    if (fault !== null) return cell.trim() === "" ? "is empty" : fault;
    const flow: Flow = isNet
      ? signed > 0 === this.#isNetImport
        ? "import"
        : "export"
      : (channel.measure as Flow);
    intervals.push({ channel, flow, startS, durationS, microWh, quality, line });
    return null;
  }

  #count(
    { atS, line }: TimedRow,
    channel: Channel,
    cell: string,
    quality: Quality,
    intervals: Interval[],
    notes: Note[],
  ): void {
    const microWh = scaledDecimal(cell, 0, cell.length, this.#power, this.#separator);
    if (!Number.isSafeInteger(microWh) || microWh < 0 || atS < 0) {
      const reason = cell.trim() === "" ? "is empty" : "is no state of a register";
      notes.push(this.#note(line, channel.register, reason, cell));
      return;
    }
    const registers = this.#registers as Map<Channel, RegisterSeries>;
    const series = registers.get(channel) ?? new RegisterSeries();
    registers.set(channel, series);
    const step = series.add({ atS, microWh });
    notes.push(...this.#notesOf(step, channel, line));
    for (const { startS, durationS, microWh: flowed } of step.flows) {
      const fault = energyFault(flowed, durationS);
      if (fault !== null) notes.push(this.#note(line, channel.register, fault, cell));
      else
        intervals.push({
          channel,
          flow: channel.measure as Flow,
          startS,
          durationS,
          microWh: flowed,
          quality,
          line,
        });
    }
  }

  #notesOf({ notes }: RegisterStep, channel: Channel, line: number): Note[] {
    return notes.map(({ what, reason }) => this.#note(line, channel.register, what, reason));
  }

  #note(line: number, field: string, reason: string, found: string): Note {
    return { isLoss: true, file: this.#file, line, field, reason, found: shortened(found.slice(0, 60)) };
  }
}

// Owns NEM12, the interval meter data of the Australian market (AEMO, Meter Data File Format: records 100 to 900). It
// refuses files without one interval record; a record that is not one is left out by line and reason.

import { scaledDecimal } from "./decimal.ts";
import {
  type Batch,
  type Channel,
  type ChannelBook,
  energyFault,
  type Interval,
  isMeterTime,
  MeterFileError,
  type Note,
  type Quality,
  shortened,
} from "./interval.ts";
import type { MeterClock } from "./meter-clock.ts";
import type { Member } from "./meter-file.ts";
import { readLines } from "./text-lines.ts";

/** Power of ten from a unit to µWh. The market's files write units in any case. */
export const NEM_UNIT_POWERS: Readonly<Record<string, number>> = { WH: 6, KWH: 9, MWH: 12 };
const INTERVAL_MINUTES = new Set([1, 5, 10, 15, 30, 60]);
const DAY_MINUTES = 1_440;
const QUALITY = /^[AEFNSV][0-9]{0,2}$/;
const QUALITIES: Readonly<Record<string, Quality>> = {
  A: "actual",
  E: "estimated",
  F: "substituted",
  S: "substituted",
  V: "unknown",
};
/** What a quality flag with its method means; undefined for null data (N), and for what is no flag. */
export function nemQuality(flag: string): Quality | undefined {
  return QUALITY.test(flag.toUpperCase()) ? QUALITIES[flag[0]?.toUpperCase() ?? ""] : undefined;
}

/** Most intervals handed on at once. */
const BATCH_INTERVALS = 4_096;

/** The register that 300 records belong to until the next 200: where it counts, or why it is left out. */
interface Stream {
  readonly minutes: number;
  readonly power: number;
  readonly channel: Channel | null;
  readonly reason: string;
}

/** A day of values whose quality the next records may still say. */
interface Day {
  readonly line: number;
  readonly stream: Stream & { readonly channel: Channel };
  readonly startS: number;
  /** µWh; NaN where there is none, and it is noted. */
  readonly values: readonly number[];
  readonly qualities: string[];
}

export interface NemOptions {
  readonly channels: ChannelBook;
  /** Days are days of its standard time; the market's is UTC+10. */
  readonly clock: MeterClock;
}

/** Intervals and notes of a NEM12 file. @throws MeterFileError */
export async function* parseNem12(member: Member, options: NemOptions): AsyncGenerator<Batch> {
  const reader = new Nem12Reader(member.name, options);
  for await (const { lines, firstLine } of readLines(member)) {
    for (let i = 0; i < lines.length; i += 1) {
      reader.read(lines[i] as string, firstLine + i);
      if (reader.held >= BATCH_INTERVALS) yield reader.take();
    }
    if (reader.held > 0) yield reader.take();
  }
  reader.end();
  yield reader.take();
}

/** Reads the records of one file in order. */
class Nem12Reader {
  readonly #file: string;
  readonly #options: NemOptions;
  #intervals: Interval[] = [];
  #notes: Note[] = [];
  #stream: Stream | null = null;
  #day: Day | null = null;
  #records = 0;
  #first = "";
  #last = "";

  constructor(file: string, options: NemOptions) {
    this.#file = file;
    this.#options = options;
  }

  get held(): number {
    return this.#intervals.length + this.#notes.length;
  }

  take(): Batch {
    const batch = { intervals: this.#intervals, notes: this.#notes };
    this.#intervals = [];
    this.#notes = [];
    return batch;
  }

  read(text: string, line: number) {
    if (text.trim() === "") return;
    const kind = text.slice(0, 4).replace(",", "").trim();
    if (this.#first === "") this.#first = kind;
    if (kind === "400") return this.#readQuality(text, line);
    this.#settleDay();
    this.#last = kind;
    if (kind === "300") this.#readDay(text, line);
    else if (kind === "200") this.#readStream(text, line);
    else if (kind !== "100" && kind !== "500" && kind !== "900")
      this.#note(line, "record", "is no record of NEM12", kind);
    else if (kind === "100" && !/^100\s*,\s*NEM12\s*(,|$)/i.test(text))
      this.#note(line, "header", "does not say NEM12", text);
  }

  /** @throws MeterFileError where no record was one */
  end(): void {
    this.#settleDay();
    if (this.#records === 0) throw new MeterFileError(this.#file, "has no interval record (300) of NEM12");
    if (this.#first !== "100") this.#remark("header", "has no header (100); read as NEM12 all the same");
    if (this.#last !== "900") this.#remark("end", "has no end record (900): it may be cut off");
  }

  #readStream(text: string, line: number) {
    const [, nmi = "", , , suffix = "", , , unit = "", length = ""] = text
      .split(",", 10)
      .map((field) => field.trim());
    const minutes = Number(length);
    const power = NEM_UNIT_POWERS[unit.toUpperCase()] ?? 0;
    const without = (reason: string) => {
      this.#stream = { minutes, power, channel: null, reason };
    };
    if (!/^[0-9]{1,2}$/.test(length) || !INTERVAL_MINUTES.has(minutes)) {
      this.#note(line, "interval length", "is none of 1, 5, 10, 15, 30, 60 minutes", length);
      return without("stands below a 200 record that is left out");
    }
    if (!/^[A-Za-z][A-Za-z0-9]{0,9}$/.test(suffix) || nmi === "") {
      this.#note(line, "register", "names no meter and register", `${nmi} ${suffix}`);
      return without("stands below a 200 record that is left out");
    }
    const letter = suffix[0]?.toUpperCase() ?? "";
    const name = suffix.toUpperCase();
    if ("KQ".includes(letter)) return without(`${name} counts reactive energy, which nobody trades`);
    if (letter !== "E" && letter !== "B") return without(`${name} counts neither import (E) nor export (B)`);
    if (power === 0)
      return without(`${name} is not in Wh, kWh or MWh but in ${shortened(unit) || "no unit"}`);
    const measure = letter === "E" ? "import" : "export";
    const channel = this.#options.channels.of(this.#file, nmi, suffix.toUpperCase(), measure);
    this.#stream = { minutes, power, channel, reason: "" };
  }

  #readDay(text: string, line: number) {
    this.#records += 1;
    const stream = this.#stream;
    if (stream === null) return this.#note(line, "record", "stands before any 200 record", "300");
    const { channel, minutes } = stream;
    if (channel === null) return this.#note(line, "register", stream.reason, "a day");
    const dateEnd = text.indexOf(",", 4);
    const startS = this.#dayStart(text.slice(4, dateEnd < 0 ? text.length : dateEnd).trim());
    if (!isMeterTime(startS))
      return this.#note(line, "date", "is not a day written yyyymmdd", text.slice(4, 16));
    const count = DAY_MINUTES / minutes;
    const values: number[] = [];
    const faults: Note[] = [];
    let from = dateEnd + 1;
    for (let index = 0; index < count; index += 1) {
      const comma = from === 0 ? -1 : text.indexOf(",", from);
      const until = comma < 0 ? text.length : comma;
      if (from === 0 || this.#isFlag(text, from, until))
        return this.#note(line, "values", `has not the ${count} values of a day`, `${index} values`);
      values.push(this.#value(text, from, until, line, index, stream, faults));
      from = comma < 0 ? 0 : comma + 1;
    }
    const flag = from === 0 ? "" : (text.slice(from).split(",", 1)[0] as string).trim().toUpperCase();
    if (flag !== "" && !QUALITY.test(flag))
      return this.#note(
        line,
        "quality",
        `has not the ${count} values of a day, or no quality after them`,
        flag,
      );
    this.#notes.push(...faults);
    const qualities = new Array<string>(count).fill(flag[0] ?? "V");
    this.#day = { line, stream: { ...stream, channel }, startS, values, qualities };
  }

  /** True where a quality stands in the place of a value: the record is too short. */
  #isFlag(text: string, from: number, until: number): boolean {
    const code = text.charCodeAt(from);
    return code >= 65 && code <= 90 && QUALITY.test(text.slice(from, until).trim());
  }

  #dayStart(text: string): number {
    const match = /^([0-9]{4})([0-9]{2})([0-9]{2})$/.exec(text);
    if (match === null) return Number.NaN;
    const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
    const at = new Date(Date.UTC(year, month - 1, day));
    if (at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return Number.NaN;
    return at.getTime() / 1000 - this.#options.clock.standardOffsetS;
  }

  #value(
    text: string,
    from: number,
    until: number,
    line: number,
    index: number,
    { minutes, power }: Stream,
    faults: Note[],
  ): number {
    const microWh = scaledDecimal(text, from, until, power);
    const fault = energyFault(microWh, minutes * 60);
    if (fault === null) return microWh;
    const found = text.slice(from, until).trim();
    const reason = found === "" ? "is empty" : fault;
    faults.push(this.#noteOf(line, `value ${index + 1}`, reason, found));
    return Number.NaN;
  }

  #readQuality(text: string, line: number) {
    const day = this.#day;
    if (day === null) return this.#note(line, "record", "says the quality of no day before it", "400");
    const [, first = "", last = "", flag = ""] = text.split(",", 5).map((field) => field.trim());
    const [from, until] = [Number(first), Number(last)];
    const isRange = /^[0-9]{1,4}$/.test(first) && /^[0-9]{1,4}$/.test(last) && from >= 1 && from <= until;
    if (!isRange || until > day.values.length || !QUALITY.test(flag.toUpperCase()))
      return this.#note(line, "quality", "is no quality of some of the day's values", text);
    day.qualities.fill(flag[0]?.toUpperCase() ?? "V", from - 1, until);
  }

  /** Hands the day on, now that no more is said about its quality. */
  #settleDay(): void {
    const day = this.#day;
    if (day === null) return;
    this.#day = null;
    const { channel, minutes } = day.stream;
    const durationS = minutes * 60;
    let missing = 0;
    for (let index = 0; index < day.values.length; index += 1) {
      const microWh = day.values[index] as number;
      const quality = QUALITIES[day.qualities[index] as string];
      if (quality === undefined) missing += 1;
      if (quality === undefined || Number.isNaN(microWh)) continue;
      this.#intervals.push({
        channel,
        flow: channel.measure as "import" | "export",
        startS: day.startS + index * durationS,
        durationS,
        microWh,
        quality,
        line: day.line,
      });
    }
    if (missing > 0) this.#note(day.line, "quality", "is null (N): there are no data", `${missing} values`);
  }

  #noteOf(line: number, field: string, reason: string, found: string): Note {
    return { isLoss: true, file: this.#file, line, field, reason, found: shortened(found.slice(0, 60)) };
  }

  #note(line: number, field: string, reason: string, found: string): void {
    this.#notes.push(this.#noteOf(line, field, reason, found));
  }

  #remark(field: string, reason: string): void {
    this.#notes.push({ isLoss: false, file: this.#file, line: 0, field, reason });
  }
}

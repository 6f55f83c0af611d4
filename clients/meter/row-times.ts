// Owns the time that a row of a CSV file is about: its label read by the right clock, and from where to where it reaches.
// It refuses times without a zone where nobody named one, and local times that never were.

import type { TimedRow } from "./csv-file.ts";
import type { CsvMapping } from "./csv-mapping.ts";
import { isMeterTime } from "./interval.ts";
import { LabelClock, type MeterClock } from "./meter-clock.ts";
import { type TimeFormat, timeFormatOf } from "./time-format.ts";

/** From where to where a row reaches, unix seconds. */
export interface RowStretch {
  readonly startS: number;
  readonly durationS: number;
}

interface ReadLabel {
  readonly atS: number;
  readonly localS: number | null;
  readonly isRepeated: boolean;
}

const DAY_SECONDS = 86_400;
const LONGEST_S = 31 * DAY_SECONDS;

/** Reads the times of a file's rows, in their order. */
export class RowTimes {
  readonly #format: TimeFormat;
  readonly #isEnd: boolean;
  readonly #clock: MeterClock | null;
  readonly #labels = new Map<string, LabelClock>();
  #durationS: number;

  constructor(mapping: CsvMapping, clock: MeterClock | null) {
    this.#format = timeFormatOf(mapping.time.format);
    this.#isEnd = mapping.time.label === "end";
    this.#clock = clock;
    this.#durationS = (mapping.intervalMinutes ?? 0) * 60;
  }

  /** The moment of a label, or why it is none. */
  read(text: string, meter: string): ReadLabel | string {
    const written = this.#format(text);
    if (written === null) return "is not a time of the stated format, or on no calendar";
    const { localS, offsetS } = written;
    if (!isMeterTime(localS)) return "is outside of what a meter can have measured";
    if (offsetS !== null) return { atS: localS - offsetS, localS: null, isRepeated: false };
    if (this.#clock === null) return "has no time zone: name one in the mapping, or with --zone";
    let labels = this.#labels.get(meter);
    if (labels === undefined) {
      labels = new LabelClock(this.#clock);
      this.#labels.set(meter, labels);
    }
    const { atS, isRepeated } = labels.read(localS, this.#isEnd);
    if (atS === null) return "is a local time that never was: clocks went forward over it";
    return { atS, localS, isRepeated };
  }

  /** Takes the most frequent distance between the rows of a meter as the length of intervals, s; null without any. */
  derive(rows: readonly TimedRow[]): number | null {
    const last = new Map<string, number>();
    const distances = new Map<number, number>();
    for (const { meter, atS, localS } of rows) {
      // By the local clock a day is a day, also where it has 23 hours.
      const shownS = localS ?? atS;
      const before = last.get(meter);
      last.set(meter, shownS);
      const distance = before === undefined ? 0 : Math.abs(shownS - before);
      if (distance > 0 && distance <= LONGEST_S) distances.set(distance, (distances.get(distance) ?? 0) + 1);
    }
    const [best] = [...distances].sort(([a, often], [b, other]) => other - often || a - b);
    if (best === undefined) return null;
    this.#durationS = best[0];
    return best[0];
  }

  /** A local day is a day of 23 or 25 hours where clocks change. */
  stretchOf({ atS, localS }: TimedRow): RowStretch {
    const durationS = this.#durationS;
    if (durationS === DAY_SECONDS && localS !== null && this.#clock !== null) {
      const otherS = this.#clock.instants(localS + (this.#isEnd ? -DAY_SECONDS : DAY_SECONDS))[0];
      if (otherS !== undefined) return { startS: Math.min(atS, otherS), durationS: Math.abs(atS - otherS) };
    }
    return { startS: this.#isEnd ? atS - durationS : atS, durationS };
  }
}

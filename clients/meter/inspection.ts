// Owns what a meter file holds, as figures: registers, spans, lengths, gaps, qualities, totals and the course of a day.
// It refuses to keep intervals; its size does not grow with the file.

import type { CoverageBook, Stretch } from "./coverage.ts";
import {
  type Batch,
  type Channel,
  type Flow,
  type Interval,
  MeterFileError,
  type Quality,
} from "./interval.ts";
import type { MeterClock } from "./meter-clock.ts";
import { NoteBook, type NoteGroup } from "./notes.ts";

/** One register's figures. */
export interface ChannelReport extends Channel {
  readonly intervals: number;
  /** Unix seconds. */
  readonly fromS: number;
  readonly untilS: number;
  /** How many intervals of which length, s; the longest are counted together under 0 where there are very many. */
  readonly durations: ReadonlyMap<number, number>;
  readonly gaps: readonly Stretch[];
  readonly qualities: ReadonlyMap<Quality, number>;
  /** µWh per direction, exact. */
  readonly totals: ReadonlyMap<Flow, number>;
  /** Mean µWh of each hour of the local day, by direction; of intervals of at most an hour. */
  readonly hourlyMicroWh: ReadonlyMap<Flow, readonly number[]>;
}

export interface InspectionReport {
  readonly channels: readonly ChannelReport[];
  readonly notes: readonly NoteGroup[];
}

const HOUR_SECONDS = 3_600;
/** Months and days around clock changes have several lengths; more than this is irregular. */
const MAX_DURATIONS = 32;

class ChannelFigures {
  intervals = 0;
  fromS = Number.POSITIVE_INFINITY;
  untilS = Number.NEGATIVE_INFINITY;
  readonly durations = new Map<number, number>();
  readonly qualities = new Map<Quality, number>();
  readonly totals = new Map<Flow, number>();
  /** µWh of each hour of the day, by direction. */
  readonly hours = new Map<Flow, Float64Array>();
  readonly secondsPerHour = new Float64Array(24);

  add({ flow, startS, durationS, microWh, quality }: Interval, clock: MeterClock): void {
    this.intervals += 1;
    if (startS < this.fromS) this.fromS = startS;
    if (startS + durationS > this.untilS) this.untilS = startS + durationS;
    const known = this.durations.has(durationS) || this.durations.size < MAX_DURATIONS;
    count(this.durations, known ? durationS : 0, 1);
    count(this.qualities, quality, 1);
    count(this.totals, flow, microWh);
    if (durationS > HOUR_SECONDS) return;
    const hour = Math.floor((startS + clock.offsetS(startS)) / HOUR_SECONDS) % 24;
    const hours = this.hours.get(flow) ?? new Float64Array(24);
    this.hours.set(flow, hours);
    const index = hour < 0 ? hour + 24 : hour;
    hours[index] = (hours[index] as number) + microWh;
    this.secondsPerHour[index] = (this.secondsPerHour[index] as number) + durationS;
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

/** Folds batches into figures. */
export class Inspection {
  readonly #clock: MeterClock;
  readonly #figures = new Map<Channel, ChannelFigures>();
  readonly #notes = new NoteBook();

  /** @param clock whose hours the course of a day is told in */
  constructor(clock: MeterClock) {
    this.#clock = clock;
  }

  add({ intervals, notes }: Batch): void {
    for (const note of notes) this.#notes.add(note);
    for (const interval of intervals) {
      let figures = this.#figures.get(interval.channel);
      if (figures === undefined) {
        figures = new ChannelFigures();
        this.#figures.set(interval.channel, figures);
      }
      figures.add(interval, this.#clock);
    }
  }

  /** @throws MeterFileError where a register's total is beyond what is counted exactly */
  report(coverage: CoverageBook): InspectionReport {
    const channels = [...this.#figures].map(([channel, figures]): ChannelReport => {
      for (const total of figures.totals.values())
        if (!Number.isSafeInteger(total))
          throw new MeterFileError(channel.register, "holds more energy than a household's meter can count");
      const stretches = coverage.stretches(channel);
      const { intervals, fromS, untilS, durations, qualities, totals } = figures;
      return {
        ...channel,
        intervals,
        fromS,
        untilS,
        durations: new Map([...durations].sort(([a], [b]) => a - b)),
        gaps: stretches.slice(1).map(({ fromS: next }, i) => ({
          fromS: (stretches[i] as Stretch).untilS,
          untilS: next,
        })),
        qualities,
        totals,
        hourlyMicroWh: new Map([...figures.hours].map(([flow, hours]) => [flow, meansOf(hours, figures)])),
      };
    });
    return { channels, notes: this.#notes.groups() };
  }
}

function meansOf(hours: Float64Array, { secondsPerHour }: ChannelFigures): number[] {
  return Array.from(hours, (microWh, hour) => {
    const seconds = secondsPerHour[hour] as number;
    return seconds === 0 ? 0 : (microWh * HOUR_SECONDS) / seconds;
  });
}

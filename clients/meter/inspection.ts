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
  /** Intervals alike in a row are counted together, because most are alike. */
  #like: Interval | null = null;
  #likeCount = 0;
  #likeMicroWh = 0;
  #likeHours: Float64Array = new Float64Array(24);

  add(interval: Interval, clock: MeterClock): void {
    const { flow, startS, durationS, microWh, quality } = interval;
    const like = this.#like;
    if (like === null || like.flow !== flow || like.durationS !== durationS || like.quality !== quality) {
      this.settle();
      this.#like = interval;
      this.#likeHours = this.hours.get(flow) ?? new Float64Array(24);
      if (durationS <= HOUR_SECONDS) this.hours.set(flow, this.#likeHours);
    }
    this.#likeCount += 1;
    this.#likeMicroWh += microWh;
    if (startS < this.fromS) this.fromS = startS;
    if (startS + durationS > this.untilS) this.untilS = startS + durationS;
    if (durationS > HOUR_SECONDS) return;
    const hour = Math.floor((startS + clock.offsetS(startS)) / HOUR_SECONDS) % 24;
    const index = hour < 0 ? hour + 24 : hour;
    this.#likeHours[index] = (this.#likeHours[index] as number) + microWh;
    this.secondsPerHour[index] = (this.secondsPerHour[index] as number) + durationS;
  }

  /** Counts what is still counted together. */
  settle(): void {
    const like = this.#like;
    if (like === null) return;
    const isKnown = this.durations.has(like.durationS) || this.durations.size < MAX_DURATIONS;
    count(this.durations, isKnown ? like.durationS : 0, this.#likeCount);
    count(this.qualities, like.quality, this.#likeCount);
    count(this.totals, like.flow, this.#likeMicroWh);
    this.intervals += this.#likeCount;
    this.#like = null;
    this.#likeCount = 0;
    this.#likeMicroWh = 0;
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
    let channel: Channel | null = null;
    let figures: ChannelFigures | undefined;
    for (const interval of intervals) {
      if (interval.channel !== channel) {
        channel = interval.channel;
        figures = this.#figures.get(channel) ?? new ChannelFigures();
        this.#figures.set(channel, figures);
      }
      figures?.add(interval, this.#clock);
    }
  }

  /** @throws MeterFileError where a register's total is beyond what is counted exactly */
  report(coverage: CoverageBook): InspectionReport {
    const channels = [...this.#figures].map(([channel, figures]): ChannelReport => {
      figures.settle();
      for (const total of figures.totals.values())
        if (!Number.isSafeInteger(total))
          throw new MeterFileError(
            `${channel.meter} ${channel.register}`,
            "holds more energy than a household's meter can count",
          );
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

// Owns which time each register has already told of, so that nothing counts twice. It refuses a register with so many
// gaps that its file must be noise; what stands twice is left out by line, and the first one counts.

import { type Batch, type Channel, type Interval, MeterFileError, type Note } from "./interval.ts";

/** A stretch of time, unix seconds; `untilS` is not part of it. */
export interface Stretch {
  readonly fromS: number;
  readonly untilS: number;
}

/** Every tenth of ten years' five minutes missing; beyond it the file is noise. */
const MAX_STRETCHES = 100_000;

/** The time that one register told of, as stretches in order. Lines in order of time, or backward, stay one stretch. */
class Coverage {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Adds a stretch that touches nothing known, or says what it meets. */
  add(fromS: number, untilS: number): "added" | "covered" | "overlapping" {
    const starts = this.#starts;
    const ends = this.#ends;
    const after = this.#firstAfter(fromS);
    const before = after - 1;
    if (before >= 0 && (ends[before] as number) > fromS)
      return (ends[before] as number) >= untilS ? "covered" : "overlapping";
    if (after < starts.length && (starts[after] as number) < untilS) return "overlapping";
    const joinsBefore = before >= 0 && ends[before] === fromS;
    const joinsAfter = after < starts.length && starts[after] === untilS;
    if (joinsBefore && joinsAfter) {
      ends[before] = ends[after] as number;
      starts.splice(after, 1);
      ends.splice(after, 1);
    } else if (joinsBefore) ends[before] = untilS;
    else if (joinsAfter) starts[after] = fromS;
    else {
      starts.splice(after, 0, fromS);
      ends.splice(after, 0, untilS);
    }
    return "added";
  }

  get size(): number {
    return this.#starts.length;
  }

  get stretches(): Stretch[] {
    return this.#starts.map((fromS, i) => ({ fromS, untilS: this.#ends[i] as number }));
  }

  /** Index of the first stretch that starts after a moment. */
  #firstAfter(atS: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    // Mostly the next line is the next in time.
    if (high > 0 && (starts[high - 1] as number) <= atS) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= atS) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The time that all registers of what is read together told of. */
export class CoverageBook {
  readonly #coverages = new Map<Channel, Coverage>();

  /** The stretches of a register, in order; between two of them is a gap. */
  stretches(channel: Channel): Stretch[] {
    return this.#coverages.get(channel)?.stretches ?? [];
  }

  /** What of a batch tells something new; the rest becomes notes. @throws MeterFileError for a register full of gaps */
  admit(batch: Batch, file: string): Batch {
    let refused: Note[] | null = null;
    let kept: Interval[] | null = null;
    const { intervals } = batch;
    for (let i = 0; i < intervals.length; i += 1) {
      const interval = intervals[i] as Interval;
      const reason = this.#refusal(interval, file);
      if (reason === null) {
        kept?.push(interval);
        continue;
      }
      kept ??= intervals.slice(0, i);
      refused ??= [];
      const found = new Date(interval.startS * 1000).toISOString();
      refused.push({ isLoss: true, file, line: interval.line, field: "time", reason, found });
    }
    if (kept === null || refused === null) return batch;
    return { intervals: kept, notes: [...batch.notes, ...refused] };
  }

  #refusal({ channel, startS, durationS, line }: Interval, file: string): string | null {
    let coverage = this.#coverages.get(channel);
    if (coverage === undefined) {
      coverage = new Coverage();
      this.#coverages.set(channel, coverage);
    }
    const met = coverage.add(startS, startS + durationS);
    if (coverage.size > MAX_STRETCHES)
      throw new MeterFileError(file, `has more than ${MAX_STRETCHES} gaps in ${channel.register}`, { line });
    if (met === "added") return null;
    return met === "covered"
      ? "stands twice: an earlier line covers its time"
      : "overlaps the time of an earlier line";
  }
}

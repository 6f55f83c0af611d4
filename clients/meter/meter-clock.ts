// Owns what a clock without a zone meant: a fixed offset, or an IANA zone with its days of 23 and 25 hours. It refuses
// unknown zones, and local times that never were.

import { slotAt, slotStartS } from "../../protocol/units.ts";
import { offsetSeconds } from "../household/local-time.ts";

const DAY_SECONDS = 86_400;
const MAX_OFFSET_SECONDS = 16 * 3_600;

/** The clock that a meter's times are written by. */
export interface MeterClock {
  readonly name: string;
  /** Seconds ahead of UTC at an instant. */
  offsetS(atS: number): number;
  /** Seconds ahead of UTC in standard time, summer time left aside. */
  readonly standardOffsetS: number;
  /** The instants at which it shows a local time (seconds as if it were UTC): none, one or two, in order. */
  instants(localS: number): readonly number[];
}

/** `UTC`, `UTC+10`, `UTC-03:30`, `+09:30`, or an IANA zone such as `Europe/Amsterdam`. @throws RangeError */
export function parseClock(text: string): MeterClock {
  const match = /^(?:UTC|GMT)?(?:([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?$/.exec(text);
  if (match === null || text === "") return zoneClock(text);
  const [, sign, hours = "0", minutes = "0"] = match;
  const size = Number(hours) * 3_600 + Number(minutes) * 60;
  if (size > MAX_OFFSET_SECONDS || Number(minutes) > 59) throw new RangeError(`not an offset: ${text}`);
  const offset = sign === "-" ? 0 - size : size;
  return {
    name: text,
    offsetS: () => offset,
    standardOffsetS: offset,
    instants: (localS) => [localS - offset],
  };
}

function zoneClock(timeZone: string): MeterClock {
  const offsetS = (atS: number): number => offsetSeconds(timeZone, slotAt(atS));
  // Winter of either half of the globe, in a year whose rules are still known to be in force.
  const standardOffsetS = Math.min(
    offsetS(Date.UTC(2024, 0, 1) / 1000),
    offsetS(Date.UTC(2024, 6, 1) / 1000),
  );
  let calmDay = Number.NaN;
  let calmOffsetS = 0;
  return {
    name: timeZone,
    offsetS,
    standardOffsetS,
    instants(localS) {
      const day = Math.floor(localS / DAY_SECONDS);
      if (day === calmDay) return [localS - calmOffsetS];
      const before = offsetS((day - 1) * DAY_SECONDS);
      const after = offsetS((day + 2) * DAY_SECONDS);
      if (before === after) {
        calmDay = day;
        calmOffsetS = before;
        return [localS - before];
      }
      const shown = [before, after].filter((offset) => offsetS(localS - offset) === offset);
      return shown.map((offset) => localS - offset).sort((a, b) => a - b);
    },
  };
}

/** The month in which a slot starts by a clock: `2023-03`. */
export function monthOf(slot: number, clock: MeterClock): string {
  const atS = slotStartS(slot);
  return new Date((atS + clock.offsetS(atS)) * 1000).toISOString().slice(0, 7);
}

/** What a local time was read as: an instant, and whether it was one of two. */
export type LabelReading =
  | { readonly atS: number; readonly isRepeated: boolean }
  | { readonly atS: null; readonly isRepeated: false };

/**
 * Reads the local times of one meter in the order of its file: of an hour that the clock shows twice, the first is the
 * one that follows what came before. A file may run backward.
 */
export class LabelClock {
  readonly #clock: MeterClock;
  #lastS = Number.NaN;
  #isBackward = false;

  constructor(clock: MeterClock) {
    this.#clock = clock;
  }

  /**
   * @param localS the time as written, seconds as if it were UTC
   * @param isEnd whether it is an interval's end: the moment at which clocks go forward is often written as the hour
   * that then never comes
   */
  read(localS: number, isEnd: boolean): LabelReading {
    const found = this.#clock.instants(localS);
    if (found.length === 1) return this.#keep(found[0] as number, false);
    if (found.length === 0) {
      const beforeS = localS - this.#clock.offsetS(localS - DAY_SECONDS);
      const isChange = this.#clock.offsetS(beforeS - 1) !== this.#clock.offsetS(beforeS);
      return isEnd && isChange ? this.#keep(beforeS, false) : { atS: null, isRepeated: false };
    }
    const [early, late] = found as [number, number];
    // An end belongs to the hour before it: the first end after the repeat began still follows from what came before.
    const isEarly = this.#isBackward ? !(late < this.#lastS) : !(early <= this.#lastS);
    return this.#keep(isEarly ? early : late, true);
  }

  #keep(atS: number, isRepeated: boolean): LabelReading {
    if (!Number.isNaN(this.#lastS) && atS !== this.#lastS) this.#isBackward = atS < this.#lastS;
    this.#lastS = atS;
    return { atS, isRepeated };
  }
}

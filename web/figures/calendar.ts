// Owns local days and times of a region: which quarter-hours make up a day there, and how moments are written. It
// refuses nothing; a time zone that the browser does not know is shown in UTC, and says so.

import { slotStartS } from "../../protocol/units.ts";

/** A local day as slots [first, until): 96, or 92 and 100 when the clocks change. */
export interface Day {
  readonly first: number;
  readonly until: number;
}

export interface Calendar {
  /** The zone in use: the one asked for, or UTC. */
  readonly timeZone: string;
  /** 14:15 */
  time(atS: number): string;
  /** 14:15:07 */
  clock(atS: number): string;
  /** Saturday 20 June 2026 */
  date(atS: number): string;
  /** Sat 20 Jun */
  shortDate(atS: number): string;
  /** 14:15–14:30 */
  span(slot: number, slots?: number): string;
  /** Hours since local midnight by the clock on the wall, 0 to 23. */
  hour(atS: number): number;
  /** The local day that holds a slot. */
  day(slot: number): Day;
}

/** No local day is longer. */
const MOST_SLOTS = 104;

/** The calendar of an IANA time zone. */
export function calendarOf(wantedZone: string): Calendar {
  const timeZone = isKnownZone(wantedZone) ? wantedZone : "UTC";
  const formatter = (options: Intl.DateTimeFormatOptions): ((atS: number) => string) => {
    const format = new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
    return (atS) => format.format(atS * 1000);
  };
  const time = formatter({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const hourText = formatter({ hour: "2-digit", hourCycle: "h23" });
  const dateKey = formatter({ year: "numeric", month: "2-digit", day: "2-digit" });
  const days = new Map<string, Day>();
  return {
    timeZone,
    time,
    clock: formatter({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
    date: plain(formatter({ weekday: "long", day: "numeric", month: "long", year: "numeric" })),
    shortDate: plain(formatter({ weekday: "short", day: "numeric", month: "short" })),
    span: (slot, slots = 1) => `${time(slotStartS(slot))}\u2013${time(slotStartS(slot + slots))}`,
    hour: (atS) => Number(hourText(atS)),
    day(slot) {
      const key = dateKey(slotStartS(slot));
      let day = days.get(key);
      if (day === undefined) {
        day = walk(slot, (other) => dateKey(slotStartS(other)) === key);
        days.set(key, day);
      }
      return day;
    },
  };
}

/** Slots around one for which something holds without a break. Zones shift by whole quarter-hours, so slots suffice. */
function walk(slot: number, holds: (slot: number) => boolean): Day {
  let first = slot;
  while (first > 0 && slot - first < MOST_SLOTS && holds(first - 1)) first -= 1;
  let until = slot + 1;
  while (until - slot < MOST_SLOTS && holds(until)) until += 1;
  return { first, until };
}

/** The day before or after. */
export function neighbourDay(calendar: Calendar, day: Day, direction: -1 | 1): Day {
  return calendar.day(direction < 0 ? day.first - 1 : day.until);
}

/** A stretch of market time in words, for a countdown: 1 h 04 min, 4 min 05 s, 12 s. */
export function durationText(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  const pad = (value: number): string => String(value).padStart(2, "0");
  if (left >= 3600) return `${Math.floor(left / 3600)} h ${pad(Math.floor((left % 3600) / 60))} min`;
  if (left >= 60) return `${Math.floor(left / 60)} min ${pad(left % 60)} s`;
  return `${left} s`;
}

function isKnownZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** Some engines put commas into British dates and some do not. */
function plain(format: (atS: number) => string): (atS: number) => string {
  return (atS) => format(atS).replaceAll(",", "");
}

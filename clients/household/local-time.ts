// Owns the local clock of a household: UTC slots to local day, quarter-hour and weekday of an IANA time zone. It
// refuses unknown zones and never asks what time it is now.

import { slotStartS } from "../../protocol/units.ts";

const DAY_SECONDS = 86_400;
const SLOTS_PER_DAY = 96;

/** Days of offsets remembered per zone before the memory starts over: some ten years. */
const MAX_CACHED_DAYS = 4_096;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** UTC day → its one offset in seconds, or the offset of each of its slots on a day that changes. */
  readonly days: Map<number, number | Int32Array>;
}

const zones = new Map<string, Zone>();

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone);
  if (known !== undefined) return known;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  } catch {
    throw new RangeError(`unknown time zone: ${timeZone}`);
  }
  const zone = { format, days: new Map() };
  zones.set(timeZone, zone);
  return zone;
}

function measureOffsetS(format: Intl.DateTimeFormat, atS: number): number {
  const field: Record<string, number> = {};
  for (const part of format.formatToParts(atS * 1000)) field[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - atS;
}

/**
 * Seconds that the local clock is ahead of UTC when `slot` starts. A day that begins and ends with the same offset
 * is taken to keep it: no zone changes twice within a day. Throws RangeError for an unknown zone.
 */
export function offsetSeconds(timeZone: string, slot: number): number {
  const zone = zoneOf(timeZone);
  const day = Math.floor(slot / SLOTS_PER_DAY);
  let offsets = zone.days.get(day);
  if (offsets === undefined) {
    const firstS = day * DAY_SECONDS;
    const first = measureOffsetS(zone.format, firstS);
    offsets = first;
    if (measureOffsetS(zone.format, firstS + DAY_SECONDS) !== first) {
      offsets = Int32Array.from({ length: SLOTS_PER_DAY }, (_, i) =>
        measureOffsetS(zone.format, slotStartS(day * SLOTS_PER_DAY + i)),
      );
    }
    if (zone.days.size >= MAX_CACHED_DAYS) zone.days.clear();
    zone.days.set(day, offsets);
  }
  return typeof offsets === "number" ? offsets : (offsets[slot - day * SLOTS_PER_DAY] as number);
}

/** Quarter-hours of the local calendar since 1 January 1970, 00:00 local; repeats or jumps where clocks change. */
export function localQuarter(timeZone: string, slot: number): number {
  return Math.floor((slotStartS(slot) + offsetSeconds(timeZone, slot)) / 900);
}

/** Local day (days since 1 January 1970) of a local quarter-hour. */
export function dayOfQuarter(quarter: number): number {
  return Math.floor(quarter / SLOTS_PER_DAY);
}

/** 0 for Sunday to 6 for Saturday of a day count since 1 January 1970, a Thursday. */
export function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** Local hour of day, 0 to 23, in which `slot` starts. */
export function localHour(timeZone: string, slot: number): number {
  const quarter = localQuarter(timeZone, slot);
  return Math.floor((quarter - dayOfQuarter(quarter) * SLOTS_PER_DAY) / 4);
}

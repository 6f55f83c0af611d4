// Owns which quarter-hours a month has by a clock: those that start in it, also where clocks change. It refuses what is
// no month written yyyy-mm from 2000 on.

import { slotAt } from "../../protocol/units.ts";
import { type MeterClock, monthOf } from "../meter/meter-clock.ts";

/** A run of slots; `untilSlot` is not part of it. */
export interface SlotRun {
  readonly fromSlot: number;
  readonly untilSlot: number;
}

/** A calendar month. */
export interface Month {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
}

/** Slots of the longest time that a clock is ahead of UTC, or behind it, and some more. */
const FURTHEST_SLOTS = 24 * 4;

/** Reads `2026-06`. @throws RangeError for anything else */
export function parseMonth(text: string): Month {
  const match = /^(20[0-9]{2})-(0[1-9]|1[0-2])$/.exec(text);
  if (match === null) throw new RangeError(`not a month written yyyy-mm: ${text.slice(0, 40)}`);
  return { year: Number(match[1]), month: Number(match[2]) };
}

/** The quarter-hours that start in a month by a clock. */
export function slotsOfMonth({ year, month }: Month, clock: MeterClock): SlotRun {
  return { fromSlot: firstSlotOf(year, month, clock), untilSlot: firstSlotOf(year, month + 1, clock) };
}

/** Month 13 is the next January. */
function firstSlotOf(year: number, month: number, clock: MeterClock): number {
  const atS = Date.UTC(year, month - 1) / 1000;
  const name = new Date(atS * 1000).toISOString().slice(0, 7);
  let slot = slotAt(atS) - FURTHEST_SLOTS;
  while (monthOf(slot, clock) < name) slot += 1;
  return slot;
}

// Owns meter files made for tests: texts and bytes as files in memory, writers of each format, and sums of what a reader
// found. It refuses nothing; what a test hands in is what is read.

import type { Channel, Flow, Interval, Note } from "../../clients/meter/interval.ts";
import type { Member } from "../../clients/meter/meter-file.ts";
import { type HouseholdSlots, SlotFold } from "../../clients/meter/meter-slots.ts";
import { MeterReading, type ReadOptions } from "../../clients/meter/read-meter.ts";

/** Everything that reading found. */
export interface Found {
  readonly intervals: readonly Interval[];
  readonly notes: readonly Note[];
}

/** A file in memory, handed out in pieces. */
export function memberOf(content: string | Uint8Array, name = "meter.csv", piece = 65_536): Member {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return {
    name,
    async *open() {
      for (let from = 0; from < bytes.length; from += piece) yield bytes.subarray(from, from + piece);
    },
  };
}

/** Reads files to their end. */
export async function readAll(
  members: Member | readonly Member[],
  options: ReadOptions = {},
): Promise<Found> {
  const found = { intervals: [] as Interval[], notes: [] as Note[] };
  const list = "open" in members ? [members] : members;
  for await (const { intervals, notes } of new MeterReading(options).readMembers(list)) {
    found.intervals.push(...intervals);
    found.notes.push(...notes);
  }
  return found;
}

/** The quarter-hours of the only meter, or of a named one. */
export function slotsOf({ intervals }: Found, meter?: string): HouseholdSlots {
  const fold = new SlotFold();
  fold.add({ intervals, notes: [] });
  return fold.meter(meter, "test");
}

/** A register's intervals, one after the other; of a net register what is below zero came in. */
export function intervalsOf(
  channel: Channel,
  minutes: number,
  microWh: readonly number[],
  startS: number,
): Interval[] {
  const { measure } = channel;
  return microWh.map((signed, i) => ({
    channel,
    flow: measure === "net" ? (signed < 0 ? "import" : "export") : (measure as Flow),
    startS: startS + i * minutes * 60,
    durationS: minutes * 60,
    microWh: Math.abs(signed),
    quality: "actual",
    line: i + 1,
  }));
}

/** µWh per register and direction: `E1 import`. */
export function totalsOf({ intervals }: Found): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { channel, flow, microWh } of intervals) {
    const key = `${channel.register} ${flow}`;
    totals[key] = (totals[key] ?? 0) + microWh;
  }
  return totals;
}

/** Notes as `line field: reason (found)`. */
export function notesOf({ notes }: Found): string[] {
  return notes.map(
    ({ line, field, reason, found }) =>
      `${line} ${field}: ${reason}${found === undefined || found === "" ? "" : ` (${found})`}`,
  );
}

/** A value for each of a day's intervals. */
export function dayOf(count: number, value: (index: number) => string | number): string {
  return Array.from({ length: count }, (_, index) => value(index)).join(",");
}

/** µWh as kWh, with every digit. */
export function kwhText(microWh: number): string {
  const digits = String(microWh).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** One register of a written file: µWh per interval, whole days. */
export interface WrittenRegister {
  readonly register: string;
  readonly minutes: number;
  readonly microWh: readonly number[];
}

/** A NEM12 file from a day on, yyyymmdd of each day counted by the calendar. */
export function nem12Of(registers: readonly WrittenRegister[], firstDayS: number): string {
  const lines = ["100,NEM12,202401010000,MDA1,Ret1"];
  for (const { register, minutes, microWh } of registers) {
    const perDay = 1_440 / minutes;
    lines.push(`200,NMI0000001,E1B1,1,${register},N1,METER1,kWh,${minutes},`);
    for (let day = 0; day * perDay < microWh.length; day += 1) {
      const date = new Date((firstDayS + day * 86_400) * 1_000)
        .toISOString()
        .slice(0, 10)
        .replaceAll("-", "");
      const values = microWh.slice(day * perDay, (day + 1) * perDay).map(kwhText);
      lines.push(`300,${date},${values.join(",")},A,,,20240101000000,`);
    }
  }
  return `${[...lines, "900"].join("\r\n")}\r\n`;
}

/** One reading type and its readings of a written feed. */
export interface WrittenReadings {
  readonly id: string;
  readonly flow: number;
  readonly multiplier?: number;
  readonly uom?: number;
  readonly accumulation?: number;
  /** Values as written, one interval after the other. */
  readonly values: readonly (number | string)[];
  /** Into each reading, beside its value. */
  readonly extra?: string;
}

/** A Green Button feed; `order` says whether types stand before the blocks or behind them. */
export function greenButtonOf(
  readings: readonly WrittenReadings[],
  firstS: number,
  durationS: number,
  order: "types first" | "blocks first" = "types first",
): string {
  const base = "https://data.example.org/espi/1_1/resource/UsagePoint/7";
  const link = (rel: string, path: string) => `<link rel="${rel}" href="${base}${path}"/>`;
  const types = readings.map(
    ({ id, flow, multiplier = 0, uom = 72, accumulation = 4 }) =>
      `<entry>${link("self", `/ReadingType/${id}`)}<content><ReadingType xmlns="http://naesb.org/espi">` +
      `<accumulationBehaviour>${accumulation}</accumulationBehaviour><flowDirection>${flow}</flowDirection>` +
      `<intervalLength>${durationS}</intervalLength><powerOfTenMultiplier>${multiplier}</powerOfTenMultiplier>` +
      `<uom>${uom}</uom></ReadingType></content></entry>\n` +
      `<entry>${link("self", `/MeterReading/${id}`)}${link("related", `/ReadingType/${id}`)}` +
      `<content><MeterReading/></content></entry>\n`,
  );
  const blocks = readings.map(
    ({ id, values, extra = "" }) =>
      `<entry>${link("self", `/MeterReading/${id}/IntervalBlock/1`)}<content><espi:IntervalBlock>` +
      `<espi:interval><espi:duration>1</espi:duration><espi:start>${firstS}</espi:start></espi:interval>` +
      values
        .map(
          (value, i) =>
            `<espi:IntervalReading>${extra}<espi:timePeriod><espi:duration>${durationS}</espi:duration>` +
            `<espi:start>${firstS + i * durationS}</espi:start></espi:timePeriod><espi:value>${value}</espi:value>` +
            "</espi:IntervalReading>\n",
        )
        .join("") +
      "</espi:IntervalBlock></content></entry>\n",
  );
  const entries = order === "types first" ? [...types, ...blocks] : [...blocks, ...types];
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a feed -->\n' +
    `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">${entries.join("")}</feed>\n`
  );
}

// Owns how an inspection is written: tables and a chart for people, JSON for programs. It refuses floating point for
// energies: µWh are cut as text.

import { plot } from "asciichart";
import type { ChannelReport, InspectionReport } from "../meter/inspection.ts";
import type { Flow } from "../meter/interval.ts";
import type { MeterClock } from "../meter/meter-clock.ts";
import { type NoteGroup, sentenceOf } from "../meter/notes.ts";
import { table } from "./figures.ts";

/** Longest interval that a quarter-hour market can use. */
const LONGEST_USABLE_S = 3_600;
const MOST_GAPS = 3;
const MOST_NOTES = 20;
const CHART_HEIGHT = 8;
/** Columns per hour of the day, so that a curve is as wide as its labels. */
const CHART_COLUMNS = 3;

/** µWh as kWh, exact, without zeros at its end. */
export function exactKwh(microWh: number): string {
  const digits = String(Math.abs(microWh)).padStart(10, "0");
  const decimals = digits.slice(-9).replace(/0+$/, "").padEnd(1, "0");
  return `${microWh < 0 ? "-" : ""}${digits.slice(0, -9)}.${decimals}`;
}

/** An inspection for people. */
export function inspectionText(report: InspectionReport, clock: MeterClock): string {
  const { channels, notes } = report;
  if (channels.length === 0) return ["nothing in it can be read", ...notesText(notes)].join("\n");
  const head = [
    "meter",
    "register",
    "measures",
    "from",
    `until (${clock.name})`,
    "lengths",
    "kWh",
    "quality",
  ];
  const rows = channels.map((channel) => [
    channel.meter,
    channel.register,
    channel.measure,
    localTime(channel.fromS, clock),
    localTime(channel.untilS, clock),
    [...channel.durations].map(([durationS, times]) => `${times} × ${lengthText(durationS)}`).join(", "),
    [...channel.totals]
      .map(([flow, microWh]) => `${channel.measure === "net" ? `${flow} ` : ""}${exactKwh(microWh)}`)
      .join(", "),
    [...channel.qualities].map(([quality, times]) => `${times} ${quality}`).join(", "),
  ]);
  return [
    table(head, rows),
    ...channels.flatMap((channel) => gapsText(channel, clock)),
    ...channels.flatMap(coarseText),
    ...notesText(notes),
    ...chartText(channels, clock),
  ].join("\n");
}

/** An inspection for programs; energies are µWh, times unix seconds. */
export function inspectionJson({ channels, notes }: InspectionReport): object {
  return {
    channels: channels.map(({ durations, qualities, totals, hourlyMicroWh, ...rest }) => ({
      ...rest,
      durations: Object.fromEntries(durations),
      qualities: Object.fromEntries(qualities),
      totalsMicroWh: Object.fromEntries(totals),
      hourlyMicroWh: Object.fromEntries(hourlyMicroWh),
    })),
    notes,
  };
}

/** What was left out and what was remarked, a line each. */
export function notesText(notes: readonly NoteGroup[]): string[] {
  const losses = notes.filter(({ isLoss }) => isLoss);
  const remarks = notes.filter(({ isLoss }) => !isLoss);
  const all = losses.reduce((sum, { count }) => sum + count, 0);
  const more = losses.length > MOST_NOTES ? [`  and ${losses.length - MOST_NOTES} reasons more`] : [];
  return [
    ...(losses.length === 0 ? ["nothing was left out"] : [`left out, ${all} in all:`]),
    ...losses.slice(0, MOST_NOTES).map((group) => `  ${sentenceOf(group)}`),
    ...more,
    ...remarks.map((group) => `note: ${group.field} ${group.reason} (${group.examples[0]?.file ?? ""})`),
  ];
}

function gapsText({ meter, register, gaps }: ChannelReport, clock: MeterClock): string[] {
  if (gaps.length === 0) return [];
  const some = gaps
    .slice(0, MOST_GAPS)
    .map(({ fromS, untilS }) => `${localTime(fromS, clock)} for ${lengthText(untilS - fromS)}`)
    .join(", ");
  return [
    `gaps in ${meter} ${register}: ${gaps.length}, from ${some}${gaps.length > MOST_GAPS ? ", …" : ""}`,
  ];
}

function coarseText({ meter, register, durations }: ChannelReport): string[] {
  const isCoarse = [...durations.keys()].some((durationS) => durationS > LONGEST_USABLE_S || durationS === 0);
  return isCoarse ? [`${meter} ${register}: intervals above an hour are too coarse for quarter-hours`] : [];
}

function chartText(channels: readonly ChannelReport[], clock: MeterClock): string[] {
  const flows = new Map<Flow, number[]>();
  for (const { hourlyMicroWh } of channels) {
    for (const [flow, hours] of hourlyMicroWh) {
      const sums = flows.get(flow) ?? new Array<number>(24).fill(0);
      flows.set(
        flow,
        sums.map((sum, hour) => sum + (hours[hour] as number) / 1e9),
      );
    }
  }
  return [...flows].flatMap(([flow, hours]) => {
    const wide = hours.flatMap((kwh) => new Array<number>(CHART_COLUMNS).fill(kwh));
    const axis = hours.map((_, hour) => String(hour).padEnd(CHART_COLUMNS)).join("");
    return [
      "",
      `${flow}, kWh in an hour of the day (${clock.name}), mean of all days`,
      plot(wide, {
        height: CHART_HEIGHT,
        min: 0,
        format: (kwh) => kwh.toFixed(3).padStart(9),
      }),
      `${" ".repeat(11)}${axis}`,
    ];
  });
}

function localTime(atS: number, clock: MeterClock): string {
  return new Date((atS + clock.offsetS(atS)) * 1000).toISOString().slice(0, 16).replace("T", " ");
}

function lengthText(durationS: number): string {
  if (durationS === 0) return "other lengths";
  if (durationS % 86_400 === 0) return `${durationS / 86_400} d`;
  if (durationS % 3_600 === 0) return `${durationS / 3_600} h`;
  return durationS % 60 === 0 ? `${durationS / 60} min` : `${durationS} s`;
}

// Owns the kinds of meter that an agent can be started with, by the word before the colon. It refuses words it does not
// know, and options that a kind does not have.

import { existsSync } from "node:fs";
import { slotStartS } from "../../protocol/units.ts";
import { createHousehold } from "../household/generator.ts";
import { generatedSource, type MeterSource } from "../household/meter-source.ts";
import { readCsvMapping } from "./csv-mapping.ts";
import type { LiveMeter, LiveMeterOptions } from "./live-meter.ts";
import { startHomeAssistant, startP1 } from "./live-meters.ts";
import { parseClock } from "./meter-clock.ts";
import type { MeterFormat, ReadOptions } from "./read-meter.ts";
import { readRecordedMeter } from "./recorded-meter.ts";

/** Where a household is. */
export interface MeterPlace {
  readonly latitude: number;
  readonly longitude: number;
  readonly timeZone: string;
}

/** A meter and what its owner should know of it. */
export interface OpenedMeter {
  readonly source: MeterSource;
  /** What it covers, in a sentence. */
  readonly span: string;
  /** What was left out and why, a sentence each. */
  readonly remarks: readonly string[];
  /** Of a live meter: ends its connection. */
  readonly stop?: () => Promise<void>;
}

export interface MeterKind {
  /** The word before the colon. */
  readonly name: string;
  /** How it is written, for help. */
  readonly form: string;
  /** @param value what stands behind the colon. @throws Error that says what is wrong with it */
  readonly open: (value: string, place: MeterPlace, live: LiveMeterOptions) => Promise<OpenedMeter>;
}

const FILE_OPTIONS = "[,meter=NAME][,zone=ZONE]";

/** Every kind of meter. */
export const METER_KINDS: readonly MeterKind[] = [
  { name: "generated", form: "generated:<seed>", open: openGenerated },
  fileKind("nem12", "nem12", FILE_OPTIONS),
  fileKind("greenbutton", "greenbutton", FILE_OPTIONS),
  fileKind("csv", "csv", `[,<mapping.json>]${FILE_OPTIONS}`),
  fileKind("file", undefined, `[,<mapping.json>]${FILE_OPTIONS}`),
  liveKind("p1", "p1:<serial device or tcp://host:port>", startP1),
  liveKind("homeassistant", "homeassistant:<ws://host:8123>", startHomeAssistant),
];

/** How meters are written, for help and refusals. */
export const METER_FORMS = METER_KINDS.map(({ form }) => form).join(", ");

/**
 * Opens the meter that a text names.
 * @param live what a live meter is followed with
 * @throws Error for a text that names none, MeterFileError for a file that is none
 */
export function openMeter(text: string, place: MeterPlace, live: LiveMeterOptions): Promise<OpenedMeter> {
  const [name = "", ...rest] = text.split(":");
  const value = rest.join(":");
  const kind = METER_KINDS.find((known) => known.name === name);
  if (kind === undefined || value === "") throw new Error(`not a meter: ${text}; ${METER_FORMS}`);
  return kind.open(value, place, live);
}

async function openGenerated(value: string, place: MeterPlace): Promise<OpenedMeter> {
  if (!/^\d{1,9}$/.test(value))
    throw new Error(`not a meter: generated:${value}; its seed is a whole number`);
  const { latitude, longitude, timeZone } = place;
  const household = createHousehold({ seed: Number(value), latitude, longitude, timeZone });
  return { source: generatedSource(household), span: "generated without end", remarks: [] };
}

function fileKind(name: string, format: MeterFormat | undefined, options: string): MeterKind {
  return {
    name,
    form: `${name}:<file>${options}`,
    async open(value) {
      const { path, meter, ...read } = fileOptions(value);
      const isMapped = read.mapping !== undefined && format === undefined;
      const chosen = { ...read, format: isMapped ? ("csv" as const) : format, meter };
      const { household, remarks } = await readRecordedMeter([path], chosen);
      const [first = 0] = household.slots;
      const last = household.slots.at(-1) ?? first;
      const at = (slot: number) => new Date(slotStartS(slot) * 1000).toISOString();
      const span = `${path}: ${household.slots.length} quarter-hours from ${at(first)} to ${at(last + 1)}`;
      return { source: household, span, remarks };
    },
  };
}

function liveKind(
  name: string,
  form: string,
  start: (address: string, live: LiveMeterOptions) => Promise<LiveMeter>,
): MeterKind {
  return {
    name,
    form,
    async open(value, _place, live) {
      const meter = await start(value, live);
      return { source: meter, span: `${name} at ${value}, live`, remarks: [], stop: () => meter.stop() };
    },
  };
}

/** `path[,mapping.json][,meter=NAME][,zone=ZONE]`; a path with commas is one where such a file is there. */
function fileOptions(
  value: string,
): ReadOptions & { readonly path: string; readonly meter?: string | undefined } {
  if (existsSync(value)) return { path: value };
  const [path = "", ...options] = value.split(",");
  const known: Record<string, string> = {};
  for (const option of options) {
    const [key = "", ...rest] = option.includes("=") ? option.split("=") : ["mapping", option];
    if (!["mapping", "meter", "zone"].includes(key) || key in known)
      throw new Error(`not an option of a meter's file: ${option}; mapping, meter and zone, once each`);
    known[key] = rest.join("=");
  }
  const { mapping, meter, zone } = known;
  return {
    path,
    meter,
    mapping: mapping === undefined ? undefined : readCsvMapping(mapping),
    clock: zone === undefined ? undefined : parseClock(zone),
  };
}

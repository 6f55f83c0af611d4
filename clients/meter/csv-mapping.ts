// Owns the file that says what the columns of a CSV of readings mean. It refuses unknown fields, patterns and zones it
// cannot read, and mappings without a value.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { type Measure, MeterFileError } from "./interval.ts";
import { parseClock } from "./meter-clock.ts";
import { timeFormatOf } from "./time-format.ts";

const column = z.union([z.string().min(1).max(200), z.int().min(1).max(1_000)]);
/** A column by its name in the header, or by its number from 1. */
export type Column = z.infer<typeof column>;
const columns = z.union([column.transform((one) => [one]), z.array(column).min(1).max(16)]);
const marks = z.array(z.string().max(40)).max(40).default([]);

/** A text that a function reads without throwing. */
const readable = (read: (text: string) => unknown) =>
  z
    .string()
    .max(100)
    .superRefine((text, context) => {
      try {
        read(text);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as RangeError).message });
      }
    });

export const csvMappingSchema = z.strictObject({
  delimiter: z.enum([",", ";", "\t", "|"]).optional(),
  decimal: z.enum([".", ","]).default("."),
  encoding: z.enum(["utf-8", "utf-16le", "windows-1252"]).default("utf-8"),
  header: z.boolean().default(true),
  skipLines: z.int().min(0).max(10_000).default(0),
  zone: readable(parseClock).optional(),
  time: z.strictObject({
    columns,
    format: readable(timeFormatOf).default("iso"),
    label: z.enum(["start", "end"]).default("start"),
  }),
  intervalMinutes: z.int().min(1).max(1_440).optional(),
  unit: z.enum(["Wh", "kWh", "MWh", "W", "kW"]),
  cumulative: z.boolean().default(false),
  meter: column.optional(),
  values: z
    .strictObject({
      import: columns.optional(),
      export: columns.optional(),
      generation: columns.optional(),
      load: columns.optional(),
      net: z.strictObject({ column, positive: z.enum(["import", "export"]) }).optional(),
    })
    .refine((values) => Object.values(values).some((value) => value !== undefined), "names no value"),
  quality: z
    .strictObject({ column, actual: marks, estimated: marks, substituted: marks, missing: marks })
    .optional(),
});
export type CsvMapping = z.infer<typeof csvMappingSchema>;

/**
 * Decodes a mapping file (parsed JSON), for example
 * `{ "time": { "columns": ["Date", "Time"], "format": "d/MM/yyyy H:mm", "label": "end" }, "zone": "Europe/Berlin",
 * "unit": "kWh", "decimal": ",", "values": { "import": "Bezug", "export": "Einspeisung" } }`. Throws ZodError that names
 * the field, and RangeError where cumulative registers are powers or nets, which nothing counts up.
 */
export function parseCsvMapping(content: unknown): CsvMapping {
  const mapping = csvMappingSchema.parse(content);
  if (mapping.cumulative && (isPower(mapping.unit) || mapping.values.net !== undefined))
    throw new RangeError("cumulative: a power, or a net of two directions, is no register that counts up");
  return mapping;
}

/** Reads a mapping file. @throws MeterFileError that names the file and the field */
export function readCsvMapping(path: string): CsvMapping {
  try {
    return parseCsvMapping(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const field = issue?.path.join(".");
    const reason = issue?.message ?? (error as Error).message;
    throw new MeterFileError(basename(path), reason, field ? { field } : {});
  }
}

/** True for a unit of power, whose mean over an interval is its energy. */
export function isPower(unit: CsvMapping["unit"]): boolean {
  return unit === "W" || unit === "kW";
}

const AUTO_TIME = /^(start|time|timestamp|datetime)$/i;
const AUTO_VALUE = /^(import|export|net|generation|load)[ _]?(Wh|kWh|MWh|W|kW)$/i;

/**
 * The mapping that a header says by itself: a column `start` (ISO 8601), and columns such as `netWh` (export positive),
 * `importKwh`, `exportKwh`, `loadW`, all in one unit. `start` and `netWh` are quarter-hours; the length of others is
 * derived. Null where the header says less.
 */
export function mappingOfHeader(header: readonly string[]): CsvMapping | null {
  const time = header.find((name) => AUTO_TIME.test(name));
  const values: Partial<Record<Measure, unknown>> = {};
  let unit: CsvMapping["unit"] | undefined;
  for (const name of header) {
    const [, measure = "", spelled = ""] = AUTO_VALUE.exec(name) ?? [];
    if (measure === "") continue;
    const own = (["Wh", "kWh", "MWh", "W", "kW"] as const).find(
      (known) => known.toLowerCase() === spelled.toLowerCase(),
    );
    if (unit !== undefined && own !== unit) return null;
    unit = own;
    const key = measure.toLowerCase() as Measure;
    values[key] = key === "net" ? { column: name, positive: "export" } : name;
  }
  if (time === undefined || unit === undefined) return null;
  const isQuarters = time === "start" && values.net !== undefined && unit === "Wh";
  return parseCsvMapping({
    time: { columns: time },
    unit,
    values,
    ...(isQuarters ? { intervalMinutes: SLOT_SECONDS / 60 } : {}),
  });
}

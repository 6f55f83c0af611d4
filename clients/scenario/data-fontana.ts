// Owns the loader of hourly building files in the CityLearn layout (a schema, a file per home, one price series). It
// refuses rows whose clock does not run on, and every load column but the household's own.

import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { netWhPerSlot } from "../household/split.ts";
import type { Retail } from "../household/tariff.ts";
import { DataError, type Dataset, type DatasetHome, homeOf } from "./data-set.ts";
import { readTable, type Table } from "./data-table.ts";

const SLOTS_PER_VALUE = 4;
const HOUR_SECONDS = 3_600;
const MAX_HOMES = 1_000;
/** More than any connection of a home: a value beyond it is a wrong unit. kWh per hour. */
const MAX_LOAD_KWH = 500;
/** Panels under the brightest sky deliver less. W per installed kW. */
const MAX_WATTS_PER_KW = 1_500;

/**
 * The rows carry month, hour and weekday but no year. The first is hour 24 of a Sunday in July, and weekdays and month
 * lengths fit 31 July 2016, 23:00, to 31 July 2017, 23:00. The clock is local standard time all year (the files say so,
 * and the sun is highest before noon in June as in December), so it is read as a fixed UTC−8.
 */
const START_S = Date.UTC(2016, 7, 1, 7) / 1000;
const OFFSET_SECONDS = -8 * HOUR_SECONDS;
/** POSIX sign: west of Greenwich is positive. */
const TIME_ZONE = "Etc/GMT+8";

const fileName = z
  .string()
  .refine((name) => name === basename(name) && name !== "", "must be a file name alone");
const schemaSchema = z.object({
  buildings: z.record(
    z.string(),
    z.object({
      include: z.boolean().optional(),
      energy_simulation: fileName,
      pricing: fileName,
      pv: z.object({ attributes: z.object({ nominal_power: z.number().min(0).max(1_000) }) }).nullish(),
    }),
  ),
});
type Building = z.infer<typeof schemaSchema>["buildings"][string];

/** True where a folder has this layout. */
export function isFontana(folder: string): boolean {
  return existsSync(join(folder, "schema.json")) && existsSync(join(folder, "pricing.csv"));
}

function readBuildings(folder: string): Building[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(join(folder, "schema.json"), "utf8"));
  } catch (error) {
    throw new DataError("schema.json", `cannot be read: ${(error as Error).message}`);
  }
  const parsed = schemaSchema.safeParse(content);
  if (!parsed.success) throw new DataError("schema.json", z.prettifyError(parsed.error));
  const buildings = Object.values(parsed.data.buildings).filter((building) => building.include !== false);
  if (buildings.length === 0 || buildings.length > MAX_HOMES) {
    throw new DataError("schema.json", `names ${buildings.length} homes, expected 1 to ${MAX_HOMES}`);
  }
  return buildings;
}

function pathOf(folder: string, name: string): string {
  const plain = join(folder, name);
  const packed = `${plain}.gz`;
  if (existsSync(packed)) return packed;
  if (existsSync(plain)) return plain;
  throw new DataError(name, `is not there, nor ${name}.gz`);
}

/** Hours run on without a gap, and month and weekday are those of the calendar; else the series is not what it says. */
function checkClock(table: Table): void {
  for (let row = 0; row < table.rows; row++) {
    const local = new Date((START_S + OFFSET_SECONDS + row * HOUR_SECONDS) * 1000);
    const expected = {
      month: local.getUTCMonth() + 1,
      hour: local.getUTCHours() + 1,
      day_type: ((local.getUTCDay() + 6) % 7) + 1,
    };
    for (const [column, value] of Object.entries(expected)) {
      if (table.number(row, column, 1, 24) !== value) throw table.error(row, column, `expected ${value}`);
    }
    if (table.number(row, "daylight_savings_status", 0, 1) !== 0) {
      throw table.error(row, "daylight_savings_status", "expected standard time all year");
    }
  }
}

function readHome(folder: string, building: Building, index: number): DatasetHome {
  const clock = ["month", "hour", "day_type", "daylight_savings_status"];
  const values = ["non_shiftable_load", "solar_generation"];
  const table = readTable(pathOf(folder, building.energy_simulation), [...clock, ...values]);
  checkClock(table);
  const kilowatts = building.pv?.attributes.nominal_power ?? 0;
  const loadKwh: number[] = [];
  const generationKwh: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    loadKwh.push(table.number(row, "non_shiftable_load", 0, MAX_LOAD_KWH));
    generationKwh.push((table.number(row, "solar_generation", 0, MAX_WATTS_PER_KW) * kilowatts) / 1000);
  }
  return homeOf(`House ${index + 1}`, netWhPerSlot(loadKwh, generationKwh, SLOTS_PER_VALUE));
}

function readPrices(folder: string, name: string, rows: number): Retail {
  const table = readTable(pathOf(folder, name), ["electricity_pricing"]);
  if (table.rows !== rows) throw new DataError(table.file, `has ${table.rows} prices for ${rows} hours`);
  const microsPerKwh = Array.from({ length: rows }, (_, row) =>
    table.micros(row, "electricity_pricing", -10),
  );
  return { kind: "series", startSlot: START_S / 900, slotsPerValue: SLOTS_PER_VALUE, microsPerKwh };
}

/**
 * Loads a folder with `schema.json`, a CSV per home (also `.csv.gz`) and a price series, all hourly from
 * 31 July 2016, 23:00 (UTC−8). Load is `non_shiftable_load` alone (kWh per hour); generation is `solar_generation`
 * (W per installed kW) × nominal power. Throws DataError.
 */
export function loadFontana(folder: string): Dataset {
  const buildings = readBuildings(folder);
  const homes = buildings.map((building, i) => readHome(folder, building, i));
  const slots = (homes[0] as DatasetHome).slots;
  homes.forEach((home, i) => {
    if (home.slots === slots && slots > 0) return;
    const file = (buildings[i] as Building).energy_simulation;
    throw new DataError(
      file,
      `has ${home.slots / SLOTS_PER_VALUE} hours, the first home ${slots / SLOTS_PER_VALUE}`,
    );
  });
  const priceFile = (buildings[0] as Building).pricing;
  if (buildings.some((building) => building.pricing !== priceFile)) {
    throw new DataError("schema.json", "gives homes different price files");
  }
  const retail = readPrices(folder, priceFile, slots / SLOTS_PER_VALUE);
  const currency = "USD";
  return {
    name: "fontana",
    homes,
    startSlot: START_S / 900,
    slots,
    slotsPerValue: SLOTS_PER_VALUE,
    timeZone: TIME_ZONE,
    currency,
    retail,
    feedInMicrosPerKwh: null,
    tariff: (feedInMicrosPerKwh) => ({ name: "time of use", currency, feedInMicrosPerKwh, retail }),
  };
}

// Owns the loader of half-hourly block-of-flats files (one table of loads, one of panels). It refuses clocks with a gap
// and tables that do not run side by side.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { netWhPerSlot } from "../household/split.ts";
import { DataError, type Dataset, type DatasetHome, homeOf } from "./data-set.ts";
import { readTable, type Table } from "./data-table.ts";

const LOAD_FILE = "bondi_load_filled.csv";
const PANEL_FILE = "B_exist_micro.csv";
const TARIFF_FOLDER = "byron-11-participants";
const TARIFF_FILE = "retail_tariffs.csv";
const COMMON_COLUMN = "cp";
const SLOTS_PER_VALUE = 2;
const STEP_SECONDS = 1_800;
/** More than any flat's connection: a value beyond it is a wrong unit. kWh per half hour. */
const MAX_KWH = 250;

/**
 * The clock is written without a zone and runs through the days on which Sydney's clocks change without a gap or a
 * repeat, so it is read as standard time all year: a fixed UTC+10. (POSIX sign: east of Greenwich is negative.)
 */
const OFFSET_SECONDS = 10 * 3_600;
const TIME_ZONE = "Etc/GMT-10";

export interface BondiOptions {
  /** A flat retail price instead of the one in the tariff table. Micros per kWh. */
  readonly retailMicrosPerKwh?: number;
}

/** True where a folder has this layout. */
export function isBondi(folder: string): boolean {
  return existsSync(join(folder, LOAD_FILE)) && existsSync(join(folder, PANEL_FILE));
}

/** Unix seconds of `d/mm/yyyy h:mm` at UTC+10; NaN where the text is not such a moment. */
function momentS(text: string): number {
  const match = /^([0-9]{1,2})\/([0-9]{1,2})\/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})$/.exec(text);
  if (match === null) return Number.NaN;
  const [day, month, year, hour, minute] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute));
  const same = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && hour < 24 && minute < 60;
  return same ? at.getTime() / 1000 - OFFSET_SECONDS : Number.NaN;
}

/** Checks that a table's half hours run on from the first, and returns the first slot. */
function checkClock(table: Table): number {
  const startS = momentS(table.text(0, "timestamp"));
  if (!(startS >= 0) || startS % STEP_SECONDS !== 0)
    throw table.error(0, "timestamp", "expected d/mm/yyyy h:mm");
  for (let row = 1; row < table.rows; row++) {
    if (momentS(table.text(row, "timestamp")) === startS + row * STEP_SECONDS) continue;
    const found = JSON.stringify(table.text(row, "timestamp").slice(0, 40));
    throw table.error(row, "timestamp", `expected half an hour after the line before, found ${found}`);
  }
  return startS / 900;
}

function column(table: Table, name: string): number[] {
  return Array.from({ length: table.rows }, (_, row) => table.number(row, name, 0, MAX_KWH));
}

function readHomes(load: Table, panels: Table): DatasetHome[] {
  const flats = panels.header.filter((name) => name !== "timestamp").sort();
  const users = load.header.filter((name) => name !== "timestamp" && name !== COMMON_COLUMN).sort();
  if (users.length === 0 || users.join() !== flats.join()) {
    throw new DataError(
      panels.file,
      `has panels of ${flats.join(", ")}, the loads are of ${users.join(", ")}`,
      { line: 1 },
    );
  }
  const homes = flats.map((flat, i) =>
    homeOf(`Flat ${i + 1}`, netWhPerSlot(column(load, flat), column(panels, flat), SLOTS_PER_VALUE)),
  );
  if (!load.header.includes(COMMON_COLUMN)) return homes;
  const common = column(load, COMMON_COLUMN);
  const none = common.map(() => 0);
  return [...homes, homeOf("Common property", netWhPerSlot(common, none, SLOTS_PER_VALUE))];
}

interface FlatPrices {
  readonly retailMicrosPerKwh: number;
  readonly feedInMicrosPerKwh: number | null;
}

/**
 * The flat offer of the tariff table. It charges by daily block; the price of the first block is taken, which is the
 * only one a flat ever reaches (54.8 kWh a day).
 */
function readPrices(folder: string, options: BondiOptions): FlatPrices {
  const path = join(folder, TARIFF_FOLDER, TARIFF_FILE);
  const given = options.retailMicrosPerKwh;
  if (!existsSync(path)) {
    if (given !== undefined) return { retailMicrosPerKwh: given, feedInMicrosPerKwh: null };
    throw new DataError(`${TARIFF_FOLDER}/${TARIFF_FILE}`, "is not there, and no retail price was given");
  }
  const table = readTable(path, ["type", "flat_charge", "block_1_charge", "solar_tariff_1"]);
  const micros = (row: number, name: string) => table.micros(row, name, 0);
  for (let row = 0; row < table.rows; row++) {
    if (table.text(row, "type") !== "Flat") continue;
    const flat = micros(row, "flat_charge");
    const retail = given ?? (flat > 0 ? flat : micros(row, "block_1_charge"));
    return { retailMicrosPerKwh: retail, feedInMicrosPerKwh: micros(row, "solar_tariff_1") };
  }
  throw new DataError(table.file, "has no tariff of type Flat");
}

/**
 * Loads a folder with half-hourly loads of flats (`bondi_load_filled.csv`, kWh) and their panels (`B_exist_micro.csv`,
 * kWh); the column `cp` is the common property, which has no panels. Retail is flat: from the options, else from the
 * tariff table beside the data. Throws DataError.
 */
export function loadBondi(folder: string, options: BondiOptions = {}): Dataset {
  const load = readTable(join(folder, LOAD_FILE), ["timestamp"]);
  const panels = readTable(join(folder, PANEL_FILE), ["timestamp"]);
  if (load.rows === 0) throw new DataError(load.file, "has no readings");
  if (load.rows !== panels.rows)
    throw new DataError(panels.file, `has ${panels.rows} rows, the loads ${load.rows}`);
  const startSlot = checkClock(load);
  if (checkClock(panels) !== startSlot)
    throw panels.error(0, "timestamp", "does not start where the loads start");
  const homes = readHomes(load, panels);
  const prices = readPrices(folder, options);
  const retail = { kind: "flat", microsPerKwh: prices.retailMicrosPerKwh } as const;
  const currency = "AUD";
  return {
    name: "bondi",
    homes,
    startSlot,
    slots: load.rows * SLOTS_PER_VALUE,
    slotsPerValue: SLOTS_PER_VALUE,
    timeZone: TIME_ZONE,
    currency,
    retail,
    feedInMicrosPerKwh: prices.feedInMicrosPerKwh,
    tariff: (feedInMicrosPerKwh) => ({ name: "flat", currency, feedInMicrosPerKwh, retail }),
  };
}

// Owns the checks of the data loaders: every bad cell is named, and real folders give their known totals.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadDataset } from "../../clients/scenario/data-folder.ts";
import { DataError, type Dataset, totalsOf } from "../../clients/scenario/data-set.ts";

const data = process.env.POLDER_DATA ?? join(import.meta.dirname, "../../../shared/data");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-data-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), name.endsWith(".gz") ? gzipSync(text) : text);
  }
}

const HOME_HEADER =
  "month,hour,day_type,daylight_savings_status,non_shiftable_load,dhw_demand,solar_generation";
const HOME = `${HOME_HEADER}\n7,24,7,0,2.0001,9,0.0\n8,1,1,0,9.9e-08,9,500.0\n8,2,1,0,1.5,9,250.0\n`;
const schema = (power = 4, include = true) =>
  JSON.stringify({
    random_seed: 1,
    buildings: {
      One: {
        include,
        energy_simulation: "One.csv",
        pricing: "pricing.csv",
        pv: { attributes: { nominal_power: power } },
      },
      Two: { include: true, energy_simulation: "Two.csv", pricing: "pricing.csv" },
    },
  });
const HOURLY = {
  "schema.json": schema(),
  "pricing.csv": "electricity_pricing,electricity_pricing_predicted_1\n0.22,9\n0.54,9\n0.21,9\n",
  "One.csv.gz": HOME,
  "Two.csv": HOME,
};
const HALF_HOURLY = {
  "bondi_load_filled.csv":
    "timestamp,B2,B1,cp\n9/08/2016 0:00,0.058,0.033,0.027\n9/08/2016 0:30,0.062,0.091,0.026\n",
  "B_exist_micro.csv": "timestamp,B1,B2\n9/08/2016 0:00,0,0.1\n9/08/2016 0:30,0.2,0\n",
  "byron-11-participants/retail_tariffs.csv":
    "ref,type,flat_charge,block_1_charge,solar_tariff_1\n2,TOU,0,0,0.1\n1,Flat,0,0.3113,0.1\n",
};

function failure(files: Record<string, string>, options = {}): string {
  write(files);
  try {
    loadDataset(folder, options);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
  return "loaded";
}

const netOf = (set: Dataset, home: number) =>
  Array.from({ length: set.slots }, (_, i) => set.homes[home]?.netWhBySlot(i));

describe("folders", () => {
  test("rejects: a folder that is not there, and one without data, naming what was looked for", () => {
    expect(() => loadDataset(join(folder, "none"))).toThrow(/is not a folder/);
    expect(failure({ "readme.txt": "" })).toMatch(/schema\.json.*bondi_load_filled\.csv/);
  });
});

describe("hourly homes", () => {
  const broken = (change: (text: string) => string) => ({ ...HOURLY, "Two.csv": change(HOME) });
  test.each([
    [
      "a word for a value",
      broken((t) => t.replace("1.5,9", "x,9")),
      "Two.csv, line 4, column non_shiftable_load: expected a number",
    ],
    [
      "an empty value",
      broken((t) => t.replace("500.0", "")),
      "Two.csv, line 3, column solar_generation: expected a number",
    ],
    ["NaN", broken((t) => t.replace("500.0", "NaN")), "Two.csv, line 3, column solar_generation"],
    [
      "a negative load",
      broken((t) => t.replace("1.5,9", "-1.5,9")),
      "Two.csv, line 4, column non_shiftable_load",
    ],
    ["a load in Wh", broken((t) => t.replace("1.5,9", "1500,9")), "from 0 to 500"],
    [
      "an hour left out",
      broken((t) => t.replace("8,1,1,0,9.9e-08,9,500.0\n", "")),
      "Two.csv, line 3, column hour: expected 1",
    ],
    [
      "a weekday of another year",
      broken((t) => t.replace("8,1,1", "8,1,2")),
      "line 3, column day_type: expected 1",
    ],
    [
      "summer time",
      broken((t) => t.replace("8,1,1,0", "8,1,1,1")),
      "daylight_savings_status: expected standard time",
    ],
    ["a short line", broken((t) => t.replace(",9,250.0", "")), "Two.csv: Invalid Record Length"],
    [
      "a missing column",
      broken((t) => t.replace("solar_generation", "sun")),
      "Two.csv, line 1: has no column solar_generation",
    ],
    ["a column twice", broken((t) => t.replace("dhw_demand", "hour")), "names a column twice"],
    [
      "another length",
      broken((t) => t.replace("8,2,1,0,1.5,9,250.0\n", "")),
      "Two.csv: has 2 hours, the first home 3",
    ],
    ["an empty file", broken(() => ""), "Two.csv: is empty"],
    [
      "a price too few",
      { ...HOURLY, "pricing.csv": "electricity_pricing\n0.22\n0.54\n" },
      "pricing.csv: has 2 prices for 3 hours",
    ],
    [
      "a price finer than a micro",
      { ...HOURLY, "pricing.csv": "electricity_pricing\n0.22\n0.54\n0.21000001\n" },
      "pricing.csv, line 4, column electricity_pricing: finer",
    ],
    ["a schema that is not JSON", { ...HOURLY, "schema.json": "{" }, "schema.json: cannot be read"],
    [
      "a schema that names a path",
      { ...HOURLY, "schema.json": schema().replace("One.csv", "../One.csv") },
      "must be a file name alone",
    ],
    ["a panel of negative size", { ...HOURLY, "schema.json": schema(-4) }, "nominal_power"],
    [
      "a home without its file",
      { ...HOURLY, "schema.json": schema().replace("Two.csv", "Six.csv") },
      "Six.csv: is not there, nor Six.csv.gz",
    ],
  ])("rejects: %s", (_, files, message) => expect(failure(files)).toContain(message));

  test("rejects: a packed file that is not one", () => {
    write(HOURLY);
    writeFileSync(join(folder, "One.csv.gz"), "plain");
    expect(() => loadDataset(folder)).toThrow(/One\.csv\.gz: cannot be read/);
  });

  test("behavior: load, panels, price and time come out in Wh, micros and slots", () => {
    write(HOURLY);
    const set = loadDataset(folder);
    expect(new Date(set.startSlot * 900_000).toISOString()).toBe("2016-08-01T07:00:00.000Z");
    expect(set.homes.map((home) => home.name)).toEqual(["House 1", "House 2"]);
    // Home 1: −2000.1 Wh, +2000 Wh (500 W per kW of 4 kW), −500 Wh; home 2 has no panels.
    expect(netOf(set, 0)).toEqual([...Array(4).fill(-500), ...Array(4).fill(500), ...Array(4).fill(-125)]);
    expect(netOf(set, 1)).toEqual([...Array(4).fill(-500), 0, 0, 0, 0, ...Array(4).fill(-375)]);
    expect(() => set.homes[0]?.netWhBySlot(12)).toThrow(RangeError);
    expect(set.retail).toEqual({
      kind: "series",
      startSlot: set.startSlot,
      slotsPerValue: 4,
      microsPerKwh: [220_000, 540_000, 210_000],
    });
    expect(set.tariff(70_000)).toMatchObject({ currency: "USD", feedInMicrosPerKwh: 70_000 });
    expect(totalsOf(set.homes)).toEqual({ surplusWh: 2_000, needWh: 6_000, matchableWh: 0 });
  });

  test("behavior: a home that the schema leaves out is left out", () => {
    write({ ...HOURLY, "schema.json": schema(4, false) });
    expect(loadDataset(folder).homes.length).toBe(1);
  });
});

describe("half-hourly flats", () => {
  const load = HALF_HOURLY["bondi_load_filled.csv"];
  const { "byron-11-participants/retail_tariffs.csv": tariffs, ...untaxed } = HALF_HOURLY;
  test.each([
    [
      "a half hour left out",
      load.replace("0:30", "1:00"),
      "line 3, column timestamp: expected half an hour after",
    ],
    [
      "a day that does not exist",
      load.replace("9/08/2016 0:30", "31/02/2016 0:30"),
      "line 3, column timestamp",
    ],
    [
      "a first line that is no moment",
      load.replace("9/08/2016 0:00", "2016-08-09"),
      "line 2, column timestamp: expected d/mm/yyyy",
    ],
    ["a value that is none", load.replace("0.091", "0.09.1"), "line 3, column B1: expected a number"],
    ["a flat without panels", load.replace("B2", "B7"), "the loads are of B1, B7"],
    ["no readings", "timestamp,B1,B2\n", "has no readings"],
    ["fewer rows", load.split("\n").slice(0, 2).join("\n"), "has 2 rows, the loads 1"],
  ])("rejects: %s", (_, text, message) => {
    expect(failure({ ...HALF_HOURLY, "bondi_load_filled.csv": text })).toContain(message);
  });

  test("rejects: no price anywhere, and a table without a flat one", () => {
    expect(failure(untaxed)).toContain("no retail price was given");
    const only = { "byron-11-participants/retail_tariffs.csv": tariffs.replace("Flat", "CL") };
    expect(failure({ ...untaxed, ...only })).toContain("has no tariff of type Flat");
  });

  test("behavior: flats by name, the common property last and without panels", () => {
    write(HALF_HOURLY);
    const set = loadDataset(folder);
    expect(new Date(set.startSlot * 900_000).toISOString()).toBe("2016-08-08T14:00:00.000Z");
    expect(set.homes.map((home) => home.name)).toEqual(["Flat 1", "Flat 2", "Common property"]);
    expect(netOf(set, 0)).toEqual([-16, -17, 54, 55]);
    expect(netOf(set, 1)).toEqual([21, 21, -31, -31]);
    expect(netOf(set, 2)).toEqual([-13, -14, -13, -13]);
    expect(set.tariff(1).retail).toEqual({ kind: "flat", microsPerKwh: 311_300 });
    expect(set.feedInMicrosPerKwh).toBe(100_000);
    expect(loadDataset(folder, { retailMicrosPerKwh: 250_000 }).retail).toEqual({
      kind: "flat",
      microsPerKwh: 250_000,
    });
  });
});

const street = join(data, "fontana-17-homes-hourly");
const flats = join(data, "bondi-flats-halfhour");

describe("measured homes", () => {
  test.skipIf(!existsSync(street))(
    "behavior: a street of 17 homes (skipped without fontana-17-homes-hourly)",
    () => {
      const set = loadDataset(street);
      expect([set.homes.length, set.slots]).toEqual([17, 8_760 * 4]);
      const totals = totalsOf(set.homes);
      // In exact kWh the files hold 45,902.494 of export, 112,121.123 of import and 17,695.722 that match by the hour.
      expect([totals.surplusWh, totals.needWh]).toEqual([45_902_495, 112_121_124]);
      expect((totals.matchableWh / 1000).toFixed(1)).toBe("17695.7");
      expect(totalsOf(set.homes, 4)).toEqual(totals);
    },
  );

  test.skipIf(!existsSync(flats))("behavior: a block of flats (skipped without bondi-flats-halfhour)", () => {
    const set = loadDataset(flats);
    expect([set.homes.length, set.slots]).toEqual([6, 17_520 * 2]);
    const byHalfHour = totalsOf(set.homes, 2);
    expect(byHalfHour).toEqual({ surplusWh: 9_223_669, needWh: 17_066_538, matchableWh: 1_406_207 });
    // Spreading an odd Wh over two slots can part it from its buyer: 1 Wh in a year.
    expect(totalsOf(set.homes)).toEqual({ ...byHalfHour, matchableWh: 1_406_206 });
  });
});

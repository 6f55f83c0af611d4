// Owns the checks on real meter files: totals stated beside them, or summed here in another way. Each is skipped by name
// where its folder is absent.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseCsvMapping } from "../../clients/meter/csv-mapping.ts";
import { membersOf } from "../../clients/meter/meter-file.ts";
import type { ReadOptions } from "../../clients/meter/read-meter.ts";
import { type Found, notesOf, readAll, slotsOf, totalsOf } from "../support/meter-files.ts";

const DATA = process.env.POLDER_DATA ?? join(import.meta.dirname, "../../../shared/data");
const withData = (name: string) => test.skipIf(!existsSync(join(DATA, name)));
const read = async (name: string, options: ReadOptions = {}) =>
  readAll(await membersOf(join(DATA, name)), options);
const losses = (found: Found) => notesOf({ ...found, notes: found.notes.filter(({ isLoss }) => isLoss) });
/** To the last digit that is stated. */
const rounded = (microWh: number | undefined, digits: number) => ((microWh ?? 0) / 1e9).toFixed(digits);

/** kWh of a register in a NEM12 text: fields split, numbers added, nothing else. */
function naiveNem12(text: string, nmi: string, register: string): number {
  let sum = 0;
  let isOn = false;
  let scale = 1;
  let count = 0;
  for (const line of text.split(/\r?\n/)) {
    const fields = line.split(",");
    if (fields[0] === "200") {
      isOn = fields[1] === nmi && fields[4] === register;
      scale = { WH: 0.001, KWH: 1 }[(fields[7] ?? "").toUpperCase()] ?? Number.NaN;
      count = 1_440 / Number(fields[8]);
    }
    if (fields[0] === "300" && isOn && !/[A-Z]/.test(fields[count + 1] ?? "A"))
      for (const value of fields.slice(2, count + 2)) sum += Number(value) * scale;
  }
  return sum;
}

describe("NEM12", () => {
  const folder = "nem12/home-solar-5min-headerless";
  withData(folder)(`behavior: a home of 106 days (skipped without ${folder})`, async () => {
    const found = await read(`${folder}/power-redacted.csv.gz`);
    const totals = totalsOf(found);
    expect([rounded(totals["E1 import"], 1), rounded(totals["B1 export"], 1)]).toEqual(["560.5", "302.9"]);
    const text = gunzipSync(readFileSync(join(DATA, folder, "power-redacted.csv.gz"))).toString();
    expect(rounded(totals["E1 import"], 6)).toBe(naiveNem12(text, "(redacted)", "E1").toFixed(6));
    expect(rounded(totals["B1 export"], 6)).toBe(naiveNem12(text, "(redacted)", "B1").toFixed(6));
    expect(losses(found)).toEqual([]);
    const household = slotsOf(found);
    expect(household.slots.length).toBe(106 * 96);
    const netWh = household.slots.reduce((sum, slot) => sum + (household.read(slot)?.netWh ?? 0), 0);
    expect(Math.abs(netWh - ((totals["B1 export"] ?? 0) - (totals["E1 import"] ?? 0)) / 1e6)).toBeLessThan(1);
  });
  const examples = "nem12/examples";
  withData(examples)(`behavior: a month with panels (skipped without ${examples})`, async () => {
    const totals = totalsOf(await read(`${examples}/Example_NEM12_month_solar.csv`));
    expect([rounded(totals["B1 export"], 1), rounded(totals["E1 import"], 1)]).toEqual(["589.2", "270.7"]);
  });
  withData(examples)(`behavior: every sample as split by commas (skipped without ${examples})`, async () => {
    const names = readdirSync(join(DATA, examples)).filter((name) => name.endsWith(".csv"));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const found = await read(`${examples}/${name}`);
      const text = readFileSync(join(DATA, examples, name), "utf8");
      const channels = new Set(found.intervals.map(({ channel }) => channel));
      expect(channels.size).toBeGreaterThan(0);
      for (const channel of channels) {
        const own = found.intervals.filter((interval) => interval.channel === channel);
        const microWh = own.reduce((sum, interval) => sum + interval.microWh, 0);
        expect([name, rounded(microWh, 6)]).toEqual([
          name,
          naiveNem12(text, channel.meter, channel.register).toFixed(6),
        ]);
      }
    }
  });
  withData(examples)(
    `rejects: what the broken samples lack, by line (skipped without ${examples})`,
    async () => {
      expect(losses(await read(`${examples}/Example_NEM12_incomplete_interval.csv`))).toContain(
        "3 values: has not the 48 values of a day (0 values)",
      );
      expect(notesOf(await read(`${examples}/Example_NEM12_missing_header.csv`))).toContain(
        "0 header: has no header (100); read as NEM12 all the same",
      );
      const part = slotsOf(await read(`${examples}/Example_NEM12_partialchannel.csv`));
      expect([part.slots.length, part.losses.partSlots]).toEqual([96, 30 * 96]);
    },
  );
});

describe("Green Button", () => {
  const openespi = "greenbutton/openespi";
  /** Wh of a feed by a pattern, its multiplier being 0. */
  const naive = (name: string) => {
    const text = readFileSync(join(DATA, openespi, name), "utf8").replace(/<!--[\s\S]*?-->/g, "");
    const values = [
      ...text.matchAll(/<IntervalReading>[\s\S]*?<value>(\d+)<\/value>[\s\S]*?<\/IntervalReading>/g),
    ];
    return { count: values.length, wh: values.reduce((sum, [, value]) => sum + Number(value), 0) };
  };
  withData(openespi)(
    `behavior: a fortnight, whole and by the day (skipped without ${openespi})`,
    async () => {
      const names = readdirSync(join(DATA, openespi)).filter((name) => name.startsWith("test_usage_data"));
      for (const name of names) {
        const found = await read(`${openespi}/${name}`);
        const { count, wh } = naive(name);
        expect([name, found.intervals.length, totalsOf(found)]).toEqual([
          name,
          count,
          { "01 import": wh * 1e6 },
        ]);
        expect(found.notes).toEqual([]);
      }
      expect(naive("test_usage_data_11.xml").count).toBe(92);
      const days = names.filter((name) => /_\d\d\.xml$/.test(name));
      const members = (await Promise.all(days.map((name) => membersOf(join(DATA, openespi, name))))).flat();
      const whole = await read(`${openespi}/test_usage_data.xml`);
      expect(totalsOf(await readAll(members))).toEqual(totalsOf(whole));
      expect(slotsOf(whole).slots.length).toBe(1_340);
    },
  );
  withData(openespi)(`rejects: feeds without readings (skipped without ${openespi})`, async () => {
    await expect(read(`${openespi}/Authorization-Entry-Anonymized.xml`)).rejects.toThrow(
      /has no interval reading/,
    );
  });
  const netmeter = "greenbutton/united-power-netmeter";
  withData(netmeter)(
    `behavior: a net meter, plain and in its zip (skipped without ${netmeter})`,
    async () => {
      for (const name of readdirSync(join(DATA, netmeter)).filter((file) => !file.endsWith(".txt"))) {
        const found = await read(`${netmeter}/${name}`);
        // 49600 with a multiplier stated twice means 49.6 kWh.
        expect(found.intervals[0]?.microWh).toBe(49.6e9);
        expect(totalsOf(found)).toEqual({
          "01 import": 72.63e9,
          "02 import": 38.6e9,
          "02 export": 6.49e9,
          "03 export": 40.52e9,
        });
        expect(losses(found)[0]).toMatch(/reading type: has unit 38, not 72 \(Wh\)/);
        expect(slotsOf(found).losses).toMatchObject({ coarseIntervals: 6 });
      }
    },
  );
});

describe("CSV", () => {
  const column = (name: string, place: number) =>
    (name.endsWith(".gz") ? gunzipSync(readFileSync(join(DATA, name))) : readFileSync(join(DATA, name)))
      .toString()
      .split(/\r?\n/)
      .slice(1)
      .filter((line) => line !== "")
      .map((line) => Number(line.split(",")[place]));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const ausgrid = "ausgrid-customer12-halfhour";
  withData(ausgrid)(`behavior: gross meters in mean kW (skipped without ${ausgrid})`, async () => {
    const name = `${ausgrid}/data_2011-2012.csv`;
    const mapping = parseCsvMapping({
      time: { columns: 1, format: "yyyy-MM-dd HH:mm:ss" },
      zone: "UTC+10",
      unit: "kW",
      values: { load: "GC", generation: "GG" },
    });
    const found = await read(name, { mapping });
    const totals = totalsOf(found);
    expect(rounded(totals["GC load"], 6)).toBe((sum(column(name, 1)) / 2).toFixed(6));
    expect(rounded(totals["GG generation"], 6)).toBe((sum(column(name, 2)) / 2).toFixed(6));
    // Stated as 5 939 and 1 297, which is rounded up.
    expect(
      [totals["GC load"], totals["GG generation"]].map((microWh) => Math.ceil((microWh ?? 0) / 1e9)),
    ).toEqual([5_939, 1_297]);
    const household = slotsOf(found);
    expect(household.slots.length).toBe(17_568 * 2);
    const exporting = household.slots.filter((slot) => (household.read(slot)?.netWh ?? 0) > 0).length;
    expect(((exporting / household.slots.length) * 100).toFixed(1)).toBe("6.8");
  });
  const bondi = "bondi-flats-halfhour";
  withData(bondi)(`behavior: a block of flats, a register each (skipped without ${bondi})`, async () => {
    const name = `${bondi}/bondi_load_filled.csv`;
    const mapping = parseCsvMapping({
      time: { columns: "timestamp", format: "d/MM/yyyy H:mm" },
      zone: "UTC+10",
      unit: "kWh",
      values: { load: ["B5", "B1", "B4", "B3", "B2", "cp"] },
    });
    const totals = totalsOf(await read(name, { mapping }));
    for (const [register, microWh] of Object.entries(totals)) {
      const place = ["", "B5", "B1", "B4", "B3", "B2", "cp"].indexOf(register.replace(" load", ""));
      expect([register, rounded(microWh, 6)]).toEqual([register, sum(column(name, place)).toFixed(6)]);
    }
  });
});

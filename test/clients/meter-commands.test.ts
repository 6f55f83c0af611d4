// Owns what `polder meter inspect` and `estimate` print, and how they end on files that cannot be used.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CommandLine } from "../support/client-commands.ts";
import { nem12Of } from "../support/meter-files.ts";

const folder = mkdtempSync(join(tmpdir(), "polder-meter-cli-"));
const line = new CommandLine("http://127.0.0.1:1", folder);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DAY_S = Date.UTC(2024, 0, 31) / 1000;
const HOME = nem12Of(
  [
    { register: "E1", minutes: 30, microWh: Array<number>(96).fill(500e6) },
    {
      register: "B1",
      minutes: 30,
      microWh: Array.from({ length: 96 }, (_, i) => (i % 48 === 24 ? 2_500e6 : 0)),
    },
  ],
  DAY_S,
).replace("900\r\n", "300,20240231,1\r\n900\r\n");
const home = line.write("home.csv", HOME);
const tariff = line.write("tariff.json", {
  name: "own",
  currency: "AUD",
  feedInPerKwh: "0.05",
  retail: { kind: "flat", perKwh: "0.30" },
});
const daily = line.write("daily.csv", "start,importKwh\n2024-01-01T00:00Z,5\n2024-01-02T00:00Z,5\n");

describe("inspect", () => {
  test("rejects: files that are not there, of no known format, or read the wrong way, with their place", async () => {
    await line.bad([
      [["meter", "inspect", line.file("none.csv")], /^none\.csv: is not there\n$/],
      [["meter", "inspect", line.write("noise.bin", "\u0001\u0002")], /^noise\.bin: is of no known format/],
      [["meter", "inspect", home, "--format", "greenbutton"], /^home\.csv, line \d+: is no XML/],
      [["meter", "inspect", home, "--format", "csv"], /^home\.csv, line 1, header: says not which columns/],
      [["meter", "inspect", home, "--format", "pdf"], /Allowed choices are nem12, nem13, greenbutton, csv/],
      [["meter", "inspect", home, "--zone", "Mars"], /unknown time zone: Mars/],
      [["meter", "inspect", home, "--mapping", line.write("m.json", { unit: "kWh" })], /^m\.json, time: /],
    ]);
  });
  test("behavior: a table, what was left out, and a chart of the day", async () => {
    const text = await line.good(["meter", "inspect", home]);
    expect(text).toMatch(
      /NMI0000001 │ E1 +│ import +│ 2024-01-31 00:00 │ 2024-02-02 00:00 │ 96 × 30 min │ 48\.0 /,
    );
    expect(text).toMatch(/│ B1 +│ export .* 5\.0 +│ 96 actual/);
    expect(text).toMatch(/left out, 1 in all:\n {2}1 × date is not a day written yyyymmdd: home\.csv:\d+/);
    expect(text).toMatch(/export, kWh in an hour of the day \(UTC\+10\), mean of all days\n +2\.500 ┼/);
    const coarse = await line.good(["meter", "inspect", daily]);
    expect(coarse).toContain("1 importKwh: intervals above an hour are too coarse for quarter-hours");
  });
  test("behavior: JSON has every figure", async () => {
    const { channels, notes } = JSON.parse(await line.good(["meter", "inspect", home, "--json"]));
    expect(channels[0]).toMatchObject({
      meter: "NMI0000001",
      register: "E1",
      measure: "import",
      intervals: 96,
      durations: { 1800: 96 },
      gaps: [],
      qualities: { actual: 96 },
      totalsMicroWh: { import: 48e9 },
    });
    expect(channels[1].hourlyMicroWh.export[12]).toBe(2_500e6);
    expect(notes).toEqual([expect.objectContaining({ isLoss: true, field: "date", count: 1 })]);
  });
});

describe("estimate", () => {
  test("rejects: files too coarse, several meters, and terms that contradict each other", async () => {
    const two = line.write("two.csv", HOME.replace("200,NMI0000001,E1B1,1,B1", "200,NMI0000002,E1B1,1,B1"));
    const estimate = (...args: string[]) => ["meter", "estimate", ...args];
    await line.bad([
      [
        estimate(daily, "--tariff", tariff),
        /has no whole quarter-hour; 2 intervals above an hour \(10\.000 kWh\)/,
      ],
      [estimate(two, "--tariff", tariff), /name one meter; it has NMI0000001, NMI0000002/],
      [estimate(home), /required option '--tariff/],
      [estimate(home, "--tariff", tariff, "--share", "1.5"), /must be a part from 0 to 1/],
      [
        estimate(home, "--tariff", tariff, "--region", "here", "--fee", "0.1"),
        /leave out --fee and --take-rate/,
      ],
      [estimate(home, "--tariff", daily), /wholesale prices say not what export earns: give --feed-in/],
    ]);
  });
  test("behavior: months, a total, and every assumption", async () => {
    const text = await line.good([
      "meter",
      "estimate",
      home,
      "--tariff",
      tariff,
      "--share",
      "1",
      "--fee",
      "0",
    ]);
    expect(text).toMatch(/│ 2024-01 │ 96 +│ 2\.000 +│ 23\.500 +│ 2\.000 +│ 23\.500 +│ 6\.95 /);
    expect(text).toMatch(/│ all +│ 192 +│ 4\.000 +│ 47\.000 /);
    expect(text).toContain("a network fee of 0.000000 per kWh and a take rate of 1 % are assumed");
    expect(text).toContain("100 % of what the home has to sell or needs to buy finds a counterpart");
    expect(text).toContain("of the files:\n  1 × date is not a day written yyyymmdd");
  });
});

// Owns the checks of CSV readings: mappings and rows that are wrong are named, and clocks, units and registers are read.

import { describe, expect, test } from "vitest";
import { type CsvMapping, parseCsvMapping } from "../../clients/meter/csv-mapping.ts";
import { parseClock } from "../../clients/meter/meter-clock.ts";
import { timeFormatOf } from "../../clients/meter/time-format.ts";
import { memberOf, notesOf, readAll, slotsOf, totalsOf } from "../support/meter-files.ts";

const BASE = {
  time: { columns: "time", format: "yyyy-MM-dd HH:mm" },
  zone: "UTC",
  unit: "Wh",
  intervalMinutes: 15,
  values: { import: "in" },
};
const mapping = (more: object = {}): CsvMapping => parseCsvMapping({ ...BASE, ...more });
const read = (lines: readonly string[], more: object = {}) =>
  readAll(memberOf(lines.join("\n"), "home.csv", 13), { format: "csv", mapping: mapping(more) });
const starts = ({ intervals }: Awaited<ReturnType<typeof read>>) =>
  intervals.map(({ startS }) => new Date(startS * 1000).toISOString().slice(0, 16));

describe("mappings", () => {
  test.each([
    ["an unknown field", { colour: "red" }, /Unrecognized key: \\?"colour/],
    ["no value", { values: {} }, /names no value/],
    ["an unknown zone", { zone: "Europe/Nowhere" }, /unknown time zone: Europe\/Nowhere/],
    ["an offset beyond any", { zone: "UTC+17" }, /not an offset: UTC\+17/],
    ["a pattern with unknown letters", { time: { columns: 1, format: "Q" } }, /no part of a time: Q in Q/],
    ["a pattern without a day", { time: { columns: 1, format: "yyyy-MM" } }, /not year, month and day/],
    ["h without a", { time: { columns: 1, format: "yyyy-MM-dd h" } }, /h and a belong together/],
    ["a unit of nothing", { unit: "kVA" }, /Invalid option/],
    ["a net without its sign", { values: { net: { column: "n" } } }, /Invalid option/],
    ["registers of power", { cumulative: true, unit: "kW" }, /no register that counts up/],
  ])("rejects: %s", (_, more, reason) => {
    expect(() => mapping(more)).toThrow(reason);
  });
  test("rejects: a column that is not there, naming those that are", async () => {
    await expect(read(["when;in", "2024-01-01 00:00;1"])).rejects.toThrow(
      "home.csv, line 1, header: has no column time; it has when, in",
    );
    await expect(
      read(["2024-01-01 00:00;1"], { header: false, time: { columns: 3 }, values: { import: 2 } }),
    ).rejects.toThrow("has no column 3; it has 2 columns");
  });
  test("rejects: a header that says too little by itself, and one that mixes units", async () => {
    for (const header of ["start,value", "when,netWh", "start,importWh,exportKwh"])
      await expect(readAll(memberOf(`${header}\n2024-01-01T00:00Z,1,2`, "home.csv"))).rejects.toThrow(
        "home.csv, line 1, header: says not which columns are what: give a mapping file",
      );
  });
});

describe("rows", () => {
  test.each([
    [
      "31 February",
      "2024-02-31 00:00,1",
      "2 time: is not a time of the stated format, or on no calendar (2024-02-31",
    ],
    ["the hour 25", "2024-01-01 25:00,1", "2 time: is not a time of the stated format"],
    ["NaN", "2024-01-01 00:00,NaN", "2 in: is not a number (NaN)"],
    ["Infinity", "2024-01-01 00:00,1e999", "2 in: is more than a meter's reading can hold (1e999)"],
    ["a negative energy", "2024-01-01 00:00,-1", "2 in: is negative, and this register counts one way (-1)"],
    ["a decimal comma that nobody stated", '2024-01-01 00:00,"1,5"', "2 in: is not a number (1,5)"],
    ["an empty cell", "2024-01-01 00:00,", "2 in: is empty"],
    ["a cell too many", "2024-01-01 00:00,1,2", "2 row: has not the 2 cells of the first line (3 cells)"],
    ["a quote that does not close", '2024-01-01 00:00,"1', "2 row: has a quote that does not close"],
    ["the year 9999", "9999-01-01 00:00,1", "2 time: is outside of what a meter can have measured"],
  ])("rejects: %s, and reads the next row", async (_, row, note) => {
    const found = await read(["time,in", row, "2024-01-01 00:30,7"]);
    expect(notesOf(found)).toEqual([expect.stringContaining(note)]);
    expect(totalsOf(found)).toEqual({ "in import": 7e6 });
  });
  test("rejects: a file of which no row can be read, and one without rows", async () => {
    await expect(read(["time,in", "soon,1"])).rejects.toThrow(
      "home.csv, line 2, time: no row can be read; the first: is not a time of the stated format, or on no calendar (soon)",
    );
    await expect(read(["time,in", "", ""])).rejects.toThrow("home.csv: has no row of readings");
    await expect(read(["time,in", "2024-01-01 00:00,1"], { intervalMinutes: undefined })).rejects.toThrow(
      "home.csv, line 2, time: says not how long its intervals are: give intervalMinutes",
    );
    await expect(read(["time,in", "2024-01-01 00:00,1"], { zone: undefined })).rejects.toThrow(
      /has no time zone/,
    );
  });
  test("rejects: rows out of order that overlap, and rows that stand twice; order itself does not matter", async () => {
    const found = await read([
      "time,in",
      "2024-01-01 00:30,1",
      "2024-01-01 00:00,2",
      "2024-01-01 00:10,4",
      "2024-01-01 00:15,8",
      "2024-01-01 00:30,16",
    ]);
    expect(totalsOf(found)).toEqual({ "in import": 11e6 });
    expect(notesOf(found)).toEqual([
      "4 time: overlaps the time of an earlier line (2024-01-01T00:10:00.000Z)",
      "6 time: stands twice: an earlier line covers its time (2024-01-01T00:30:00.000Z)",
    ]);
  });
});

describe("what a file says", () => {
  test("behavior: the simple form, quarter-hours of whole Wh by start and net, needs no mapping", async () => {
    const found = await readAll(
      memberOf("\ufeffstart,netWh\n2026-04-01T00:00Z,5\n2026-04-01T02:15+02:00,-7\n", "home.csv"),
    );
    const household = slotsOf(found);
    expect(household.slots.map((slot) => household.read(slot))).toEqual([
      { netWh: 5, generationWh: null, loadWh: null },
      { netWh: -7, generationWh: null, loadWh: null },
    ]);
  });
  test("behavior: semicolons, decimal commas, quotes, lines to skip, CRLF and two time columns", async () => {
    const lines = [
      "Lastgang;;;",
      'Datum;Zeit;"Bezug ""1.8.0""";Einspeisung',
      '"1.2.2024";0:15;0,25;"1,5"',
      "1.2.2024;24:00;1;0",
    ];
    const found = await readAll(memberOf(lines.join("\r\n"), "home.csv"), {
      format: "csv",
      mapping: mapping({
        skipLines: 1,
        decimal: ",",
        unit: "kWh",
        time: { columns: ["Datum", "Zeit"], format: "d.M.yyyy H:mm", label: "end" },
        values: { import: 'Bezug "1.8.0"', export: "Einspeisung" },
      }),
    });
    expect(notesOf(found)).toEqual([]);
    expect(totalsOf(found)).toEqual({ 'Bezug "1.8.0" import': 1.25e9, "Einspeisung export": 1.5e9 });
    expect(starts(found)).toEqual([
      "2024-02-01T00:00",
      "2024-02-01T00:00",
      "2024-02-01T23:45",
      "2024-02-01T23:45",
    ]);
  });
  test("behavior: mean powers times their interval, whose length the rows say", async () => {
    const rows = [0, 30, 60, 150].map((minute) => `${1_700_000_000 + minute * 60},0.48200000000000004`);
    const found = await read(["t,p", ...rows], {
      time: { columns: 1, format: "unix" },
      zone: undefined,
      unit: "kW",
      intervalMinutes: undefined,
      values: { load: "p" },
    });
    expect(found.intervals.map(({ durationS, microWh }) => [durationS, microWh])).toEqual(
      Array(4).fill([1_800, 241_000_000]),
    );
  });
  test("behavior: net by its sign, headerless columns by number, several meters, and qualities", async () => {
    const found = await read(
      [
        "a\t2024-01-01 00:00\t5\tA",
        "b\t2024-01-01 00:00\t-3\tE",
        "a\t2024-01-01 00:15\t-2\tZ",
        "b\t2024-01-01 00:15\t9\tN",
      ],
      {
        header: false,
        meter: 1,
        time: { columns: 2, format: "yyyy-MM-dd HH:mm" },
        values: { net: { column: 3, positive: "import" } },
        quality: { column: 4, actual: ["A"], estimated: ["E"], missing: ["N"] },
      },
    );
    expect(
      found.intervals.map(({ channel, flow, microWh, quality }) => [channel.meter, flow, microWh, quality]),
    ).toEqual([
      ["a", "import", 5e6, "actual"],
      ["b", "export", 3e6, "estimated"],
      ["a", "export", 2e6, "unknown"],
    ]);
    expect(notesOf(found)).toEqual(["4 quality: says that there are no data (a row)"]);
  });
  test("behavior: registers that count up become flows; a reset is named and counts nothing", async () => {
    const states = ["100", "100.5", "101", "0.25", "0.75", "0.5"];
    const rows = states.map((state, i) => `2024-01-01 00:${String(i * 10).padStart(2, "0")},${state}`);
    const found = await read(["time,in", ...rows], {
      cumulative: true,
      unit: "kWh",
      intervalMinutes: undefined,
    });
    expect(found.intervals.map(({ microWh, durationS }) => [microWh, durationS])).toEqual([
      [0.5e9, 600],
      [0.5e9, 600],
      [0.5e9, 600],
    ]);
    expect(notesOf(found).map((note) => note.slice(0, 60))).toEqual([
      expect.stringContaining("6 in: began anew near zero"),
      expect.stringContaining("7 in: is lower than the one before, and none follows"),
    ]);
  });
});

/** Local labels of a day, each quarter-hour from a time on. */
function labels(day: string, ...times: [from: string, count: number][]): string[] {
  return times.flatMap(([from, count]) => {
    const [hour = 0, minute = 0] = from.split(":").map(Number);
    return Array.from({ length: count }, (_, i) => {
      const at = hour * 60 + minute + i * 15;
      return `${day} ${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")},1`;
    });
  });
}

describe("clocks that change", () => {
  const amsterdam = { zone: "Europe/Amsterdam" };
  const wholeDay = (found: Awaited<ReturnType<typeof read>>, from: string, hours: number) => {
    const times = found.intervals.map(({ startS }) => startS);
    const firstS = Date.parse(from) / 1000;
    expect(times).toEqual(Array.from({ length: hours * 4 }, (_, i) => firstS + i * 900));
  };
  test("behavior: the day of 23 hours, by starts and by ends", async () => {
    const byStart = await read(["time,in", ...labels("2024-03-31", ["00:00", 8], ["03:00", 84])], amsterdam);
    wholeDay(byStart, "2024-03-31T00:00+01:00", 23);
    // An end of 02:00 is the moment of the change, whichever way it is written.
    for (const change of ["02:00", "03:00"]) {
      const rows = labels("2024-03-31", ["00:15", 7], [change, 1], ["03:15", 84]);
      const byEnd = await read(["time,in", ...rows], {
        ...amsterdam,
        time: { columns: "time", format: "yyyy-MM-dd HH:mm", label: "end" },
      });
      wholeDay(byEnd, "2024-03-31T00:00+01:00", 23);
    }
  });
  test("behavior: the day of 25 hours, by starts and by ends, and backward; the repeat is named", async () => {
    const rows = labels("2024-10-27", ["00:00", 12], ["02:00", 88]);
    const found = await read(["time,in", ...rows], amsterdam);
    wholeDay(found, "2024-10-27T00:00+02:00", 25);
    expect(found.notes.length).toBe(8);
    expect(found.notes[0]).toMatchObject({ isLoss: false, reason: /shown twice by the clock/ });
    const backward = await read(["time,in", ...rows.toReversed()], amsterdam);
    expect(backward.intervals.map(({ startS }) => startS).toReversed()).toEqual(
      found.intervals.map(({ startS }) => startS),
    );
    const ends = labels("2024-10-27", ["00:15", 11], ["02:00", 4], ["02:00", 89]);
    const byEnd = await read(["time,in", ...ends], {
      ...amsterdam,
      time: { columns: "time", format: "yyyy-MM-dd HH:mm", label: "end" },
    });
    wholeDay(byEnd, "2024-10-27T00:00+02:00", 25);
  });
  test("rejects: starts that never were, by line", async () => {
    const found = await read(["time,in", ...labels("2024-03-31", ["01:45", 3])], amsterdam);
    expect(starts(found)).toEqual(["2024-03-31T00:45"]);
    expect(notesOf(found)[0]).toBe(
      "3 time: is a local time that never was: clocks went forward over it (2024-03-31 02:00)",
    );
  });
  test("behavior: days are as long as the local day, and are too coarse for quarter-hours", async () => {
    const found = await read(["time,in", "2024-03-30,1", "2024-03-31,1", "2024-04-01,1"], {
      ...amsterdam,
      intervalMinutes: undefined,
      time: { columns: "time", format: "iso" },
    });
    expect(found.intervals.map(({ durationS }) => durationS / 3_600)).toEqual([24, 23, 24]);
    expect(slotsOf(found)).toMatchObject({ slots: [], losses: { coarseIntervals: 3, coarseMicroWh: 3e6 } });
  });
  test("behavior: a fixed offset ignores the change, and an offset in the text wins over both", async () => {
    const rows = labels("2024-03-31", ["00:00", 96]);
    wholeDay(await read(["time,in", ...rows], { zone: "+01:00" }), "2024-03-31T00:00+01:00", 24);
    const iso = await read(["time,in", "2024-03-31T02:30+05:45,1"], { ...amsterdam, time: { columns: 1 } });
    expect(starts(iso)).toEqual(["2024-03-30T20:45"]);
  });
});

describe("times and zones", () => {
  const at = (format: string, text: string) => timeFormatOf(format)(text);
  test.each([
    ["iso", "2024-02-30"],
    ["iso", "2024-1-1"],
    ["unix", "1.5"],
    ["unix-ms", "1700000000001"],
    ["h:mm a d/M/yy", "13:00 PM 1/1/24"],
    ["h:mm a d/M/yy", "0:00 AM 1/1/24"],
    ["yyyyMMdd", "2024010"],
    ["dd-MMM-yyyy", "01-Foo-2024"],
  ])("rejects: %s %s", (format, text) => expect(at(format, text)).toBeNull());
  test.each([
    ["iso", "2024-02-29T23:59:59.999Z", "2024-02-29T23:59:59Z", 0],
    ["iso", "2024-02-29", "2024-02-29T00:00Z", null],
    ["unix-ms", "1700000000000", "2023-11-14T22:13:20Z", 0],
    ["h:mm a d/M/yy", "12:05 a.m. 9/8/24", "2024-08-09T00:05Z", null],
    ["MM/dd/yyyy hh:mm a", "08/09/2024 12:05 PM", "2024-08-09T12:05Z", null],
    ["dd-MMM-yyyy HH:mm:ss", "01-Dec-2024 24:00:00", "2024-12-02T00:00Z", null],
    ["yyyyMMddTHHmmXXX", "20240101T0000-0330", "2024-01-01T00:00Z", -12_600],
  ])("behavior: %s %s", (format, text, moment, offsetS) => {
    expect(at(format, text)).toEqual({ localS: Date.parse(moment) / 1000, offsetS });
  });
  test.each([
    ["UTC", 0],
    ["UTC+10", 36_000],
    ["-03:30", -12_600],
    ["Europe/Dublin", 0],
    ["Australia/Sydney", 36_000],
    ["America/Denver", -25_200],
  ])("behavior: standard time of %s is %d s ahead of UTC", (zone, seconds) => {
    expect(parseClock(zone).standardOffsetS).toBe(seconds);
  });
});

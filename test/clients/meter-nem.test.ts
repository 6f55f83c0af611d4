// Owns the checks of NEM12 and NEM13 files: every broken record is named, and each quirk of real ones is read.

import { describe, expect, test } from "vitest";
import { parseClock } from "../../clients/meter/meter-clock.ts";
import { dayOf, memberOf, notesOf, readAll, totalsOf } from "../support/meter-files.ts";

const OPENING = "100,NEM12,202401010000,MDA1,Ret1";
const stream = (register: string, unit = "kWh", minutes: string | number = 30) =>
  `200,NMI0000001,E1B1,1,${register},N1,METER1,${unit},${minutes},`;
const halfHours = (value: string | number = 1) => dayOf(48, () => value);
const file = (...lines: string[]) => memberOf([OPENING, ...lines, "900"].join("\n"));
const atS = (iso: string) => Date.parse(iso) / 1000;

describe("what is no NEM12", () => {
  test("rejects: files without one interval record, by name", async () => {
    await expect(readAll(file(stream("E1")))).rejects.toThrow(
      "meter.csv: has no interval record (300) of NEM12",
    );
    await expect(readAll(memberOf("hello\nworld"))).rejects.toThrow(/meter\.csv: is of no known format/);
  });
  test("rejects: bytes that are no text, zero bytes, and lines without end", async () => {
    const bytes = Buffer.concat([Buffer.from(`${OPENING}\n`), Buffer.from([0xff, 0xfe, 0x80])]);
    await expect(readAll(memberOf(bytes))).rejects.toThrow(/meter\.csv, line \d: is not text: its bytes/);
    await expect(readAll(memberOf(`${OPENING}\n\0\0`))).rejects.toThrow(/is not text: it holds zero bytes/);
    const endless = memberOf(`${OPENING}\n300,${"1".repeat(600_000)}`);
    await expect(readAll(endless)).rejects.toThrow(/meter\.csv, line 2: is longer than 262144 characters/);
  });
  test.each([
    ["31 February", `300,20230231,${halfHours()},A`, "3 date: is not a day written yyyymmdd"],
    [
      "too few values",
      `300,20230201,${dayOf(47, () => 1)},A,,,`,
      "3 values: has not the 48 values of a day (47",
    ],
    [
      "too many values",
      `300,20230201,${dayOf(49, () => 1)},A,,,`,
      "3 quality: has not the 48 values of a day",
    ],
    ["none at all", "300,20230201,V,,,20230202", "3 values: has not the 48 values of a day (0 values)"],
    ["a broken end", `300,20230201,${dayOf(20, () => 1)}`, "3 values: has not the 48 values of a day (20"],
    ["no date", "300", "3 date: is not a day written yyyymmdd"],
    ["null data", `300,20230201,${halfHours()},N`, "3 quality: is null (N): there are no data (48 values)"],
  ])("rejects: a day with %s, and reads the next", async (_, line, note) => {
    const found = await readAll(file(stream("E1"), line, `300,20230202,${halfHours()},A`));
    expect(notesOf(found)).toEqual([expect.stringContaining(note)]);
    expect(totalsOf(found)).toEqual({ "E1 import": 48e9 });
  });
  test.each([
    ["NaN", "is not a number"],
    ["Infinity", "is not a number"],
    ["-0.001", "is negative, and this register counts one way"],
    ["99999999", "is more than a meter's reading can hold"],
    ["", "is empty"],
    ["1,5", "is not a number"],
  ])("rejects: the value %j and no other of its day", async (value, reason) => {
    const cell = value === "1,5" ? "1;5" : value;
    const values = dayOf(48, (i) => (i === 16 ? cell : 1));
    const found = await readAll(file(stream("E1"), `300,20230201,${values},A`));
    expect(notesOf(found)).toEqual([`3 value 17: ${reason}${cell === "" ? "" : ` (${cell})`}`]);
    expect(found.intervals.length).toBe(47);
  });
  test("rejects: registers of no traded energy, unknown lengths and units, each by name", async () => {
    const day = `300,20230201,${halfHours()},A`;
    const found = await readAll(
      file(
        day,
        stream("Q1", "kVArh"),
        day,
        stream("V1"),
        day,
        stream("E1", "GWh"),
        day,
        stream("E1", "kWh", 20),
        day,
        stream("E1"),
        day,
      ),
    );
    expect(notesOf(found)).toEqual([
      "2 record: stands before any 200 record (300)",
      "4 register: Q1 counts reactive energy, which nobody trades (a day)",
      "6 register: V1 counts neither import (E) nor export (B) (a day)",
      "8 register: E1 is not in Wh, kWh or MWh but in GWh (a day)",
      "9 interval length: is none of 1, 5, 10, 15, 30, 60 minutes (20)",
      "10 register: stands below a 200 record that is left out (a day)",
    ]);
    expect(totalsOf(found)).toEqual({ "E1 import": 48e9 });
  });
  test("rejects: a day that stands twice, the second time", async () => {
    const found = await readAll(
      file(
        stream("E1"),
        `300,20230202,${halfHours(2)},A`,
        `300,20230201,${halfHours()},A`,
        `300,20230202,${halfHours(9)},A`,
      ),
    );
    expect(totalsOf(found)).toEqual({ "E1 import": 144e9 });
    expect(found.notes.length).toBe(48);
    expect(notesOf(found)[0]).toBe(
      "5 time: stands twice: an earlier line covers its time (2023-02-01T14:00:00.000Z)",
    );
  });
});

describe("what NEM12 says", () => {
  test.each([1, 5, 10, 15, 30, 60])(
    "behavior: intervals of %d minutes, by eastern standard time",
    async (minutes) => {
      const count = 1_440 / minutes;
      const found = await readAll(
        file(stream("B1", "Wh", minutes), `300,20230201,${dayOf(count, (i) => i)},A,,,`),
      );
      expect(found.intervals.length).toBe(count);
      expect(found.intervals[0]).toMatchObject({
        startS: atS("2023-02-01T00:00+10:00"),
        durationS: minutes * 60,
        flow: "export",
        quality: "actual",
        line: 3,
      });
      expect(found.intervals.at(-1)?.microWh).toBe((count - 1) * 1e6);
      expect(notesOf(found)).toEqual([]);
    },
  );
  test.each([
    ["Wh", 1e6],
    ["KWH", 1e9],
    ["kwh", 1e9],
    ["MWH", 1e12],
  ])("behavior: values in %s", async (unit, microWh) => {
    const found = await readAll(file(stream("E1", unit), `300,20230201,${halfHours("0.500000")},A`));
    expect(totalsOf(found)).toEqual({ "E1 import": 24 * microWh });
  });
  test("behavior: 400 records say the quality of parts of a day", async () => {
    const found = await readAll(
      file(
        stream("E1"),
        `300,20230201,${halfHours()},V,,,20230202,`,
        "400,1,20,F14,76,",
        "400,21,24,a,,",
        "400,25,26,N,,",
        "400,27,99,A,,",
        "400,27,40,S52,,",
      ),
    );
    const counts = (quality: string) =>
      found.intervals.filter((interval) => interval.quality === quality).length;
    expect([counts("substituted"), counts("actual"), counts("unknown")]).toEqual([34, 4, 8]);
    expect(notesOf(found)).toEqual([
      "7 quality: is no quality of some of the day's values (400,27,99,A,,)",
      "3 quality: is null (N): there are no data (2 values)",
    ]);
  });
  test("behavior: headerless files, an interval of 05, CRLF, a byte order mark and values like .048", async () => {
    const text = `\ufeff\r\n200,(redacted),E1B1,E1,E1,,1,KWH,05,\r\n300,20230201,${dayOf(288, () => ".048")},A,,,\r\n`;
    const found = await readAll(memberOf(text, "meter.csv", 7));
    expect(totalsOf(found)).toEqual({ "E1 import": 288 * 48e6 });
    expect(notesOf(found)).toEqual([
      "0 header: has no header (100); read as NEM12 all the same",
      "0 end: has no end record (900): it may be cut off",
    ]);
  });
  test("behavior: several meters and registers, and another zone's standard time", async () => {
    const other = "200,NMI0000002,B1,1,B1,N1,METER2,Wh,60,";
    const options = { clock: parseClock("Australia/Adelaide") };
    const found = await readAll(
      file(
        stream("E1"),
        `300,20230101,${halfHours()},A`,
        stream("E2"),
        `300,20230101,${halfHours(2)},A`,
        other,
        `300,20230101,${dayOf(24, () => 5)},A`,
      ),
      options,
    );
    expect(totalsOf(found)).toEqual({ "E1 import": 48e9, "E2 import": 96e9, "B1 export": 120e6 });
    expect(new Set(found.intervals.map(({ channel }) => channel.meter)).size).toBe(2);
    expect(found.intervals[0]?.startS).toBe(atS("2023-01-01T00:00+09:30"));
  });
});

describe("NEM13", () => {
  const read = (change: (fields: string[]) => void = () => {}) => {
    const fields =
      "250,NMI0000001,1141,01,11,11,METER1,E,000021.2,20031001103230,A,,,000534.5,20040201100030,E64,77,,343.5,kWh,20040509,20040202125010,20040203000130".split(
        ",",
      );
    change(fields);
    return fields.join(",");
  };
  const nem13 = (...lines: string[]) =>
    memberOf(["100,NEM13,202401010000,MDA1,Ret1", ...lines, "550,N,,A,", "900"].join("\n"));
  test.each([
    [18, "-1", "2 quantity: is negative"],
    [18, "", "2 quantity: is empty"],
    [19, "kVArh", "2 unit: is not Wh, kWh or MWh (kVArh)"],
    [7, "X", "2 direction: is neither E nor I (X)"],
    [9, "20030231103230", "2 previous read: is not a moment"],
    [14, "20031001103230", "2 current read: is not after the previous one"],
    [15, "N", "2 quality: is null (N), or no quality (N)"],
    [1, "", "2 register: names no meter and register"],
  ])("rejects: field %i as %j, and reads the next record", async (place, value, note) => {
    const bad = read((fields) => {
      fields[place] = value;
    });
    const found = await readAll(nem13(bad, read()));
    expect(notesOf(found)).toEqual([expect.stringContaining(note)]);
    expect(found.intervals.length).toBe(1);
  });
  test("rejects: a file without a read, and lines of another kind", async () => {
    await expect(readAll(nem13("300,1"))).rejects.toThrow("meter.csv: has no read (250) of NEM13");
  });
  test("behavior: quantities are as stated, E is import of the home and I its export", async () => {
    const out = read((fields) => {
      fields[7] = "I";
      fields[4] = "41";
    });
    const found = await readAll(nem13(read(), out));
    expect(totalsOf(found)).toEqual({ "11 import": 343.5e9, "41 export": 343.5e9 });
    expect(found.intervals[0]).toMatchObject({
      startS: atS("2003-10-01T10:32:30+10:00"),
      durationS: atS("2004-02-01T10:00:30+10:00") - atS("2003-10-01T10:32:30+10:00"),
      quality: "estimated",
    });
  });
});

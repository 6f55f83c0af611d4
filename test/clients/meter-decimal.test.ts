// Owns the checks that decimal text becomes whole µWh, exact as far as it is as fine as one.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCsvMapping } from "../../clients/meter/csv-mapping.ts";
import { scaledDecimal } from "../../clients/meter/decimal.ts";
import { memberOf, readAll, totalsOf } from "../support/meter-files.ts";

const read = (text: string, power = 9, separator: 44 | 46 = 46) =>
  scaledDecimal(text, 0, text.length, power, separator);

describe("decimal text", () => {
  test.each([
    "",
    " ",
    "-",
    ".",
    "+.",
    "1.2.3",
    "1,2",
    "0x1",
    "1e",
    "e5",
    "1e+",
    "NaN",
    "Infinity",
    "--1",
    "1 2",
    "٣",
  ])("rejects: %j", (text) => expect(read(text)).toBeNaN());
  test("rejects: a point where a comma was stated, and what no safe integer holds", () => {
    expect(read("1.5", 9, 44)).toBeNaN();
    expect(read("1,5e3", 9, 44)).toBe(1_500e9);
    expect(read("9".repeat(400))).toBe(Number.POSITIVE_INFINITY);
    expect(read("-1e300")).toBe(Number.NEGATIVE_INFINITY);
  });
  test.each([
    [".048", 9, 48e6],
    ["1.", 9, 1e9],
    ["+2", 6, 2e6],
    ["-0", 9, 0],
    [" 0.25 ", 9, 250e6],
    ["0.48200000000000004", 9, 482e6],
    ["00000000000000000001", 6, 1e6],
    ["9.9e-08", 9, 99],
    ["1500", -3, 2],
    ["0.00000000000000", 9, 0],
  ])("behavior: %j times 10^%i", (text, power, expected) => expect(read(text, power)).toBe(expected));
  test("property: text as fine as a µWh is exact, and finer text is rounded to the nearest", () => {
    const exact = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(exact, ([mantissa, decimals]) => {
        const digits = mantissa.toString().padStart(decimals + 1, "0");
        const text = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
        const value = mantissa * 10n ** BigInt(9 - decimals);
        const isSafe = value <= BigInt(Number.MAX_SAFE_INTEGER);
        expect(read(text)).toBe(isSafe ? Number(value) : Number.POSITIVE_INFINITY);
        expect(read(`-${text}`)).toBe(isSafe ? 0 - Number(value) : Number.NEGATIVE_INFINITY);
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: 0, max: 5_000, noNaN: true }), (kwh) => {
        expect(Math.abs(read(String(kwh)) - kwh * 1e9)).toBeLessThanOrEqual(0.502);
      }),
    );
  });
  test("behavior: the example of a mapping reads what it describes", async () => {
    const mapping = readCsvMapping(`${import.meta.dirname}/../../docs/examples/csv-mapping.json`);
    const text =
      "Datum;Zeit;Bezug;Einspeisung;Status\n1.7.2024;0:15;0,25;0;W\n1.7.2024;0:30;1,5;0,1;E\n1.7.2024;0:45;;;-\n";
    const found = await readAll(memberOf(text), { format: "csv", mapping });
    expect(totalsOf(found)).toEqual({ "Bezug import": 1.75e9, "Einspeisung export": 0.1e9 });
    expect(found.intervals[0]?.startS).toBe(Date.parse("2024-07-01T00:00+02:00") / 1000);
  });
});

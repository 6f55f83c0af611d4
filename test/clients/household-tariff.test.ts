// Owns the checks of tariff files: no price is rounded, every slot has its price, costs round as bills do.

import { describe, expect, test } from "vitest";
import {
  parseDecimalMicros,
  parseTariff,
  retailAt,
  type Tariff,
  tariffCostMicros,
} from "../../clients/household/tariff.ts";

const flat: Tariff = {
  name: "flat",
  currency: "EUR",
  feedInMicrosPerKwh: 80_001,
  retail: { kind: "flat", microsPerKwh: 300_001 },
};
const file = {
  name: "flat",
  currency: "EUR",
  feedInPerKwh: "0.08",
  retail: { kind: "flat", perKwh: "0.30" },
};
const slotOf = (iso: string) => Date.parse(iso) / 900_000;

describe("decimal prices", () => {
  test.each([
    "",
    " 0.21",
    "0.21 ",
    "+1",
    ".5",
    "1.",
    "01",
    "1e-1",
    "0,21",
    "NaN",
    "0x1",
    "1_000",
    "--1",
    "٣",
    "0.2100001",
  ])("rejects: %j", (text) => expect(() => parseDecimalMicros(text)).toThrow(RangeError));
  test("rejects: more than a safe integer of micros", () => {
    expect(() => parseDecimalMicros("9007199254.740992")).toThrow(/too large/);
    expect(parseDecimalMicros("9007199254.740991")).toBe(Number.MAX_SAFE_INTEGER);
  });
  test.each([
    ["0.21", 210_000],
    ["-0.000001", -1],
    ["0.3113", 311_300],
    ["12", 12_000_000],
    ["0.2100000000", 210_000],
    ["-0", 0],
  ])("behavior: %s is %i micros", (text, micros) => expect(parseDecimalMicros(text)).toBe(micros));
});

describe("tariff files", () => {
  test.each([
    ["a number for a price", { ...file, feedInPerKwh: 0.08 }, /decimal text/],
    ["a price finer than a micro", { ...file, feedInPerKwh: "0.0800001" }, /finer than a micro/],
    ["a price beyond the market's limit", { ...file, feedInPerKwh: "10.000001" }, /beyond/],
    ["an unknown field", { ...file, feedin: "0.08" }, /feedin/],
    ["an unknown kind", { ...file, retail: { kind: "tou", perKwh: "1" } }, /retail/],
    [
      "23 hours",
      { ...file, retail: { kind: "hourly", timeZone: "UTC", perKwh: Array(23).fill("0.3") } },
      /perKwh/,
    ],
    [
      "an unknown zone",
      { ...file, retail: { kind: "hourly", timeZone: "Mars/Base", perKwh: Array(24).fill("0.3") } },
      /unknown time zone/,
    ],
    [
      "an empty series",
      { ...file, retail: { kind: "series", startSlot: 0, slotsPerValue: 4, perKwh: [] } },
      /perKwh/,
    ],
    ["nothing", null, /expected object/i],
  ])("rejects: %s", (_, content, message) => expect(() => parseTariff(content)).toThrow(message));

  test("behavior: every kind of retail price decodes to micros", () => {
    expect(parseTariff(file)).toEqual({
      name: "flat",
      currency: "EUR",
      feedInMicrosPerKwh: 80_000,
      retail: { kind: "flat", microsPerKwh: 300_000 },
    });
    const retail = { kind: "series", startSlot: 8, slotsPerValue: 2, perKwh: ["0.1", "-0.2"] };
    expect(parseTariff({ ...file, retail }).retail).toEqual({
      kind: "series",
      startSlot: 8,
      slotsPerValue: 2,
      microsPerKwh: [100_000, -200_000],
    });
  });
});

describe("prices over time", () => {
  test("rejects: a slot outside a series", () => {
    const series = {
      ...flat,
      retail: { kind: "series", startSlot: 8, slotsPerValue: 2, microsPerKwh: [1, 2] },
    } as const;
    expect([8, 9, 10, 11].map((slot) => retailAt(series, slot))).toEqual([1, 1, 2, 2]);
    expect(() => retailAt(series, 7)).toThrow(/no price for slot 7/);
    expect(() => retailAt(series, 12)).toThrow(RangeError);
  });

  test("behavior: hourly prices follow the local clock through its changes", () => {
    const microsPerKwh = Array.from({ length: 24 }, (_, hour) => hour);
    const hourly: Tariff = {
      ...flat,
      retail: { kind: "hourly", timeZone: "Europe/Amsterdam", microsPerKwh },
    };
    const at = (iso: string) => retailAt(hourly, slotOf(iso));
    expect(at("2025-01-10T23:45Z")).toBe(0);
    expect(at("2025-07-10T23:45Z")).toBe(1);
    // 30 March 2025: 02:00 does not exist. 26 October 2025: 02:00 happens twice.
    expect([at("2025-03-30T00:45Z"), at("2025-03-30T01:00Z")]).toEqual([1, 3]);
    expect([at("2025-10-26T00:00Z"), at("2025-10-26T01:00Z"), at("2025-10-26T02:00Z")]).toEqual([2, 2, 3]);
    const kathmandu: Tariff = {
      ...flat,
      retail: { kind: "hourly", timeZone: "Asia/Kathmandu", microsPerKwh },
    };
    expect(["2025-01-10T00:00Z", "2025-01-10T00:15Z"].map((iso) => retailAt(kathmandu, slotOf(iso)))).toEqual(
      [5, 6],
    );
  });
});

describe("cost under the tariff alone", () => {
  test("behavior: import rounds up, feed-in rounds down, nothing costs nothing", () => {
    expect(tariffCostMicros(flat, 0, -1)).toBe(301);
    expect(tariffCostMicros(flat, 0, 1)).toBe(-80);
    expect(Object.is(tariffCostMicros(flat, 0, 0), 0)).toBe(true);
    expect(tariffCostMicros({ ...flat, feedInMicrosPerKwh: -1 }, 0, 1)).toBe(1);
    expect(Object.is(tariffCostMicros({ ...flat, feedInMicrosPerKwh: 0 }, 0, 5), 0)).toBe(true);
  });
});

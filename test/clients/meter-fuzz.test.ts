// Owns the checks that no bytes make a reader of meter files crash, hang or make up energy, and that what is written in a
// format is read back to the last µWh.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCsvMapping } from "../../clients/meter/csv-mapping.ts";
import { isMeterTime, MeterFileError, mostMicroWh } from "../../clients/meter/interval.ts";
import { METER_FORMATS, type MeterFormat, type ReadOptions } from "../../clients/meter/read-meter.ts";
import {
  type Found,
  greenButtonOf,
  kwhText,
  memberOf,
  nem12Of,
  readAll,
  totalsOf,
} from "../support/meter-files.ts";

const RUNS = 150;
const DAY_S = Date.UTC(2024, 1, 28) / 1000;
const MAPPING = parseCsvMapping({
  time: { columns: "time", format: "yyyy-MM-dd HH:mm" },
  zone: "Europe/Amsterdam",
  unit: "kWh",
  values: { import: "in", net: { column: "net", positive: "export" } },
  quality: { column: "flag", missing: ["N"] },
});
const REGISTERS = parseCsvMapping({
  time: { columns: "time" },
  zone: "UTC",
  unit: "kWh",
  cumulative: true,
  values: { import: "in", export: "out" },
});

/** Reads, or is refused by name; what was read is finite, not negative and on a calendar. */
async function readSafely(bytes: Uint8Array, options: ReadOptions, piece: number): Promise<Found | null> {
  let found: Found;
  try {
    found = await readAll(memberOf(bytes, "noise", piece), options);
  } catch (error) {
    expect(error).toBeInstanceOf(MeterFileError);
    expect((error as Error).message.startsWith("noise")).toBe(true);
    return null;
  }
  for (const { startS, durationS, microWh } of found.intervals) {
    expect(isMeterTime(startS)).toBe(true);
    expect(Number.isSafeInteger(durationS) && durationS > 0).toBe(true);
    expect(Number.isSafeInteger(microWh) && microWh >= 0 && microWh <= mostMicroWh(durationS)).toBe(true);
  }
  for (const { reason, line } of found.notes) expect(reason !== "" && line >= 0).toBe(true);
  return found;
}

const nem12 = nem12Of(
  [
    { register: "E1", minutes: 30, microWh: Array.from({ length: 96 }, (_, i) => i * 1_234_567) },
    { register: "B1", minutes: 30, microWh: Array.from({ length: 48 }, (_, i) => i * 7_654_321) },
  ],
  DAY_S,
).replace("200,NMI0000001,E1B1,1,B1", "400,1,20,E14,76,\r\n400,21,48,A,,\r\n200,NMI0000001,E1B1,1,B1");
const nem13 = `100,NEM13,1\n${"250,N1,11,01,11,11,M,E,1,20031001103230,A,,,2,20040201100030,E64,77,,343.5,kWh,\n550,N,\n".repeat(3)}900\n`;
const greenButton = greenButtonOf(
  [
    {
      id: "01",
      flow: 1,
      values: [1, 2, 3, 4, 5],
      extra: "<espi:ReadingQuality><espi:quality>8</espi:quality></espi:ReadingQuality>",
    },
    { id: "02", flow: 4, values: [5, -6, 7] },
  ],
  DAY_S,
  900,
  "blocks first",
);
const csv = `time,in,net,flag\n${Array.from({ length: 96 }, (_, i) => `2024-10-27 ${String(i >> 2).padStart(2, "0")}:${String((i & 3) * 15).padStart(2, "0")},0.${i},${(i - 40) / 8},"A"`).join("\n")}\n`;
const registers = `time,in,out\n${Array.from({ length: 60 }, (_, i) => `2024-01-01T00:${String(i).padStart(2, "0")},${i * 3},${i % 20}`).join("\n")}\n`;
const VALID: readonly [string, string, ReadOptions][] = [
  ["nem12", nem12, { format: "nem12" }],
  ["nem13", nem13, { format: "nem13" }],
  ["greenbutton", greenButton, { format: "greenbutton" }],
  ["csv", csv, { format: "csv", mapping: MAPPING }],
  ["registers", registers, { format: "csv", mapping: REGISTERS }],
];

/** What a bad disk, a bad editor or a bad person does to a file. */
const change = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("drop" as const), at: fc.nat(), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant("swap" as const), at: fc.nat(), other: fc.nat() }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.nat(),
    text: fc.constantFrom(
      "NaN",
      "Infinity",
      "-",
      "1e308",
      "9".repeat(40),
      ",",
      ";",
      '"',
      "\n",
      "<",
      "&",
      "\u0000",
      "]]>",
      "200,",
      "300,",
    ),
  }),
);

function changed(
  text: string,
  changes: readonly (typeof change extends fc.Arbitrary<infer C> ? C : never)[],
): Buffer {
  let bytes = Buffer.from(text);
  for (const one of changes) {
    const at = bytes.length === 0 ? 0 : one.at % bytes.length;
    if (one.kind === "flip" && bytes.length > 0) bytes[at] = one.byte;
    else if (one.kind === "cut") bytes = bytes.subarray(0, at);
    else if (one.kind === "drop")
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + one.count)]);
    else if (one.kind === "insert")
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(one.text), bytes.subarray(at)]);
    else if (one.kind === "swap") {
      const lines = bytes.toString("latin1").split("\n");
      const [from, to] = [one.at % lines.length, one.other % lines.length];
      [lines[from], lines[to]] = [lines[to] as string, lines[from] as string];
      bytes = Buffer.from(lines.join("\n"), "latin1");
    }
  }
  return bytes;
}

describe("noise", () => {
  test.each(METER_FORMATS)(
    "property: random bytes as %s are refused by name",
    async (format: MeterFormat) => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 2_000 }),
          fc.integer({ min: 1, max: 64 }),
          async (bytes, piece) => {
            await readSafely(bytes, { format }, piece);
            await readSafely(bytes, {}, piece);
          },
        ),
        { numRuns: RUNS },
      );
    },
  );
  test.each(VALID)(
    "property: a %s file, changed, is read in part or refused by name",
    async (_, text, options) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 5_000 }),
          async (changes, piece) => {
            await readSafely(changed(text, changes), options, piece);
          },
        ),
        { numRuns: RUNS },
      );
    },
  );
  test.each(VALID)("invariant: a %s file reads the same in pieces of any size", async (_, text, options) => {
    const whole = await readAll(memberOf(text, "noise", 1e9), options);
    expect(whole.intervals.length).toBeGreaterThan(0);
    for (const piece of [1, 2, 7, 1_000])
      expect(await readAll(memberOf(text, "noise", piece), options)).toEqual(whole);
  });
});

describe("there and back", () => {
  const minutes = fc.constantFrom(5, 10, 15, 30, 60);
  const days = (each: fc.Arbitrary<number>) =>
    minutes.chain((length) =>
      fc.record({
        minutes: fc.constant(length),
        microWh: fc.array(each, { minLength: 2_880 / length, maxLength: 2_880 / length }),
      }),
    );
  const energy = days(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3e11 })));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

  test("property: NEM12", async () => {
    await fc.assert(
      fc.asyncProperty(energy, energy, async (bought, sold) => {
        const text = nem12Of(
          [
            { register: "E1", ...bought },
            { register: "B1", ...sold },
          ],
          DAY_S,
        );
        const found = await readAll(memberOf(text));
        expect(found.notes).toEqual([]);
        expect(totalsOf(found)).toEqual({ "E1 import": sum(bought.microWh), "B1 export": sum(sold.microWh) });
        expect(found.intervals.filter(({ flow }) => flow === "export").map(({ microWh }) => microWh)).toEqual(
          sold.microWh,
        );
      }),
      { numRuns: 40 },
    );
  });
  test("property: Green Button, in any power of ten", async () => {
    const order = fc.constantFrom("types first" as const, "blocks first" as const);
    await fc.assert(
      fc.asyncProperty(energy, order, fc.integer({ min: -6, max: 3 }), async (bought, way, multiplier) => {
        const unit = 10 ** (6 + multiplier);
        const values = bought.microWh.map((microWh) => Math.floor(microWh / unit));
        const readings = [
          { id: "01", flow: 1, multiplier, values },
          { id: "02", flow: 19, multiplier, values: values.map((value) => -value) },
        ];
        const found = await readAll(
          memberOf(greenButtonOf(readings, DAY_S, bought.minutes * 60, way), "feed.xml"),
        );
        expect(found.notes).toEqual([]);
        expect(totalsOf(found)).toEqual({ "01 import": sum(values) * unit, "02 export": sum(values) * unit });
      }),
      { numRuns: 40 },
    );
  });
  test("property: CSV, as energies and as registers, through a change of clocks", async () => {
    const common = { time: { columns: 1, format: "unix" }, unit: "kWh" };
    await fc.assert(
      fc.asyncProperty(energy, async ({ minutes: length, microWh }) => {
        const at = (i: number) => DAY_S + i * length * 60;
        const rows = microWh.map((value, i) => `${at(i)};"${kwhText(value).replace(".", ",")}"`);
        const plain = parseCsvMapping({ ...common, decimal: ",", values: { export: 2 }, header: false });
        const found = await readAll(memberOf(rows.join("\n")), { format: "csv", mapping: plain });
        expect(
          found.intervals.map((interval) => [interval.startS, interval.durationS, interval.microWh]),
        ).toEqual(microWh.map((value, i) => [at(i), length * 60, value]));
        let state = 0;
        const states = [0, ...microWh].map((value, i) => {
          state += value;
          return `${at(i)},${kwhText(state)}`;
        });
        const counting = parseCsvMapping({
          ...common,
          cumulative: true,
          values: { import: 2 },
          header: false,
        });
        const counted = await readAll(memberOf(states.join("\n")), { format: "csv", mapping: counting });
        expect(counted.intervals.map((interval) => interval.microWh)).toEqual(microWh);
      }),
      { numRuns: 40 },
    );
  });
});

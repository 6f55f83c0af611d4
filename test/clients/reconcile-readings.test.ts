// Owns the checks of what a utility's files say of a month: which quarter-hours it has, what is told together, and what is
// not told. It refuses a coarse reading that is spread, and a register that is missing without a word.

import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChannelBook, type Interval, type Measure } from "../../clients/meter/interval.ts";
import { parseClock } from "../../clients/meter/meter-clock.ts";
import { membersOf } from "../../clients/meter/meter-file.ts";
import { type Claim, compare } from "../../clients/reconcile/comparison.ts";
import { parseMonth, slotsOfMonth } from "../../clients/reconcile/month.ts";
import { type UtilityFile, UtilityReadings } from "../../clients/reconcile/utility-readings.ts";
import { slotStartS } from "../../protocol/units.ts";
import { type Found, intervalsOf, readAll, slotsOf } from "../support/meter-files.ts";

const UTC = parseClock("UTC");
const JUNE = slotsOfMonth(parseMonth("2026-06"), UTC);
const JUNE_S = slotStartS(JUNE.fromSlot);
const DAY_S = 86_400;
const book = new ChannelBook();

interface Written {
  readonly measure: Measure;
  readonly minutes: number;
  /** Wh of each interval. */
  readonly wh: readonly number[];
  readonly meter?: string;
  readonly startS?: number;
}

const series = ({ measure, minutes, wh, meter = "M", startS = JUNE_S }: Written): Interval[] =>
  intervalsOf(
    book.of("test", meter, measure, measure),
    minutes,
    wh.map((value) => value * 1e6),
    startS,
  );

function fileOf(written: readonly Written[], meters: readonly string[] = [], month = JUNE): UtilityFile {
  const readings = new UtilityReadings(month, meters);
  for (const one of written) readings.add({ intervals: series(one), notes: [] });
  return readings.finish();
}

/** The first cells: slots, and export, import and net in Wh, or why they are not told. */
const said = ({ cells }: UtilityFile, count: number) =>
  cells.slice(0, count).map(({ fromSlot, untilSlot, reading, fault }) => {
    const wh = (microWh: number | null) => (microWh === null ? null : microWh / 1e6);
    return reading === null
      ? [untilSlot - fromSlot, fault]
      : [untilSlot - fromSlot, wh(reading.exportMicroWh), wh(reading.importMicroWh), wh(reading.netMicroWh)];
  });

describe("a month", () => {
  test("rejects: what is no month", () => {
    for (const text of [
      "",
      "2026",
      "2026-6",
      "2026-13",
      "2026-00",
      "26-06",
      "2026-06-01",
      "1999-12",
      "2026-06 ",
    ])
      expect(() => parseMonth(text), text).toThrow("not a month written yyyy-mm");
  });
  test("behavior: has the quarter-hours that start in it, an hour less in spring and one more in autumn", () => {
    const amsterdam = parseClock("Europe/Amsterdam");
    const sizes = ["2026-02", "2026-03", "2026-10", "2024-02"].map((text) => {
      const { fromSlot, untilSlot } = slotsOfMonth(parseMonth(text), amsterdam);
      return untilSlot - fromSlot;
    });
    expect(sizes).toEqual([28 * 96, 31 * 96 - 4, 31 * 96 + 4, 29 * 96]);
    expect(slotStartS(slotsOfMonth(parseMonth("2026-06"), amsterdam).fromSlot)).toBe(
      Date.parse("2026-06-01T00:00+02:00") / 1000,
    );
    const [kolkata, apia, west] = ["Asia/Kolkata", "Pacific/Kiritimati", "UTC-12"].map(
      (zone) => slotsOfMonth(parseMonth("2026-12"), parseClock(zone)).fromSlot * 900,
    );
    expect([kolkata, apia, west]).toEqual(
      ["+05:30", "+14:00", "-12:00"].map((offset) => Date.parse(`2026-12-01T00:00${offset}`) / 1000),
    );
  });
  test("property: months of a zone follow one upon the other", () => {
    const zones = fc.constantFrom(
      "Europe/Amsterdam",
      "Australia/Sydney",
      "America/New_York",
      "Australia/Lord_Howe",
    );
    fc.assert(
      fc.property(zones, fc.integer({ min: 2000, max: 2098 }), (zone, year) => {
        const clock = parseClock(zone);
        const runs = Array.from({ length: 12 }, (_, month) =>
          slotsOfMonth({ year, month: month + 1 }, clock),
        );
        const next = slotsOfMonth({ year: year + 1, month: 1 }, clock);
        [...runs, next].reduce((before, run) => {
          expect(run.fromSlot).toBe(before.untilSlot);
          return run;
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe("what files say of a month", () => {
  test("rejects: files that tell nothing of it, and meters that they have not", () => {
    const may = { measure: "net", minutes: 15, wh: [1, 2], startS: JUNE_S - 30 * DAY_S } as const;
    expect(() => fileOf([may])).toThrow("the files: tell nothing of the month: no file tells of it");
    expect(() => fileOf([])).toThrow("tell nothing of the month");
    expect(() => fileOf([{ measure: "net", minutes: 15, wh: [1] }], ["N", "M"])).toThrow(
      "the files: have no meter N; they have M",
    );
    const half: Written[] = [
      { measure: "import", minutes: 15, wh: [1] },
      { measure: "export", minutes: 15, wh: [1], startS: JUNE_S + 900 },
    ];
    expect(() => fileOf(half)).toThrow(
      /it is not wholly told by M export; it is not wholly told by M import/,
    );
  });
  test("rejects: slots that a register tells in part, or one of several meters not at all, by name", () => {
    const part = fileOf([
      { measure: "import", minutes: 5, wh: [1, 2, 3, 4] },
      { measure: "export", minutes: 15, wh: [1, 1] },
    ]);
    expect(said(part, 3)).toEqual([
      [1, 0, 5, -5],
      [1, "it is not wholly told by M import"],
      [1, "no file tells of it"],
    ]);
    const two = fileOf([
      { measure: "net", minutes: 15, wh: [5, 6] },
      { measure: "net", minutes: 15, wh: [-3], meter: "N" },
    ]);
    expect(said(two, 2)).toEqual([
      [1, 5, 3, null],
      [1, "it is not wholly told by N net"],
    ]);
  });
  test("behavior: a meter's registers are netted in a quarter-hour, and several meters' directions add up", () => {
    const one: Written[] = [
      { measure: "import", minutes: 15, wh: [10, 300] },
      { measure: "export", minutes: 5, wh: [100, 100, 100, 0, 0, 40] },
    ];
    expect(said(fileOf(one), 2)).toEqual([
      [1, 290, 0, 290],
      [1, 0, 260, -260],
    ]);
    const other: Written = { measure: "net", minutes: 15, wh: [-50, -50], meter: "N" };
    expect(said(fileOf([...one, other]), 2)).toEqual([
      [1, 290, 50, null],
      [1, 0, 310, null],
    ]);
    expect(said(fileOf([...one, other], ["M"]), 1)).toEqual([[1, 290, 0, 290]]);
  });
  test("behavior: a coarse file is told as coarse as it is, with the gross of its registers", () => {
    const hourly = fileOf([
      { measure: "import", minutes: 60, wh: [100, 7] },
      { measure: "export", minutes: 15, wh: [50, 60, 0, 0, 1, 1, 1, 1] },
    ]);
    expect(said(hourly, 2)).toEqual([
      [4, 110, 100, 10],
      [4, 4, 7, -3],
    ]);
    expect(said(fileOf([{ measure: "net", minutes: 30, wh: [-9, 4] }]), 2)).toEqual([
      [2, null, null, -9],
      [2, null, null, 4],
    ]);
    const daily = fileOf([{ measure: "import", minutes: 1_440, wh: Array<number>(30).fill(8_000) }]);
    expect(daily.cells.map(({ fromSlot, untilSlot }) => untilSlot - fromSlot)).toEqual(Array(30).fill(96));
  });
  test("behavior: beside a coarse meter, a fine one is still netted quarter-hour by quarter-hour", () => {
    const both = fileOf([
      { measure: "import", minutes: 60, wh: [100], meter: "A" },
      { measure: "net", minutes: 15, wh: [-5, 6, 7, -8], meter: "B" },
    ]);
    expect(said(both, 1)).toEqual([[4, 13, 113, null]]);
  });
  test("behavior: an interval over the month's border belongs to the month in which it begins", () => {
    const wh = [500, 600, 700];
    const weeks = { measure: "import", minutes: 3 * 1_440, wh, startS: JUNE_S - DAY_S } as const;
    const june = fileOf([weeks]);
    expect(said(june, 2)).toEqual([
      [192, "an interval that begins in the month before tells it; it is reconciled there"],
      [288, 0, 600, -600],
    ]);
    const may = fileOf([weeks], [], slotsOfMonth(parseMonth("2026-05"), UTC));
    const last = may.cells.at(-1);
    expect([last?.reading?.importMicroWh, last?.untilSlot]).toEqual([500e6, JUNE.fromSlot + 192]);
  });
  test("behavior: on days on which clocks change a day is one reading of 92 or of 100 quarter-hours", () => {
    const month = slotsOfMonth(parseMonth("2026-10"), parseClock("Europe/Amsterdam"));
    const startS = slotStartS(month.fromSlot);
    const written = (from: number, days: number, minutes: number): Written => ({
      measure: "import",
      minutes,
      wh: Array<number>(days).fill(24_000),
      startS: from,
    });
    const file = fileOf(
      [
        written(startS, 24, 1_440),
        written(startS + 24 * DAY_S, 1, 1_500),
        written(startS + 25 * DAY_S + 3_600, 6, 1_440),
      ],
      [],
      month,
    );
    expect(file.cells.map(({ fromSlot, untilSlot }) => untilSlot - fromSlot)).toEqual([
      ...Array(24).fill(96),
      100,
      ...Array(6).fill(96),
    ]);
  });
  test("behavior: telegrams across a border are shared out by time, longer intervals never, and both are said", () => {
    const telegrams = fileOf([
      { measure: "export", minutes: 1 / 6, wh: Array<number>(181).fill(2), startS: JUNE_S - 5 },
    ]);
    expect(said(telegrams, 2)).toEqual([
      [1, 180, 0, 180],
      [1, 180, 0, 180],
    ]);
    expect(telegrams.remarks).toEqual([
      "M has no register of import in the files: it counts as none",
      "M: 3 intervals of at most a minute lie across a slot's border and are shared out by time",
    ]);
    const tens = fileOf([{ measure: "export", minutes: 10, wh: [3, 4, 5] }]);
    expect(said(tens, 1)).toEqual([[2, 12, 0, 12]]);
  });
  test("behavior: says which registers and meters do not count, and what was estimated", () => {
    const file = fileOf(
      [
        { measure: "import", minutes: 15, wh: [1] },
        { measure: "export", minutes: 15, wh: [1] },
        { measure: "net", minutes: 15, wh: [1] },
        { measure: "net", minutes: 15, wh: [1], meter: "N" },
      ],
      ["M"],
    );
    expect(file.registers.map(({ register }) => register)).toEqual(["import", "export"]);
    expect(file.remarks).toEqual([
      "M: 1 registers are left aside, because others say what crossed its connection",
      "meters that were not named count for nothing: N",
    ]);
    const readings = new UtilityReadings(JUNE);
    const guessed = series({ measure: "net", minutes: 15, wh: [1, 2] }).map((interval, index) =>
      index === 0 ? { ...interval, quality: "substituted" as const } : interval,
    );
    readings.add({ intervals: guessed, notes: [] });
    expect(
      readings
        .finish()
        .cells.slice(0, 2)
        .map(({ reading }) => reading?.isMeasured),
    ).toEqual([false, true]);
  });
  test("property: whatever the lengths, all that was written inside the month is in its cells", () => {
    const lengths = fc.constantFrom(5, 10, 15, 30, 60, 1_440);
    const values = lengths.chain((minutes) =>
      fc.tuple(
        fc.constant(minutes),
        fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 30, maxLength: 30 }),
      ),
    );
    const sum = (wh: readonly number[]) => wh.reduce((total, value) => total + value, 0);
    fc.assert(
      fc.property(values, values, ([minutes, into], [others, out]) => {
        const day = (wh: readonly number[], length: number) =>
          Array.from({ length: 1_440 / length }, (_, index) => wh[index % wh.length] as number);
        const [imported, exported] = [day(into, minutes), day(out, others)];
        const { cells } = fileOf([
          { measure: "import", minutes, wh: imported },
          { measure: "export", minutes: others, wh: exported },
        ]);
        const told = cells.filter(({ reading }) => reading !== null);
        expect(told.reduce((slots, { fromSlot, untilSlot }) => slots + untilSlot - fromSlot, 0)).toBe(96);
        const netMicroWh = told.reduce((total, { reading }) => total + (reading?.netMicroWh ?? 0), 0);
        expect(netMicroWh).toBe((sum(exported) - sum(imported)) * 1e6);
        for (const { reading } of told) {
          const { exportMicroWh, importMicroWh } = reading ?? {};
          expect((exportMicroWh ?? 0) - (importMicroWh ?? 0)).toBe(reading?.netMicroWh);
        }
      }),
      { numRuns: 60 },
    );
  });
});

const DATA = process.env.POLDER_DATA ?? join(import.meta.dirname, "../../../shared/data");
const withData = (name: string) => test.skipIf(!existsSync(join(DATA, name)));

describe("a real home", () => {
  const name = "nem12/home-solar-5min-headerless";
  const read = async (): Promise<Found> =>
    readAll(await membersOf(join(DATA, name, "power-redacted.csv.gz")));

  withData(name)(
    `invariant: claims from its own file are in no excess, an hour's more of one are found (skipped without ${name})`,
    async () => {
      const found = await read();
      const household = slotsOf(found);
      const middle = household.slots[Math.floor(household.slots.length / 2)] as number;
      const text = new Date((slotStartS(middle) + 36_000) * 1000).toISOString().slice(0, 7);
      const month = slotsOfMonth(parseMonth(text), parseClock("UTC+10"));
      const readings = new UtilityReadings(month);
      readings.add({ intervals: found.intervals, notes: [] });
      const { cells, registers } = readings.finish();
      expect(registers.map(({ register }) => register).sort()).toEqual(["B1", "E1"]);
      expect(cells.length).toBe(month.untilSlot - month.fromSlot);
      const claims: Claim[] = household.slots
        .filter((slot) => slot >= month.fromSlot && slot < month.untilSlot)
        .map((slot) => {
          const meteredWh = household.read(slot)?.netWh ?? 0;
          return {
            slot,
            meteredWh,
            tradedWh: meteredWh,
            priceMicrosPerKwh: 100_000,
            amountMicros: meteredWh * 100,
          };
        });
      const honest = compare(claims, cells, registers.length);
      expect([honest.excesses, honest.unreconciled]).toEqual([[], []]);
      expect(honest.sale.claimedWh).toBeGreaterThan(10_000);
      const noon = claims.findIndex(({ meteredWh }) => meteredWh > 200);
      const raised = claims.map((claim, index) =>
        index >= noon && index < noon + 4
          ? { ...claim, meteredWh: claim.meteredWh + 1_000, tradedWh: claim.meteredWh + 1_000 }
          : claim,
      );
      const caught = compare(raised, cells, registers.length).excesses;
      expect(caught.map(({ fromSlot }) => fromSlot)).toEqual(
        [0, 1, 2, 3].map((index) => (claims[noon] as Claim).slot + index),
      );
      const totalWh = caught.reduce((sum, { excessMicroWh }) => sum + excessMicroWh, 0) / 1e6;
      expect(Math.abs(totalWh - 4_000)).toBeLessThan(4);
    },
  );
});

// Owns the checks that intervals of any length become quarter-hours with nothing lost, and that a part of one is none.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Interval, Measure } from "../../clients/meter/interval.ts";
import { ChannelBook, mostMicroWh } from "../../clients/meter/interval.ts";
import { lossSentences, SlotFold } from "../../clients/meter/meter-slots.ts";
import { intervalsOf, slotsOf } from "../support/meter-files.ts";

const DAY_S = Date.UTC(2024, 0, 1) / 1000;
const book = new ChannelBook();

/** A register's intervals, one after the other. */
const series = (measure: Measure, minutes: number, microWh: readonly number[], startS = DAY_S): Interval[] =>
  intervalsOf(book.of("test", "1", `${measure} ${minutes}`, measure), minutes, microWh, startS);

const netOf = (...intervals: Interval[][]) => {
  const household = slotsOf({ intervals: intervals.flat(), notes: [] });
  return household.slots.map((slot) => household.read(slot)?.netWh);
};
const sum = (values: readonly (number | undefined)[]) =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

describe("quarter-hours of files", () => {
  test("rejects: a meter that is not there, and none named among several", () => {
    const fold = new SlotFold();
    const other = book.of("test", "2", "E1", "import");
    fold.add({
      intervals: [
        ...series("import", 15, [1]),
        { ...(series("import", 15, [1])[0] as Interval), channel: other },
      ],
      notes: [],
    });
    expect(() => fold.meter(undefined, "f.csv")).toThrow("f.csv: name one meter; it has 1, 2");
    expect(() => fold.meter("3", "f.csv")).toThrow("f.csv: has no meter 3; it has 1, 2");
    expect(fold.meter("2", "f.csv").slots.length).toBe(1);
  });
  test("rejects: quarter-hours that a register tells in part, and intervals above an hour, by count", () => {
    const early = series("import", 10, [6e6, 6e6], DAY_S);
    expect(netOf(early)).toEqual([-9]);
    const household = slotsOf({ intervals: early, notes: [] });
    expect(household.losses.partSlots).toBe(1);
    const half = slotsOf({
      intervals: [...series("import", 15, [1e6, 1e6]), ...series("export", 15, [1e6])],
      notes: [],
    });
    expect(half.slots.length).toBe(1);
    expect(lossSentences(half)).toEqual([
      "1 quarter-hours are left out: a register tells only a part of them",
    ]);
    const daily = slotsOf({ intervals: series("import", 1_440, [5e9]), notes: [] });
    expect(lossSentences(daily)).toEqual([
      "1 intervals above an hour (5.000 kWh) are too coarse for quarter-hours and are not used",
    ]);
  });
  test("rejects: a quarter-hour beyond what a reading can hold", () => {
    const most = mostMicroWh(900);
    const household = slotsOf({
      intervals: [
        ...series("import", 15, [most, 1e6]),
        ...series("import", 5, [...Array(3).fill(most / 3), 0, 0, 0]),
      ],
      notes: [],
    });
    expect(household.losses.oversizedSlots).toBe(1);
    expect(household.slots.length).toBe(1);
  });
  test("behavior: import and export of a quarter-hour are netted, generation and load, too", () => {
    expect(netOf(series("import", 5, [1e6, 2e6, 3e6]), series("export", 15, [10e6]))).toEqual([4]);
    expect(netOf(series("net", 30, [-5e6, 7e6]))).toEqual([-3, -2, 4, 3]);
    const household = slotsOf({
      intervals: [...series("generation", 30, [9e6]), ...series("load", 30, [4e6])],
      notes: [],
    });
    expect(household.slots.map((slot) => household.read(slot))).toEqual([
      { netWh: 3, generationWh: 5, loadWh: 2 },
      { netWh: 2, generationWh: 4, loadWh: 2 },
    ]);
  });
  test("behavior: ten minutes over a boundary are shared in proportion, an interval off the grid, too", () => {
    expect(netOf(series("export", 10, [3e6, 4e6, 5e6]))).toEqual([5, 7]);
    expect(netOf(series("export", 15, [15e6, 15e6, 15e6], DAY_S + 420))).toEqual([15, 15]);
  });
  test("property: whatever the lengths, the slots add up to the rounded totals of both directions", () => {
    const microWh = fc.integer({ min: 0, max: 3e9 });
    const lengths = fc.constantFrom(5, 10, 15, 30, 60);
    const day = (minutes: number) =>
      fc.array(microWh, { minLength: 1_440 / minutes, maxLength: 1_440 / minutes });
    const written = lengths.chain((minutes) => fc.tuple(fc.constant(minutes), day(minutes)));
    fc.assert(
      fc.property(written, ([minutes, values]) => {
        for (const measure of ["import", "export"] as const) {
          const net = netOf(series(measure, minutes, values));
          expect(net.length).toBe(96);
          expect(Math.abs(sum(net))).toBe(Math.round(sum(values) / 1e6));
          for (const wh of net) expect(measure === "import" ? (wh ?? 0) <= 0 : (wh ?? 0) >= 0).toBe(true);
        }
        const both = netOf(series("import", minutes, values), series("export", minutes, values.toReversed()));
        // Each side is rounded as a whole, so that the difference is off by at most one.
        expect(Math.abs(sum(both))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});

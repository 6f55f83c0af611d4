// Owns what readings of a register may become: flows that add up, and a note for everything left out. It refuses a
// negative flow whatever the readings.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type RegisterNote,
  type RegisterReading,
  type RegisterRules,
  RegisterSeries,
  registerFlows,
} from "../../clients/meter/register-series.ts";

const WH = 1_000_000;
/** Readings five minutes apart, of so many Wh each. */
const every5Minutes = (...statesWh: number[]): RegisterReading[] =>
  statesWh.map((wh, index) => ({ atS: index * 300, microWh: wh * WH }));
const flowsWh = (readings: readonly RegisterReading[], rules?: RegisterRules) =>
  registerFlows(readings, rules).flows.map(({ startS, durationS, microWh }) => [
    startS,
    durationS,
    microWh / WH,
  ]);
const faults = (readings: readonly RegisterReading[], rules?: RegisterRules) =>
  registerFlows(readings, rules).notes.map(({ fault, atS, leftOutMicroWh }) => [
    fault,
    atS,
    leftOutMicroWh / WH,
  ]);
const leftOut = (notes: readonly RegisterNote[]) =>
  notes.reduce((sum, { leftOutMicroWh }) => sum + leftOutMicroWh, 0);

describe("readings of a register", () => {
  test("rejects: a state or a time that is no safe integer from 0 on, and the series goes on unchanged", () => {
    const series = new RegisterSeries();
    series.add({ atS: 0, microWh: 5 });
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => series.add({ atS: 300, microWh: bad })).toThrow(RangeError);
      expect(() => series.add({ atS: bad, microWh: 9 })).toThrow(RangeError);
    }
    expect(() => series.add({ atS: 10 ** 13, microWh: 9 }), "milliseconds by mistake").toThrow(RangeError);
    expect(series.add({ atS: 300, microWh: 9 }).flows).toEqual([{ startS: 0, durationS: 300, microWh: 4 }]);
  });

  test("rejects: rules that are not above zero", () => {
    expect(() => new RegisterSeries({ connectionW: 0 })).toThrow(RangeError);
    expect(() => new RegisterSeries({ longestS: Number.NaN })).toThrow(RangeError);
  });

  test("behavior: differences become flows, also of nothing; one reading alone is none", () => {
    expect(flowsWh(every5Minutes(100, 110, 110, 125))).toEqual([
      [0, 300, 10],
      [300, 300, 0],
      [600, 300, 15],
    ]);
    expect(registerFlows(every5Minutes(100))).toEqual({ flows: [], notes: [] });
    expect(registerFlows([])).toEqual({ flows: [], notes: [] });
  });

  test("behavior: a reading that stands twice, contradicts the same second or comes late is named and left out", () => {
    const readings = [
      { atS: 0, microWh: 10 * WH },
      { atS: 300, microWh: 20 * WH },
      { atS: 300, microWh: 20 * WH },
      { atS: 300, microWh: 21 * WH },
      { atS: 299, microWh: 19 * WH },
      { atS: 600, microWh: 40 * WH },
    ];
    expect(flowsWh(readings)).toEqual([
      [0, 300, 10],
      [300, 300, 20],
    ]);
    expect(faults(readings)).toEqual([
      ["duplicate", 300, 0],
      ["conflict", 300, 0],
      ["out_of_order", 299, 0],
    ]);
    expect(registerFlows(readings).notes[0]?.reason).toBe(
      "the register's reading of 1970-01-01T00:05:00.000Z stands twice",
    );
  });

  test("behavior: a reset leaves out the time across and counts from the new state", () => {
    const readings = every5Minutes(90_000, 90_010, 3, 8, 20);
    expect(flowsWh(readings)).toEqual([
      [0, 300, 10],
      [600, 300, 5],
      [900, 300, 12],
    ]);
    expect(faults(readings)).toEqual([["reset", 600, 3]]);
  });

  test("behavior: a register that is set back goes on from the lower state; a zero between two states is a stray", () => {
    expect(flowsWh(every5Minutes(90_000, 80_000, 80_004))).toEqual([[300, 300, 4]]);
    expect(faults(every5Minutes(90_000, 80_000, 80_004))).toEqual([["set_back", 300, 0]]);
    expect(flowsWh(every5Minutes(90_000, 0, 90_006))).toEqual([[0, 600, 6]]);
    expect(faults(every5Minutes(90_000, 0, 90_006))).toEqual([["stray", 300, 0]]);
    expect(faults(every5Minutes(90_000, 89_000, 88_000, 88_001))).toEqual([
      ["stray", 300, 0],
      ["set_back", 600, 0],
    ]);
    expect(faults(every5Minutes(90_000, 90_001, 5))).toEqual([["unconfirmed", 600, 0]]);
  });

  test("behavior: more than the connection carries is left out as energy; a single high state is a stray", () => {
    const rules = { connectionW: 6_000 };
    expect(flowsWh(every5Minutes(0, 500, 1_001, 1_100), rules)).toEqual([
      [0, 300, 500],
      [600, 300, 99],
    ]);
    expect(faults(every5Minutes(0, 500, 1_001, 1_100), rules)).toEqual([["spike", 600, 501]]);
    expect(flowsWh(every5Minutes(0, 99_000, 20, 40), rules)).toEqual([
      [0, 600, 20],
      [600, 300, 20],
    ]);
    expect(faults(every5Minutes(0, 99_000, 20, 40), rules)).toEqual([["stray", 300, 0]]);
    expect(faults(every5Minutes(0, 99_000), rules)).toEqual([["spike", 300, 99_000]]);
  });

  test("behavior: energy over a longer time than allowed is left out as a gap", () => {
    const readings = [...every5Minutes(0, 10), { atS: 7_500, microWh: 700 * WH }];
    expect(flowsWh(readings, { longestS: 900 })).toEqual([[0, 300, 10]]);
    expect(faults(readings, { longestS: 900 })).toEqual([["gap", 7_500, 690]]);
    expect(flowsWh(readings)).toEqual([
      [0, 300, 10],
      [300, 7_200, 690],
    ]);
  });
});

describe("any readings", () => {
  const rules = fc.record(
    { connectionW: fc.integer({ min: 1, max: 50_000 }), longestS: fc.integer({ min: 1, max: 5_000 }) },
    { requiredKeys: [] },
  );

  test("property: of a register that never falls, flows and what is left out are its last state less its first", () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 0, max: 10 ** 11 })),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.nat(10 ** 15), steps, rules, (atS, microWh, rises, rule) => {
        const readings = [{ atS, microWh }];
        for (const [seconds, rise] of rises) {
          const last = readings.at(-1) as RegisterReading;
          readings.push({ atS: last.atS + seconds, microWh: last.microWh + rise });
        }
        const { flows, notes } = registerFlows(readings, rule);
        const flowed = flows.reduce((sum, flow) => sum + flow.microWh, 0);
        expect(flowed + leftOut(notes)).toBe((readings.at(-1) as RegisterReading).microWh - microWh);
      }),
    );
  });

  test("property: flows are never negative, never overlap, keep to the rules, and every reading is used or named", () => {
    const reading = fc.record({ atS: fc.nat(20_000), microWh: fc.nat(10 ** 12) });
    const nearby = fc.record({ atS: fc.nat(40), microWh: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(fc.oneof(reading, nearby), { maxLength: 80 }), rules, (readings, rule) => {
        const { flows, notes } = registerFlows(readings, rule);
        let untilS = 0;
        for (const { startS, durationS, microWh } of flows) {
          expect(microWh).toBeGreaterThanOrEqual(0);
          expect(startS).toBeGreaterThanOrEqual(untilS);
          expect(durationS).toBeGreaterThan(0);
          expect(durationS).toBeLessThanOrEqual(rule.longestS ?? 20_000);
          untilS = startS + durationS;
        }
        const ends = new Set(flows.map(({ startS, durationS }) => startS + durationS));
        const named = new Set(notes.map(({ atS }) => atS));
        for (const { atS } of readings.slice(1))
          expect(ends.has(atS) || named.has(atS) || atS === readings[0]?.atS).toBe(true);
      }),
    );
  });
});

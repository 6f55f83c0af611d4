// Owns the checks that measured energy becomes whole Wh per slot with nothing lost and no side changed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { netWhPerSlot, spreadWh, wholeWh } from "../../clients/household/split.ts";

const kwh = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1, maxLength: 200 });
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

describe("whole Wh", () => {
  test.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY]])("rejects: %d kWh", (value) => {
    expect(() => wholeWh([0, value])).toThrow(/at 1/);
  });
  test("rejects: unequal series, wrong parts, fractions, and more than a reading holds", () => {
    expect(() => netWhPerSlot([1], [], 4)).toThrow(/1 loads but 0/);
    expect(() => spreadWh(1, 0)).toThrow(/parts/);
    expect(() => spreadWh(0.5, 4)).toThrow(/whole/);
    expect(() => netWhPerSlot([4_200], [0], 4)).toThrow(/interval 0/);
    expect(() => netWhPerSlot([Number.NaN], [0], 4)).toThrow(RangeError);
  });
  test("behavior: thirds of a Wh are carried on, not dropped", () => {
    expect(wholeWh([0.0003333, 0.0003333, 0.0003334, 0.0005])).toEqual([0, 1, 0, 1]);
    expect(spreadWh(7, 4)).toEqual([1, 2, 2, 2]);
    expect(spreadWh(-7, 4)).toEqual([-1, -2, -2, -2]);
    expect(spreadWh(-1, 4)).toEqual([0, 0, 0, -1]);
  });
  test("property: the sum is the rounded total, values stay within 1 Wh and zero stays zero", () => {
    fc.assert(
      fc.property(kwh, (values) => {
        const wh = wholeWh(values);
        expect(sum(wh)).toBe(Math.round(sum(values) * 1000));
        wh.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(Math.abs(value - (values[i] as number) * 1000)).toBeLessThanOrEqual(1 + 1e-6);
          if (values[i] === 0) expect(value).toBe(0);
        });
      }),
    );
  });
  test("property: parts add up, differ by at most 1 Wh and keep the sign", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
        fc.integer({ min: 1, max: 96 }),
        (wh, parts) => {
          const slots = spreadWh(wh, parts);
          expect(sum(slots)).toBe(wh);
          expect(Math.max(...slots) - Math.min(...slots)).toBeLessThanOrEqual(1);
          for (const slot of slots) expect(slot * Math.sign(wh)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
  test("property: export and import of a series are their rounded totals, and no slot changes side", () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 0, max: 9_000 })), {
      minLength: 1,
      maxLength: 100,
    });
    fc.assert(
      fc.property(pairs, fc.constantFrom(1, 2, 4), (values, parts) => {
        const load = values.map(([wh]) => wh / 1000);
        const generation = values.map(([, wh]) => wh / 1000);
        const slots = netWhPerSlot(load, generation, parts);
        const net = values.map(([use, sun]) => sun - use);
        expect(sum(slots.filter((wh) => wh > 0))).toBe(sum(net.filter((wh) => wh > 0)));
        expect(sum(slots.filter((wh) => wh < 0))).toBe(sum(net.filter((wh) => wh < 0)));
        slots.forEach((wh, i) => {
          expect(wh * (net[Math.floor(i / parts)] as number)).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });
});

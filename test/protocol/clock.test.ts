// Owns the mapping between wall and market time. It refuses a fast clock anywhere but on the local chain.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClockRefused, marketTimeS, originFor, parseClock, wallTimeMs } from "../../protocol/clock.ts";

const ORIGIN = "2026-01-01T00:00:00.000Z";
const ORIGIN_MS = Date.parse(ORIGIN);
const LOCAL = 31_337;

describe("parsing", () => {
  test("rejects: a rate other than 1 on any chain but the local one", () => {
    for (const chainId of [1, 10, 8_453, 31_338, 0]) {
      for (const rate of ["900", "0.5", "1.0000001"])
        expect(() => parseClock(ORIGIN, rate, chainId)).toThrow(ClockRefused);
      expect(parseClock(ORIGIN, "1", chainId)).toEqual({ originMs: ORIGIN_MS, rate: 1 });
      expect(parseClock(ORIGIN, "1.0", chainId).rate).toBe(1);
    }
  });

  test("rejects: what is no instant or no positive rate", () => {
    for (const origin of ["", "yesterday", "2026-13-01T00:00:00Z"])
      expect(() => parseClock(origin, "1", LOCAL)).toThrow(ClockRefused);
    for (const rate of ["", "0", "-1", "NaN", "Infinity", "fast", "1e999"]) {
      expect(() => parseClock(ORIGIN, rate, LOCAL), rate).toThrow(ClockRefused);
    }
  });

  test("behavior: the local chain may run fast", () => {
    expect(parseClock(ORIGIN, "900", LOCAL)).toEqual({ originMs: ORIGIN_MS, rate: 900 });
  });
});

describe("mapping", () => {
  test("behavior: at rate 1 market time is wall time, whatever the origin", () => {
    const clock = parseClock(ORIGIN, "1", 1);
    for (const wallMs of [0, ORIGIN_MS - 1, ORIGIN_MS, 1_800_000_000_123]) {
      expect(marketTimeS(clock, wallMs)).toBe(Math.floor(wallMs / 1_000));
    }
  });

  test("behavior: at 900 a slot passes every second", () => {
    const clock = parseClock(ORIGIN, "900", LOCAL);
    expect(marketTimeS(clock, ORIGIN_MS + 1_000)).toBe(ORIGIN_MS / 1_000 + 900);
    expect(wallTimeMs(clock, ORIGIN_MS / 1_000 + 1_800)).toBe(ORIGIN_MS + 2_000);
  });

  const rates = fc.constantFrom(0.25, 0.5, 1, 2, 60, 900, 1_000, 3_600);

  test("property: wall time is the first millisecond at which the market time is reached, and never goes back", () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 10 ** 9 }), (rate, aheadS) => {
        const clock = { originMs: ORIGIN_MS, rate };
        const atS = ORIGIN_MS / 1_000 + aheadS;
        const wallMs = wallTimeMs(clock, atS);
        expect(marketTimeS(clock, wallMs)).toBeGreaterThanOrEqual(atS);
        expect(marketTimeS(clock, wallMs - 1)).toBeLessThan(atS);
        expect(marketTimeS(clock, wallMs + 1)).toBeGreaterThanOrEqual(marketTimeS(clock, wallMs));
      }),
      { numRuns: 1_000 },
    );
  });

  test("property: the origin for a market time makes the clocks meet there", () => {
    const meeting = fc.constantFrom(0.25, 0.5, 2, 60, 900, 1_000);
    fc.assert(
      fc.property(
        meeting,
        fc.integer({ min: 0, max: 10 ** 8 }),
        fc.integer({ min: 0, max: 10 ** 9 }),
        (rate, aheadS, laterMs) => {
          const wallMs = ORIGIN_MS + laterMs;
          const marketS = Math.floor(wallMs / 1_000) + aheadS;
          const clock = parseClock(originFor(marketS, wallMs, rate), String(rate), LOCAL);
          expect(marketTimeS(clock, wallMs)).toBe(marketS);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

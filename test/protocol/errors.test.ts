// Owns the shape of the error table and of the division that every amount passes. It refuses a code, a status or a
// rounding that a caller could not rely on.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ERRORS, type ErrorCode, isErrorCode, problemOf, rejected } from "../../protocol/errors.ts";
import { divDown, divUp, isSafe, slotAt, slotStartS } from "../../protocol/units.ts";

const entries = Object.entries(ERRORS);

describe("the table", () => {
  test("invariant: codes are facts in snake_case, with a status of failure and a sentence", () => {
    for (const [code, { status, meaning }] of entries) {
      expect(code).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(status >= 400 && status < 600, code).toBe(true);
      expect(meaning, code).toMatch(/^[A-Z0-9].*\.$/);
    }
  });

  test("invariant: what may be tried again unchanged says so by its status too, and 429, 503 always may", () => {
    const transient = entries.filter(([, entry]) => entry.transient).map(([code]) => code);
    for (const [code, { status }] of entries)
      if (status === 429 || status === 503) expect(transient).toContain(code);
    const refusedForGood = entries.filter(([, { status }]) =>
      [400, 401, 403, 404, 405, 413, 426].includes(status),
    );
    for (const [code] of refusedForGood) expect(transient, code).not.toContain(code);
  });

  test("behavior: names of the prototype are no codes", () => {
    for (const name of ["constructor", "toString", "__proto__", "", 5, null, undefined])
      expect(isErrorCode(name)).toBe(false);
    for (const [code] of entries) expect(isErrorCode(code)).toBe(true);
  });

  test("behavior: a problem carries code, facts and the table's row (RFC 9457)", () => {
    for (const [code, { status, transient, meaning }] of entries) {
      const problem = problemOf(rejected(code as ErrorCode, { orderId: 5 }));
      expect(problem).toEqual({
        type: `/docs/errors#${code}`,
        title: meaning,
        status,
        code,
        transient,
        facts: { orderId: 5 },
      });
    }
    expect(rejected("internal_fault")).toEqual({ code: "internal_fault", facts: {} });
  });
});

describe("units", () => {
  const dividend = fc.maxSafeInteger();
  const divisor = fc.oneof(
    fc.integer({ min: 1, max: 20_000 }),
    fc.maxSafeNat().map((value) => Math.max(1, value)),
  );

  test("rejects: by throwing, fractions, unsafe integers and divisors below one", () => {
    for (const divide of [divDown, divUp]) {
      for (const [a, b] of [
        [1.5, 1],
        [1, 1.5],
        [2 ** 53, 1],
        [1, 0],
        [1, -1],
        [Number.NaN, 1],
        [1, Number.POSITIVE_INFINITY],
      ] as const) {
        expect(() => divide(a, b)).toThrow(RangeError);
      }
    }
  });

  test("property: floor and ceiling are exact over all safe integers, also below zero, and never minus zero", () => {
    fc.assert(
      fc.property(dividend, divisor, (a, b) => {
        const quotient = BigInt(a) / BigInt(b);
        const remainder = BigInt(a) % BigInt(b);
        const down = divDown(a, b);
        const up = divUp(a, b);
        expect(BigInt(down)).toBe(remainder < 0n ? quotient - 1n : quotient);
        expect(BigInt(up)).toBe(remainder > 0n ? quotient + 1n : quotient);
        expect(Object.is(down, -0) || Object.is(up, -0)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test("behavior: a slot holds its start and not its end", () => {
    for (const slot of [0, 1, 1_920_000, 8_064_576]) {
      expect(slotAt(slotStartS(slot))).toBe(slot);
      expect(slotAt(slotStartS(slot) + 899)).toBe(slot);
      expect(slotAt(slotStartS(slot) - 1)).toBe(slot - 1);
    }
    expect([isSafe(2 ** 53 - 1), isSafe(2 ** 53), isSafe("1"), isSafe(Number.NaN)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

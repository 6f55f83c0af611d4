// Owns the promise that what strangers wrote into a vote cannot steer the terminal of whoever reads it, and that figures are cut. It
// refuses to print anything.

import { expect, test } from "vitest";
import { plain, span, tokens } from "../../clients/cli/votes/vote-report.ts";

test("rejects: characters that steer a terminal or turn a line around", () => {
  const mark = "\u{fffd}";
  expect(plain("a\u001b[2Jb")).toBe(`a${mark}[2Jb`);
  expect(plain("pay \u202egnihton")).toBe(`pay ${mark}gnihton`);
  expect(plain("one\r\ntwo\u0007\u0000")).toBe(`one${mark}\ntwo${mark}${mark}`);
  expect(plain("Grüße, 日本 👍\nsecond line")).toBe("Grüße, 日本 👍\nsecond line");
});

test("behavior: tokens are cut after four places, times are told in two units", () => {
  expect(tokens("1999999999999999999")).toBe("1.9999");
  expect(tokens("0")).toBe("0");
  expect(tokens(40_000n * 10n ** 18n)).toBe("40000");
  expect([59, 60, 3_661, 90_061].map(span)).toEqual(["59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
});

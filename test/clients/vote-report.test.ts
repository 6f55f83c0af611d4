// Owns the promise that what strangers wrote into a vote cannot steer the terminal of whoever reads it, and that figures are cut. It
// refuses to print anything.

import { expect, test } from "vitest";
import { plain, previewReport, span, tokens } from "../../clients/cli/votes/vote-report.ts";
import { COMPUTE_PREVIEW } from "../support/compute-preview.ts";

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

test("behavior: a preview names what compute earns, who sold it, from where it pays to oneself, and what is left out", () => {
  const report = previewReport(COMPUTE_PREVIEW);
  expect(report).toMatch(/of them for compute +│ 2 +│ 3 /);
  expect(report).toMatch(/fees of compute +│ 0\.000010 +│ 0\.000020/);
  expect(report).not.toMatch(/for bandwidth/);
  expect(report).toMatch(/0x0{39}1, compute +│ 2 +│ 3 /);
  expect(report).toContain(
    "trading compute with oneself becomes easier: it pays from 7 micros a token on, now no price",
  );
  expect(report).not.toContain("trading energy");
  expect(report).toContain("whose they were: compute of epoch 4, compute of epoch 5");
});

// Owns programs as compilers make them, from three languages: they do the same before and after rewriting, and cost what an
// account instruction by instruction says. It refuses a compiler that is missing by skipping its programs by name.

import { describe, expect, test } from "vitest";
import {
  CHECKSUM_WAT,
  INFERENCE_C,
  picture,
  STATISTICS_ASSEMBLYSCRIPT,
  THUMBNAIL_C,
} from "../../bench/job-programs.ts";
import { rewriteCommand } from "../../compute/command.ts";
import { PAGE_FUEL } from "../../compute/metering/fuel-schedule.ts";
import { assemble, compileAssemblyScript, compileC, disassemble, hasClang } from "../../tools/job-sources.ts";
import { type JobParts, run, runPlain, textOf } from "../support/job-runs.ts";
import { meterNaively } from "../support/naive-meter.ts";

/** Holds a program's job against the same program unchanged, and against the naive account. */
function expectFaithful(source: Uint8Array, parts: JobParts) {
  expect(WebAssembly.validate(rewriteCommand(source))).toBe(true);
  const result = run(source, parts);
  const plain = runPlain(source, parts);
  expect(result).toMatchObject({ end: "exited", exitCode: plain.exitCode });
  expect(result.stdout).toEqual(plain.stdout);
  const naive = runPlain(meterNaively(source), parts);
  expect(naive.stdout).toEqual(plain.stdout);
  const counted = Number((naive.exports.naive as { value: bigint }).value);
  // The account has no entry for the pages that the module begins with.
  const firstPages = Number(/\(memory \(;0;\) (\d+)/.exec(disassemble(source))?.[1]);
  expect(result.fuelUsed).toBe(counted + naive.systemFuel + PAGE_FUEL * firstPages);
  return result;
}

describe.skipIf(!hasClang())("C, with Debian's clang, lld and wasi-libc", () => {
  test("behavior: a thumbnail of a picture", () => {
    const source = compileC(THUMBNAIL_C);
    const { stdout, fuelUsed } = expectFaithful(source, { args: ["32"], stdin: picture(120) });
    expect(textOf(stdout.subarray(0, 13))).toBe("P6\n32 32\n255\n");
    expect(stdout.length).toBe(13 + 32 * 32 * 3);
    expect(fuelUsed).toBeGreaterThan(2e6);
    expect(run(source, { stdin: "GIF89a" })).toMatchObject({ end: "exited", exitCode: 2 });
  });

  test.each([
    ["as it is", []],
    ["with vectors", ["-msimd128"]],
    [
      "with bulk memory, sign extension and saturating conversions",
      ["-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint"],
    ],
    ["not optimised", ["-O0"]],
    ["for size", ["-Oz"]],
  ])("behavior: a small network's inference, %s", (_, flags) => {
    const { stdout } = expectFaithful(compileC(INFERENCE_C, ...flags), {
      args: ["2"],
      stdin: "the tide turns at six",
    });
    const scores = textOf(stdout).trim().split("\n").map(Number);
    expect(scores).toHaveLength(10);
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 4);
  });

  test("behavior: a program that aborts, one that recurses without end, one that fills memory", () => {
    const main = (body: string) => compileC(`#include <stdlib.h>\n#include <string.h>\n${body}`);
    expect(run(main("int main(void) { abort(); }"))).toMatchObject({ end: "trapped", exitCode: null });
    const recursing = main(
      "volatile int one = 1; int f(int n) { return one ? f(n + one) / (n + 3) ^ n : n; } int main(void) { return f(0); }",
    );
    expect(run(recursing, { limits: { fuel: 1e9 } }).end).toBe("stack_exhausted");
    const filling = main(
      "int main(void) { for (int n = 0;; n++) { char *volatile p = malloc(1 << 20); if (!p) return n; memset(p, n, 1 << 20); } }",
    );
    const full = run(filling, { limits: { fuel: 1e9, memoryBytes: 8 * 2 ** 20 } });
    expect(full).toMatchObject({ end: "exited" });
    expect(full.exitCode).toBeGreaterThan(4);
    expect(full.exitCode).toBeLessThan(8);
  });
});

describe("AssemblyScript", () => {
  test("behavior: a day's readings: their sum, range and mean", { timeout: 120_000 }, async () => {
    const source = await compileAssemblyScript(STATISTICS_ASSEMBLYSCRIPT);
    const readings = Uint16Array.from({ length: 960 }, (_, index) => (index * 7_919) % 4_001);
    const { stdout } = expectFaithful(source, { stdin: new Uint8Array(readings.buffer) });
    const sum = readings.reduce((total, reading) => total + reading, 0);
    expect(textOf(stdout).split("\n").slice(0, 2)).toEqual([
      `sum ${sum}`,
      `from ${Math.min(...readings)} to ${Math.max(...readings)}`,
    ]);
    expect(textOf(stdout)).toContain(`mean ${sum / 960}`.slice(0, 12));
  });
});

describe("text", () => {
  test("behavior: a checksum in loops that call", () => {
    const { stdout, fuelUsed } = expectFaithful(assemble(CHECKSUM_WAT), { stdin: picture(40) });
    expect(stdout.length).toBe(8);
    expect(fuelUsed).toBeGreaterThan(10e6);
  });
});

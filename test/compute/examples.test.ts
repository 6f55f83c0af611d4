// Owns the promise that the jobs in docs/examples/jobs do what they say, in three languages: compiled by the tools people use and
// run as jobs are. It refuses a compiler that is missing by skipping its program by name.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { constants, deflateSync, inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { assemble, compileAssemblyScript, compileC, hasClang } from "../../tools/job-sources.ts";
import { run, textOf } from "../support/job-runs.ts";
import { drawnPng, pointsOf } from "../support/png.ts";

const sourceOf = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../docs/examples/jobs", name), "utf8");

describe("base64.wat", () => {
  test("behavior: encodes whatever comes, however long", () => {
    const module = assemble(sourceOf("base64.wat"));
    for (const length of [0, 1, 2, 3, 4, 255, 47_999, 48_000, 48_001, 150_000]) {
      const stdin = Uint8Array.from({ length }, (_, place) => (place * 197 + (place >> 8)) & 255);
      const { end, stdout } = run(module, { stdin });
      expect(end).toBe("exited");
      expect(textOf(stdout)).toBe(`${Buffer.from(stdin).toString("base64")}\n`);
    }
  });
});

describe("words.as", () => {
  test("behavior: counts the words of a JSON text", { timeout: 120_000 }, async () => {
    const module = await compileAssemblyScript(sourceOf("words.as"));
    for (const stdin of ["", "[]", '{"other":1}', '{"text":"open'])
      expect(run(module, { stdin }).exitCode).toBe(2);
    const text = 'The tide turns; the "tide" — at six.\nZoë\u2019s tide\ttürnt: '.repeat(2_000);
    const { exitCode, stdout } = run(module, { stdin: JSON.stringify({ text }) });
    expect(exitCode).toBe(0);
    const answer = JSON.parse(textOf(stdout));
    const words = text.toLowerCase().match(/[0-9a-z'\u00c0-\uffff]+/g) ?? [];
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    const top = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 5);
    expect(answer).toMatchObject({ words: words.length, top });
    expect(run(module, { stdin: '{"text":"caf\\u00e9 \\"a\\\\b\\""}' })).toMatchObject({ exitCode: 0 });
  });
});

describe.skipIf(!hasClang())("thumbnail.c (skipped where C cannot be compiled)", () => {
  const module = (): Uint8Array => compileC(sourceOf("thumbnail.c"));

  test("behavior: scales pictures of every kind that PNG has at eight bits, by every filter and block", () => {
    const bytes = module();
    for (const colour of [0, 2, 3, 4, 6] as const)
      for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY]) {
        const drawn = drawnPng({
          width: 90,
          height: 60,
          colour,
          pack: (rows) => deflateSync(rows, { strategy }),
        });
        const { exitCode, stdout } = run(bytes, { stdin: drawn.file, args: ["30"] });
        expect(exitCode).toBe(0);
        const { width, height, points } = pointsOf(stdout, inflateSync);
        expect([width, height]).toEqual([30, 20]);
        // Each point is the mean of nine, which the drawing makes alike.
        expect(points).toEqual(drawn.thirds);
      }
    const stored = drawnPng({
      width: 30,
      height: 30,
      colour: 2,
      pack: (rows) => deflateSync(rows, { level: 0 }),
    });
    expect(run(bytes, { stdin: stored.file, args: ["64"] }).exitCode).toBe(0);
  });

  test("rejects: what is no such picture, and damaged ones, by a status and words", () => {
    const bytes = module();
    const { file } = drawnPng({ width: 60, height: 60, colour: 6, pack: (rows) => deflateSync(rows) });
    expect(run(bytes, { stdin: "GIF89a" })).toMatchObject({ end: "exited", exitCode: 2 });
    expect(run(bytes, { stdin: file, args: ["0"] })).toMatchObject({ exitCode: 2 });
    const deep = file.slice();
    deep[24] = 16;
    expect(textOf(run(bytes, { stdin: deep }).stderr)).toContain("8 bits");
    const huge = file.slice();
    huge.set([0, 0, 0x40, 0, 0, 0, 0x40, 0], 16);
    expect(run(bytes, { stdin: huge }).exitCode).toBe(2);
    for (const length of [40, file.length >> 1, file.length - 30])
      expect(run(bytes, { stdin: file.subarray(0, length) })).toMatchObject({ end: "exited", exitCode: 3 });
    for (let at = 60; at < file.length - 20; at += 41) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] as number) ^ 0x5a;
      expect(run(bytes, { stdin: damaged, args: ["8"], limits: { fuel: 1e9 } }).end).toBe("exited");
    }
  });
});

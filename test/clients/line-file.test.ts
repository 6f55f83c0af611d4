// Owns what a file of lines must survive: a kill or a full disk in the middle of a line. It refuses half a line.

import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLines } from "../../clients/household/line-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-lines-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("rejects: a whole line that is no JSON", () => {
  const file = join(folder, "broken");
  appendFileSync(file, '{"a":1}\n{"b":\n');
  expect(() => openLines(file)).toThrow(SyntaxError);
});

test("invariant: half a line is neither read nor glued to the next", () => {
  const file = join(folder, "below", "torn");
  const lines = openLines(file);
  lines.append({ text: "één" }, true);
  appendFileSync(file, '{"half":"é');
  const again = openLines(file);
  expect(again.values).toEqual([{ text: "één" }]);
  again.append({ text: "zwei" }, false);
  again.append({ text: "three" }, true);
  const whole = [{ text: "één" }, { text: "zwei" }, { text: "three" }];
  expect(openLines(file).values).toEqual(whole);
  expect(
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(whole);
});

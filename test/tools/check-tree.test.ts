// The tree check against small trees with one fault each: every rule must name the file and the line.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Allowances, checkTree } from "../../tools/check-tree.ts";

const OPENING = "// Owns a small thing for this test.\n";
const NONE: Allowances = { files: {}, functions: {} };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "polder-tree-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Writes files (an opening sentence is put before each) and returns the findings as short lines. */
function check(files: Record<string, string>, allowances: Allowances = NONE): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), OPENING + text);
  }
  return checkTree(root, allowances).map(({ file, line, rule }) => `${file}:${line} ${rule}`);
}

const lines = (count: number) => "const x = 1;\n".repeat(count);
const longFunction = (count: number) => `export function long() {\n${"  x();\n".repeat(count - 2)}}\n`;

describe("tree check", () => {
  test.each([
    ["market", "durable-objects"],
    ["protocol", "market"],
    ["evidence", "market"],
    ["durable-objects", "workers"],
    ["workers", "clients"],
    ["clients", "workers"],
    ["web", "workers"],
    ["bench", "test"],
    ["tools", "clients"],
  ])("rejects: an import from %s to %s", (from, to) => {
    const found = check({
      [`${from}/a.ts`]: `import { b } from "../${to}/b.ts";\nexport const a = b;\n`,
      [`${to}/b.ts`]: "export const b = 1;\n",
    });
    expect(found).toEqual([`${from}/a.ts:2 direction`]);
  });

  test.each([
    ["a type", `import type { b } from "../workers/b.ts";`],
    ["a re-export", `export { b } from "../workers/b.ts";`],
    ["a dynamic import", `export const a = () => import("../workers/b.ts");`],
    ["an import type", `export type A = import("../workers/b.ts").B;`],
  ])("rejects: the wrong direction also as %s", (_kind, text) => {
    const found = check({ "clients/a.ts": text, "workers/b.ts": "export const b = 1;\n" });
    expect(found).toEqual(["clients/a.ts:2 direction"]);
  });

  test("rejects: a relative import without its extension", () => {
    const found = check({ "clients/a.ts": `import "./b";\n`, "clients/b.ts": "" });
    expect(found).toEqual(["clients/a.ts:2 import"]);
  });

  test("rejects: a cycle of three files, once", () => {
    const found = check({
      "clients/a.ts": `import "./b.ts";\n`,
      "clients/b.ts": `import "./c.ts";\n`,
      "clients/c.ts": `import "./a.ts";\n`,
      "clients/d.ts": `import "./a.ts";\n`,
    });
    expect(found).toEqual(["clients/a.ts:1 cycle"]);
  });

  test("behavior: a cycle that types alone close is none at run time", () => {
    const found = check({
      "clients/a.ts": `// Opens with a sentence here.\nimport "./b.ts";\n`,
      "clients/b.ts": `// Opens with a sentence here.\nimport type {} from "./a.ts";\n`,
    });
    expect(found.filter((finding) => finding.includes("cycle"))).toEqual([]);
  });

  test("behavior: converting a given instant is pure", () => {
    const text =
      "// Opens with a sentence here.\nexport const a = [Date.parse(b), Date.UTC(2026, 1), new Date(c)];\n";
    expect(check({ "protocol/a.ts": text }).filter((finding) => finding.includes("purity"))).toEqual([]);
  });

  test.each([
    ["async", "export async function a() {}"],
    ["await", "const a = await b;"],
    ["Date", "export const a = Date.now();"],
    ["new Date", "export const a = new Date();"],
    ["Math.random", "export const a = Math.random();"],
    ["fetch", "export const a = fetch;"],
    ["console", "console.log(1);"],
    ["a runtime module", `import "cloudflare:workers";`],
    ["a module of Node", `import "node:fs";`],
    ["a mutable global", "let a = 1;"],
  ])("rejects: %s in the pure rooms", (_what, text) => {
    for (const room of ["market", "protocol"]) {
      expect(check({ [`${room}/a.ts`]: text })).toContain(`${room}/a.ts:2 purity`);
      rmSync(join(root, room), { recursive: true });
    }
  });

  test("rejects: a package in market/ that protocol/ may use", () => {
    const text = `import { z } from "zod";\nexport const a = z;\n`;
    expect(check({ "market/a.ts": text, "protocol/a.ts": text })).toEqual(["market/a.ts:2 purity"]);
  });

  test.each(["utils", "lib", "common", "core", "helpers"])("rejects: a folder named %s", (name) => {
    expect(check({ [`clients/${name}/a.ts`]: "" })).toEqual([`clients/${name}:1 folder name`]);
  });

  test("rejects: code in a room that does not exist, and names that are no kebab-case", () => {
    const found = check({ "things/a.ts": "", "clients/twoWords.ts": "", "governance/settlement.sol": "" });
    expect(found).toEqual([
      "clients/twoWords.ts:1 file name",
      "governance/settlement.sol:1 file name",
      "things/a.ts:1 room",
    ]);
  });

  test.each([
    ["no comment", "const a = 1;"],
    ["no sentence", "// orders"],
    ["a directive", "// biome-ignore lint: because it is so in here."],
  ])("rejects: a file that opens with %s", (_what, text) => {
    mkdirSync(join(root, "clients"));
    writeFileSync(join(root, "clients/a.ts"), text);
    expect(check({})).toEqual(["clients/a.ts:1 opening"]);
  });

  test("rejects: a file of 401 lines and a function of 71", () => {
    const found = check({ "clients/a.ts": lines(400), "clients/b.ts": longFunction(71) });
    expect(found).toEqual(["clients/a.ts:401 file length", "clients/b.ts:2 function length"]);
  });

  test("rejects: growth beyond an allowance, and an allowance that is larger than the code", () => {
    const files = { "clients/a.ts": lines(420), "clients/b.ts": longFunction(80) };
    const grant = (file: number, fn: number): Allowances => ({
      files: { "clients/a.ts": file },
      functions: { "clients/b.ts#long": fn },
    });
    expect(check(files, grant(421, 80))).toEqual([]);
    expect(check(files, grant(420, 79))).toHaveLength(2);
    expect(check(files, grant(422, 81))).toHaveLength(2);
    expect(check({}, { files: { "clients/gone.ts": 500 }, functions: {} })).toContain(
      "clients/gone.ts:1 allowance",
    );
  });

  test("rejects: a test whose title names no class, also behind each and skipIf", () => {
    const found = check({
      "test/market/a.test.ts": [
        'test("works", () => {});',
        'test("behavior: works", () => {});',
        'test.each([1])("works with %s", () => {});',
        'test.skipIf(true)("rejects: this", () => {});',
      ].join("\n"),
    });
    expect(found).toEqual(["test/market/a.test.ts:2 test title", "test/market/a.test.ts:4 test title"]);
  });

  test("behavior: a tree in order has no findings", () => {
    const found = check({
      "protocol/units.ts": "export const units = { fetch: 1, Date: 2 }.Date;\n",
      "market/decide.ts": `import { units } from "../protocol/units.ts";\nexport const a = (process: number) => process + units;\n`,
      "durable-objects/region.ts": `import "../market/decide.ts";\nimport "../protocol/units.ts";\n`,
      "workers/gateway.ts": `import "../durable-objects/region.ts";\n`,
      "web/dist/bundle.ts": lines(500),
      "clients/a.ts": lines(399),
      "clients/b.ts": longFunction(70),
      "test/market/a.test.ts": `describe("a", () => {\n${lines(100)}});\n`,
      "governance/contracts/Settlement.sol": "pragma solidity ^0.8.0;\n",
    });
    expect(found).toEqual([]);
  });

  test("behavior: a shebang, a licence and a block comment may stand where they must", () => {
    const texts = {
      "a.ts": "#!/usr/bin/env node\n// Owns the command line and little else.\n",
      "B.sol":
        "// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.0;\n/** Holds deposits, never keys. */\n",
      "c.circom": "pragma circom 2.2.0;\n// Proves that a window was signed.\n",
    };
    mkdirSync(join(root, "clients"));
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(root, "clients", name), text);
    expect(check({})).toEqual([]);
  });
});

// Owns the promise that pages made from code, or about code, still say what the code says.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { INVARIANTS } from "../../market/invariants.ts";
import { CHAIN_PROBLEMS } from "../../protocol/chain-answer.ts";
import { ERRORS, type ErrorCode, isRetired } from "../../protocol/errors.ts";
import { errorPage } from "../../tools/make-error-docs.ts";

const page = (name: string): string => readFileSync(join(import.meta.dirname, "../../docs", name), "utf8");

describe("docs", () => {
  test("invariant: ERRORS.md is what the error table makes", () => {
    expect(page("ERRORS.md")).toBe(errorPage());
  });

  test("invariant: INVARIANTS.md names every invariant, in order, and no other", () => {
    const named = [...page("INVARIANTS.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
    expect(named).toEqual(INVARIANTS.map(({ name }) => name));
  });

  test("invariant: MIRROR.md names every reason that can be in the mirror's way, in order, with what it means", () => {
    const rows = [...page("MIRROR.md").matchAll(/^\| `([a-z_]+)` \| (.+) \|$/gm)].map(([, code, text]) => [
      code,
      text,
    ]);
    expect(rows).toEqual(Object.entries(CHAIN_PROBLEMS));
  });

  test("invariant: every code of the error table is provoked, or at least expected, by some test", () => {
    const folder = join(import.meta.dirname, "..");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    const tests = files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
    const codes = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => !isRetired(code));
    expect(codes.filter((code) => !tests.includes(`"${code}"`))).toEqual([]);
  });

  test("invariant: ARCHITECTURE.md fits a page", () => {
    expect(page("ARCHITECTURE.md").split("\n").length).toBeLessThanOrEqual(80);
  });
});

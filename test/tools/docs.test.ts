// Owns the promise that pages made from code, or about code, still say what the code says.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { INVARIANTS } from "../../market/invariants.ts";
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

  test("invariant: ARCHITECTURE.md fits a page", () => {
    expect(page("ARCHITECTURE.md").split("\n").length).toBeLessThanOrEqual(80);
  });
});

// Owns docs/ERRORS.md, which is the error table in words. It refuses to be edited by hand: a test holds the file equal
// to what this makes.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERRORS } from "../protocol/errors.ts";

/** The page, as Markdown. */
export function errorPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, transient, meaning }]) =>
      `| \`${code}\` | ${status} | ${transient ? "yes" : ""} | ${meaning} |`,
  );
  return [
    "# Errors",
    "",
    "Made from `protocol/errors.ts` by `node tools/make-error-docs.ts`. Codes stand in order of precedence: of two that",
    "apply, the one further up is answered. They are never renamed or reused. Over HTTP each travels as problem details",
    "(RFC 9457) with the code, its facts, and whether the same request may succeed later.",
    "",
    "| code | status | try again | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "../docs/ERRORS.md"), errorPage());

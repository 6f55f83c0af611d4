// Owns how a decoder's findings become one rejection that names a field. It refuses to list everything that is wrong:
// the first fault of the form that was meant is what a caller can act on.

import type { z } from "zod";
import { type Rejection, rejected } from "./errors.ts";

/** The first thing a decoder found wrong, as `malformed_request` with its path below `root`. */
export function malformedRequest(error: z.ZodError, root = ""): Rejection {
  const issue = firstIssue(error.issues[0]);
  const path = [root, ...(issue?.path ?? []).map(String)].filter((part) => part !== "").join(".");
  return rejected("malformed_request", { path, expected: issue?.message ?? "another value" });
}

/** Inside a union the alternative with the fewest faults is the one that was meant; of those, the one that came furthest. */
function firstIssue(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== "invalid_union") return issue;
  const depthOf = (faults: readonly z.core.$ZodIssue[]): number => faults[0]?.path.length ?? 0;
  const alternatives = issue.errors.filter((faults) => faults.length > 0);
  const meant = alternatives.sort(
    (left, right) => left.length - right.length || depthOf(right) - depthOf(left),
  )[0]?.[0];
  return meant === undefined ? issue : { ...meant, path: [...issue.path, ...meant.path] };
}

// Owns the call to the referee: the Worker that runs a job again, apart from every object. It refuses nothing itself; that
// the referee could not run a job is an answer.

import type { JobDescription } from "../protocol/jobs.ts";
import type { RunResult } from "./job-calls.ts";

/** Why there is no result: it would take more than the referee has, took too long, or its module is not stored. */
export type RefereeRefusal = "beyond_limits" | "overran" | "module_not_found" | "not_run";

export type RefereeAnswer =
  | Omit<RunResult, "entry">
  | { readonly kind: "refused"; readonly reason: RefereeRefusal };

/** Has the referee run a job. */
export type RefereeRun = (description: JobDescription, input: Uint8Array) => Promise<RefereeAnswer>;

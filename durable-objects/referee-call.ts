// Owns the call to the referee: the Worker that runs a job again, apart from every object. It refuses nothing itself; that
// the referee could not run a job is an answer.

import { z } from "zod";
import { ModuleRefused } from "../compute/refusal.ts";
import { isBeyondReferee, type JobDescription } from "../protocol/jobs.ts";
import { MAX_REFEREE_WALL_SECONDS } from "../protocol/limits.ts";
import { sha256Hex } from "./digest.ts";
import type { Env } from "./environment.ts";
import type { RunResult } from "./job-calls.ts";
import { type StoredModule, storedModule } from "./module-store.ts";
import { decodeFrame, encodeFrame, type Frame, type RefereeRefusal } from "./referee-frames.ts";

export type RefereeAnswer =
  | Omit<RunResult, "entry">
  | { readonly kind: "refused"; readonly reason: RefereeRefusal };

/** Has the referee run a job. */
export type RefereeRun = (description: JobDescription, input: Uint8Array) => Promise<RefereeAnswer>;

/** What stands in front of the referee where it has no answer itself. */
const refusalSchema = z.object({ reason: z.enum(["overran", "not_run"]) });

/** Seconds beyond a run's own in which the referee may come round to it: runs before it, a process that is started. */
const PATIENCE_SECONDS = 3 * MAX_REFEREE_WALL_SECONDS;

/** Has the referee run a job; never throws. What is beyond its limits is answered without a call. */
export async function refereeRun(
  env: Pick<Env, "REFEREE" | "MODULES">,
  description: JobDescription,
  input: Uint8Array,
): Promise<RefereeAnswer> {
  if (isBeyondReferee(description)) return refused("beyond_limits");
  // Another input is another job: whatever came of it would say nothing about this one.
  if (`0x${sha256Hex(input)}` !== description.inputHash) return refused("not_run");
  try {
    const module = await moduleOf(env, description);
    if (module === null) return refused("module_not_found");
    const response = await env.REFEREE.fetch("http://referee/run", {
      method: "POST",
      body: encodeFrame({ facts: { description }, parts: [input, module.rewritten] }),
      signal: AbortSignal.timeout((MAX_REFEREE_WALL_SECONDS + PATIENCE_SECONDS) * 1000),
    });
    if (response.status === 503) return refused(refusalSchema.parse(await response.json()).reason);
    if (!response.ok) throw new Error(`the referee answered ${response.status}: ${await response.text()}`);
    return answerOf(decodeFrame(await response.arrayBuffer()));
  } catch (fault) {
    console.error("the referee ran nothing", fault);
    return refused("not_run");
  }
}

/** The module, or null where none is stored that this release would run. */
async function moduleOf(env: Pick<Env, "MODULES">, { module }: JobDescription): Promise<StoredModule | null> {
  try {
    return await storedModule(env, module);
  } catch (error) {
    if (error instanceof ModuleRefused) return null;
    throw error;
  }
}

function refused(reason: RefereeRefusal): RefereeAnswer {
  return { kind: "refused", reason };
}

function answerOf({ facts, parts: [stdout, stderr] }: Frame): RefereeAnswer {
  const answer = facts as unknown as RefereeAnswer;
  if (answer.kind === "refused" || stdout === undefined || stderr === undefined) return answer;
  return { ...answer, stdout, stderr };
}

// Owns the way from a run to the desk that is told what became of it. It refuses nothing.

import type { Env } from "../environment.ts";
import type { RunAsker } from "../job-calls.ts";

/** The desk of a name, as a run's object sees it. */
export function deskOf(env: Env, name: string): RunAsker {
  return env.JOB_DESK.getByName(name) as unknown as RunAsker;
}

// Owns how a job's description becomes what is run, the same for nodes, the referee and whoever checks. It refuses nothing by
// itself; `runJob` looks at every job.

import { type JobDescription, jobSeedOf } from "../protocol/jobs.ts";
import { FUEL_PER_MEGA } from "../protocol/units.ts";
import type { Job } from "./host/job.ts";

/** The job of a description, for `runJob`. @param stdin whose hash the caller has compared, or that has none. */
export function describedJob(description: JobDescription, stdin: Uint8Array): Job {
  const { args, env, limits, startS } = description;
  const { fuelMega, memoryBytes, outputBytes } = limits;
  return {
    args,
    env,
    stdin,
    limits: { fuel: fuelMega * FUEL_PER_MEGA, memoryBytes, outputBytes },
    seed: jobSeedOf(description),
    clockS: startS,
  };
}

// Owns the way from a provider's account to the object that runs its jobs: a node's, or the deployment's own. It refuses nothing.

import type { Hex } from "../../protocol/fields.ts";
import { isEdge } from "../edge/edge-settings.ts";
import type { Env } from "../environment.ts";
import type { RunTaker } from "../job-calls.ts";

/** The object that runs what was bought of a provider in a region. */
export function runTakerOf(env: Env, region: string, provider: Hex): RunTaker {
  return (isEdge(env, provider)
    ? env.EDGE_RUNNER.getByName(region)
    : env.PROVIDER.getByName(`${region}/${provider}`)) as unknown as RunTaker;
}

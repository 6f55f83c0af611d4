// Owns the way from a provider's account to the object that runs its jobs. It refuses nothing.

import type { Hex } from "../../protocol/fields.ts";
import type { Env } from "../environment.ts";
import type { RunTaker } from "../job-calls.ts";

/** The object of a provider in a region. */
export function runTakerOf(env: Env, region: string, provider: Hex): RunTaker {
  return env.PROVIDER.getByName(`${region}/${provider}`) as unknown as RunTaker;
}

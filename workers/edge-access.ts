// Owns how the gateway keeps the operator's asks and the audits looked after: it wakes each region's runner and auditor now and
// then. It refuses to let a request wait for that, or fail of it.

import { directoryOf } from "../durable-objects/directory.ts";
import { edgeSettings } from "../durable-objects/edge/edge-settings.ts";
import type { Env } from "../durable-objects/environment.ts";
import type { RequestContext } from "./router.ts";

/** Alarms outlive restarts and deployments, but not every fault. Wall time. */
const WAKE_MS = 60_000;

let wokenAtMs = Number.NEGATIVE_INFINITY;

/** Wakes the runners; at most so often, and behind the request. */
export function keepEdgeAwake(context: RequestContext): void {
  if (Date.now() - wokenAtMs < WAKE_MS) return;
  wokenAtMs = Date.now();
  context.executionCtx.waitUntil(wakeEdges(context.env));
}

/** Wakes the auditor and the runner of every region. Never throws. */
export async function wakeEdges(env: Env): Promise<void> {
  try {
    const profiles = await directoryOf(env).list();
    await Promise.all(profiles.map(({ region }) => env.AUDITOR.getByName(region).wake()));
    const edge = edgeSettings(env);
    if (edge === null) return;
    const own = profiles.filter(({ operator }) => operator.toLowerCase() === edge.account);
    await Promise.all(own.map(({ region }) => env.EDGE_RUNNER.getByName(region).wake()));
  } catch (fault) {
    console.error("the edge's runners could not be woken", fault);
  }
}

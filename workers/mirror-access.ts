// Owns how the gateway keeps the chain followed: it wakes the mirror, whose alarms do the rest, now and then and where there is
// a reason. It refuses to let a request wait for that, or fail of it.

import type { ChainMirror } from "../durable-objects/chain-mirror.ts";
import type { Env } from "../durable-objects/environment.ts";
import { hasChain } from "../durable-objects/mirror/settings.ts";
import type { RequestContext } from "./router.ts";

/** An alarm outlives restarts and deployments, but not every fault: so often somebody looks whether it is set. Wall time. */
const WAKE_MS = 60_000;

let wokenAtMs = Number.NEGATIVE_INFINITY;

/** The mirror of the deployment's chain. */
export function mirrorStub(env: Env): DurableObjectStub<ChainMirror> {
  return env.CHAIN_MIRROR.getByName(env.CHAIN_ID);
}

/** Wakes the mirror; at most so often, and behind the request. */
export function keepMirrorAwake(context: RequestContext): void {
  const { env } = context;
  if (!hasChain(env) || Date.now() - wokenAtMs < WAKE_MS) return;
  wokenAtMs = Date.now();
  context.executionCtx.waitUntil(wakeMirror(env));
}

/** Wakes the mirror now. Never throws. */
export async function wakeMirror(env: Env): Promise<void> {
  if (!hasChain(env)) return;
  try {
    await mirrorStub(env).wake();
  } catch (fault) {
    console.error("the mirror could not be woken", fault);
  }
}

// Owns when agents step: at the market time each asked for, on the deployment's clock. It refuses to let one agent's
// trouble stop another; a step that fails is tried again.

import { type MarketClock, marketTimeS, wallTimeMs } from "../../protocol/clock.ts";
import type { HouseholdAgent } from "./agent.ts";

export interface RunnerOptions {
  readonly clock: MarketClock;
  readonly signal: AbortSignal;
  readonly failed?: (agent: HouseholdAgent, error: unknown) => void;
}

const RETRY_MS = 250;
/** Node's timers hold at most 2³¹ − 1 milliseconds. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

/** Runs an agent until the signal; resolves when its last step is over. */
export async function runAgent(
  agent: HouseholdAgent,
  { clock, signal, failed }: RunnerOptions,
): Promise<void> {
  while (!signal.aborted) {
    let wakeMs: number;
    try {
      const nextS = await agent.step(marketTimeS(clock, Date.now()));
      wakeMs = wallTimeMs(clock, nextS);
    } catch (error) {
      if (signal.aborted) return;
      failed?.(agent, error);
      wakeMs = Date.now() + RETRY_MS;
    }
    await sleep(Math.min(LONGEST_SLEEP_MS, Math.max(1, wakeMs - Date.now())), signal);
  }
}

/** Sleeps, or wakes at once when the signal comes. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}

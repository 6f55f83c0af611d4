// Owns how fast a scenario's clock may run: as fast as this machine proves, which it tries first. It refuses to guess; a
// clock that outran the proofs would lose windows.

import { sampleWindow } from "../../tools/sample-household.ts";
import type { WindowProver } from "../household/window-prover.ts";

/** A machine is not always as quick as when it was measured, and a day's proofs must be done within the next day. */
const MARGIN = 1.5;
/** Wall seconds a home's day takes besides its proof, on two busy cores: two signatures, a request, a clearing. */
const SECONDS_PER_HOME_DAY = 0.025;
/** A day of few homes: what a busy moment costs is the same as in a long one. */
const LEAST_SECONDS_PER_DAY = 10;

/** Processes that prove at a time: two give a sixth more windows a minute than one on two cores. */
export const PROVING_PROCESSES = 2;

/** Wall seconds that a day's window takes this machine, with all processes at work. Proves a sample's windows. */
export async function measureProver(prover: WindowProver): Promise<number> {
  const round = () =>
    Promise.all(Array.from({ length: PROVING_PROCESSES }, () => prover.prove(sampleWindow(96))));
  // The first round starts the processes and reads the keys.
  await round();
  const startedMs = performance.now();
  await round();
  return (performance.now() - startedMs) / 1_000 / PROVING_PROCESSES;
}

/** Wall seconds of a market day in which every home's window of the day before is proved. */
export function secondsPerDay(homes: number, secondsPerProof: number): number {
  return Math.max(LEAST_SECONDS_PER_DAY, homes * (MARGIN * secondsPerProof + SECONDS_PER_HOME_DAY));
}

// Owns how a failing run is made small: steps are left out, in halves and ever smaller pieces, while the same check still
// fails. It refuses another failure as a substitute, and to try for ever.

import { type SimulationOptions, type SimulationResult, simulate } from "./simulation.ts";

/** The fewest steps found that still fail alike. */
export interface Shrunk {
  readonly places: readonly number[];
  readonly result: SimulationResult;
  /** Runs it took. */
  readonly runs: number;
}

/** Runs after which what is left is small enough. */
const MOST_RUNS = 400;

/**
 * Shrinks a failing run after the manner of delta debugging (Zeller and Hildebrandt, 2002): every step is a function of
 * the seed and its place, so any selection of places can be run. The last steps are tried first.
 * @param options the run; its trace and progress are not told of the tries.
 * @param failed its result.
 */
export async function shrink(
  options: SimulationOptions,
  failed: SimulationResult,
  mostRuns = MOST_RUNS,
): Promise<Shrunk> {
  const { trace: _trace, progress: _progress, ...quiet } = options;
  const all = options.only ?? Array.from({ length: options.steps }, (_, place) => place);
  const last = failed.failure?.place ?? null;
  const best = {
    places: last === null ? [...all] : all.filter((place) => place <= last),
    result: failed,
    runs: 0,
  };
  const stillFails = async (places: readonly number[]): Promise<boolean> => {
    best.runs += 1;
    const result = await simulate({ ...quiet, only: places });
    if (result.failure?.check !== failed.failure?.check) return false;
    best.result = result;
    return true;
  };
  for (let size = Math.ceil(best.places.length / 2); size > 0 && best.runs < mostRuns; ) {
    const before = best.places.length;
    for (let end = before; end > 0 && best.runs < mostRuns; end -= size) {
      const rest = [...best.places.slice(0, Math.max(0, end - size)), ...best.places.slice(end)];
      if (await stillFails(rest)) best.places = rest;
    }
    // Single steps are tried until none can go: one that is gone may have been what another was for.
    if (size > 1) size = Math.ceil(size / 2);
    else if (best.places.length === before) size = 0;
  }
  return best;
}

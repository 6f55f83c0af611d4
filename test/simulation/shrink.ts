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
 * Shrinks a failing run by delta debugging (Zeller and Hildebrandt, 2002): every step is a function of the seed and its
 * place, so any selection of places can be run.
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
  for (let pieces = 2; best.places.length > 0 && best.runs < mostRuns; ) {
    const kept = await leaveOneOut(best.places, pieces, stillFails, () => best.runs < mostRuns);
    if (kept !== null) {
      best.places = kept;
      pieces = Math.max(2, pieces - 1);
    } else if (pieces >= best.places.length) break;
    else pieces = Math.min(best.places.length, pieces * 2);
  }
  return best;
}

/** The places without one of so many pieces, where that still fails; the last pieces are tried first. */
async function leaveOneOut(
  places: readonly number[],
  pieces: number,
  stillFails: (places: readonly number[]) => Promise<boolean>,
  mayTry: () => boolean,
): Promise<number[] | null> {
  const size = Math.ceil(places.length / pieces);
  for (let end = places.length; end > 0 && mayTry(); end -= size) {
    const rest = [...places.slice(0, Math.max(0, end - size)), ...places.slice(end)];
    if (await stillFails(rest)) return rest;
  }
  return null;
}

/** Places as the command line takes them: `3,17,40-44`. */
export function formatPlaces(places: readonly number[]): string {
  const runs: string[] = [];
  for (let index = 0; index < places.length; ) {
    let end = index;
    while (places[end + 1] === (places[end] as number) + 1) end += 1;
    runs.push(end === index ? `${places[index]}` : `${places[index]}-${places[end]}`);
    index = end + 1;
  }
  return runs.length === 0 ? "none" : runs.join(",");
}

/** Reads places. @throws RangeError with what is wrong. */
export function parsePlaces(text: string): number[] {
  if (text === "none") return [];
  const places = text.split(",").flatMap((part) => {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (match === null)
      throw new RangeError(`"${part}" is neither a step nor a range of steps such as 40-44`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last - first > 1_000_000) throw new RangeError(`"${part}" is no ascending range`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  if (places.some((place, index) => index > 0 && place <= (places[index - 1] as number)))
    throw new RangeError("steps must ascend and be named once");
  return places;
}

// Owns what a simulation tells people: its figures in a few lines, and of a failure the seed, what broke, the few steps
// that are enough, and the command that runs them again. It refuses to bury the failure under the figures.

import { formatPlaces } from "./places.ts";
import type { Shrunk } from "./shrink.ts";
import { type SimulationResult, stepsInWords, type Tallies } from "./simulation.ts";

const whole = (value: number): string => value.toLocaleString("en-GB", { maximumFractionDigits: 0 });

/** The figures of one or more runs. */
export function tallyLines(tallies: Tallies, seeds: number): string[] {
  const { steps, seconds, events, simulatedHours, tradedWh, checks, platform, network, faults } = tallies;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .sort(([, left], [, right]) => right - left)
      .map(([name, count]) => `${name} ${whole(count)}`)
      .join(", ") || "none";
  return [
    `${whole(steps)} steps of ${whole(seeds)} seed${seeds === 1 ? "" : "s"} in ${seconds.toFixed(1)} s: ${whole(steps / seconds)} steps/s; ${whole(events)} events, ${whole(simulatedHours)} hours of market time, ${whole(tradedWh / 1000)} kWh traded`,
    `region   ${whole(checks.entries ?? 0)} entries, ${list(platform)}`,
    `checks   ${whole(checks.invariants ?? 0)} invariants over ${whole(checks.checkedEntries ?? 0)} entries, ${whole(checks.recoveries ?? 0)} recoveries, ${whole(checks.audits ?? 0)} audits, ${whole(checks.answers ?? 0)} answers (${whole(checks.repeats ?? 0)} given again)`,
    `network  ${list(network)}`,
    `proofs   ${list(tallies.proofs)}`,
    `jobs     ${list(tallies.jobs)}`,
    `attacks  ${list(tallies.attacks)}`,
    `agent    ${list(tallies.agent)}`,
    `faults   ${list(faults)}`,
    `accepted ${list(tallies.accepted)}`,
    `refused  ${list(tallies.refused)}`,
  ];
}

/** What broke, in the words of the check that saw it. */
export function failureLines({ seed, failure }: SimulationResult): string[] {
  if (failure === null) return [];
  return [`seed ${seed} FAILED: ${failure.check}`, `  ${failure.message}`, `  during ${failure.during}`];
}

/** The command line that runs a selection of a seed's steps again. */
export function replayCommand(
  seed: number,
  steps: number,
  places: readonly number[],
  sabotage?: string,
): string {
  const bug = sabotage === undefined ? "" : ` --sabotage "${sabotage}"`;
  return `npm run simulate -- --seed ${seed} --steps ${steps} --only ${formatPlaces(places)}${bug} --trace`;
}

/** The few steps that are enough, and how to run them. */
export function shrunkLines(steps: number, { places, result, runs }: Shrunk, sabotage?: string): string[] {
  const count = places.length === 1 ? "1 step is" : `${places.length} steps are`;
  const name = places.length === 0 ? "the opening alone is" : count;
  return [
    `${name} enough (${runs} runs to find them):`,
    ...stepsInWords(result.seed, places),
    ...failureLines(result).slice(1),
    replayCommand(result.seed, steps, places, sabotage),
  ];
}

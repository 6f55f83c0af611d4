// Owns one run of a seed: its steps in order, then calm, then what came of it. It refuses to go on after the first thing
// that was not as it must be; the same seed and the same steps give the same run, to the last hash.

import { settle } from "./calm.ts";
import { stepAt, temperOf } from "./draws.ts";
import type { SabotageName } from "./sabotage.ts";
import { describeStep, type Step } from "./steps.ts";
import type { Failure } from "./witness.ts";
import { World } from "./world.ts";

/** What to run. */
export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  /** Places of the only steps to run, ascending; all without it. */
  readonly only?: readonly number[];
  readonly sabotage?: SabotageName;
  /** Told of everything that happens. */
  readonly trace?: (line: string) => void;
  readonly progress?: (done: number) => void;
  /** Asked before each step; true ends the run there. */
  readonly isStopped?: () => boolean;
}

/** What happened in a run, or in several. */
export interface Tallies {
  readonly steps: number;
  readonly events: number;
  readonly seconds: number;
  readonly simulatedHours: number;
  readonly tradedWh: number;
  readonly checks: Readonly<Record<string, number>>;
  readonly platform: Readonly<Record<string, number>>;
  readonly network: Readonly<Record<string, number>>;
  readonly proofs: Readonly<Record<string, number>>;
  readonly attacks: Readonly<Record<string, number>>;
  readonly agent: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly jobs: Readonly<Record<string, number>>;
  readonly accepted: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
}

/** One run. */
export interface SimulationResult {
  readonly seed: number;
  readonly steps: number;
  readonly failure: (Failure & { readonly during: string; readonly place: number | null }) | null;
  readonly traceHash: string;
  readonly tallies: Tallies;
}

/** Full audits in between, in steps. */
const AUDIT_EVERY = 500;

/** Runs a seed. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, only, sabotage, trace, progress, isStopped } = options;
  const startedMs = performance.now();
  const temper = temperOf(seed);
  const world = new World(temper["agent wakes"] > 0, sabotage ?? null, trace ?? null);
  const places = only ?? Array.from({ length: options.steps }, (_, place) => place);
  let done = 0;
  let during = "the opening";
  let place: number | null = null;
  try {
    await world.open();
    for (const next of places) {
      if (world.isOver || isStopped?.() === true) break;
      const step = stepAt(seed, next, temper);
      place = next;
      during = `step ${next}: ${describeStep(step)}`;
      await world.perform(step);
      done += 1;
      if (done % AUDIT_EVERY === 0) await world.audit();
      progress?.(done);
    }
    if (!world.isOver) {
      during = "the calm after the last step";
      place = null;
      await settle(world);
    }
    const { failure } = world.witness;
    return {
      seed,
      steps: done,
      failure: failure === null ? null : { ...failure, during, place },
      traceHash: world.traceHash,
      tallies: talliesOf(world, done, (performance.now() - startedMs) / 1000),
    };
  } finally {
    world.close();
  }
}

/** The steps at some places of a seed, in words. */
export function stepsInWords(seed: number, places: readonly number[]): string[] {
  const temper = temperOf(seed);
  return places.map(
    (place) => `${String(place).padStart(6)}  ${describeStep(stepAt(seed, place, temper) as Step)}`,
  );
}

function talliesOf(world: World, steps: number, seconds: number): Tallies {
  const { host, witness, traffic, faults, timeline } = world;
  const { storage, bucket } = host;
  return {
    steps,
    events: timeline.happened,
    seconds,
    simulatedHours: world.hours,
    tradedWh: witness.book.tradedWh,
    checks: witness.counts,
    platform: host.counts,
    network: { ...traffic.counts, "feed frames": world.frames },
    proofs: { ...world.windows.counts, ...witness.attempts.counts, proofs: world.clients.proving.proofs },
    attacks: world.attacks,
    agent: world.agent?.counts ?? {},
    faults: {
      ...faults,
      "disk failed": storage.accidents.fail,
      "died while writing": storage.accidents.die,
      "bucket refused": bucket.failures.refusing,
      "bucket lost its answer": bucket.failures.deaf,
    },
    jobs: { ...witness.book.trades.jobs.counts },
    accepted: Object.fromEntries(world.accepted),
    refused: Object.fromEntries(world.refused),
  };
}

/** What is a number of its own. */
type Totals = "steps" | "events" | "seconds" | "simulatedHours" | "tradedWh";

/** Tallies of several runs together. */
export function sumOfTallies(all: readonly Tallies[]): Tallies {
  const sum = (name: Totals): number => all.reduce((total, tallies) => total + tallies[name], 0);
  const merged = (name: Exclude<keyof Tallies, Totals>) => {
    const totals: Record<string, number> = {};
    for (const tallies of all)
      for (const [key, count] of Object.entries(tallies[name])) totals[key] = (totals[key] ?? 0) + count;
    return totals;
  };
  return {
    steps: sum("steps"),
    events: sum("events"),
    seconds: sum("seconds"),
    simulatedHours: sum("simulatedHours"),
    tradedWh: sum("tradedWh"),
    checks: merged("checks"),
    platform: merged("platform"),
    network: merged("network"),
    proofs: merged("proofs"),
    attacks: merged("attacks"),
    agent: merged("agent"),
    faults: merged("faults"),
    jobs: merged("jobs"),
    accepted: merged("accepted"),
    refused: merged("refused"),
  };
}

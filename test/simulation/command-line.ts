// Owns the command line of `npm run simulate`: seeds are run one after the other, the first that fails is shrunk and shown,
// and the figures are printed. It refuses options that are not exactly what they should be; with --json the last line is one object.

import { Command, InvalidArgumentError, Option } from "commander";
import { whole } from "../../clients/cli/options.ts";
import { formatPlaces, parsePlaces } from "./places.ts";
import { SABOTAGES, type SabotageName } from "./sabotage.ts";
import type { SimulationOptions, SimulationResult } from "./simulation.ts";

interface Options {
  readonly seed?: number;
  readonly steps: number;
  readonly seeds: number;
  readonly only?: readonly number[];
  readonly trace?: boolean;
  readonly shrink: boolean;
  readonly json?: boolean;
  readonly sabotage?: SabotageName;
}

const MOST_STEPS = 10_000_000;
const LAST_SEED = 2 ** 31 - 1;
/** What a shell calls a program that was interrupted. */
const STOPPED = 130;
const SAYS_EVERY_MS = 2_000;

function places(text: string): number[] {
  try {
    return parsePlaces(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "are no steps");
  }
}

const program = new Command("simulate")
  .description("runs the region, its storage and its clients on a virtual clock, with faults, from a seed")
  .addOption(
    new Option("--seed <n>", "first seed; drawn and printed without it").argParser(whole(0, LAST_SEED)),
  )
  .addOption(new Option("--steps <n>", "steps of a seed").default(2_000).argParser(whole(0, MOST_STEPS)))
  .addOption(
    new Option("--seeds <n>", "seeds, one after the other").default(1).argParser(whole(1, 1_000_000)),
  )
  .addOption(new Option("--only <steps>", "only these steps, such as 3,17,40-44").argParser(places))
  .option("--trace", "print everything that happens")
  .option("--no-shrink", "show a failing run as it is")
  .addOption(
    new Option("--sabotage <bug>", "put a bug in on purpose, to see it found").choices(
      Object.keys(SABOTAGES),
    ),
  )
  .option("--json", "print one JSON object as the last line")
  .action(run);

let isStopped = false;

/** The simulator, loaded when the options are good. */
async function simulator() {
  const [report, shrinking, simulation] = await Promise.all([
    import("./report.ts"),
    import("./shrink.ts"),
    import("./simulation.ts"),
  ]);
  return { ...report, ...shrinking, ...simulation };
}

async function run(options: Options): Promise<void> {
  process.once("SIGINT", () => {
    isStopped = true;
  });
  if (options.only !== undefined && options.seeds > 1) throw new Error("--only names steps of one seed");
  if (options.only?.some((place) => place >= options.steps))
    throw new Error("--only names steps past --steps");
  const { simulate, sumOfTallies, tallyLines } = await simulator();
  const first = options.seed ?? Math.floor(Math.random() * LAST_SEED);
  const say = options.json === true ? console.error : console.log;
  if (options.seed === undefined) say(`seed ${first}`);
  const results: SimulationResult[] = [];
  for (let seed = first; seed < first + options.seeds && !isStopped; seed += 1) {
    const result = await simulate(runOf(seed, options, say, results.length));
    results.push(result);
    if (result.failure !== null) break;
  }
  const failed = results.find(({ failure }) => failure !== null);
  const tallies = sumOfTallies(results.map((result) => result.tallies));
  for (const line of tallyLines(tallies, results.length)) say(line);
  const shrunk = failed === undefined ? null : await showFailure(failed, options, say);
  if (isStopped) say("stopped");
  else if (failed === undefined) say(`no check failed; trace ${results.at(-1)?.traceHash}`);
  if (options.json === true) {
    const failures = failed === undefined ? null : { seed: failed.seed, ...failed.failure, only: shrunk };
    console.log(
      JSON.stringify({
        seed: first,
        seeds: results.length,
        stepsPerSecond: tallies.steps / tallies.seconds,
        traceHash: results.at(-1)?.traceHash ?? null,
        failure: failures,
        ...tallies,
      }),
    );
  }
  if (failed !== undefined) process.exitCode = 1;
  else if (isStopped) process.exitCode = STOPPED;
}

function runOf(
  seed: number,
  options: Options,
  say: (line: string) => void,
  before: number,
): SimulationOptions {
  let saidMs = performance.now();
  const progress = (done: number): void => {
    if (performance.now() - saidMs < SAYS_EVERY_MS) return;
    saidMs = performance.now();
    say(
      `  seed ${seed}: ${done} of ${options.only?.length ?? options.steps} steps${before > 0 ? `, ${before} seeds done` : ""}`,
    );
  };
  return {
    seed,
    steps: options.steps,
    progress,
    isStopped: () => isStopped,
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.sabotage === undefined ? {} : { sabotage: options.sabotage }),
    ...(options.trace === true ? { trace: say } : {}),
  };
}

/** Shows what broke and, unless told not to, the few steps that are enough; answers these. */
async function showFailure(
  failed: SimulationResult,
  options: Options,
  say: (line: string) => void,
): Promise<string | null> {
  const { failureLines, shrink, shrunkLines } = await simulator();
  say("");
  for (const line of failureLines(failed)) say(line);
  if (!options.shrink) return null;
  say("looking for the fewest steps …");
  const shrunk = await shrink(
    runOf(failed.seed, options, () => undefined, 0),
    failed,
  );
  for (const line of shrunkLines(options.steps, shrunk, options.sabotage)) say(line);
  return formatPlaces(shrunk.places);
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

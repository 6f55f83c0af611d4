// Owns the command line of the scenarios: it reads options, runs one scenario, and prints what came of it. With --json
// the last line is one JSON object and everything else goes to standard error.

import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { seconds, whole } from "../cli/options.ts";
import { addEconomyCommand } from "../economy/command.ts";
import { parseLadders } from "../household/ladder-file.ts";
import { parseDecimalMicros } from "../household/tariff.ts";
import { hasAnvil } from "../local/chain-process.ts";
import { runCompute } from "./compute.ts";
import { computeInWords } from "./compute-result.ts";
import { loadDataset } from "./data-folder.ts";
import { generatedDataset } from "./data-generated.ts";
import type { Dataset } from "./data-set.ts";
import { runDishonestOperator } from "./dishonest-operator.ts";
import { runGovernance } from "./governance.ts";
import { voteInWords } from "./governance-result.ts";
import { LIES } from "./lies.ts";
import { runNeighbourhood } from "./neighbourhood.ts";
import type { ScenarioResult } from "./summary.ts";
import { trustInWords } from "./trust-words.ts";

interface Options {
  readonly data?: string;
  readonly days: number;
  readonly homes?: number;
  readonly seed: number;
  readonly feedIn?: string;
  readonly networkFee: string;
  readonly takeRate: number;
  readonly orders?: string;
  readonly pace?: number;
  readonly chain: boolean;
  readonly json?: boolean;
}

interface TrustCommand {
  readonly only?: string;
  readonly unwatched?: boolean;
  readonly json?: boolean;
}

/** Every home's day is proved: two days of these take a minute on two cores. */
const GENERATED_HOMES = 8;

const program = new Command("scenario").description("runs a scenario on this machine and reports it");
program
  .command("neighbourhood")
  .description("homes trade their solar kWh through the real HTTP path, as fast as this machine goes")
  .option("--data <folder>", "folder of measured homes; generated homes without it")
  .addOption(new Option("--days <n>", "whole days to trade").default(2).argParser(whole(1, 366)))
  .addOption(
    new Option(
      "--homes <n>",
      `homes that trade; all of a folder's, or ${GENERATED_HOMES} generated ones`,
    ).argParser(whole(2, 500)),
  )
  .addOption(new Option("--seed <n>", "of the generated homes").default(1).argParser(whole(0, 2 ** 31)))
  .option("--feed-in <price>", "what the supplier pays per exported kWh, e.g. 0.08")
  .option("--network-fee <price>", "the grid's fee per kWh", "0.02")
  .addOption(
    new Option("--take-rate <bps>", "the treasury's share of a sale").default(100).argParser(whole(0, 2000)),
  )
  .option("--orders <file>", "ladders that every home posts instead of the default")
  .addOption(new Option("--pace <seconds>", "wall seconds a market day takes at least").argParser(seconds))
  .option("--no-chain", "on test money, and not on a local chain's")
  .option("--json", "print one JSON object as the last line")
  .action(neighbourhood);

program
  .command("dishonest-operator")
  .description(
    "an operator lies to the chain in every way there is; shows what stops it, and what everybody gets back",
  )
  .addOption(new Option("--only <lie>", "tell one lie").choices(LIES.map(({ name }) => name)))
  .option("--unwatched", "nobody replays the journal: shows what a false report costs then")
  .option("--json", "print one JSON object as the last line")
  .action(dishonestOperator);

addEconomyCommand(program, beginning);

program
  .command("governance")
  .description(
    "homes that trade vote for other fees and rewards; shows what changed, from which epoch on, and what it cost",
  )
  .option("--json", "print one JSON object as the last line")
  .action(governance);

program
  .command("compute")
  .description(
    "machines run an app's jobs, one of them makes results up; shows what finds it, and what it costs",
  )
  .option("--json", "print one JSON object as the last line")
  .action(compute);

async function compute(options: { readonly json?: boolean }): Promise<void> {
  if (!hasAnvil()) throw new Error("there is no local chain for this machine");
  const result = await runCompute(beginning());
  console.log(options.json ? JSON.stringify(result) : computeInWords(result));
  if (!result.isGood) process.exitCode = 1;
}

async function governance(options: { readonly json?: boolean }): Promise<void> {
  if (!hasAnvil()) throw new Error("there is no local chain for this machine");
  const result = await runGovernance(beginning());
  console.log(options.json ? JSON.stringify(result) : voteInWords(result));
  if (!result.isGood) process.exitCode = 1;
}

async function dishonestOperator(options: TrustCommand): Promise<void> {
  if (!hasAnvil()) throw new Error("there is no local chain for this machine");
  const { progress, signal } = beginning();
  const result = await runDishonestOperator({
    lies: LIES.filter(({ name }) => options.only === undefined || options.only === name),
    isWatched: options.unwatched !== true,
    signal,
    progress,
  });
  console.log(options.json ? JSON.stringify(result) : trustInWords(result));
  if (!result.isGood) process.exitCode = 1;
}

/** Ctrl-C stops a run in order; progress is told with the seconds that have passed. */
function beginning(): { readonly signal: AbortSignal; readonly progress: (message: string) => void } {
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort(new Error("stopped")));
  const startedMs = Date.now();
  const progress = (message: string): void =>
    console.error(`${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${message}`);
  return { signal: stopping.signal, progress };
}

async function neighbourhood(options: Options): Promise<void> {
  const dataset =
    options.data === undefined
      ? generatedDataset(options.seed, options.homes ?? GENERATED_HOMES, options.days)
      : firstHomes(loadDataset(options.data), options.homes);
  const feedIn =
    options.feedIn === undefined
      ? (dataset.feedInMicrosPerKwh ?? 80_000)
      : parseDecimalMicros(options.feedIn);
  const { signal, progress } = beginning();
  const result = await runNeighbourhood({
    dataset,
    days: options.days,
    tariff: dataset.tariff(feedIn),
    networkFeeMicrosPerKwh: parseDecimalMicros(options.networkFee),
    takeRateBps: options.takeRate,
    isOnChain: options.chain && hasAnvil(),
    signal,
    progress,
    ...(options.orders === undefined
      ? {}
      : { orders: parseLadders(JSON.parse(readFileSync(options.orders, "utf8"))) }),
    ...(options.pace === undefined ? {} : { secondsPerDay: options.pace }),
  });
  console.log(options.json ? JSON.stringify(result) : inWords(result, dataset.currency));
  if (!isGood(result)) process.exitCode = 1;
}

/** What must be true of every run, whatever the ladders. */
function isGood(result: ScenarioResult): boolean {
  const { auditOk, conservationDriftMicros, missedWindows, provedWh, tradedWh, withdrawal } = result;
  const isPaid =
    withdrawal === null ||
    (withdrawal.chainDriftMicros === 0 && withdrawal.withdrawnMicros === withdrawal.depositedMicros);
  return auditOk && conservationDriftMicros === 0 && missedWindows === 0 && provedWh === tradedWh && isPaid;
}

/** The first homes of a data set, or all. @throws RangeError where it has fewer */
function firstHomes(dataset: Dataset, homes: number | undefined): Dataset {
  if (homes === undefined) return dataset;
  if (homes > dataset.homes.length)
    throw new RangeError(`${dataset.name} has ${dataset.homes.length} homes, not ${homes}`);
  return { ...dataset, homes: dataset.homes.slice(0, homes) };
}

function inWords(result: ScenarioResult, currency: string): string {
  const kwh = (wh: number) => `${(wh / 1000).toFixed(1)} kWh`;
  const money = (micros: number) => `${(micros / 1e6).toFixed(2)} ${currency}`;
  const rows = result.households.map(
    ({ name, soldWh, boughtWh, gainMicros }) =>
      `  ${name.padEnd(12)} sold ${kwh(soldWh).padStart(11)}   bought ${kwh(boughtWh).padStart(11)}   gained ${money(gainMicros).padStart(12)}`,
  );
  return [
    `${result.homes} homes, ${result.days} days: ${kwh(result.tradedWh)} traded of ${kwh(result.matchableWh)} matchable (${(100 * result.tradedShare).toFixed(1)} %)`,
    `${result.proofs} proofs of meters, ${result.secondsPerProof.toFixed(2)} s each; ${kwh(result.provedWh)} of what traded is proved on both sides`,
    `buyers paid ${money(result.settledMicros)}: grid ${money(result.networkMicros)}, treasury ${money(result.feesMicros)}, dust ${result.dustMicros} micros`,
    ...rows,
    ...(result.withdrawal === null
      ? []
      : [
          `withdrawn on chain ${money(result.withdrawal.withdrawnMicros)} of ${money(result.withdrawal.depositedMicros)} deposited, over ${result.withdrawal.epochs} epochs; the contract holds ${result.withdrawal.chainDriftMicros} micros`,
        ]),
    `audit ${result.auditOk ? "ok" : `FAILED at ${result.auditFailure}`} over ${result.entries} entries and ${result.receipts} receipts; money drift ${result.conservationDriftMicros} micros`,
  ].join("\n");
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

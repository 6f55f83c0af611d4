// Owns the command line of the economy: its options, its files, and what it prints. It refuses options that are none, before
// anything is run or written.

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Parameters } from "../../protocol/commands.ts";
import { readJson } from "../cli/document-files.ts";
import { price, whole } from "../cli/options.ts";
import type { Resource } from "./assumptions.ts";
import { runScenario } from "./economy.ts";
import { writeEpochs } from "./epochs-file.ts";
import { localParameters, parametersIn, parseWeights, withWeights } from "./parameters-file.ts";
import { resultAsJson } from "./result.ts";
import { economyInWords } from "./words.ts";

interface EconomyCommand {
  readonly years: number;
  readonly seed: number;
  readonly price?: readonly bigint[];
  readonly parameters?: string;
  readonly weights?: Record<Resource, number>;
  readonly out: string;
  readonly json?: boolean;
}

/** Stops a run, and is told of its progress. */
export interface Beginning {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const MOST_PRICES = 16;
const MOST_PRICE_MICROS = 1_000_000_000_000;

/** Adds the command. @param beginning is called when the run begins */
export function addEconomyCommand(program: Command, beginning: () => Beginning): void {
  program
    .command("economy")
    .description("providers, demand, fees and rewards over years of days, at every price a token might have")
    .addOption(new Option("--years <n>", "whole years to run").default(5).argParser(whole(1, 30)))
    .addOption(
      new Option("--seed <n>", "of providers, sun and demand").default(1).argParser(whole(0, 2 ** 31)),
    )
    .addOption(
      new Option(
        "--price <list>",
        "what a token is worth, such as 0,0.01,0.5; else multiples of the break-even price",
      ).argParser(tokenPrices),
    )
    .option("--parameters <file>", "a region's file, or governed values by name; else the local region's")
    .addOption(
      new Option(
        "--weights <list>",
        "rewards for energy, compute and bandwidth (default: 2,1,1 without a file)",
      ).argParser(weights),
    )
    .option("--out <folder>", "where charts and the table of epochs are written", ".polder/economy")
    .option("--json", "print one JSON object as the last line")
    .action((options: EconomyCommand) => economy(options, beginning()));
}

async function economy(options: EconomyCommand, { signal, progress }: Beginning): Promise<void> {
  const { years, seed, out } = options;
  const parameters = parametersOf(options);
  progress(`seed ${seed}: ${years} years of days`);
  const { result, runs } = await runScenario({
    years,
    seed,
    parameters,
    pricesMicros: options.price ?? null,
    signal,
    progress,
  });
  const folder = resolve(out);
  mkdirSync(folder, { recursive: true });
  const epochs = join(folder, "epochs.csv");
  writeEpochs(epochs, runs);
  // Only here: other scenarios need not wait for a library that draws.
  const { writeCharts } = await import("./charts/files.ts");
  const files = [...(await writeCharts(folder, result, runs)), epochs];
  for (const file of files) progress(`wrote ${file}`);
  const whole = { ...result, files };
  console.log(options.json ? resultAsJson(whole) : economyInWords(whole));
}

function parametersOf({ parameters: file, weights: chosen }: EconomyCommand): Parameters {
  const parameters = file === undefined ? localParameters() : parametersIn(readJson(file));
  return chosen === undefined ? parameters : withWeights(parameters, chosen);
}

/** Reads `--weights`. @throws InvalidArgumentError that says what it must be */
export function weights(text: string): Record<Resource, number> {
  try {
    return parseWeights(text);
  } catch (error) {
    throw new InvalidArgumentError((error as RangeError).message);
  }
}

/** Reads `--price`, in micros a token. @throws InvalidArgumentError that says what it must be */
export function tokenPrices(text: string): bigint[] {
  const parts = text.split(",");
  if (parts.length > MOST_PRICES) throw new InvalidArgumentError(`must be at most ${MOST_PRICES} prices`);
  return parts.map((part) => {
    const micros = price(part);
    if (micros < 0 || micros > MOST_PRICE_MICROS)
      throw new InvalidArgumentError("must be prices from 0 to 1000000, such as 0,0.01,0.5");
    return BigInt(micros);
  });
}

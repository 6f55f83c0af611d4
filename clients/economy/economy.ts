// Owns the scenario of the economy: every demand curve at every token price, and the self-trader under several limits. It refuses
// to say which price a token will have.

import { setImmediate } from "node:timers/promises";
import type { Parameters } from "../../protocol/commands.ts";
import { GOVERNED_BOUNDS } from "../../protocol/governed-values.ts";
import {
  CURVES,
  type DemandCurve,
  EPOCHS_PER_YEAR,
  EXISTS,
  PERIOD_EPOCHS,
  PRICE_STEPS,
  RESOURCES,
  type Resource,
  TOKEN_TERMS,
} from "./assumptions.ts";
import {
  type CurveResult,
  type EconomyResult,
  type SelfTraderShare,
  stayPricesOf,
  yearsOf,
} from "./result.ts";
import { type EpochRow, mapResources, runEconomy } from "./run.ts";
import {
  bestOf,
  breakEvenMicrosPerToken,
  isModelled,
  resultAt,
  type SelfTradeResult,
  triedVolumes,
  weightOf,
} from "./self-trader.ts";
import { demandByEpoch, sunByEpoch } from "./weather.ts";

/** What is asked for. */
export interface EconomyOptions {
  readonly years: number;
  readonly seed: number;
  readonly parameters: Parameters;
  /** What a token is worth, in micros; multiples of the break-even price where none is named. */
  readonly pricesMicros: readonly bigint[] | null;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** A run with all its epochs. */
export interface EconomyRun {
  readonly curve: DemandCurve;
  readonly tokenMicros: bigint;
  readonly rows: readonly EpochRow[];
}

export interface Economy {
  readonly result: EconomyResult;
  readonly runs: readonly EconomyRun[];
}

/** Other limits under which the self-trader is tried: hundredths of the region's `rewardPerFee`. */
const LIMIT_STEPS = [25, 50, 100, 200, 400, 800] as const;

/** Runs everything. @throws Error where the signal asks to stop */
export async function runScenario(options: EconomyOptions): Promise<Economy> {
  const { years, seed, parameters, signal, progress } = options;
  const epochs = years * EPOCHS_PER_YEAR;
  const breakEven = breakEvenMicrosPerToken(parameters);
  const pricesMicros = ascending(options.pricesMicros ?? pricesAround(breakEven));
  const sun = sunByEpoch(seed, epochs);
  const runs: EconomyRun[] = [];
  const curves: CurveResult[] = [];
  const selfTraderShares: SelfTraderShare[] = [];
  for (const curve of CURVES) {
    const demand = demandByEpoch(seed, curve, epochs);
    const ofCurve: EconomyRun[] = [];
    for (const tokenMicros of pricesMicros) {
      // Between runs a signal is heard.
      await setImmediate(undefined, { signal });
      const rows = runEconomy({ seed, parameters, token: TOKEN_TERMS, tokenMicros, demand, sun });
      ofCurve.push({ curve, tokenMicros, rows });
    }
    runs.push(...ofCurve);
    curves.push({
      curve: curve.name,
      meaning: curve.meaning,
      runs: ofCurve.map(({ tokenMicros, rows }) => ({
        tokenMicros,
        stayPrices: mapResources((resource) => stayPricesOf(rows, resource)),
        years: yearsOf(rows, TOKEN_TERMS, tokenMicros),
      })),
    });
    progress(`${curve.name}: ${epochs} epochs at ${pricesMicros.length} prices of a token`);
    selfTraderShares.push(...sharesOf(ofCurve[0] as EconomyRun, parameters, pricesMicros));
  }
  const result: EconomyResult = {
    scenario: "economy",
    seed,
    years,
    epochs,
    parameters,
    token: TOKEN_TERMS,
    resources: RESOURCES.map((resource) => ({
      resource,
      exists: EXISTS[resource],
      isModelled: isModelled(parameters, resource),
      weight: weightOf(parameters, resource),
    })),
    breakEvenMicrosPerToken: breakEven,
    pricesMicros,
    curves,
    selfTraderShares,
    files: [],
  };
  return { result, runs };
}

function pricesAround(breakEven: bigint | null): bigint[] {
  return PRICE_STEPS.map((step) => ((breakEven ?? 0n) * BigInt(step)) / 100n);
}

function ascending(prices: readonly bigint[]): bigint[] {
  return [...new Set(prices)].sort((a, b) => (a < b ? -1 : 1));
}

/** What part of the emission the self-trader takes beside what others sell in a run, one epoch of each period. */
function sharesOf(run: EconomyRun, parameters: Parameters, prices: readonly bigint[]): SelfTraderShare[] {
  const looked = run.rows.filter(({ epoch }) => epoch % PERIOD_EPOCHS === 0);
  const emission = looked.reduce((sum, row) => sum + row.emission, 0n);
  const limits = LIMIT_STEPS.map((step) => (BigInt(parameters.rewardPerFee) * BigInt(step)) / 100n);
  const allowed = limits.filter((limit) => limit > 0n && limit <= GOVERNED_BOUNDS.rewardPerFee.most);
  return allowed.map((limit) => {
    const rewardPerFee = String(limit);
    const under = { ...parameters, rewardPerFee };
    const trials = looked.flatMap((row) =>
      RESOURCES.map((resource) => {
        const othersUnits = row.resources[resource].soldUnits;
        return {
          resource,
          tried: triedVolumes({ resource, parameters: under, emission: row.emission, othersUnits }),
        };
      }),
    );
    return {
      curve: run.curve.name,
      rewardPerFee,
      breakEvenMicrosPerToken: breakEvenMicrosPerToken(under),
      atPrices: prices.map((tokenMicros) => shareAt(trials, tokenMicros, emission)),
    };
  });
}

interface Trial {
  readonly resource: Resource;
  readonly tried: readonly SelfTradeResult[];
}

function shareAt(
  trials: readonly Trial[],
  tokenMicros: bigint,
  emission: bigint,
): SelfTraderShare["atPrices"][number] {
  let taken = 0n;
  let ofEnergy = 0n;
  let resultMicros = 0n;
  for (const { resource, tried } of trials) {
    const best = bestOf(tried, tokenMicros);
    taken += best.rewards;
    if (resource === "energy") ofEnergy += best.rewards;
    resultMicros += resultAt(best, tokenMicros);
  }
  const bps = (part: bigint) => (emission === 0n ? 0 : Number((part * 10_000n) / emission));
  return { tokenMicros, shareBps: bps(taken), energyShareBps: bps(ofEnergy), resultMicros };
}

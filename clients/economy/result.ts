// Owns what the scenario reports of the economy, and how epochs become years. It refuses averages: sums, ends, and prices.

import type { Parameters } from "../../protocol/commands.ts";
import { type CurveName, EPOCHS_PER_YEAR, RESOURCES, type Resource, type TokenTerms } from "./assumptions.ts";
import { type EpochRow, mapResources } from "./run.ts";
import { resultAt } from "./self-trader.ts";

const TOKEN = 10n ** 18n;

/** What those who sell would need to stay, each look back of a provider at a review counted. Micros a token. */
export interface StayPrices {
  readonly judged: number;
  /** Whose sales alone bore their cost. */
  readonly withoutRewards: number;
  /** Whom no price would keep: they earned no rewards. */
  readonly lost: number;
  /** The price that keeps one of the others, half of them, all of them; null where there were none. */
  readonly leastMicros: bigint | null;
  readonly halfMicros: bigint | null;
  readonly mostMicros: bigint | null;
}

/** A year of a resource. Micros and token base units. */
export interface ResourceYear {
  readonly soldUnits: number;
  readonly feesMicros: number;
  readonly networkMicros: number;
  readonly rewards: bigint;
  readonly providersAtEnd: number;
  readonly came: number;
  readonly left: number;
  readonly stayPrices: StayPrices;
  /** The adversary that trades a tenth of what everybody sells with itself, at the run's price. */
  readonly selfTradeCostMicros: bigint;
  readonly selfTradeRewards: bigint;
  readonly selfTradeResultMicros: bigint;
}

/** A year of a run. Micros and token base units. */
export interface YearResult {
  readonly year: number;
  readonly epochs: number;
  readonly paidMicros: number;
  readonly receivedMicros: number;
  readonly feesMicros: number;
  readonly networkMicros: number;
  readonly dustMicros: number;
  readonly emission: bigint;
  readonly rewards: bigint;
  /** Never minted: no rule reached it. */
  readonly unreached: bigint;
  /** Above this price of a token the year's rewards are worth more than its fees; null where there were none. Rounded up. */
  readonly outrunsAboveMicros: bigint | null;
  /** Epochs whose rewards, at the run's price, were worth more than their fees. */
  readonly outrunEpochs: number;
  /** What the buyers of the year's rewards would have paid at the run's price. */
  readonly rewardsWorthMicros: bigint;
  readonly treasuryAtEndMicros: number;
  readonly mintedAtEnd: bigint;
  readonly supplyAtEnd: bigint;
  /** What the treasury holds for each token there is: the most that a vote could pay out. Rounded down. */
  readonly treasuryPerTokenMicros: bigint;
  readonly resources: Readonly<Record<Resource, ResourceYear>>;
}

/** A demand curve at a token price. */
export interface RunResult {
  readonly tokenMicros: bigint;
  /** Over all years. */
  readonly stayPrices: Readonly<Record<Resource, StayPrices>>;
  readonly years: readonly YearResult[];
}

export interface CurveResult {
  readonly curve: CurveName;
  readonly meaning: string;
  readonly runs: readonly RunResult[];
}

/** The self-trader that picks the best volume each epoch: what part of the emission it takes. */
export interface SelfTraderShare {
  readonly curve: CurveName;
  readonly rewardPerFee: string;
  readonly breakEvenMicrosPerToken: bigint | null;
  readonly atPrices: readonly {
    readonly tokenMicros: bigint;
    readonly shareBps: number;
    /** Of the whole emission, by energy alone. */
    readonly energyShareBps: number;
    /** Over the epochs looked at, one of each period. */
    readonly resultMicros: bigint;
  }[];
}

export interface EconomyResult {
  readonly scenario: "economy";
  readonly seed: number;
  readonly years: number;
  readonly epochs: number;
  readonly parameters: Parameters;
  readonly token: TokenTerms;
  readonly resources: readonly {
    readonly resource: Resource;
    readonly exists: boolean;
    /** False for what neither exists nor is rewarded: nobody buys or sells it. */
    readonly isModelled: boolean;
    readonly weight: number;
  }[];
  readonly breakEvenMicrosPerToken: bigint | null;
  readonly pricesMicros: readonly bigint[];
  readonly curves: readonly CurveResult[];
  readonly selfTraderShares: readonly SelfTraderShare[];
  readonly files: readonly string[];
}

/** The resources that somebody buys and sells in it. */
export function modelledIn({ resources }: EconomyResult): Resource[] {
  return resources.filter(({ isModelled }) => isModelled).map(({ resource }) => resource);
}

/** The years of a run; the last one may be short. */
export function yearsOf(rows: readonly EpochRow[], token: TokenTerms, tokenMicros: bigint): YearResult[] {
  const years: YearResult[] = [];
  for (let from = 0; from < rows.length; from += EPOCHS_PER_YEAR) {
    const of = rows.slice(from, from + EPOCHS_PER_YEAR);
    years.push(yearOf(years.length + 1, of, token, tokenMicros));
  }
  return years;
}

function yearOf(year: number, rows: readonly EpochRow[], token: TokenTerms, tokenMicros: bigint): YearResult {
  const last = rows[rows.length - 1] as EpochRow;
  const resources = mapResources((resource) => resourceYearOf(rows, resource, tokenMicros));
  const money = { paidMicros: 0, receivedMicros: 0, feesMicros: 0, networkMicros: 0, dustMicros: 0 };
  let emission = 0n;
  let rewards = 0n;
  let outrunEpochs = 0;
  for (const row of rows) {
    const day = Object.values(row.resources);
    for (const { paidMicros, receivedMicros, feeMicros, networkMicros, dustMicros } of day) {
      money.paidMicros += paidMicros;
      money.receivedMicros += receivedMicros;
      money.feesMicros += feeMicros;
      money.networkMicros += networkMicros;
      money.dustMicros += dustMicros;
    }
    const { rewards: dayRewards, feesMicros } = dayTotals(row);
    if (dayRewards * tokenMicros > BigInt(feesMicros) * TOKEN) outrunEpochs += 1;
    emission += row.emission;
    rewards += dayRewards;
  }
  const supplyAtEnd = token.atBirth + last.minted;
  const treasury = BigInt(last.treasuryMicros);
  return {
    year,
    epochs: rows.length,
    ...money,
    emission,
    rewards,
    unreached: emission - rewards,
    outrunsAboveMicros: rewards === 0n ? null : (BigInt(money.feesMicros) * TOKEN + rewards - 1n) / rewards,
    outrunEpochs,
    rewardsWorthMicros: (rewards * tokenMicros) / TOKEN,
    treasuryAtEndMicros: last.treasuryMicros,
    mintedAtEnd: last.minted,
    supplyAtEnd,
    treasuryPerTokenMicros: supplyAtEnd === 0n ? 0n : (treasury * TOKEN) / supplyAtEnd,
    resources,
  };
}

/** Rewards and fees of an epoch over all resources. Token base units and micros. */
export function dayTotals({ resources }: EpochRow): {
  readonly rewards: bigint;
  readonly feesMicros: number;
} {
  let rewards = 0n;
  let feesMicros = 0;
  for (const resource of RESOURCES) {
    rewards += resources[resource].rewards;
    feesMicros += resources[resource].feeMicros;
  }
  return { rewards, feesMicros };
}

function resourceYearOf(rows: readonly EpochRow[], resource: Resource, tokenMicros: bigint): ResourceYear {
  const sums = { soldUnits: 0, feesMicros: 0, networkMicros: 0, came: 0, left: 0 };
  let rewards = 0n;
  const cost = { costMicros: 0n, rewards: 0n };
  for (const row of rows) {
    const {
      soldUnits,
      feeMicros,
      networkMicros,
      rewards: dayRewards,
      review,
      selfTrade,
    } = row.resources[resource];
    sums.soldUnits += soldUnits;
    sums.feesMicros += feeMicros;
    sums.networkMicros += networkMicros;
    sums.came += review?.came ?? 0;
    sums.left += review?.left ?? 0;
    rewards += dayRewards;
    cost.costMicros += selfTrade.costMicros;
    cost.rewards += selfTrade.rewards;
  }
  const last = rows[rows.length - 1] as EpochRow;
  return {
    ...sums,
    rewards,
    providersAtEnd: last.resources[resource].providers,
    stayPrices: stayPricesOf(rows, resource),
    selfTradeCostMicros: cost.costMicros,
    selfTradeRewards: cost.rewards,
    selfTradeResultMicros: resultAt(cost, tokenMicros),
  };
}

/** What those who sold in some epochs of a run would have needed. */
export function stayPricesOf(rows: readonly EpochRow[], resource: Resource): StayPrices {
  const prices = rows.flatMap((row) => row.resources[resource].review?.stayPricesMicros ?? []);
  const needed = prices.filter((price) => price !== null && price > 0n) as bigint[];
  needed.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const last = needed.length - 1;
  return {
    judged: prices.length,
    withoutRewards: prices.filter((price) => price === 0n).length,
    lost: prices.filter((price) => price === null).length,
    leastMicros: needed[0] ?? null,
    halfMicros: needed[Math.ceil(last / 2)] ?? null,
    mostMicros: needed[last] ?? null,
  };
}

/** As one line of JSON; what may pass a number of JSON is written as decimal text. */
export function resultAsJson(result: EconomyResult): string {
  return JSON.stringify(result, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

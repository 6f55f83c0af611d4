// Owns one run of the economy: a demand curve and a token price, epoch after epoch, with providers that come and go. It refuses
// a run in which a micro or a token is not accounted for.

import { decayedEmission, rewardShare } from "../../market/rewards.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { divDown } from "../../protocol/units.ts";
import { DEMANDS, PERIOD_EPOCHS, POOLS, RESOURCES, type Resource, type TokenTerms } from "./assumptions.ts";
import { askMarket, type DayMarket, type DayTrade, energyMarket } from "./day-markets.ts";
import { drawPool, type Provider, type Review, reviewPool } from "./pool.ts";
import { isModelled, type SelfTradeResult, termsOf, tradeWithOneself } from "./self-trader.ts";

/** What the adversary of a run trades with itself: this part of what everybody else sells, in hundredths. */
export const SELF_TRADER_PERCENT = 10;
const SUNNY = 1_000;

/** What a run depends on. */
export interface RunTerms {
  readonly seed: number;
  readonly parameters: Parameters;
  readonly token: TokenTerms;
  /** What a token is worth, in micros. */
  readonly tokenMicros: bigint;
  readonly demand: Readonly<Record<Resource, Float64Array>>;
  /** Thousandths of the mean day's. */
  readonly sun: Int32Array;
}

/** A resource's part of an epoch. Micros and token base units. */
export interface ResourceEpoch {
  readonly providers: number;
  readonly soldUnits: number;
  readonly paidMicros: number;
  readonly receivedMicros: number;
  readonly feeMicros: number;
  readonly networkMicros: number;
  readonly dustMicros: number;
  readonly rewards: bigint;
  readonly selfTrade: SelfTradeResult;
  /** Null but at the end of a period. */
  readonly review: Review | null;
}

/** One epoch. */
export interface EpochRow {
  readonly epoch: number;
  readonly emission: bigint;
  readonly resources: Readonly<Record<Resource, ResourceEpoch>>;
  /** After it: fees and dust of all epochs so far. Micros. */
  readonly treasuryMicros: number;
  /** Rewards of all epochs so far, and what of them the token's ceiling lets be minted. Base units. */
  readonly owed: bigint;
  readonly minted: bigint;
}

/** Runs an economy for as long as there is a demand. */
export function runEconomy(terms: RunTerms): EpochRow[] {
  const { seed, parameters, token, tokenMicros, demand, sun } = terms;
  const markets: Readonly<Record<Resource, DayMarket>> = {
    energy: energyMarket(parameters, DEMANDS.energy),
    compute: askMarket(parameters, DEMANDS.compute),
    bandwidth: askMarket(parameters, DEMANDS.bandwidth),
  };
  const pools = mapResources((resource) =>
    isModelled(parameters, resource) ? drawPool(seed, resource, parameters) : [],
  );
  const rows: EpochRow[] = [];
  let emission = BigInt(parameters.emissionPerEpoch);
  let treasuryMicros = 0;
  let owed = 0n;
  for (let epoch = 0; epoch < sun.length; epoch += 1) {
    const isLastOfPeriod = (epoch + 1) % PERIOD_EPOCHS === 0;
    const resources = mapResources((resource): ResourceEpoch => {
      const pool = pools[resource];
      const daySun = resource === "energy" ? (sun[epoch] as number) : SUNNY;
      const trade = markets[resource](pool, demand[resource][epoch] as number, daySun);
      const rewards = settleEpoch(parameters, resource, emission, pool, trade);
      const attacked = { resource, parameters, emission, othersUnits: trade.soldUnits };
      const { soldUnits, paidMicros, receivedMicros, feeMicros, networkMicros, dustMicros } = trade;
      return {
        providers: pool.reduce((count, { isIn }) => count + (isIn ? 1 : 0), 0),
        soldUnits,
        paidMicros,
        receivedMicros,
        feeMicros,
        networkMicros,
        dustMicros,
        rewards,
        selfTrade: tradeWithOneself(attacked, divDown(trade.soldUnits * SELF_TRADER_PERCENT, 100)),
        review: isLastOfPeriod ? reviewPool(pool, POOLS[resource], tokenMicros) : null,
      };
    });
    let epochRewards = 0n;
    for (const { rewards, feeMicros, dustMicros } of Object.values(resources)) {
      epochRewards += rewards;
      treasuryMicros += feeMicros + dustMicros;
    }
    assertSound(resources, epochRewards, emission);
    owed += epochRewards;
    rows.push({ epoch, emission, resources, treasuryMicros, owed, minted: mintable(token, owed, epoch) });
    emission = decayedEmission(emission, parameters);
  }
  return rows;
}

/** Pays an epoch's rewards into everybody's books. @returns their sum */
function settleEpoch(
  parameters: Parameters,
  resource: Resource,
  emission: bigint,
  pool: readonly Provider[],
  trade: DayTrade,
): bigint {
  const terms = termsOf(parameters, resource, emission, trade.soldUnits);
  let sum = 0n;
  for (const [place, { running }] of pool.entries()) {
    const units = trade.units[place] as number;
    if (units === 0) continue;
    const reward = rewardShare(terms, BigInt(units), BigInt(trade.fees[place] as number));
    running.units += units;
    running.receivedMicros += trade.received[place] as number;
    running.rewards += reward;
    sum += reward;
  }
  return sum;
}

/** What of the rewards exists as tokens: the contract's ceiling grows day by day and ends at the cap. */
function mintable({ cap, atBirth, mostPerDay }: TokenTerms, owed: bigint, epoch: number): bigint {
  const byTime = mostPerDay * BigInt(epoch + 1);
  const most = byTime < cap - atBirth ? byTime : cap - atBirth;
  return owed < most ? owed : most;
}

/** @throws Error where money or emission does not add up: our own bug */
function assertSound(
  resources: Readonly<Record<Resource, ResourceEpoch>>,
  rewards: bigint,
  emission: bigint,
): void {
  for (const [resource, day] of Object.entries(resources)) {
    const { paidMicros, receivedMicros, feeMicros, networkMicros, dustMicros } = day;
    const drift = paidMicros - receivedMicros - feeMicros - networkMicros - dustMicros;
    if (drift !== 0 || dustMicros < 0) throw new Error(`${resource}: ${drift} micros and ${dustMicros} dust`);
  }
  if (rewards > emission) throw new Error(`rewards of ${rewards} above an emission of ${emission}`);
}

/** The same for each resource. */
export function mapResources<T>(of: (resource: Resource) => T): Record<Resource, T> {
  return Object.fromEntries(RESOURCES.map((resource) => [resource, of(resource)])) as Record<Resource, T>;
}

// Owns the adversary that sells to itself for rewards: two sides, as many accounts as the cap asks for, the cheapest price that
// earns all its units allow. It refuses to be hindered: evidence, meters and a price of its own cost it nothing here.

import { buyerPays, saleMicros, sellerFee, sellerReceives } from "../../market/auction/settlement.ts";
import { costMicros, feeMicros, worth } from "../../market/continuous/amounts.ts";
import { energyTerms, type RewardTerms, rewardShare } from "../../market/rewards.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH, MAX_REGION_MICROS } from "../../protocol/limits.ts";
import { divDown, divUp } from "../../protocol/units.ts";
import { EXISTS, POOLS, type Resource } from "./assumptions.ts";

const TOKEN = 10n ** 18n;
const MILLION = 1_000_000n;
const BPS = 10_000;
/** Fees that no reward is limited by. Micros. */
const ENOUGH_FEES = 10n ** 45n;

/** An epoch of a resource, without the adversary. */
export interface AttackedEpoch {
  readonly resource: Resource;
  readonly parameters: Parameters;
  readonly emission: bigint;
  /** What everybody else sold. */
  readonly othersUnits: number;
}

/** What an epoch of trading with oneself costs and earns. */
export interface SelfTradeResult {
  readonly units: number;
  /** All that does not come back: fee, network fee, dust. Micros. */
  readonly costMicros: bigint;
  readonly feeMicros: bigint;
  /** Token base units. */
  readonly rewards: bigint;
}

const NOTHING: SelfTradeResult = { units: 0, costMicros: 0n, feeMicros: 0n, rewards: 0n };

/** A resource's weight among the rewards. */
export function weightOf(parameters: Parameters, resource: Resource): number {
  const { rewardWeightEnergy, rewardWeightCompute, rewardWeightBandwidth } = parameters;
  return { energy: rewardWeightEnergy, compute: rewardWeightCompute, bandwidth: rewardWeightBandwidth }[
    resource
  ];
}

/** What a region rewards may be bought and sold in the model; what it does not must exist. */
export function isModelled(parameters: Parameters, resource: Resource): boolean {
  return EXISTS[resource] || weightOf(parameters, resource) > 0;
}

/** What a resource's share of an epoch depends on. */
export function termsOf(
  parameters: Parameters,
  resource: Resource,
  emission: bigint,
  units: number,
): RewardTerms {
  return { ...energyTerms(parameters, emission, units), weight: BigInt(weightOf(parameters, resource)) };
}

/**
 * 10⁶ ÷ `rewardPerFee` micros a base unit: while a token of 10¹⁸ of them is worth no more, trading with oneself never pays. Null
 * where fees earn nothing. Micros a token, rounded down.
 */
export function breakEvenMicrosPerToken({ rewardPerFee }: Parameters): bigint | null {
  return rewardPerFee === "0" ? null : (TOKEN * MILLION) / BigInt(rewardPerFee);
}

/** Sells so many units to itself, shared by as many accounts as no cap limits. */
export function tradeWithOneself(attacked: AttackedEpoch, units: number): SelfTradeResult {
  const { resource, parameters, emission, othersUnits } = attacked;
  const { shareCapBps, takeRateBps } = parameters;
  if (shareCapBps === 0 || takeRateBps === 0 || parameters.rewardPerFee === "0") return NOTHING;
  const accounts = divUp(BPS, shareCapBps);
  const each = divDown(units, accounts);
  if (each === 0) return NOTHING;
  const terms = termsOf(parameters, resource, emission, othersUnits + each * accounts);
  const wanted = rewardShare(terms, BigInt(each), ENOUGH_FEES);
  if (wanted === 0n) return NOTHING;
  const wantedFee = (wanted * MILLION + terms.rewardPerFee - 1n) / terms.rewardPerFee;
  const trade = amountsOf(attacked, each, wantedFee);
  const rewards = rewardShare(terms, BigInt(each), trade.feeMicros);
  const all = BigInt(accounts);
  return {
    units: each * accounts,
    costMicros: trade.costMicros * all,
    feeMicros: trade.feeMicros * all,
    rewards: rewards * all,
  };
}

/** The amounts of one account's sale to another of the same hand, at the least price whose fee is the wanted one. */
function amountsOf(
  { resource, parameters: { takeRateBps, networkFeeMicrosPerKwh } }: AttackedEpoch,
  units: number,
  wantedFee: bigint,
): { readonly costMicros: bigint; readonly feeMicros: bigint } {
  const sale = (wantedFee * BigInt(BPS) + BigInt(takeRateBps) - 1n) / BigInt(takeRateBps);
  const unitsPerPrice = BigInt(POOLS[resource].unitsPerPrice);
  const wanted = (sale * unitsPerPrice + BigInt(units) - 1n) / BigInt(units);
  if (resource === "energy") {
    const price = Number(least(wanted, BigInt(MAX_ABSOLUTE_PRICE_MICROS_PER_KWH)));
    const paid = buyerPays(units, price, networkFeeMicrosPerKwh);
    const received = sellerReceives(units, price, takeRateBps);
    const fee = sellerFee(saleMicros(units, price), takeRateBps);
    return { costMicros: BigInt(paid - received), feeMicros: BigInt(fee) };
  }
  const price = Number(least(wanted, BigInt(divDown(MAX_REGION_MICROS, units))));
  const fee = BigInt(feeMicros(costMicros(worth(units, price)), takeRateBps));
  return { costMicros: fee, feeMicros: fee };
}

/** What is left of a result where a token is worth so much. Micros, rounded down. */
export function resultAt(
  { costMicros: cost, rewards }: Pick<SelfTradeResult, "costMicros" | "rewards">,
  tokenMicros: bigint,
): bigint {
  return (rewards * tokenMicros) / TOKEN - cost;
}

/** What the adversary tries, in hundredths of what everybody else sells. */
const VOLUMES = [1, 3, 10, 30, 100, 300, 1_000] as const;

/** What each volume would come to. */
export function triedVolumes(attacked: AttackedEpoch): SelfTradeResult[] {
  return VOLUMES.map((volume) => tradeWithOneself(attacked, divDown(attacked.othersUnits * volume, 100)));
}

/** The trial that leaves most where a token is worth so much; nothing where none leaves anything. */
export function bestOf(tried: readonly SelfTradeResult[], tokenMicros: bigint): SelfTradeResult {
  let best = NOTHING;
  let most = 0n;
  for (const trial of tried) {
    const left = resultAt(trial, tokenMicros);
    if (left <= most) continue;
    best = trial;
    most = left;
  }
  return best;
}

function least(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

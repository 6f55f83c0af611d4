// Owns what a unit that somebody sells to themselves costs and earns, per resource, and from what token price it would pay. It
// refuses to know that price: it is what a reader takes it to be.

import type { Parameters } from "../protocol/commands.ts";
import type { Resource } from "../protocol/products.ts";
import { feeOf, networkOf } from "./previews.ts";
import { rewardShare, rewardTerms } from "./rewards.ts";

/** One kWh, terafuel or terabyte more that somebody sells to themselves: what it costs, and what it earns at the most. */
export interface SelfTrade {
  /**
   * While a token of 10¹⁸ base units is worth no more, trading with oneself never pays: 10⁶ ÷ `rewardPerFee` micros a base
   * unit. Null where fees earn nothing, or the resource weighs nothing. Micros.
   */
  readonly breakEvenMicrosPerToken: bigint | null;
  readonly feeMicros: bigint;
  readonly networkMicros: bigint;
  /** Token base units. */
  readonly reward: bigint;
  /** What a token must be worth before it pays, its network fee counted; null where it earns nothing. Micros. */
  readonly paysAboveMicrosPerToken: bigint | null;
  /** Its reward less its cost at a token's price, rounded down; null where none was named. */
  readonly gainMicros: bigint | null;
}

/** What others do with a resource, beside which somebody trades with themselves. */
export interface SelfTradeOf {
  readonly resource: Resource;
  /** What an epoch may emit, token base units. */
  readonly emission: bigint;
  /** Delivered by everybody in the epoch, without it: Wh, megafuel or megabytes. */
  readonly units: bigint;
  /** Micros for a kWh, terafuel or terabyte: a higher price costs and earns more by the same share. */
  readonly price: bigint;
}

const TOKEN = 10n ** 18n;

/** Units of what a price is for. */
export const PRICED_UNITS: Readonly<Record<Resource, bigint>> = {
  energy: 1_000n,
  compute: 1_000_000n,
  bandwidth: 1_000_000n,
};

/**
 * What a priced quantity sold to oneself would do under some parameters.
 * @param tokenMicros what a token is worth, or null.
 */
export function selfTrade(
  parameters: Parameters,
  { resource, emission, units, price }: SelfTradeOf,
  tokenMicros: bigint | null,
): SelfTrade {
  const rewardPerFee = BigInt(parameters.rewardPerFee);
  const sold = PRICED_UNITS[resource];
  const feeMicros = feeOf(price, parameters);
  const networkMicros = resource === "energy" ? networkOf(sold, parameters) : 0n;
  const terms = rewardTerms(parameters, resource, emission, units + sold);
  const reward = rewardShare(terms, sold, feeMicros);
  const costMicros = feeMicros + networkMicros;
  const earns = rewardPerFee > 0n && terms.weight > 0n;
  return {
    breakEvenMicrosPerToken: earns ? (TOKEN * 1_000_000n) / rewardPerFee : null,
    feeMicros,
    networkMicros,
    reward,
    paysAboveMicrosPerToken: reward === 0n ? null : (costMicros * TOKEN) / reward,
    gainMicros: tokenMicros === null ? null : (reward * tokenMicros) / TOKEN - costMicros,
  };
}

/** Owns turning all-in limits into book prices and nothing else; refuses limits, fees and rates it cannot trust. */
import {
  MAX_ABSOLUTE_PRICE_MICROS_PER_KWH,
  MAX_NETWORK_FEE_MICROS_PER_KWH,
  MAX_TAKE_RATE_BPS,
} from "../../protocol/limits.ts";
import { divUp } from "../../protocol/units.ts";

function assertWithin(name: string, value: number, least: number, greatest: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > greatest) {
    throw new RangeError(`${name} outside ${least}…${greatest}: ${value}`);
  }
}

function assertLimit(limitMicros: number): void {
  const greatest = MAX_ABSOLUTE_PRICE_MICROS_PER_KWH;
  assertWithin("limit price", limitMicros, -greatest, greatest);
}

/**
 * The least price that leaves a seller its limit after the take rate, in micros per kWh: rounded up, so the fee
 * never eats into the limit. A limit at or below zero stays: no fee is taken from a sale that earns nothing, and
 * a sale above zero is above such a limit after any fee. At most 1.25·10⁷, which fits the 32-bit column.
 */
export function netAskPrice(limitMicros: number, takeRateBps: number): number {
  assertLimit(limitMicros);
  assertWithin("take rate", takeRateBps, 0, MAX_TAKE_RATE_BPS);
  return limitMicros <= 0 ? limitMicros + 0 : divUp(limitMicros * 10_000, 10_000 - takeRateBps);
}

/** The highest energy price that keeps a buyer within its all-in limit, in micros per kWh: limit minus network fee. */
export function netBidPrice(limitMicros: number, networkFeeMicros: number): number {
  assertLimit(limitMicros);
  assertWithin("network fee", networkFeeMicros, 0, MAX_NETWORK_FEE_MICROS_PER_KWH);
  return limitMicros - networkFeeMicros + 0;
}

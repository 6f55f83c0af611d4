// Owns the one mapping from wall time to market time. It refuses a rate other than 1 off the local chain, and
// nothing else in the project may ask what time it is in the market.

import { LOCAL_CHAIN_ID } from "./limits.ts";

export interface MarketClock {
  /** Wall time in milliseconds at which both clocks showed the same. */
  readonly originMs: number;
  /** Market seconds per wall second; 1 anywhere but on the local chain. */
  readonly rate: number;
}

/** Platforms read many other texts as some date or other: "7 Z" is a day of 2001 to one of them. */
const INSTANT =
  /^([0-9]{4}|[+-][0-9]{6})-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$/;

/** Thrown for a clock that must not run: a deployment fault, not a rejection. */
export class ClockRefused extends Error {
  override readonly name = "ClockRefused";
}

/**
 * Reads the clock from the deployment's variables.
 * @param origin ISO 8601 instant at which market and wall time agree.
 * @param rate market seconds per wall second, a positive decimal.
 * @throws ClockRefused when the rate is not 1 and the chain is not the local one, or a value is malformed.
 */
export function parseClock(origin: string, rate: string, chainId: number): MarketClock {
  const originMs = Date.parse(origin);
  const parsedRate = Number(rate);
  if (!Number.isFinite(originMs) || !INSTANT.test(origin))
    throw new ClockRefused(`CLOCK_ORIGIN is not an instant: ${origin}`);
  if (!/^\d+(\.\d+)?$/.test(rate) || !Number.isFinite(parsedRate) || parsedRate <= 0)
    throw new ClockRefused(`CLOCK_RATE is not positive: ${rate}`);
  if (parsedRate !== 1 && chainId !== LOCAL_CHAIN_ID) {
    throw new ClockRefused(`CLOCK_RATE ${rate} is refused on chain ${chainId}`);
  }
  return { originMs, rate: parsedRate };
}

/** Market time in whole seconds at a wall instant in milliseconds. */
export function marketTimeS(clock: MarketClock, wallMs: number): number {
  return Math.floor((clock.originMs + (wallMs - clock.originMs) * clock.rate) / 1000);
}

/** The first wall millisecond at which market time has reached `atS`. */
export function wallTimeMs(clock: MarketClock, atS: number): number {
  return Math.ceil(clock.originMs + (atS * 1000 - clock.originMs) / clock.rate);
}

/** The origin that makes market time `marketS` coincide with wall time `wallMs` at this rate (rate ≠ 1). */
export function originFor(marketS: number, wallMs: number, rate: number): string {
  const originMs = (rate * wallMs - marketS * 1000) / (rate - 1);
  // Whole milliseconds, rounded to the side on which market time is not yet short of `marketS`.
  return new Date(rate > 1 ? Math.floor(originMs) : Math.ceil(originMs)).toISOString();
}

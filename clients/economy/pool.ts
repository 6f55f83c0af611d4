// Owns who could provide a resource, and the rule by which they come and go. It refuses foresight: everybody looks back, at
// their own books or at those of whoever sells now.

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { divDown, divUp } from "../../protocol/units.ts";
import { defaultLimits } from "../household/default-orders.ts";
import { hashIntegers } from "../household/random-stream.ts";
import {
  ENTRANTS_PER_PERIOD_OF_100,
  FIRST_PROVIDERS,
  PERIOD_EPOCHS,
  POOLS,
  type PoolAssumption,
  RESOURCES,
  type Resource,
  SELLER_RETAIL_MICROS,
} from "./assumptions.ts";

const PURPOSE_POOL = 33;
const TOKEN = 10n ** 18n;

/** What somebody did and got in a stretch of time. */
export interface Books {
  units: number;
  /** From sales, after the fee. Micros. */
  receivedMicros: number;
  /** Token base units. */
  rewards: bigint;
}

/** Somebody who could provide. */
export interface Provider {
  readonly capacity: number;
  /** A price's units cost this much to deliver. Micros. */
  readonly marginalMicros: number;
  /** A day costs this much, sold or not. Micros. */
  readonly standingMicros: number;
  /** What it wants for a price's units after the fee; null where its tariff leaves no room for an order. Micros. */
  readonly askMicros: number | null;
  isIn: boolean;
  /** Whole periods since it came. */
  periods: number;
  /** The running period, and those before it that count, the oldest first. */
  running: Books;
  readonly past: Books[];
}

/** What a review did. */
export interface Review {
  readonly came: number;
  readonly left: number;
  /** For each who sells and has sold long enough to judge: the least price of a token at which it stays. */
  readonly stayPricesMicros: readonly StayPrice[];
}

/** Micros a token; zero where sales alone are enough, null where no price is. */
export type StayPrice = bigint | null;

const emptyBooks = (): Books => ({ units: 0, receivedMicros: 0, rewards: 0n });

/** A resource's pool, the cheapest ask first; the cheapest few sell from the beginning. */
export function drawPool(
  seed: number,
  resource: Resource,
  terms: { readonly networkFeeMicrosPerKwh: number; readonly takeRateBps: number },
): Provider[] {
  const assumed = POOLS[resource];
  const draw = xoroshiro128plus(hashIntegers(seed, PURPOSE_POOL, RESOURCES.indexOf(resource)));
  const between = ([low, high]: readonly [number, number]) => uniformInt(draw, low, high);
  const pool = Array.from({ length: assumed.size }, (): Provider => {
    const capacity = between(assumed.capacity);
    const marginalMicros = between(assumed.marginalMicros);
    const standingMicros = between(assumed.standingMicros);
    const askMicros =
      resource === "energy"
        ? (defaultLimits({
            retailMicrosPerKwh: SELLER_RETAIL_MICROS,
            feedInMicrosPerKwh: marginalMicros,
            ...terms,
          })?.sellMicrosPerKwh ?? null)
        : askThatBears(assumed, capacity, marginalMicros, standingMicros);
    return {
      capacity,
      marginalMicros,
      standingMicros,
      askMicros,
      isIn: false,
      periods: 0,
      running: emptyBooks(),
      past: [],
    };
  });
  pool.sort((a, b) => (a.askMicros ?? Infinity) - (b.askMicros ?? Infinity));
  for (const provider of pool.slice(0, FIRST_PROVIDERS)) provider.isIn = provider.askMicros !== null;
  return pool;
}

/** Whoever may name a price asks what bears a day's cost when half of a day is sold. */
function askThatBears(
  { unitsPerPrice }: PoolAssumption,
  capacity: number,
  marginalMicros: number,
  standingMicros: number,
): number {
  return marginalMicros + divUp(2 * standingMicros * unitsPerPrice, capacity);
}

/** Sales less what delivering them cost. Micros. */
function marginOf({ marginalMicros }: Provider, books: Books, unitsPerPrice: number): bigint {
  // As a bigint: a year's units at a price pass what a number is exact for.
  const cost =
    (BigInt(books.units) * BigInt(marginalMicros) + BigInt(unitsPerPrice) - 1n) / BigInt(unitsPerPrice);
  return BigInt(books.receivedMicros) - cost;
}

/**
 * The least price of a token at which a provider's books bear its standing cost over some epochs, rounded up; zero where
 * sales alone do, null where it has no rewards to value.
 */
export function stayPrice(
  provider: Provider,
  books: Books,
  epochs: number,
  unitsPerPrice: number,
): StayPrice {
  const missing = BigInt(provider.standingMicros) * BigInt(epochs) - marginOf(provider, books, unitsPerPrice);
  if (missing <= 0n) return 0n;
  return books.rewards === 0n ? null : (missing * TOKEN + books.rewards - 1n) / books.rewards;
}

/** Ends a period: whoever has lost over its look-back leaves, and whoever expects a gain comes. */
export function reviewPool(pool: readonly Provider[], assumed: PoolAssumption, tokenMicros: bigint): Review {
  const stayPricesMicros: StayPrice[] = [];
  const leaving = new Set<Provider>();
  for (const provider of pool) {
    if (!provider.isIn) continue;
    turnPage(provider, assumed);
    if (provider.periods < assumed.lookBackPeriods) continue;
    const epochs = assumed.lookBackPeriods * PERIOD_EPOCHS;
    const price = stayPrice(provider, sumOf(provider.past), epochs, assumed.unitsPerPrice);
    stayPricesMicros.push(price);
    if (price !== null && price <= tokenMicros) continue;
    leaving.add(provider);
    provider.isIn = false;
    provider.periods = 0;
    provider.past.length = 0;
  }
  const outside = (provider: Provider) =>
    !provider.isIn && provider.askMicros !== null && !leaving.has(provider);
  const came = admit(pool, outside, assumed, tokenMicros);
  return { came, left: leaving.size, stayPricesMicros };
}

function turnPage(provider: Provider, { lookBackPeriods }: PoolAssumption): void {
  provider.periods += 1;
  provider.past.push(provider.running);
  if (provider.past.length > lookBackPeriods) provider.past.shift();
  provider.running = emptyBooks();
}

/** The cheapest first come who would gain what the next dearer one sells, to their own cost and size. */
function admit(
  pool: readonly Provider[],
  isOutside: (provider: Provider) => boolean,
  assumed: PoolAssumption,
  tokenMicros: bigint,
): number {
  const room = Math.ceil((pool.length * ENTRANTS_PER_PERIOD_OF_100) / 100);
  const coming: Provider[] = [];
  for (const [place, candidate] of pool.entries()) {
    if (coming.length === room) break;
    if (!isOutside(candidate)) continue;
    const peer = peerOf(pool, place);
    // Where nobody sells, the cheapest tries.
    if (peer === null ? coming.length === 0 : expects(candidate, peer, assumed, tokenMicros)) {
      coming.push(candidate);
    }
  }
  for (const provider of coming) {
    provider.isIn = true;
    provider.running = emptyBooks();
  }
  return coming.length;
}

/** Whoever sells at the next dearer ask, or else at the dearest; null where nobody has sold for a period. */
function peerOf(pool: readonly Provider[], place: number): Provider | null {
  const isPeer = ({ isIn, past }: Provider) => isIn && past.length > 0;
  for (let dearer = place + 1; dearer < pool.length; dearer += 1) {
    if (isPeer(pool[dearer] as Provider)) return pool[dearer] as Provider;
  }
  return pool.findLast(isPeer) ?? null;
}

function expects(
  candidate: Provider,
  peer: Provider,
  { unitsPerPrice }: PoolAssumption,
  tokenMicros: bigint,
): boolean {
  const seen = sumOf(peer.past);
  const margin = marginOf(candidate, seen, unitsPerPrice) + (seen.rewards * tokenMicros) / TOKEN;
  const ownMargin = (margin * BigInt(candidate.capacity)) / BigInt(peer.capacity);
  return ownMargin > BigInt(candidate.standingMicros) * BigInt(peer.past.length * PERIOD_EPOCHS);
}

function sumOf(past: readonly Books[]): Books {
  const sum = emptyBooks();
  for (const { units, receivedMicros, rewards } of past) {
    sum.units += units;
    sum.receivedMicros += receivedMicros;
    sum.rewards += rewards;
  }
  return sum;
}

/** What somebody can sell in an epoch. @param sun thousandths of a mean day, for what hangs on it */
export function capacityOn({ capacity }: Provider, sun: number): number {
  return divDown(capacity * sun, 1_000);
}

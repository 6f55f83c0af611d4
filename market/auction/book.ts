/** Owns the shape of one slot's book and of its outcome; refuses columns that break the arithmetic's bounds. */
import { MAX_WH_PER_ACCOUNT_SLOT, MAX_WH_PER_SIDE_SLOT } from "../../protocol/limits.ts";

/**
 * One side of a slot in columns; element i is one ladder step, already cut to metered Wh, caps and ability to
 * pay. Index order is id order: the lower index has the lower id. Only the first `count` elements are read.
 */
export interface Steps {
  count: number;
  /** Micros per kWh, within ±`MAX_ABSOLUTE_NET_PRICE_MICROS`. Bids: limit minus network fee. Asks: limit grossed up by the take rate (`ask-price.ts`). */
  netPriceMicros: Int32Array;
  /** Wh, 0 to `MAX_WH_PER_ACCOUNT_SLOT`; a step of 0 Wh does not exist for the auction. */
  quantityWh: Int32Array;
}

/** Both sides of one slot. */
export interface Book {
  bids: Steps;
  asks: Steps;
}

/**
 * Net prices stay within ±this, far beyond the 1.25·10⁷ of a grossed-up limit, so that the difference of any two
 * fits 32 signed bits and the hot loops may compare by subtraction.
 */
export const MAX_ABSOLUTE_NET_PRICE_MICROS = 2 ** 30 - 1;

/** What a slot clears at. The three prices are null, and everything else zero, where the curves do not cross. */
export interface AuctionResult {
  /** Clearing price in micros per kWh, within [`lowMicros`, `highMicros`]. */
  priceMicros: number | null;
  lowMicros: number | null;
  highMicros: number | null;
  tradedWh: number;
  /** Wh filled, one element per bid (length `bids.count`). */
  bidFilledWh: Int32Array;
  /** Wh filled, one element per ask (length `asks.count`). */
  askFilledWh: Int32Array;
}

/**
 * Clears one slot. `clearingPriceK` in 0…10,000 places the price in its interval (0: buyers' end, 10,000:
 * sellers' end). Pure: the book is only read, and the result shares no memory with it or with another result.
 */
export type Auction = (book: Book, clearingPriceK: number) => AuctionResult;

/** A book where nobody trades. */
export function noTrade(book: Book): AuctionResult {
  return {
    priceMicros: null,
    lowMicros: null,
    highMicros: null,
    tradedWh: 0,
    bidFilledWh: new Int32Array(book.bids.count),
    askFilledWh: new Int32Array(book.asks.count),
  };
}

/** The price that `k` picks from an interval: low + ⌊(high − low)·k / 10⁴⌋, rounded towards the buyers. */
export function priceWithin(lowMicros: number, highMicros: number, clearingPriceK: number): number {
  return lowMicros + Math.floor(((highMicros - lowMicros) * clearingPriceK) / 10_000);
}

function assertSide(name: string, side: Steps): void {
  const { count, netPriceMicros, quantityWh } = side;
  if (
    !Number.isSafeInteger(count) ||
    count < 0 ||
    count > netPriceMicros.length ||
    count > quantityWh.length
  ) {
    throw new RangeError(`${name}: ${count} steps do not fit the columns`);
  }
  let sumWh = 0;
  let signs = 0;
  let largestWh = 0;
  let magnitudes = 0;
  for (let i = 0; i < count; i++) {
    const wh = quantityWh[i] as number;
    const price = netPriceMicros[i] as number;
    sumWh += wh;
    signs |= wh;
    if (wh > largestWh) largestWh = wh;
    magnitudes |= price ^ (price >> 31); // p, or −p − 1 below zero: its bits show the magnitude without a branch
  }
  if (signs < 0 || largestWh > MAX_WH_PER_ACCOUNT_SLOT || sumWh > MAX_WH_PER_SIDE_SLOT) {
    throw new RangeError(`${name}: quantities outside the limits of a slot`);
  }
  if (magnitudes > MAX_ABSOLUTE_NET_PRICE_MICROS) throw new RangeError(`${name}: a price outside 30 bits`);
}

/**
 * Asserts what callers owe the auction: whole columns, quantities and prices within the limits, k in 0…10,000. A book that
 * fails is our own bug, so this throws instead of answering with a rejection.
 */
export function assertBook(book: Book, clearingPriceK: number): void {
  if (!Number.isSafeInteger(clearingPriceK) || clearingPriceK < 0 || clearingPriceK > 10_000) {
    throw new RangeError(`clearing price k is not in 0…10000: ${clearingPriceK}`);
  }
  assertSide("bids", book.bids);
  assertSide("asks", book.asks);
}

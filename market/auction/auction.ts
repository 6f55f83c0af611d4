/** Owns the metered call auction of one slot, linear in its steps; refuses money, accounts and time. */
import { type AuctionResult, assertBook, type Book, noTrade, priceWithin, type Steps } from "./book.ts";
import { findCrossing } from "./crossing.ts";
import { shareProRata } from "./pro-rata.ts";

/** What one side offers at a price: Wh strictly better than it, Wh at it, and how many steps those are. */
interface Offer {
  betterWh: number;
  atPriceWh: number;
  atPriceCount: number;
}

/**
 * Fills every step of a side that is better than the price or at it; `sign` is 1 for asks and −1 for bids. About
 * half of a large book is on either side of the price in no order, which is the worst case of a branch predictor,
 * so better and worse are told apart by sign bits: `d >> 31` is −1 below zero and 0 otherwise.
 */
function fillWholly(filledWh: Int32Array, side: Steps, price: number, sign: 1 | -1): Offer {
  const { count, netPriceMicros, quantityWh } = side;
  let betterWh = 0;
  let filledSumWh = 0;
  let atPriceCount = 0;
  for (let i = 0; i < count; i++) {
    const distance = Math.imul(sign, (netPriceMicros[i] as number) - price);
    const wh = quantityWh[i] as number;
    const better = distance >> 31;
    const betterOrAt = (distance - 1) >> 31;
    filledWh[i] = wh & betterOrAt;
    filledSumWh += wh & betterOrAt;
    betterWh += wh & better;
    atPriceCount += better - betterOrAt;
  }
  return { betterWh, atPriceWh: filledSumWh - betterWh, atPriceCount };
}

/** Cuts the steps at the price to what the other side leaves them. */
function cutMargin(filledWh: Int32Array, side: Steps, price: number, offer: Offer, tradedWh: number): void {
  const roomWh = tradedWh - offer.betterWh;
  if (roomWh === offer.atPriceWh) return;
  const members = new Int32Array(offer.atPriceCount);
  for (let i = 0, m = 0; m < members.length; i++) if (side.netPriceMicros[i] === price) members[m++] = i;
  shareProRata(filledWh, members, roomWh, offer.atPriceWh);
}

/**
 * Clears one slot at one price that maximises volume, without a sort. Better steps fill wholly; at the price
 * only the longer side is shared pro rata, because the shorter one is what `tradedWh` is. Throws RangeError for
 * a book outside its limits (see `assertBook`); otherwise there is always an answer.
 */
export function clearAuction(book: Book, clearingPriceK: number): AuctionResult {
  assertBook(book, clearingPriceK);
  const result = noTrade(book);
  const crossing = findCrossing(book);
  if (crossing === null) return result;

  const price = priceWithin(crossing.lowMicros, crossing.highMicros, clearingPriceK);
  const demand = fillWholly(result.bidFilledWh, book.bids, price, -1);
  const supply = fillWholly(result.askFilledWh, book.asks, price, 1);
  const tradedWh = Math.min(demand.betterWh + demand.atPriceWh, supply.betterWh + supply.atPriceWh);
  cutMargin(result.bidFilledWh, book.bids, price, demand, tradedWh);
  cutMargin(result.askFilledWh, book.asks, price, supply, tradedWh);
  return { ...result, ...crossing, priceMicros: price, tradedWh };
}

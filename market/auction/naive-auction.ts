/** Owns the auction as the definitions say it, slow and obvious, to judge the real one; refuses cleverness. */
import { type AuctionResult, assertBook, type Book, noTrade, priceWithin, type Steps } from "./book.ts";

interface Step {
  index: number;
  price: number;
  wh: number;
}

function stepsOf(side: Steps): Step[] {
  const steps: Step[] = [];
  for (let index = 0; index < side.count; index++) {
    const wh = side.quantityWh[index] as number;
    if (wh > 0) steps.push({ index, price: side.netPriceMicros[index] as number, wh });
  }
  return steps;
}

function sumWh(steps: Step[]): number {
  return steps.reduce((sum, step) => sum + step.wh, 0);
}

/** Fills `tradedWh` into one side: better steps wholly, the steps at the price pro rata. */
function fill(filledWh: Int32Array, better: Step[], atPrice: Step[], tradedWh: number): void {
  for (const step of better) filledWh[step.index] = step.wh;
  const room = tradedWh - sumWh(better);
  const total = sumWh(atPrice);
  if (total === 0) return;
  const shares = atPrice.map((step) => {
    const product = BigInt(step.wh) * BigInt(room);
    return { ...step, floor: Number(product / BigInt(total)), remainder: Number(product % BigInt(total)) };
  });
  let left = room - shares.reduce((sum, share) => sum + share.floor, 0);
  shares.sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const share of shares) {
    const extra = left > 0 ? 1 : 0;
    filledWh[share.index] = share.floor + extra;
    left -= extra;
  }
}

/** The metered call auction from its definitions, quadratic in the number of steps. For tests only. */
export function clearNaively(book: Book, clearingPriceK: number): AuctionResult {
  assertBook(book, clearingPriceK);
  const bids = stepsOf(book.bids);
  const asks = stepsOf(book.asks);
  const demandAt = (p: number) => sumWh(bids.filter((bid) => bid.price >= p));
  const supplyAt = (p: number) => sumWh(asks.filter((ask) => ask.price <= p));
  const volumeAt = (p: number) => Math.min(demandAt(p), supplyAt(p));

  // D and S only change at a step's price or right beside it, so the least and the greatest p are among these.
  const levels = [...new Set([...bids, ...asks].map((step) => step.price))].sort((a, b) => a - b);
  const candidates = [...new Set(levels.flatMap((p) => [p - 1, p, p + 1]))].sort((a, b) => a - b);
  if (!candidates.some((p) => volumeAt(p) > 0)) return noTrade(book);

  const low = candidates.find((p) => demandAt(p + 1) <= supplyAt(p)) as number;
  const high = candidates.findLast((p) => supplyAt(p - 1) <= demandAt(p)) as number;
  const price = priceWithin(low, high, clearingPriceK);
  const result = {
    ...noTrade(book),
    priceMicros: price,
    lowMicros: low,
    highMicros: high,
    tradedWh: volumeAt(price),
  };
  const bidsAbove = bids.filter((bid) => bid.price > price);
  const bidsAt = bids.filter((bid) => bid.price === price);
  const asksBelow = asks.filter((ask) => ask.price < price);
  const asksAt = asks.filter((ask) => ask.price === price);
  fill(result.bidFilledWh, bidsAbove, bidsAt, result.tradedWh);
  fill(result.askFilledWh, asksBelow, asksAt, result.tradedWh);
  return result;
}

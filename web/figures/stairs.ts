// Owns turning two cumulative staircases into columns over one axis of quantity. It refuses to invent a price where a side
// has nothing left.

/** One side, best price first: each price holds up to a reach, in whatever is traded. */
export interface Side {
  readonly priceMicros: readonly number[];
  readonly reach: readonly number[];
}

/** Prices that hold from the quantity before to this one; null past a side's end. */
export interface Stairs {
  readonly reach: number[];
  readonly bids: (number | null)[];
  readonly asks: (number | null)[];
}

/** Both sides over the union of their steps, beginning at nothing with each side's best price. */
export function stairsOf(bids: Side, asks: Side): Stairs {
  const reach = [...new Set([0, ...bids.reach, ...asks.reach])].sort((left, right) => left - right);
  return {
    reach,
    bids: reach.map((at) => priceAt(bids, at)),
    asks: reach.map((at) => priceAt(asks, at)),
  };
}

function priceAt({ priceMicros, reach }: Side, at: number): number | null {
  const step = reach.findIndex((until) => until >= at);
  return step < 0 ? null : (priceMicros[step] ?? null);
}

// Owns turning two cumulative staircases into columns over one axis of energy. It refuses to invent a price where a side
// has nothing left.

import type { Curve } from "../../clients/sdk/client.ts";

/** Prices that hold from the energy before to this one; null past a side's end. */
export interface Stairs {
  readonly wh: number[];
  readonly bids: (number | null)[];
  readonly asks: (number | null)[];
}

/** Both sides over the union of their steps, beginning at 0 Wh with each side's best price. */
export function stairsOf({ bids, asks }: Curve): Stairs {
  const wh = [...new Set([0, ...bids.cumulativeWh, ...asks.cumulativeWh])].sort(
    (left, right) => left - right,
  );
  return { wh, bids: wh.map((at) => priceAt(bids, at)), asks: wh.map((at) => priceAt(asks, at)) };
}

function priceAt({ priceMicros, cumulativeWh }: Curve["bids"], wh: number): number | null {
  const step = cumulativeWh.findIndex((reach) => reach >= wh);
  return step < 0 ? null : (priceMicros[step] ?? null);
}

// Owns which part of a home's surplus or need finds a counterpart: one number, or what a region's cleared slots showed at
// the same hours of the day. It refuses shares outside 0 to 1.

import type { ClearedSlot, PolderClient } from "../sdk/client.ts";

/** Parts between 0 and 1 of what a home has in a slot. */
export interface MarketShare {
  ofSurplus(slot: number): number;
  ofNeed(slot: number): number;
  /** For the list of assumptions. */
  readonly description: string;
}

/** Four weeks are a region's longest epoch: recent enough, and every weekday four times. */
const LOOK_BACK_SLOTS = 28 * 96;
const SLOTS_PER_HOUR = 4;

/** The same part of everything; `origin` completes its description. @throws RangeError outside 0 to 1 */
export function fixedShare(part: number, origin = ""): MarketShare {
  if (!(part >= 0 && part <= 1)) throw new RangeError(`not a share from 0 to 1: ${part}`);
  return {
    ofSurplus: () => part,
    ofNeed: () => part,
    description: `${(part * 100).toFixed(0)} % of what the home has to sell or needs to buy finds a counterpart${origin}`,
  };
}

/**
 * The parts of a region's metered surplus and need that were traded, by UTC hour of the day, over its last four weeks of
 * cleared slots; 0 in hours that none of them fell in.
 */
export async function measuredShare(client: PolderClient, region: string): Promise<MarketShare> {
  const { nextSlot, firstSlot } = await client.market(region);
  const hours = Array.from({ length: 24 }, () => ({ surplusWh: 0, needWh: 0, tradedWh: 0 }));
  let slots = 0;
  for await (const cleared of client.slots(
    region,
    Math.max(firstSlot, nextSlot - LOOK_BACK_SLOTS),
    nextSlot,
  )) {
    slots += 1;
    const sums = hours[hourOf(cleared.slot)] as ClearedSums;
    sums.surplusWh += cleared.surplusWh;
    sums.needWh += cleared.needWh;
    sums.tradedWh += cleared.tradedWh;
  }
  if (slots === 0) throw new RangeError(`${region} has cleared no slot yet: name a share with --share`);
  const part = (traded: number, of: number) => (of === 0 ? 0 : Math.min(1, traded / of));
  const at = (slot: number) => hours[hourOf(slot)] as ClearedSums;
  return {
    ofSurplus: (slot) => part(at(slot).tradedWh, at(slot).surplusWh),
    ofNeed: (slot) => part(at(slot).tradedWh, at(slot).needWh),
    description: `the part of a home's surplus or need that trades is what ${region} traded of all homes' at the same hour of the day, in its last ${slots} cleared quarter-hours`,
  };
}

type ClearedSums = Pick<ClearedSlot, "surplusWh" | "needWh" | "tradedWh">;

function hourOf(slot: number): number {
  return Math.floor(slot / SLOTS_PER_HOUR) % 24;
}

// Owns what one register tells of the slots that are looked at, with the borders that its intervals cross. It refuses to
// spread an interval over slots; only what lasts less than a minute across a border is shared out by time.

import { SLOT_SECONDS } from "../../protocol/units.ts";
import type { Channel, Interval } from "../meter/interval.ts";
import { shareOut } from "../meter/slot-shares.ts";
import type { SlotRun } from "./month.ts";

/**
 * Longest interval that is shared out where it crosses a border between slots, s: recorded telegrams come every ten
 * seconds, and no utility's file is that fine.
 */
const LONGEST_SHARED_S = 60;

/** One register over the slots that are looked at. */
export class SlotRegister {
  readonly channel: Channel;
  readonly #fromSlot: number;
  /** µWh that left the home, less what came in; of an interval over several slots all in the first of them. */
  readonly microWh: Float64Array;
  /** Seconds of each slot that its intervals cover. */
  readonly toldS: Uint32Array;
  /** 1 where it was estimated or substituted. */
  readonly isGuessed: Uint8Array;
  /** 1 where an interval goes on from the slot before; also at the end of what is looked at. */
  readonly goesOn: Uint8Array;
  /** Intervals that were shared out across a border. */
  sharedIntervals = 0;

  constructor(channel: Channel, { fromSlot, untilSlot }: SlotRun) {
    this.channel = channel;
    this.#fromSlot = fromSlot;
    const slots = untilSlot - fromSlot;
    this.microWh = new Float64Array(slots);
    this.toldS = new Uint32Array(slots);
    this.isGuessed = new Uint8Array(slots);
    this.goesOn = new Uint8Array(slots + 1);
  }

  add(interval: Interval): void {
    const { startS, durationS, microWh, quality, flow } = interval;
    const sign = flow === "export" || flow === "generation" ? 1 : -1;
    const first = Math.floor(startS / SLOT_SECONDS) - this.#fromSlot;
    const last = Math.floor((startS + durationS - 1) / SLOT_SECONDS) - this.#fromSlot;
    if (last < 0 || first >= this.microWh.length) return;
    const isOneSpan = first < last && durationS > LONGEST_SHARED_S;
    if (first < last && !isOneSpan) this.sharedIntervals += 1;
    shareOut(interval, (slot, share, seconds) => {
      const index = slot - this.#fromSlot;
      if (isOneSpan && index > first && index >= 0 && index < this.goesOn.length) this.goesOn[index] = 1;
      if (index < 0 || index >= this.microWh.length) return;
      this.toldS[index] = (this.toldS[index] as number) + seconds;
      if (quality !== "actual") this.isGuessed[index] = 1;
      if (!isOneSpan) this.microWh[index] = (this.microWh[index] as number) + sign * share;
      else if (index === Math.max(0, first))
        this.microWh[index] = (this.microWh[index] as number) + sign * microWh;
    });
  }
}

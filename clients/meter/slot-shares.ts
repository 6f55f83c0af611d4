// Owns how an interval is shared out over the quarter-hours it touches: by time, in whole µWh that add up to it. It
// refuses to judge whether an interval is short enough for that; its callers do.

import { SLOT_SECONDS } from "../../protocol/units.ts";
import type { Interval } from "./interval.ts";

/** Hands out each quarter-hour's share of an interval: its µWh, and the seconds of the slot that the interval covers. */
export function shareOut(
  { startS, durationS, microWh }: Pick<Interval, "startS" | "durationS" | "microWh">,
  put: (slot: number, microWh: number, seconds: number) => void,
): void {
  const endS = startS + durationS;
  let slot = Math.floor(startS / SLOT_SECONDS);
  if (endS <= (slot + 1) * SLOT_SECONDS) {
    put(slot, microWh, durationS);
    return;
  }
  // Shares are differences of a running floor, so that they add up. Divided first, no product passes 2⁵³.
  const perSecond = Math.floor(microWh / durationS);
  const rest = microWh - perSecond * durationS;
  let done = 0;
  for (let fromS = startS; fromS < endS; slot += 1) {
    const untilS = Math.min(endS, (slot + 1) * SLOT_SECONDS);
    const seconds = untilS - startS;
    const upTo = perSecond * seconds + Math.floor((rest * seconds) / durationS);
    put(slot, upTo - done, untilS - fromS);
    done = upTo;
    fromS = untilS;
  }
}

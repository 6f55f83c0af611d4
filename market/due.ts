// Owns what the region does by itself: slots clear when their window's time for evidence is over, windows and epochs
// close with their last slot, orders and obligations of promised resources end by their time. It refuses to know alarms; what is due follows from the state and the market time alone.

import type { MarketEvent } from "../protocol/events.ts";
import { clearSlot } from "./clearing.ts";
import { epochOf, windowDeadlineS } from "./parameters.ts";
import { advanceResources, nextResourceDueS } from "./resources/resource-due.ts";
import { sessionsInUse } from "./resources/session-counts.ts";
import { closeEpoch } from "./rewards.ts";
import { type RegionState, termsOf } from "./state.ts";

/** Market time at which the region next does something by itself, or null before it is open. */
export function nextDueS(state: RegionState): number | null {
  if (state.header.opened === null) return null;
  const windowS = windowDeadlineS(state, state.header.windowFirstSlot);
  const resourcesS = nextResourceDueS(state);
  return resourcesS === null ? windowS : Math.min(windowS, resourcesS);
}

/** True when the next thing due is about the open window; else it is about orders that rest, or about deadlines. */
export function isWindowNext(state: RegionState): boolean {
  return nextDueS(state) !== nextResourceDueS(state);
}

/** True when all slots of the open window have cleared and the next thing due is to close it. */
export function isWindowCleared(state: RegionState): boolean {
  const { nextSlot, windowFirstSlot } = state.header;
  return nextSlot === windowFirstSlot + termsOf(state).windowSlots;
}

/** True when the next thing due closes a window, and with it its epoch. */
export function isEpochCleared(state: RegionState): boolean {
  const { nextSlot } = state.header;
  return isWindowCleared(state) && epochOf(state, nextSlot) !== epochOf(state, nextSlot - 1);
}

/**
 * What is done next when it is due: orders stop resting, deadlines pass, the next slot clears, or the cleared window closes,
 * and with it its epoch where it was the epoch's last. One step an entry. Reads the state only; the caller has begun an entry at exactly
 * `nextDueS`, so that nothing depends on when an alarm fired.
 */
export function advance(state: RegionState): readonly MarketEvent[] {
  if (!isWindowNext(state)) return advanceResources(state);
  const { nextSlot } = state.header;
  if (!isWindowCleared(state)) return [clearSlot(state, nextSlot)];
  const closed = closeWindow(state);
  return isEpochCleared(state) ? [closed, closeEpoch(state, epochOf(state, nextSlot - 1))] : [closed];
}

/** Names what can no longer apply: orders that ended, keys that expired or were revoked, meters that were revoked. */
function closeWindow(state: RegionState): MarketEvent {
  const { orders, sessions, meters } = state.tables;
  const { nextSlot, atS, windowFirstSlot: firstSlot } = state.header;
  const endedOrders: number[] = [];
  const inUse = sessionsInUse(state);
  for (let row = 0; row < orders.rows; row += 1) {
    const { id, fromSlot, untilSlot, session } = orders.columns;
    const until = untilSlot[row] as number;
    if (until <= nextSlot || until <= (fromSlot[row] as number)) endedOrders.push(id[row] as number);
    else inUse.add(session[row] as number);
  }
  const endedSessions: number[] = [];
  for (let row = 0; row < sessions.rows; row += 1) {
    const { id, expiresAtS, revokedFromSlot } = sessions.columns;
    const ended = revokedFromSlot[row] !== 0 || (expiresAtS[row] as number) <= atS;
    if (ended && !inUse.has(id[row] as number)) endedSessions.push(id[row] as number);
  }
  const endedMeters: number[] = [];
  for (let row = 0; row < meters.rows; row += 1) {
    if ((meters.columns.untilSlot[row] as number) <= nextSlot)
      endedMeters.push(meters.columns.id[row] as number);
  }
  return { type: "window_closed", firstSlot, endedOrders, endedSessions, endedMeters };
}

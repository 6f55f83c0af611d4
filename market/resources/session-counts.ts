// Owns what orders of promised resources count against the session key that placed them: money in escrow or paid, and what a
// day's orders offer or ask for. It refuses to know the limits; a key that has left counts nothing.

import type { RegionState } from "../state.ts";
import { findRow } from "../table.ts";
import { isDone } from "./purchases.ts";

const DAY_SECONDS = 86_400;

/** What a key's orders of a day have counted so far. */
export function dayMega({ tables: { sessions } }: RegionState, row: number, atS: number): number {
  const isToday = sessions.columns.megaDay[row] === Math.floor(atS / DAY_SECONDS);
  return isToday ? (sessions.columns.dayMega[row] as number) : 0;
}

/** Counts money that went into escrow, or came back where it is below zero. */
export function spend({ tables: { sessions } }: RegionState, session: number, micros: number): void {
  const { columns, rows } = sessions;
  const row = session === 0 ? -1 : findRow(columns.id, rows, session);
  if (row >= 0) columns.spentMicros[row] = (columns.spentMicros[row] as number) + micros;
}

/** Counts what an order placed at a moment offers or asks for, or does no longer where it is below zero. */
export function countMega(state: RegionState, session: number, mega: number, placedAtS: number): void {
  const { columns, rows } = state.tables.sessions;
  const row = session === 0 ? -1 : findRow(columns.id, rows, session);
  if (row < 0) return;
  const day = Math.floor(placedAtS / DAY_SECONDS);
  // What is given back of an earlier day's orders makes no room in today's.
  if (mega < 0 && columns.megaDay[row] !== day) return;
  columns.dayMega[row] = dayMega(state, row, placedAtS) + mega;
  columns.megaDay[row] = day;
}

/** Sessions whose orders rest or hold money: what comes back, and what their vouchers pay, must find them. */
export function sessionsInUse({ tables: { restingOrders, purchases } }: RegionState): Set<number> {
  const inUse = new Set<number>();
  for (let row = 0; row < restingOrders.rows; row += 1) {
    if ((restingOrders.columns.restingMega[row] as number) > 0)
      inUse.add(restingOrders.columns.session[row] as number);
  }
  for (let row = 0; row < purchases.rows; row += 1)
    if (!isDone(purchases, row)) inUse.add(purchases.columns.session[row] as number);
  return inUse;
}

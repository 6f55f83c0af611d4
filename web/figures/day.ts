// Owns the day as rows: per quarter-hour where energy came from and where it went. It refuses to guess: own use is known
// from the home alone, and what has not been settled is never split between neighbours and grid.

import type { BillLine, ClearedSlot } from "../../clients/sdk/client.ts";
import type { Day } from "./calendar.ts";

/** What a home knows of one of its own quarter-hours. Wh, not negative. */
export interface HomeSlot {
  readonly slot: number;
  readonly generationWh: number;
  readonly loadWh: number;
}

/** A quarter-hour of one or several homes behind their meters, summed home by home. Wh. */
export interface BehindMeter {
  readonly ownWh: number;
  readonly importWh: number;
  readonly exportWh: number;
}

/** One quarter-hour of the picture. All Wh are positive or zero. */
export interface DayRow {
  readonly slot: number;
  /** settled: cleared by the market; open: metered at home, not cleared yet; none: nothing is known. */
  readonly state: "settled" | "open" | "none";
  /** Generated and used in the same home; null where no home tells. */
  readonly ownWh: number | null;
  readonly boughtWh: number;
  readonly fromGridWh: number;
  readonly soldWh: number;
  readonly toGridWh: number;
  /** Of an open quarter-hour: not yet split. */
  readonly openImportWh: number;
  readonly openExportWh: number;
  readonly priceMicros: number | null;
}

/** Sums what homes know, per slot; each home's own use is taken before the sum, since only then it is its own. */
export function behindMeters(homes: readonly (readonly HomeSlot[])[]): Map<number, BehindMeter> {
  const sums = new Map<number, BehindMeter>();
  for (const slots of homes) {
    for (const { slot, generationWh, loadWh } of slots) {
      const before = sums.get(slot) ?? { ownWh: 0, importWh: 0, exportWh: 0 };
      sums.set(slot, {
        ownWh: before.ownWh + Math.min(generationWh, loadWh),
        importWh: before.importWh + Math.max(0, loadWh - generationWh),
        exportWh: before.exportWh + Math.max(0, generationWh - loadWh),
      });
    }
  }
  return sums;
}

/** The whole neighbourhood's day from cleared slots, with own use where homes tell it; open from the next slot on. */
export function neighbourhoodRows(
  day: Day,
  slots: readonly ClearedSlot[],
  homes: ReadonlyMap<number, BehindMeter>,
  nextSlot: number,
): DayRow[] {
  const cleared = new Map(slots.map((slot) => [slot.slot, slot]));
  return rowsOf(day, homes, nextSlot, (slot) => {
    const found = cleared.get(slot);
    if (found === undefined) return null;
    const { surplusWh, needWh, tradedWh, priceMicrosPerKwh } = found;
    return {
      exportWh: surplusWh,
      importWh: needWh,
      soldWh: tradedWh,
      boughtWh: tradedWh,
      priceMicros: priceMicrosPerKwh,
    };
  });
}

/** One household's day from its bill, with own use where its home tells it; open from the next slot on. */
export function householdRows(
  day: Day,
  lines: readonly BillLine[],
  homes: ReadonlyMap<number, BehindMeter>,
  nextSlot: number,
): DayRow[] {
  const billed = new Map(lines.map((line) => [line.slot, line]));
  return rowsOf(day, homes, nextSlot, (slot) => {
    const found = billed.get(slot);
    if (found === undefined) return null;
    const { meteredWh, tradedWh, priceMicrosPerKwh } = found;
    return {
      exportWh: Math.max(0, meteredWh),
      importWh: Math.max(0, 0 - meteredWh),
      soldWh: Math.max(0, tradedWh),
      boughtWh: Math.max(0, 0 - tradedWh),
      priceMicros: priceMicrosPerKwh,
    };
  });
}

interface Settled {
  readonly exportWh: number;
  readonly importWh: number;
  readonly soldWh: number;
  readonly boughtWh: number;
  readonly priceMicros: number | null;
}

const NOTHING = {
  ownWh: null,
  boughtWh: 0,
  fromGridWh: 0,
  soldWh: 0,
  toGridWh: 0,
  openImportWh: 0,
  openExportWh: 0,
  priceMicros: null,
} as const;

function rowsOf(
  { first, until }: Day,
  homes: ReadonlyMap<number, BehindMeter>,
  nextSlot: number,
  settledAt: (slot: number) => Settled | null,
): DayRow[] {
  return Array.from({ length: until - first }, (_, index): DayRow => {
    const slot = first + index;
    const settled = settledAt(slot);
    const home = homes.get(slot);
    if (settled !== null) {
      return {
        ...NOTHING,
        slot,
        state: "settled",
        ownWh: home?.ownWh ?? null,
        boughtWh: settled.boughtWh,
        fromGridWh: settled.importWh - settled.boughtWh,
        soldWh: settled.soldWh,
        toGridWh: settled.exportWh - settled.soldWh,
        priceMicros: settled.priceMicros,
      };
    }
    // What was over before it could clear, or was never proved, is not settled later either.
    if (home === undefined || slot < nextSlot) return { ...NOTHING, slot, state: "none" };
    const { ownWh, importWh, exportWh } = home;
    return { ...NOTHING, slot, state: "open", ownWh, openImportWh: importWh, openExportWh: exportWh };
  });
}

/** A market's figures over several cleared slots. */
export interface MarketFigures {
  readonly slots: number;
  readonly surplusWh: number;
  readonly needWh: number;
  /** Per slot the smaller of surplus and need, summed: what neighbours could trade at most. */
  readonly matchableWh: number;
  readonly tradedWh: number;
  /** Mean weighted by what was traded, rounded down; null without a trade. */
  readonly priceMicros: number | null;
}

/** The figures of any cleared slots together; of a single one they are its own. */
export function figuresOf(slots: readonly ClearedSlot[]): MarketFigures {
  let [surplusWh, needWh, matchableWh, tradedWh] = [0, 0, 0, 0];
  let turnover = 0n;
  for (const slot of slots) {
    surplusWh += slot.surplusWh;
    needWh += slot.needWh;
    matchableWh += Math.min(slot.surplusWh, slot.needWh);
    tradedWh += slot.tradedWh;
    turnover += BigInt(slot.tradedWh) * BigInt(slot.priceMicrosPerKwh ?? 0);
  }
  const priceMicros = tradedWh === 0 ? null : Number(floorDivision(turnover, BigInt(tradedWh)));
  return { slots: slots.length, surplusWh, needWh, matchableWh, tradedWh, priceMicros };
}

function floorDivision(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}

/** Sums of a day's rows for its caption and its description in words. */
export function totalsOf(rows: readonly DayRow[]) {
  const sum = (pick: (row: DayRow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  return {
    ownWh: rows.some(({ ownWh }) => ownWh !== null) ? sum(({ ownWh }) => ownWh ?? 0) : null,
    boughtWh: sum(({ boughtWh }) => boughtWh),
    fromGridWh: sum(({ fromGridWh }) => fromGridWh),
    soldWh: sum(({ soldWh }) => soldWh),
    toGridWh: sum(({ toGridWh }) => toGridWh),
    openImportWh: sum(({ openImportWh }) => openImportWh),
    openExportWh: sum(({ openExportWh }) => openExportWh),
    settledSlots: rows.filter(({ state }) => state === "settled").length,
    openSlots: rows.filter(({ state }) => state === "open").length,
  };
}

/** The local day to show first: the one that holds the middle of the window that cleared last. */
export function latestSettledSlot(nextSlot: number, firstSlot: number, windowSlots: number): number | null {
  if (nextSlot <= firstSlot) return null;
  return Math.max(firstSlot, nextSlot - 1 - Math.floor(windowSlots / 2));
}

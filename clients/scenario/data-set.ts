// Owns the shape of a measured neighbourhood and the errors of reading one. It refuses to know any file format.

import type { Retail, Tariff } from "../household/tariff.ts";

export interface DatasetHome {
  /** Neutral, by order: "House 1", "Flat 3". Never a meter's serial. */
  readonly name: string;
  readonly slots: number;
  /** Net Wh of slot `startSlot + i` (export positive). Throws RangeError outside 0..slots − 1. */
  netWhBySlot(i: number): number;
}

export interface Dataset {
  readonly name: string;
  readonly homes: readonly DatasetHome[];
  /** Slot of the first reading. */
  readonly startSlot: number;
  /** Slots of every home. */
  readonly slots: number;
  /** Slots that one measured value was spread over. */
  readonly slotsPerValue: number;
  /** IANA zone of the clock that the files were read with. */
  readonly timeZone: string;
  readonly currency: string;
  readonly retail: Retail;
  /** What the data's own tariff pays for export; null where it says nothing. Micros per kWh. */
  readonly feedInMicrosPerKwh: number | null;
  /** The data's retail price with a feed-in of the caller's choice. Micros per kWh. */
  tariff(feedInMicrosPerKwh: number): Tariff;
}

/** A data folder that cannot be used. Names what was looked for, or file, line and column of a bad value. */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly file: string;
  readonly line: number | undefined;
  readonly column: string | undefined;

  constructor(file: string, problem: string, at: { line?: number; column?: string } = {}) {
    const line = at.line === undefined ? "" : `, line ${at.line}`;
    const column = at.column === undefined ? "" : `, column ${at.column}`;
    super(`${file}${line}${column}: ${problem}`);
    this.file = file;
    this.line = at.line;
    this.column = at.column;
  }
}

/** A home over an array of net Wh per slot. */
export function homeOf(name: string, netWh: Int32Array): DatasetHome {
  return {
    name,
    slots: netWh.length,
    netWhBySlot(i) {
      const wh = netWh[i];
      if (wh === undefined) throw new RangeError(`${name} has no slot ${i}`);
      return wh;
    },
  };
}

/** Totals of a data set over all its slots, Wh; `matchableWh` is the smaller of both sides per slot, summed. */
export interface DatasetTotals {
  readonly surplusWh: number;
  readonly needWh: number;
  readonly matchableWh: number;
}

/** Totals over groups of `slotsPerGroup` slots: 1 for what the market can match, 4 for what hourly values can. */
export function totalsOf(homes: readonly DatasetHome[], slotsPerGroup = 1): DatasetTotals {
  const slots = homes[0]?.slots ?? 0;
  let surplusWh = 0;
  let needWh = 0;
  let matchableWh = 0;
  for (let from = 0; from < slots; from += slotsPerGroup) {
    let surplus = 0;
    let need = 0;
    for (const home of homes) {
      let net = 0;
      for (let i = from; i < Math.min(from + slotsPerGroup, slots); i++) net += home.netWhBySlot(i);
      if (net > 0) surplus += net;
      else need -= net;
    }
    surplusWh += surplus;
    needWh += need;
    matchableWh += Math.min(surplus, need);
  }
  return { surplusWh, needWh, matchableWh };
}

// Owns which seller has let which job down, for as long as the trade would have lasted: it is not to be sold the same job again and
// again. It refuses to judge why; a failure on the seller's record is counted in providers.ts.

import type { Hex } from "../../protocol/fields.ts";
import { column, readHex, Table, writeHex } from "../table.ts";

const MISSED_RUNS = {
  jobDigest: column("u8", 32),
  buyer: column("u32"),
  seller: column("u32"),
  /** Deadline of the trade that came to nothing. */
  untilS: column("f64"),
  /** 1: it failed; 0: it had no room, or no chance. */
  hasFailed: column("u8"),
};

export type MissedRuns = Table<typeof MISSED_RUNS>;

/** A run of which nothing came. */
export interface MissedRun {
  readonly jobDigest: Hex;
  readonly buyer: number;
  readonly seller: number;
  readonly untilS: number;
  readonly hasFailed: boolean;
}

/** Times that a seller may have had no room for a job, or no chance to run it: a moment later it may be otherwise. */
const MOST_BY_CHANCE = 1;

const FIRST_SWEEP = 256;

/** An empty table of missed runs. */
export function createMissedRuns(): MissedRuns {
  return new Table(MISSED_RUNS);
}

/** Keeps a run. Those whose time is over leave whenever there are twice as many rows as at the time before. */
export function keepMissedRun(missed: MissedRuns, run: MissedRun, atS: number): void {
  const { rows } = missed;
  const isPowerOfTwo = (rows & (rows - 1)) === 0;
  if (rows >= FIRST_SWEEP && isPowerOfTwo)
    missed.retain((row) => (missed.columns.untilS[row] as number) > atS);
  const row = missed.append();
  writeHex(missed.columns.jobDigest, row, run.jobDigest);
  missed.columns.buyer[row] = run.buyer;
  missed.columns.seller[row] = run.seller;
  missed.columns.untilS[row] = run.untilS;
  missed.columns.hasFailed[row] = run.hasFailed ? 1 : 0;
}

/** Sellers who are not asked again to run a job for an account: they failed, or let it go by more than once. */
export function sellersPassedOver(
  { columns, rows }: MissedRuns,
  buyer: number,
  jobDigest: Hex,
  atS: number,
): Set<number> {
  const times = new Map<number, number>();
  for (let row = 0; row < rows; row += 1) {
    if (columns.buyer[row] !== buyer || (columns.untilS[row] as number) <= atS) continue;
    if (readHex(columns.jobDigest, row, 32) !== jobDigest) continue;
    const seller = columns.seller[row] as number;
    const counts = columns.hasFailed[row] === 1 ? MOST_BY_CHANCE + 1 : 1;
    times.set(seller, (times.get(seller) ?? 0) + counts);
  }
  return new Set([...times].filter(([, count]) => count > MOST_BY_CHANCE).map(([seller]) => seller));
}

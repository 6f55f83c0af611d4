// Owns the comparison of an account's claims with what a utility read: where a claim is above it, and what was paid for
// that. It refuses an accusation that some honest reading would explain, and to judge what the files do not tell.

import type { SettledLine } from "../../protocol/answers.ts";
import { fairShare } from "./fair-share.ts";
import type { SlotRun } from "./month.ts";
import type { UtilityCell, UtilityReading } from "./utility-readings.ts";

/** What an account claimed in a slot and what came of it. Wh above zero were exported and sold. */
export type Claim = Pick<
  SettledLine,
  "slot" | "meteredWh" | "tradedWh" | "priceMicrosPerKwh" | "amountMicros"
>;

export type Direction = "sale" | "purchase";

/** A claim above what was read, beyond the tolerance. */
export interface Excess extends SlotRun {
  readonly direction: Direction;
  readonly claimedWh: number;
  /** The most that may have been metered in this direction, µWh. */
  readonly readMicroWh: number;
  /** Where nothing was read in this direction, what was read in the other. */
  readonly oppositeMicroWh: number;
  /** Claimed less read, all of it: a tolerance decides whether, not how much. */
  readonly excessMicroWh: number;
  readonly tradedWh: number;
  /** The part of the excess that was traded: what was read counts as traded first. */
  readonly paidMicroWh: number;
  /** Price of all its claims in this direction, or null where they had several or none. */
  readonly priceMicrosPerKwh: number | null;
  /** What the account's balance changed by for that part; a purchase is negative. */
  readonly amountMicros: number;
  /** False where the utility estimated or substituted a part of what is called read. */
  readonly isMeasured: boolean;
}

/** Claims that the files say nothing about. */
export interface Unreconciled extends SlotRun {
  /** Slots with a claim. */
  readonly slots: number;
  readonly soldWh: number;
  readonly boughtWh: number;
  readonly reason: string;
}

/** One direction over all cells. Energies of claims are Wh, of readings µWh. */
export interface DirectionSums {
  readonly claimedWh: number;
  /** Of the claimed, what could be held against a reading. */
  readonly reconciledWh: number;
  readonly readMicroWh: number;
  readonly excessMicroWh: number;
  readonly paidMicroWh: number;
  /** What the balance changed by for the excess. */
  readonly amountMicros: number;
}

export interface Comparison {
  readonly sale: DirectionSums;
  readonly purchase: DirectionSums;
  readonly excesses: readonly Excess[];
  readonly unreconciled: readonly Unreconciled[];
  /** Cells with a reading in which nothing is claimed. */
  readonly unclaimed: {
    readonly slots: number;
    readonly exportMicroWh: number;
    readonly importMicroWh: number;
  };
}

const MICRO = 1_000_000;
const ONLY_NET = "only the net of several quarter-hours is told, and they are not all claimed the same way";

type Sums = { -readonly [Key in keyof DirectionSums]: DirectionSums[Key] };
const emptySums = (): Sums => ({
  claimedWh: 0,
  reconciledWh: 0,
  readMicroWh: 0,
  excessMicroWh: 0,
  paidMicroWh: 0,
  amountMicros: 0,
});

/**
 * Compares claims with cells, each at the cell's own resolution. A household may claim less than was measured in any
 * slot, so a claim is in excess only where no readings that add up to the utility's would allow it.
 *
 * @param claims at most one a slot; those in no cell are not looked at
 * @param cells in order, none over another
 * @param toleranceWh what a claimed slot may be above the reading for roundings alone
 */
export function compare(
  claims: readonly Claim[],
  cells: readonly UtilityCell[],
  toleranceWh: number,
): Comparison {
  const bySlot = new Map(claims.map((claim) => [claim.slot, claim]));
  const sums = { sale: emptySums(), purchase: emptySums() };
  const unclaimed = { slots: 0, exportMicroWh: 0, importMicroWh: 0 };
  const excesses: Excess[] = [];
  const unreconciled: Unreconciled[] = [];
  for (const cell of cells) {
    const claimed = claimsIn(cell, bySlot);
    for (const direction of ["sale", "purchase"] as const)
      sums[direction].claimedWh += sizeOf(claimed[direction]);
    const isClaimed = claimed.sale.length + claimed.purchase.length > 0;
    if (cell.reading === null) {
      if (isClaimed) note(unreconciled, cell, claimed, cell.fault);
      continue;
    }
    const flows = told(cell.reading);
    sums.sale.readMicroWh += flows.exportMicroWh;
    sums.purchase.readMicroWh += flows.importMicroWh;
    if (!isClaimed) {
      unclaimed.slots += cell.untilSlot - cell.fromSlot;
      unclaimed.exportMicroWh += flows.exportMicroWh;
      unclaimed.importMicroWh += flows.importMicroWh;
      continue;
    }
    const most = mostOf(cell, cell.reading, claimed);
    if (most === null) {
      note(unreconciled, cell, claimed, ONLY_NET);
      continue;
    }
    for (const direction of ["sale", "purchase"] as const) {
      const own = claimed[direction];
      sums[direction].reconciledWh += sizeOf(own);
      const excess = excessOf(cell, direction, own, most[direction], cell.reading);
      if (excess.excessMicroWh <= toleranceWh * own.length * MICRO) continue;
      excesses.push(excess);
      sums[direction].excessMicroWh += excess.excessMicroWh;
      sums[direction].paidMicroWh += excess.paidMicroWh;
      sums[direction].amountMicros += excess.amountMicros;
    }
  }
  return { ...sums, excesses, unreconciled, unclaimed };
}

type ClaimsOfCell = Readonly<Record<Direction, readonly Claim[]>>;

function claimsIn({ fromSlot, untilSlot }: SlotRun, bySlot: ReadonlyMap<number, Claim>): ClaimsOfCell {
  const claims: Record<Direction, Claim[]> = { sale: [], purchase: [] };
  for (let slot = fromSlot; slot < untilSlot; slot += 1) {
    const claim = bySlot.get(slot);
    if (claim === undefined || claim.meteredWh === 0) continue;
    claims[claim.meteredWh > 0 ? "sale" : "purchase"].push(claim);
  }
  return claims;
}

function sizeOf(claims: readonly Claim[]): number {
  return claims.reduce((sum, { meteredWh }) => sum + Math.abs(meteredWh), 0);
}

/** What a reading says for people; where only a net is told, that. */
function told({ exportMicroWh, importMicroWh, netMicroWh }: UtilityReading) {
  const net = netMicroWh ?? 0;
  return {
    exportMicroWh: exportMicroWh ?? Math.max(0, net),
    importMicroWh: importMicroWh ?? Math.max(0, -net),
  };
}

/**
 * The most that could have been claimed honestly in each direction, µWh; null where nobody knows. Energy that came in
 * in one slot of a cell is not claimed in another that exported, so that each direction is bound by its own register.
 * But where every slot is claimed the same way, none of them went the other way, and the net is the whole of it.
 */
function mostOf(
  { fromSlot, untilSlot }: SlotRun,
  { exportMicroWh, importMicroWh, netMicroWh }: UtilityReading,
  { sale, purchase }: ClaimsOfCell,
): Record<Direction, number> | null {
  const slots = untilSlot - fromSlot;
  if (netMicroWh !== null && (sale.length === slots || purchase.length === slots))
    return { sale: Math.max(0, netMicroWh), purchase: Math.max(0, -netMicroWh) };
  if (exportMicroWh === null || importMicroWh === null) return null;
  return { sale: exportMicroWh, purchase: importMicroWh };
}

/** What is claimed above the most; its `excessMicroWh` is negative or zero where nothing is. */
function excessOf(
  { fromSlot, untilSlot }: SlotRun,
  direction: Direction,
  claims: readonly Claim[],
  readMicroWh: number,
  reading: UtilityReading,
): Excess {
  const { exportMicroWh, importMicroWh } = told(reading);
  const claimedWh = sizeOf(claims);
  const tradedWh = claims.reduce((sum, claim) => sum + Math.abs(claim.tradedWh), 0);
  const amount = claims.reduce((sum, { amountMicros }) => sum + amountMicros, 0);
  const paidMicroWh = Math.max(0, tradedWh * MICRO - readMicroWh);
  const [first] = claims;
  const isOnePrice = claims.every((claim) => claim.priceMicrosPerKwh === first?.priceMicrosPerKwh);
  return {
    fromSlot,
    untilSlot,
    direction,
    claimedWh,
    readMicroWh,
    oppositeMicroWh: readMicroWh > 0 ? 0 : direction === "sale" ? importMicroWh : exportMicroWh,
    excessMicroWh: claimedWh * MICRO - readMicroWh,
    tradedWh,
    paidMicroWh,
    priceMicrosPerKwh: isOnePrice ? (first?.priceMicrosPerKwh ?? null) : null,
    amountMicros: paidMicroWh === 0 ? 0 : fairShare(amount, paidMicroWh, tradedWh * MICRO),
    isMeasured: reading.isMeasured,
  };
}

/** Names claims that are not reconciled, together with those before them of the same reason. */
function note(
  found: Unreconciled[],
  { fromSlot, untilSlot }: SlotRun,
  claimed: ClaimsOfCell,
  reason: string,
): void {
  const last = found.at(-1);
  const goesOn = last !== undefined && last.untilSlot === fromSlot && last.reason === reason ? last : null;
  const run = {
    fromSlot: goesOn?.fromSlot ?? fromSlot,
    untilSlot,
    slots: (goesOn?.slots ?? 0) + claimed.sale.length + claimed.purchase.length,
    soldWh: (goesOn?.soldWh ?? 0) + sizeOf(claimed.sale),
    boughtWh: (goesOn?.boughtWh ?? 0) + sizeOf(claimed.purchase),
    reason,
  };
  if (goesOn === null) found.push(run);
  else found[found.length - 1] = run;
}

// Owns what a window's claims come to beside its readings: what becomes public and what is kept back. It refuses to
// choose claims; the policy does.

import type { ClaimPolicy } from "../../evidence/claim-policy.ts";
import type { SlotClaim } from "../../evidence/meter-statement.ts";

/** One quarter-hour, Wh. */
export interface ClaimedSlot {
  readonly isExport: boolean;
  readonly readingWh: number;
  readonly claimedWh: number;
}

/** Sums over a window, Wh. */
export interface ClaimFigures {
  readonly slots: readonly ClaimedSlot[];
  readonly soldWh: number;
  readonly boughtWh: number;
  /** Measured and not claimed: of exports, and of imports. */
  readonly keptExportWh: number;
  readonly keptImportWh: number;
  /** Quarter-hours of which anything is kept back. */
  readonly keptSlots: number;
}

/** Reads a policy from two texts of whole Wh; an empty "most" is no cap. Null for anything else. */
export function policyOf(mostText: string, stepText: string): ClaimPolicy | null {
  const whole = (text: string): number | null => (/^\d{1,7}$/.test(text) ? Number(text) : null);
  const stepWh = whole(stepText.trim());
  if (stepWh === null || stepWh < 1) return null;
  if (mostText.trim() === "") return { stepWh };
  const mostWh = whole(mostText.trim());
  return mostWh === null ? null : { stepWh, mostWh };
}

/** What claims come to beside the readings that they are of. */
export function claimFigures(netWh: readonly number[], claims: readonly SlotClaim[]): ClaimFigures {
  const slots = claims.map(({ isExport, claimedWh }, index) => ({
    isExport,
    claimedWh,
    readingWh: Math.abs(netWh[index] as number),
  }));
  const sum = (isExport: boolean, of: (slot: ClaimedSlot) => number): number =>
    slots.reduce((total, slot) => (slot.isExport === isExport ? total + of(slot) : total), 0);
  const kept = ({ readingWh, claimedWh }: ClaimedSlot): number => readingWh - claimedWh;
  return {
    slots,
    soldWh: sum(true, ({ claimedWh }) => claimedWh),
    boughtWh: sum(false, ({ claimedWh }) => claimedWh),
    keptExportWh: sum(true, kept),
    keptImportWh: sum(false, kept),
    keptSlots: slots.filter((slot) => kept(slot) > 0).length,
  };
}

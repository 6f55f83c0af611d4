// Owns how much of a signed window a household claims: by its own policy, and never above what its meter was enrolled for.
// It refuses to claim in another direction than was measured; what is left out stays in the home.

import { type ClaimPolicy, claimsOf } from "../../evidence/claim-policy.ts";
import type { MeterLimits, SlotClaim } from "../../evidence/meter-statement.ts";

export type { ClaimPolicy };

/**
 * Claims of a real household are rounded down to this unless it says otherwise: quarter-hours of a home are worth some
 * tens to hundreds of Wh, and the last digits are what tells a kettle from a lamp.
 */
export const DEFAULT_CLAIM_STEP_WH = 50;

/** Claims of a window, and whether the meter's limits made them smaller than the policy would have. */
export interface Claims {
  readonly claims: readonly SlotClaim[];
  readonly isCut: boolean;
}

/**
 * Claims for signed readings. A slot that is above nameplate or connection is claimed up to it; where a window's cap is
 * reached, its earlier slots are claimed first. No proof exists for more.
 * @param netWh whole Wh a slot, export positive.
 * @throws RangeError for a policy that is not whole numbers, the step from 1.
 */
export function claimsWithin(netWh: readonly number[], policy: ClaimPolicy, limits: MeterLimits): Claims {
  const wished = claimsOf(netWh, policy);
  const { stepWh = 1 } = policy;
  const left = { sale: limits.saleCapWh, purchase: limits.purchaseCapWh };
  const claims = wished.map(({ isExport, claimedWh }): SlotClaim => {
    const side = isExport ? "sale" : "purchase";
    const mostWh = Math.min(left[side], isExport ? limits.nameplateWh : limits.connectionWh);
    const withinWh = claimedWh <= mostWh ? claimedWh : mostWh - (mostWh % stepWh);
    left[side] -= withinWh;
    return { isExport, claimedWh: withinWh };
  });
  return { claims, isCut: claims.some((claim, slot) => claim.claimedWh !== wished[slot]?.claimedWh) };
}

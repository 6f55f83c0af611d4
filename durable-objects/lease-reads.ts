// Owns what a provider's object asks its region about a lease, once: its terms, and whose word is its buyer's. It refuses
// to change anything.

import { obligationAt, openRow } from "../market/resources/obligations.ts";
import { addressOf, type RegionState } from "../market/state.ts";
import type { Hex } from "../protocol/fields.ts";
import { productOf } from "../protocol/products.ts";
import { buyerKeyOf } from "./resource-reads.ts";

/** A lease as its provider's object needs it. */
export interface LeaseTerms {
  readonly buyer: Hex;
  readonly seller: Hex;
  readonly quantityMega: number;
  readonly priceMicrosPerTera: number;
  readonly deadlineS: number;
  /**
   * The session key that bought; null where the wallet did. Others of the buyer's may agree to a settlement too, but can be revoked
   * before it comes: a node that ran on their word would not be paid.
   */
  readonly boughtBy: Hex | null;
}

/** The terms of an open lease, or null. */
export function leaseTermsOf(state: RegionState, obligationId: number): LeaseTerms | null {
  const { obligations } = state.tables;
  const row = openRow(obligations, obligationId);
  if (row < 0) return null;
  const one = obligationAt(obligations, row);
  if (!productOf(one.product).isLease) return null;
  const { quantityMega, priceMicrosPerTera, deadlineS } = one;
  return {
    buyer: addressOf(state, one.buyer),
    seller: addressOf(state, one.seller),
    quantityMega,
    priceMicrosPerTera,
    deadlineS,
    boughtBy: buyerKeyOf(state, one.purchase),
  };
}

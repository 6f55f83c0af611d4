// Owns what a provider's object asks its region about a lease, once: its terms, and which keys may sign for its buyer. It refuses
// to change anything.

import { RESOURCE_BITS, SIDE_BITS } from "../market/decisions/sessions.ts";
import { obligationAt, openRow } from "../market/resources/obligations.ts";
import { purchaseRow } from "../market/resources/purchases.ts";
import { addressOf, type RegionState } from "../market/state.ts";
import { readHex } from "../market/table.ts";
import type { Hex } from "../protocol/fields.ts";
import { productOf } from "../protocol/products.ts";

/** A lease as its provider's object needs it. */
export interface LeaseTerms {
  readonly buyer: Hex;
  readonly seller: Hex;
  readonly quantityMega: number;
  readonly priceMicrosPerTera: number;
  readonly deadlineS: number;
  /** Session keys that may sign for the buyer now, until they expire; the one that bought counts to the end. */
  readonly keys: readonly { readonly key: Hex; readonly untilS: number }[];
}

/** The terms of an open lease, or null. */
export function leaseTermsOf(state: RegionState, obligationId: number): LeaseTerms | null {
  const { obligations, purchases, sessions } = state.tables;
  const row = openRow(obligations, obligationId);
  if (row < 0) return null;
  const one = obligationAt(obligations, row);
  if (!productOf(one.product).isLease) return null;
  const { columns } = sessions;
  const boughtBy = purchases.columns.session[purchaseRow(purchases, one.purchase)];
  const keys: { key: Hex; untilS: number }[] = [];
  for (let session = 0; session < sessions.rows; session += 1) {
    if (columns.account[session] !== one.buyer) continue;
    const key = readHex(columns.key, session, 32);
    if (columns.id[session] === boughtBy) keys.push({ key, untilS: one.deadlineS });
    else if (
      columns.revokedFromSlot[session] === 0 &&
      ((columns.resources[session] as number) & RESOURCE_BITS.compute) !== 0 &&
      ((columns.sides[session] as number) & SIDE_BITS.buy) !== 0
    )
      keys.push({ key, untilS: columns.expiresAtS[session] as number });
  }
  const { quantityMega, priceMicrosPerTera, deadlineS } = one;
  return {
    buyer: addressOf(state, one.buyer),
    seller: addressOf(state, one.seller),
    quantityMega,
    priceMicrosPerTera,
    deadlineS,
    keys,
  };
}

// Owns what a region owes every account, as its report to the chain commits to it. It refuses to leave an account out: the
// position of a leaf is the account's number.

import type { Hex } from "../protocol/fields.ts";
import { rewardOf } from "./evolve.ts";
import { addressOf, type RegionState } from "./state.ts";

/** What one account is owed. */
export interface AccountSums {
  readonly account: Hex;
  readonly sums: {
    /** Asked out of the ledger since the region began, paid by the chain or not. Micros. */
    readonly withdrawalsMicros: bigint;
    /** Free and in escrow. Micros. */
    readonly heldMicros: bigint;
    /** Earned since the region began. Base units of the token. */
    readonly rewards: bigint;
  };
}

/** What every account is owed now, in the order of their numbers. */
export function accountSums(state: RegionState): AccountSums[] {
  const { columns, rows } = state.tables.accounts;
  return Array.from({ length: rows }, (_, account) => ({
    account: addressOf(state, account),
    sums: {
      withdrawalsMicros: BigInt(columns.withdrawnMicros[account] as number),
      heldMicros:
        BigInt(columns.freeMicros[account] as number) + BigInt(columns.escrowMicros[account] as number),
      rewards: rewardOf(state, account),
    },
  }));
}

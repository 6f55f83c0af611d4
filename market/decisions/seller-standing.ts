// Owns who may sell what is promised: in a region that follows a chain, who has enough at stake there to answer for it. It refuses
// nobody in a region without stakes, and never the operator: it is the edge of last resort, and answers with its name.

import { type Rejection, rejected } from "../../protocol/errors.ts";
import { slotAt } from "../../protocol/units.ts";
import { parametersAtSlot } from "../parameters.ts";
import { providerOf } from "../providers.ts";
import { addressOf, type RegionState, termsOf } from "../state.ts";

/** Why an account may sell nothing new, or null. One that takes its stake back may not either, however much it still is. */
export function refuseSeller(state: RegionState, account: number, atS: number): Rejection | null {
  const { quote, operator } = termsOf(state);
  if (quote !== "settlement" || addressOf(state, account) === operator) return null;
  const { stakedMicros, isUnbonding } = providerOf(state, account) ?? { stakedMicros: 0, isUnbonding: false };
  const leastMicros = parametersAtSlot(state, slotAt(atS)).providerMinimumStake;
  return stakedMicros < leastMicros || isUnbonding
    ? rejected("stake_too_small", { stakedMicros, leastMicros, isUnbonding })
    : null;
}

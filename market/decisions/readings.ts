// Owns the acceptance of a window's claims on a verified proof. It refuses a window that is unaligned, not over or
// closed, a proof about another window's meters, and the same meter's window twice. What a meter's enrolment allows is
// in the proof: the region does not know which meter it was.

import type { CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import { MAX_WH_PER_ACCOUNT_SLOT, MAX_WH_PER_SIDE_SLOT } from "../../protocol/limits.ts";
import { slotStartS } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { windowOf } from "../parameters.ts";
import { rootOfWindow } from "../registry.ts";
import { type RegionState, termsOf } from "../state.ts";

type Readings = Occasion<CommandOf<"submit_readings">>;

/** Accepts what one meter's household claims of the open window; an account's meters are summed per slot. */
export function submitReadings(occasion: Readings): Decision {
  const { state, command, account, evidence } = occasion;
  if (evidence?.kind !== "meter-proof")
    return { rejection: rejected("evidence_malformed", { reason: "no proof was verified" }) };
  const untimely = refuseWindow(occasion);
  if (untimely !== null) return { rejection: untimely };
  const { firstSlot, netWh } = command;
  const { root: shown, nullifier } = evidence;
  const root = rootOfWindow(state, firstSlot);
  if (shown !== root) return { rejection: rejected("registry_root_wrong", { root, shown }) };
  if (state.indexes.nullifiers.has(nullifier))
    return { rejection: rejected("window_already_proved", { firstSlot }) };
  for (const [index, wh] of netWh.entries()) {
    const full = refuseSlotSum(state, account, firstSlot + index, index, wh);
    if (full !== null) return { rejection: full };
  }
  return { events: [{ type: "readings_accepted", account, nullifier, firstSlot, netWh }] };
}

function refuseWindow({ state, command, atS }: Readings): Rejection | null {
  const { windowSlots } = termsOf(state);
  const { firstSlot, netWh } = command;
  if (netWh.length !== windowSlots)
    return rejected("window_length_wrong", { expected: windowSlots, got: netWh.length });
  if (windowOf(state, firstSlot) !== firstSlot)
    return rejected("window_unaligned", { firstSlot, windowSlots });
  const endsAtS = slotStartS(firstSlot + windowSlots);
  if (endsAtS > atS) return rejected("window_not_over", { endsAtS, atS });
  const { windowFirstSlot, nextSlot } = state.header;
  if (firstSlot < nextSlot) return rejected("window_closed", { firstSlot, nextSlot });
  if (firstSlot !== windowFirstSlot) throw new Error("a window ended while an earlier one was still open");
  return null;
}

/** Keeps an account's and a side's Wh of a slot within the bounds the arithmetic relies on. */
function refuseSlotSum(
  state: RegionState,
  account: number,
  slot: number,
  index: number,
  wh: number,
): Rejection | null {
  const { sides, window } = state.tables;
  const row = state.indexes.windowRowByAccount.get(account);
  const before =
    row === undefined ? 0 : (window.columns.netWh[row * window.schema.netWh.width + index] as number);
  if (Math.abs(before + wh) > MAX_WH_PER_ACCOUNT_SLOT) {
    return rejected("slot_side_full", { slot, of: "account", limitWh: MAX_WH_PER_ACCOUNT_SLOT });
  }
  const sum = (wh > 0 ? sides.columns.surplusWh : sides.columns.needWh)[index] as number;
  if (sum + Math.abs(wh) > MAX_WH_PER_SIDE_SLOT) {
    return rejected("slot_side_full", { slot, of: "side", limitWh: MAX_WH_PER_SIDE_SLOT });
  }
  return null;
}

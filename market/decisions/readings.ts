// Owns the acceptance of a window's readings on verified evidence. It refuses a window that is unaligned, not over or
// closed, a meter that is not this account's or not live, the same window twice, and more than the enrolment allows.

import type { CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import { MAX_WH_PER_ACCOUNT_SLOT, MAX_WH_PER_SIDE_SLOT } from "../../protocol/limits.ts";
import { slotStartS } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { windowOf } from "../parameters.ts";
import { type RegionState, termsOf } from "../state.ts";

type Readings = Occasion<CommandOf<"submit_readings">>;

/** Accepts one meter's net readings of the open window; an account's connections are summed per slot. */
export function submitReadings(occasion: Readings): Decision {
  const { state, command, account, evidence } = occasion;
  if (evidence === null)
    return { rejection: rejected("evidence_malformed", { reason: "no evidence was verified" }) };
  const untimely = refuseWindow(occasion);
  if (untimely !== null) return { rejection: untimely };
  const row = state.indexes.meterByGateway.get(evidence.gateway);
  const { columns } = state.tables.meters;
  if (row === undefined) return { rejection: rejected("meter_not_found", { gateway: evidence.gateway }) };
  if (columns.account[row] !== account)
    return { rejection: rejected("meter_not_owned", { gateway: evidence.gateway }) };
  const { firstSlot, netWh } = command;
  if ((columns.fromSlot[row] as number) > firstSlot || (columns.untilSlot[row] as number) <= firstSlot) {
    return {
      rejection: rejected("meter_not_active", { fromSlot: columns.fromSlot[row] as number, firstSlot }),
    };
  }
  if (state.indexes.nullifiers.has(evidence.nullifier))
    return { rejection: rejected("window_already_proved", { firstSlot }) };
  const excess = refuseAmounts(state, row, account, firstSlot, netWh);
  if (excess !== null) return { rejection: excess };
  const meter = columns.id[row] as number;
  const nullifier = evidence.nullifier;
  return { events: [{ type: "readings_accepted", account, meter, nullifier, firstSlot, netWh }] };
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

function refuseAmounts(
  state: RegionState,
  meter: number,
  account: number,
  firstSlot: number,
  netWh: readonly number[],
): Rejection | null {
  const { columns } = state.tables.meters;
  const nameplateWh = columns.nameplateWh[meter] as number;
  const connectionWh = columns.connectionWh[meter] as number;
  let sold = 0;
  let bought = 0;
  for (const [index, wh] of netWh.entries()) {
    const slot = firstSlot + index;
    if (wh > nameplateWh) return rejected("above_nameplate", { slot, wh, limitWh: nameplateWh });
    if (-wh > connectionWh) return rejected("above_connection", { slot, wh: -wh, limitWh: connectionWh });
    if (wh > 0) sold += wh;
    else bought -= wh;
  }
  const saleCapWh = columns.saleCapWh[meter] as number;
  const purchaseCapWh = columns.purchaseCapWh[meter] as number;
  if (sold > saleCapWh) return rejected("above_window_cap", { side: "sell", wh: sold, limitWh: saleCapWh });
  if (bought > purchaseCapWh)
    return rejected("above_window_cap", { side: "buy", wh: bought, limitWh: purchaseCapWh });
  for (const [index, wh] of netWh.entries()) {
    const full = refuseSlotSum(state, account, firstSlot + index, index, wh);
    if (full !== null) return full;
  }
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

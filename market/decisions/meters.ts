// Owns the enrolment of gateways: which key measures which account's connection, within which limits. It refuses a
// second live enrolment of a key or of a connection; every change acts from the next window on.

import type { CommandOf } from "../../protocol/commands.ts";
import { rejected } from "../../protocol/errors.ts";
import { MAX_METERS_PER_ACCOUNT } from "../../protocol/limits.ts";
import type { Decision, Occasion } from "../decision.ts";
import type { RegionState } from "../state.ts";
import { readHex } from "../table.ts";
import { nextWindowSlot, openAccount } from "./region.ts";

/** Enrols a gateway for an account, opening the account where it is new. */
export function enrolMeter(occasion: Occasion<CommandOf<"enrol_meter">>): Decision {
  const { state, command, atS, evidence } = occasion;
  if (evidence === null) return { rejection: rejected("gateway_key_invalid") };
  const { gateway } = evidence;
  const opening = openAccount(occasion, command.account);
  if ("rejection" in opening) return opening;
  const fromSlot = nextWindowSlot(state, atS);
  if (state.indexes.meterByGateway.has(gateway))
    return { rejection: rejected("meter_exists", { held: "gateway" }) };
  if (hasLiveConnection(state, command.connection, fromSlot))
    return { rejection: rejected("meter_exists", { held: "connection" }) };
  const { account, events } = opening;
  if (countMeters(state, account) >= MAX_METERS_PER_ACCOUNT) {
    return { rejection: rejected("meters_exhausted", { limit: MAX_METERS_PER_ACCOUNT }) };
  }
  return {
    events: [
      ...events,
      {
        type: "meter_enrolled",
        meter: state.header.nextMeter,
        account,
        gateway,
        connection: command.connection,
        nameplateWh: command.nameplateWh,
        connectionWh: command.connectionWh,
        saleCapWh: command.saleCapWh,
        purchaseCapWh: command.purchaseCapWh,
        fromSlot,
      },
    ],
  };
}

/** Revokes a gateway from the next window on; the window it is measuring still counts. */
export function revokeMeter({ state, command, account, atS }: Occasion<CommandOf<"revoke_meter">>): Decision {
  const row = state.indexes.meterByGateway.get(command.gateway);
  const { columns } = state.tables.meters;
  if (row === undefined) return { rejection: rejected("meter_not_found") };
  if (columns.account[row] !== account) return { rejection: rejected("meter_not_owned") };
  const fromSlot = nextWindowSlot(state, atS);
  if ((columns.untilSlot[row] as number) <= fromSlot) return { rejection: rejected("meter_not_active") };
  return { events: [{ type: "meter_revoked", meter: columns.id[row] as number, fromSlot }] };
}

function countMeters(state: RegionState, account: number): number {
  const { columns, rows } = state.tables.meters;
  let held = 0;
  for (let row = 0; row < rows; row += 1) if (columns.account[row] === account) held += 1;
  return held;
}

function hasLiveConnection(state: RegionState, connection: string, fromSlot: number): boolean {
  const { columns, rows } = state.tables.meters;
  const first = Number.parseInt(connection.slice(2, 4), 16);
  for (let row = 0; row < rows; row += 1) {
    if (columns.connection[row * 32] !== first || (columns.untilSlot[row] as number) <= fromSlot) continue;
    if (readHex(columns.connection, row, 32) === connection) return true;
  }
  return false;
}

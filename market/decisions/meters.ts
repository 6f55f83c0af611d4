// Owns the registry of meters: which gateway's leaf stands in which window's tree, and who may change it. It refuses a
// second live leaf of a key or of a connection; every change acts from the next window on, an emergency at once.

import type { CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { EMPTY_LEAF, nodeHex, TREE_LEAVES } from "../../protocol/quad-tree.ts";
import type { Decision, Occasion } from "../decision.ts";
import {
  freePosition,
  isLiveAt,
  leafAt,
  newestSlot,
  nodesAfter,
  rootsWith,
  rootsWithout,
} from "../registry.ts";
import { type RegionState, termsOf } from "../state.ts";
import { readHex } from "../table.ts";
import { nextWindowSlot } from "./region.ts";

/** What `replaces` says when an enrolment takes over no other. */
const NOTHING: Hex = `0x${"00".repeat(32)}`;
/** Stands for no row. */
const NO_ROW = -1;

type Enrolment = Occasion<CommandOf<"enrol_meter">>;

/** Names everybody who may enrol and revoke meters from now on. */
export function appointInstallers({ command }: Occasion<CommandOf<"appoint_installers">>): Decision {
  return { events: [{ type: "installers_appointed", installers: command.installers }] };
}

/** Puts a meter's leaf into the trees from the next window on, in another's place where it rotates one out. */
export function enrolMeter({ state, command, atS, evidence }: Enrolment): Decision {
  if (evidence?.kind !== "gateway-consent")
    return { rejection: rejected("evidence_malformed", { reason: "no consent was verified" }) };
  const { windowSlots } = termsOf(state);
  if (command.windowSlots !== windowSlots)
    return {
      rejection: rejected("window_length_wrong", { expected: windowSlots, got: command.windowSlots }),
    };
  const { gateway, leaf } = evidence;
  const { connection, nameplateWh, connectionWh, saleCapWh, purchaseCapWh } = command;
  const fromSlot = nextWindowSlot(state, atS);
  const { columns } = state.tables.meters;
  const replaced = command.replaces === NOTHING ? NO_ROW : liveRow(state, command.replaces, fromSlot);
  if (replaced === null) return { rejection: rejected("meter_not_found", { gateway: command.replaces }) };
  const refusal = refuseLeaf(state, { gateway, connection, fromSlot, replaced });
  if (refusal !== null) return { rejection: refusal };
  const position = replaced === NO_ROW ? freePosition(state) : (columns.position[replaced] as number);
  if (position === null) return { rejection: rejected("meters_exhausted", { limit: TREE_LEAVES }) };
  return {
    events: [
      {
        type: "meter_enrolled",
        meter: state.header.nextMeter,
        replaced: replaced === NO_ROW ? 0 : (columns.id[replaced] as number),
        position,
        gateway,
        connection,
        leaf,
        nameplateWh,
        connectionWh,
        saleCapWh,
        purchaseCapWh,
        fromSlot,
        nodes: nodesAfter(state, position, BigInt(leaf)),
      },
    ],
  };
}

/** Takes a key's leaf out of the trees from the next window on; in an emergency out of the open window's too. */
export function revokeMeter({ state, command, atS }: Occasion<CommandOf<"revoke_meter">>): Decision {
  const { gateway, isEmergency } = command;
  const fromSlot = isEmergency ? state.header.windowFirstSlot : nextWindowSlot(state, atS);
  const row = liveRow(state, gateway, fromSlot);
  if (row === null) return { rejection: rejected("meter_not_found", { gateway }) };
  const rows = isEmergency ? liveRows(state, gateway, fromSlot) : [row];
  const { columns } = state.tables.meters;
  const newest = newestSlot(state);
  // A leaf that was rotated out stands in older trees only; its place in the newest is another's.
  const inNewest = rows.find((one) => isLiveAt(state, one, newest));
  const position = columns.position[inNewest ?? row] as number;
  const leaf = inNewest === undefined ? leafAt(state, position, newest) : EMPTY_LEAF;
  const nodes = nodesAfter(state, position, leaf);
  return {
    events: [
      {
        type: "meter_revoked",
        meters: rows.map((one) => columns.id[one] as number),
        fromSlot,
        position,
        leaf: nodeHex(leaf),
        nodes,
        roots: isEmergency
          ? rootsWithout(state, new Set(rows))
          : rootsWith(state.header.roots, fromSlot, nodes.at(-1) as Hex),
      },
    ],
  };
}

/** The newest enrolment of a gateway, or null where it has ended by then. */
function liveRow(state: RegionState, gateway: Hex, slot: number): number | null {
  const row = state.indexes.meterByGateway.get(gateway);
  if (row === undefined) return null;
  return (state.tables.meters.columns.untilSlot[row] as number) > slot ? row : null;
}

/** All enrolments of a gateway that some window not closed yet still has. */
function liveRows(state: RegionState, gateway: Hex, slot: number): number[] {
  const { columns, rows } = state.tables.meters;
  return Array.from({ length: rows }, (_, row) => row).filter(
    (row) => (columns.untilSlot[row] as number) > slot && readHex(columns.gateway, row, 32) === gateway,
  );
}

function refuseLeaf(
  state: RegionState,
  asked: { gateway: Hex; connection: Hex; fromSlot: number; replaced: number },
): Rejection | null {
  const { gateway, connection, fromSlot, replaced } = asked;
  const sameKey = liveRow(state, gateway, fromSlot);
  if (sameKey !== null && sameKey !== replaced) return rejected("meter_exists", { held: "gateway" });
  const sameConnection = liveRowOfConnection(state, connection, fromSlot);
  if (replaced !== NO_ROW)
    return sameConnection === replaced ? null : rejected("connection_mismatch", { gateway: asked.gateway });
  return sameConnection === null ? null : rejected("meter_exists", { held: "connection" });
}

function liveRowOfConnection(state: RegionState, connection: Hex, slot: number): number | null {
  const { columns, rows } = state.tables.meters;
  const first = Number.parseInt(connection.slice(2, 4), 16);
  for (let row = 0; row < rows; row += 1) {
    if (columns.connection[row * 32] !== first || (columns.untilSlot[row] as number) <= slot) continue;
    if (readHex(columns.connection, row, 32) === connection) return row;
  }
  return null;
}

// Owns a registry of meters that the region does not keep: leaves as the installer's accepted commands say, each window's
// tree built from nothing. It refuses the market's look-ups, nodes and roots; of an event it takes the position alone.

import { gatewayIdOf, regionTag } from "../../evidence/gateway-window.ts";
import { meterLeaf } from "../../evidence/meter-statement.ts";
import type { Entry } from "../../market/journal.ts";
import type { Registry } from "../../protocol/answers.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import { type EventOf, NO_END_SLOT } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { EMPTY_LEAF, nodeHex } from "../../protocol/quad-tree.ts";
import { kept } from "./kept.ts";
import { CONTEXT, treeOf } from "./meters.ts";

const NO_LEAF = nodeHex(EMPTY_LEAF);
const HOUR_S = 3_600;

interface Standing {
  readonly gateway: Hex;
  readonly connection: Hex;
  readonly leaf: Hex;
  readonly position: number;
  readonly fromSlot: number;
  untilSlot: number;
}

interface Enrolled {
  readonly gateway: Hex;
  readonly leaf: Hex;
}

const TAG = regionTag(CONTEXT);
const leaves = new Map<string, Enrolled>();

/** What a command asks to be enrolled, whoever verified it. */
function enrolledBy(command: CommandOf<"enrol_meter">): Enrolled {
  const { gatewayX, gatewayY, commitment, nameplateWh, connectionWh, saleCapWh, purchaseCapWh } = command;
  const limits = { nameplateWh, connectionWh, saleCapWh, purchaseCapWh };
  return kept(leaves, JSON.stringify([gatewayX, gatewayY, commitment, limits]), () => {
    const key = [BigInt(gatewayX), BigInt(gatewayY)] as const;
    return { gateway: gatewayIdOf(key), leaf: nodeHex(meterLeaf(key, BigInt(commitment), TAG, limits)) };
  });
}

/** The registry by its commands. */
export class RegistryBook {
  #standing: Standing[] = [];
  #firstSlot = 0;

  opened(firstSlot: number): void {
    this.#firstSlot = firstSlot;
  }

  /** Takes in an entry, decided while the window that began at `openSlot` was open; answers what is wrong with it. */
  take({ command, events, atS }: Entry, openSlot: number): string | null {
    const nextSlot = Math.max(this.#firstSlot, (Math.floor(atS / HOUR_S) + 1) * 4);
    if (command?.type === "enrol_meter") return this.#enrol(command, events, nextSlot);
    if (command?.type === "revoke_meter") {
      this.#revoke(command, command.isEmergency ? openSlot : nextSlot);
      return null;
    }
    return events.some(({ type }) => type === "meter_enrolled" || type === "meter_revoked")
      ? "a meter came or went without an installer"
      : null;
  }

  /** A window has closed; what has ended by the next one is gone. */
  closed(nextSlot: number): void {
    this.#standing = this.#standing.filter(({ untilSlot }) => untilSlot > nextSlot);
  }

  /** Leaves of the window that begins at a slot, by position. */
  leavesOf(slot: number): Hex[] {
    const found: Hex[] = [];
    for (const { position, leaf, fromSlot, untilSlot } of this.#standing) {
      if (fromSlot > slot || untilSlot <= slot) continue;
      while (found.length <= position) found.push(NO_LEAF);
      found[position] = leaf;
    }
    return found;
  }

  rootOf(slot: number): Hex {
    return treeOf(this.leavesOf(slot)).root;
  }

  /** What is wrong with what the region tells of a window, or null. */
  hold({ firstSlot, root, leaves: told }: Registry): string | null {
    const own = this.leavesOf(firstSlot);
    if (told.join() !== own.join()) return `window ${firstSlot} has other leaves`;
    return root === this.rootOf(firstSlot) ? null : `the root of window ${firstSlot} is not its leaves'`;
  }

  #enrol(command: CommandOf<"enrol_meter">, events: Entry["events"], fromSlot: number): string | null {
    const { connection, replaces } = command;
    const { gateway, leaf } = enrolledBy(command);
    const [event] = events as readonly [EventOf<"meter_enrolled">];
    const { position } = event;
    const lasting = this.#standing.filter(({ untilSlot }) => untilSlot > fromSlot);
    const isRotation = BigInt(replaces) !== 0n;
    const replaced = isRotation ? lasting.find((one) => one.gateway === replaces) : undefined;
    if (isRotation && (replaced?.connection !== connection || replaced.position !== position))
      return `${replaces} was replaced, and is not what stood there`;
    if (replaced !== undefined) replaced.untilSlot = fromSlot;
    const rival = lasting.find(
      (one) =>
        one !== replaced &&
        (one.gateway === gateway || one.connection === connection || one.position === position),
    );
    if (rival !== undefined)
      return `${gateway} was enrolled beside ${rival.gateway} at position ${rival.position}`;
    this.#standing.push({ gateway, connection, leaf, position, fromSlot, untilSlot: NO_END_SLOT });
    return null;
  }

  #revoke({ gateway }: CommandOf<"revoke_meter">, fromSlot: number): void {
    for (const one of this.#standing)
      if (one.gateway === gateway) one.untilSlot = Math.min(one.untilSlot, fromSlot);
  }
}

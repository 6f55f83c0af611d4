// Owns the registry as an auditor knows it: leaves by their events alone, and the roots that follow from them. It refuses a
// root that a journal states and its leaves do not have.

import type { Entry } from "../../market/journal.ts";
import { rootOfWindow } from "../../market/registry.ts";
import type { RegionState } from "../../market/state.ts";
import type { EventOf } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { LeafTree } from "../../protocol/leaf-tree.ts";
import { EMPTY_LEAF, nodeHex, QuadTree } from "../../protocol/quad-tree.ts";

interface Leaf {
  readonly position: number;
  readonly leaf: Hex;
  readonly fromSlot: number;
  untilSlot: number;
}

/** Follows the registry through a journal. */
export class RegistryReplay {
  /** Roots that were held against leaves. */
  roots = 0;
  readonly #newest = new QuadTree();
  /** By the meter's number. */
  readonly #leaves = new Map<number, Leaf>();
  readonly #window = new LeafTree();
  #checkedWindow = -1;

  /**
   * Holds what an entry says of roots against its leaves.
   * @param state what the entry has led to.
   * @returns what is wrong, or null.
   */
  take({ events }: Entry, state: RegionState): string | null {
    for (const event of events) {
      const wrong = this.#follow(event, state);
      if (wrong !== null) return wrong;
    }
    return null;
  }

  #follow(event: Entry["events"][number], state: RegionState): string | null {
    switch (event.type) {
      case "meter_enrolled":
        return this.#enrolled(event);
      case "meter_revoked":
        return this.#revoked(event, state);
      case "readings_accepted":
        return this.#claimed(event.firstSlot, state);
      default:
        return null;
    }
  }

  #enrolled({ meter, replaced, position, leaf, fromSlot, nodes }: EventOf<"meter_enrolled">): string | null {
    const before = this.#leaves.get(replaced);
    if (before !== undefined) before.untilSlot = fromSlot;
    this.#leaves.set(meter, { position, leaf, fromSlot, untilSlot: Number.MAX_SAFE_INTEGER });
    return this.#holdNewest(position, leaf, nodes);
  }

  #revoked(event: EventOf<"meter_revoked">, state: RegionState): string | null {
    const { meters, fromSlot, position, leaf, nodes, roots } = event;
    for (const meter of meters) {
      const ended = this.#leaves.get(meter);
      if (ended !== undefined) ended.untilSlot = fromSlot;
    }
    const wrong = this.#holdNewest(position, leaf, nodes);
    if (wrong !== null) return wrong;
    // An emergency changes the root of a window that was held already.
    this.#checkedWindow = -1;
    for (const one of roots) {
      const slot = Math.max(one.fromSlot, state.header.windowFirstSlot);
      if (this.#rootAt(slot) !== one.root) return `the root from slot ${one.fromSlot} on is not its leaves'`;
    }
    return null;
  }

  /** Once a window: the root that its proofs are about. */
  #claimed(firstSlot: number, state: RegionState): string | null {
    if (firstSlot === this.#checkedWindow) return null;
    this.#checkedWindow = firstSlot;
    for (const [meter, { untilSlot }] of this.#leaves) if (untilSlot <= firstSlot) this.#leaves.delete(meter);
    return this.#rootAt(firstSlot) === rootOfWindow(state, firstSlot)
      ? null
      : `the root of window ${firstSlot} is not its leaves'`;
  }

  #holdNewest(position: number, leaf: Hex, nodes: readonly Hex[]): string | null {
    this.#newest.set(position, BigInt(leaf));
    this.roots += 1;
    return nodeHex(this.#newest.root) === nodes.at(-1) ? null : "the newest root is not its leaves'";
  }

  #rootAt(slot: number): Hex | null {
    const leaves: Hex[] = [];
    for (const { position, leaf, fromSlot, untilSlot } of this.#leaves.values()) {
      if (fromSlot > slot || untilSlot <= slot) continue;
      while (leaves.length <= position) leaves.push(NO_LEAF);
      leaves[position] = leaf;
    }
    this.roots += 1;
    return this.#window.bringTo(leaves);
  }
}

const NO_LEAF = nodeHex(EMPTY_LEAF);

// Owns a region's registry of meters as households prove against it: downloaded whole, so that nobody is told which meter
// is whose, and kept as a tree that differences bring up to date. It refuses leaves that do not have the root stated.

import type { Registry } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import { EMPTY_LEAF, nodeHex, QuadTree, TREE_DEPTH, type TreePath } from "../../protocol/quad-tree.ts";
import type { PolderClient } from "../sdk/client.ts";

/** A region states a root that is not its leaves'. A proof against either would be about a set nobody has seen. */
export class RegistryFault extends Error {
  override readonly name = "RegistryFault";
}

/** Answers kept: an agent that is late proves one window while others prove the next. */
const KEPT_WINDOWS = 2;

/** The registry of one region, for all meters of a process. */
export class RegionRegistry {
  readonly #client: PolderClient;
  readonly #region: string;
  readonly #answers = new Map<number, Promise<Registry>>();
  #tree = new QuadTree();
  #leaves: Registry["leaves"] = [];

  constructor(client: PolderClient, region: string) {
    this.#client = client;
    this.#region = region;
  }

  /**
   * The path of a leaf in the tree of the window that begins at `firstSlot`, or null where the leaf is not in it.
   * @param isFresh asks the region anew: an emergency may have taken leaves out of a window's tree.
   * @throws RegistryFault; PolderProblem, TransportFault
   */
  async pathOf(leaf: bigint, firstSlot: number, isFresh = false): Promise<TreePath | null> {
    const answer = await this.#answerOf(firstSlot, isFresh);
    // From here on nothing is awaited: others may want the tree of another window.
    const root = this.#bringTo(answer);
    if (root !== answer.root) {
      this.#answers.delete(firstSlot);
      throw new RegistryFault(
        `the leaves of window ${firstSlot} have the root ${root ?? "of no tree"}, and ${this.#region} states ${answer.root}`,
      );
    }
    const position = answer.leaves.indexOf(nodeHex(leaf));
    return position < 0 ? null : this.#tree.path(position);
  }

  #answerOf(firstSlot: number, isFresh: boolean): Promise<Registry> {
    const kept = this.#answers.get(firstSlot);
    if (kept !== undefined && !isFresh) return kept;
    const asked = this.#client.registry(this.#region, firstSlot);
    this.#answers.delete(firstSlot);
    this.#answers.set(firstSlot, asked);
    asked.catch(() => this.#answers.get(firstSlot) === asked && this.#answers.delete(firstSlot));
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= KEPT_WINDOWS) break;
      this.#answers.delete(oldest);
    }
    return asked;
  }

  /** Makes the tree that of an answer; its root, or null where they are not the leaves of a tree. */
  #bringTo({ leaves }: Registry): Hex | null {
    const differing = differences(this.#leaves, leaves);
    try {
      // Where most differ, building it anew is less work.
      if (differing.length * TREE_DEPTH * 3 > leaves.length) this.#tree = new QuadTree(leaves.map(BigInt));
      else for (const position of differing) this.#tree.set(position, BigInt(leaves[position] ?? NO_LEAF));
      this.#leaves = leaves;
      return nodeHex(this.#tree.root);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#tree = new QuadTree();
      this.#leaves = [];
      return null;
    }
  }
}

const NO_LEAF = nodeHex(EMPTY_LEAF);

function differences(before: readonly Hex[], after: readonly Hex[]): number[] {
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, position) => position).filter(
    (position) => (before[position] ?? NO_LEAF) !== (after[position] ?? NO_LEAF),
  );
}

// Owns a tree that is brought from one list of leaves to another by what differs. It refuses lists that are none of a tree.

import type { Hex } from "./fields.ts";
import { EMPTY_LEAF, nodeHex, QuadTree, TREE_DEPTH, type TreePath } from "./quad-tree.ts";

const NO_LEAF = nodeHex(EMPTY_LEAF);

/** The registry's tree of one window after the other. */
export class LeafTree {
  #tree = new QuadTree();
  #leaves: readonly Hex[] = [];

  /**
   * Makes it the tree of these leaves, by position.
   * @returns the root, or null where they are not the leaves of a tree; it is then empty.
   */
  bringTo(leaves: readonly Hex[]): Hex | null {
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

  /** What proves that a leaf is in the tree, or null where it is not. */
  pathOf(leaf: bigint): TreePath | null {
    const position = this.#leaves.indexOf(nodeHex(leaf));
    return position < 0 ? null : this.#tree.path(position);
  }
}

function differences(before: readonly Hex[], after: readonly Hex[]): number[] {
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, position) => position).filter(
    (position) => (before[position] ?? NO_LEAF) !== (after[position] ?? NO_LEAF),
  );
}

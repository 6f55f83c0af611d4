// Owns the Poseidon tree of four children a node that circuits prove membership in: one for meters, one for
// certificates. It refuses what is no field element, and more leaves than its depth holds.

import { poseidon4 } from "poseidon-lite/poseidon4";
import { FIELD_ORDER, type Hex } from "./fields.ts";

/** Levels above the leaves. */
export const TREE_DEPTH = 8;
/** 4⁸ leaves. */
export const TREE_LEAVES = 4 ** TREE_DEPTH;
/** Stands where there is no leaf. No preimage of it under Poseidon is known, so nobody can prove to be there. */
export const EMPTY_LEAF = 0n;

/** The four children of every node on the way from a leaf to the root, lowest level first. */
export type TreePath = readonly (readonly [bigint, bigint, bigint, bigint])[];

/** Roots of empty trees of height 0 to 8. */
export const EMPTY_ROOTS: readonly bigint[] = Array.from({ length: TREE_DEPTH }).reduce<bigint[]>(
  (roots) => {
    const below = roots.at(-1) as bigint;
    return [...roots, poseidon4([below, below, below, below])];
  },
  [EMPTY_LEAF],
);

/** A node of its four children: Poseidon over them. */
export function hashNode(children: readonly bigint[]): bigint {
  return poseidon4([...children]);
}

/** A tree in memory; a change costs eight hashes. */
export class QuadTree {
  /** Level 0 holds the leaves; what was never set is the empty tree of that height. */
  readonly #levels: bigint[][] = Array.from({ length: TREE_DEPTH + 1 }, () => []);

  /**
   * Level by level, a hash for every three leaves, where `set` takes eight for each.
   * @param leaves at positions 0, 1, …
   * @throws RangeError for a leaf that is no field element, or more than 65,536.
   */
  constructor(leaves: readonly bigint[] = []) {
    if (leaves.length > TREE_LEAVES) throw new RangeError(`more than ${TREE_LEAVES} leaves`);
    this.#levels[0] = leaves.map(checkedLeaf);
    for (let level = 1; level <= TREE_DEPTH; level += 1) {
      const nodes = Math.ceil((this.#levels[level - 1] as bigint[]).length / 4);
      this.#levels[level] = Array.from({ length: nodes }, (_, index) => this.#hash(level, index));
    }
  }

  get root(): bigint {
    return this.#node(TREE_DEPTH, 0);
  }

  /** The leaf at a position, `EMPTY_LEAF` where there is none. */
  leaf(position: number): bigint {
    return this.#node(0, checkedPosition(position));
  }

  /**
   * Puts a leaf, or removes it with `EMPTY_LEAF`.
   * @throws RangeError for a position outside of the tree or a leaf that is no field element.
   */
  set(position: number, leaf: bigint): void {
    this.#put(0, checkedPosition(position), checkedLeaf(leaf));
    for (let level = 1, index = position >> 2; level <= TREE_DEPTH; level += 1, index >>= 2) {
      this.#put(level, index, this.#hash(level, index));
    }
  }

  /**
   * What proves that the leaf at a position is in the tree.
   * @throws RangeError for a position outside of the tree.
   */
  path(position: number): TreePath {
    checkedPosition(position);
    return Array.from({ length: TREE_DEPTH }, (_, below) =>
      this.#children(below + 1, position >> (2 * (below + 1))),
    );
  }

  #children(level: number, index: number): [bigint, bigint, bigint, bigint] {
    const child = (k: number) => this.#node(level - 1, 4 * index + k);
    return [child(0), child(1), child(2), child(3)];
  }

  #hash(level: number, index: number): bigint {
    const children = this.#children(level, index);
    return children.every((child) => child === EMPTY_ROOTS[level - 1])
      ? (EMPTY_ROOTS[level] as bigint)
      : hashNode(children);
  }

  #node(level: number, index: number): bigint {
    return this.#levels[level]?.[index] ?? (EMPTY_ROOTS[level] as bigint);
  }

  #put(level: number, index: number, value: bigint): void {
    const nodes = this.#levels[level] as bigint[];
    while (nodes.length < index) nodes.push(EMPTY_ROOTS[level] as bigint);
    nodes[index] = value;
  }
}

/** The root that a leaf reaches by a path, or null when it is not among the children it is shown with. */
export function rootOfPath(leaf: bigint, path: TreePath): bigint | null {
  let node = leaf;
  for (const children of path) {
    if (!children.includes(node)) return null;
    node = hashNode(children);
  }
  return path.length === TREE_DEPTH ? node : null;
}

/** One number for a node's level and index. */
export function nodeKey(level: number, index: number): number {
  return level * TREE_LEAVES + index;
}

/** A node as 32 big-endian bytes. */
export function nodeHex(node: bigint): Hex {
  return `0x${node.toString(16).padStart(64, "0")}`;
}

function checkedLeaf(leaf: bigint): bigint {
  if (leaf < 0n || leaf >= FIELD_ORDER) throw new RangeError("a leaf is a field element");
  return leaf;
}

function checkedPosition(position: number): number {
  if (!Number.isSafeInteger(position) || position < 0 || position >= TREE_LEAVES) {
    throw new RangeError(`no leaf ${position} in a tree of ${TREE_LEAVES}`);
  }
  return position;
}

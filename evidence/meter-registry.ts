// Owns a household's way into its region's registry of one window: from all leaves to the path of its own. It refuses
// leaves that do not make the root they came with. (Asking for one path would tell the region which meter is whose.)

import type { Registry } from "../protocol/answers.ts";
import { QuadTree, type TreePath } from "../protocol/quad-tree.ts";

/** A leaf's path, or why there is none: the leaf is not listed, or the list is not the root's. */
export type RegistryVerdict =
  | { readonly ok: true; readonly path: TreePath }
  | { readonly ok: false; readonly reason: "leaf_missing" | "root_wrong" };

/**
 * Finds a leaf and proves where it stands. Takes a hash for every four leaves: some ten seconds for a full tree.
 * @throws RangeError for leaves that are no field elements, or more than a tree holds.
 */
export function pathInRegistry({ root, leaves }: Registry, leaf: bigint): RegistryVerdict {
  const numbers = leaves.map(BigInt);
  const position = numbers.indexOf(leaf);
  if (position < 0) return { ok: false, reason: "leaf_missing" };
  const tree = new QuadTree(numbers);
  return tree.root === BigInt(root)
    ? { ok: true, path: tree.path(position) }
    : { ok: false, reason: "root_wrong" };
}

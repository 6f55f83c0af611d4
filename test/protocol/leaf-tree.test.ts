// Owns the promises of a tree that is brought from list to list: no root from what are no leaves, no path to a leaf that
// is not in it, and otherwise exactly the tree that is built anew.

import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol/fields.ts";
import { LeafTree } from "../../protocol/leaf-tree.ts";
import { nodeHex, QuadTree, rootOfPath } from "../../protocol/quad-tree.ts";

const numbers = [11n, 0n, 33n, 44n, 55n, 0n, 77n];
const leaves = numbers.map(nodeHex);

describe("tree of leaves", () => {
  test("rejects: leaves that are no field elements, after which it is empty and can begin anew", () => {
    const tree = new LeafTree();
    tree.bringTo(leaves);
    expect(tree.bringTo(leaves.with(0, nodeHex(FIELD_ORDER)))).toBeNull();
    expect(tree.pathOf(44n)).toBeNull();
    expect(tree.bringTo(leaves)).toBe(nodeHex(new QuadTree(numbers).root));
  });

  test("rejects: the path of a leaf that is not in it, or no longer", () => {
    const tree = new LeafTree();
    expect(tree.pathOf(11n)).toBeNull();
    tree.bringTo(leaves);
    expect(tree.pathOf(22n)).toBeNull();
    tree.bringTo(leaves.slice(1));
    expect(tree.pathOf(11n)).toBeNull();
  });

  test("behavior: by differences it comes to the root and the paths of a tree built anew, grown, shrunk or changed", () => {
    const many = Array.from({ length: 200 }, (_, index) => BigInt(1_000 + index));
    const lists = [many, many.with(77, 5n), [...many.with(3, 0n), 8n, 9n], many.slice(0, 190), many, []];
    const tree = new LeafTree();
    for (const list of lists) {
      const root = nodeHex(new QuadTree(list).root);
      expect(tree.bringTo(list.map(nodeHex))).toBe(root);
      for (const leaf of [list[0], list[77], list.at(-1)]) {
        if (leaf === undefined) continue;
        const path = tree.pathOf(leaf);
        expect(path !== null && nodeHex(rootOfPath(leaf, path) as bigint)).toBe(root);
      }
    }
  });
});

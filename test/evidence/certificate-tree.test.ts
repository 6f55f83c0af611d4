// Owns the promise that everybody derives the same certificate tree from an epoch. It refuses a published tree whose leaves
// do not have its root.

import { describe, expect, test } from "vitest";
import { certificateLeaf } from "../../evidence/certificate-statement.ts";
import {
  certificateRoot,
  certificateTree,
  type EpochCertificate,
  treeOfPublished,
} from "../../evidence/certificate-tree.ts";
import { FIELD_ORDER, type Hex } from "../../protocol/fields.ts";
import { QuadTree, rootOfPath } from "../../protocol/quad-tree.ts";

const CERTIFICATES: EpochCertificate[] = Array.from({ length: 21 }, (_, index) => ({
  commitment: String(7n ** BigInt(index + 3)),
  soldWh: index * 1_000,
  boughtWh: 2 ** 40 - 1 - index,
}));

describe("certificate tree", () => {
  test("rejects: published leaves that are too short, no field elements, or not those of the root", () => {
    const { root, leaves } = certificateTree(CERTIFICATES);
    const [first, second, ...others] = leaves as [Hex, Hex, ...Hex[]];
    const wrong: Hex[][] = [
      [second, first, ...others],
      leaves.slice(1) as Hex[],
      [...(leaves as Hex[]), first],
      [first.slice(0, -2) as Hex, second, ...others],
      ["0x" as Hex, second, ...others],
      [`0x${(BigInt(first) + FIELD_ORDER).toString(16)}`, second, ...others],
    ];
    for (const other of wrong) expect(treeOfPublished({ root, leaves: other })).toBeNull();
    expect(treeOfPublished({ root: `0x${"00".repeat(32)}`, leaves })).toBeNull();
    expect(() => certificateTree([{ commitment: "1", soldWh: 2 ** 40, boughtWh: 0 }])).toThrow(RangeError);
  });

  test("behavior: a root made with pauses is the tree's, of any size, and refuses what the tree refuses", async () => {
    let pauses = 0;
    const pause = async () => {
      pauses += 1;
    };
    for (const size of [0, 1, 4, 5, 17, 21]) {
      const some = CERTIFICATES.slice(0, size);
      expect(await certificateRoot(some, pause)).toBe(certificateTree(some).root);
    }
    expect(pauses).toBe(2);
    await expect(certificateRoot([{ commitment: "1", soldWh: 2 ** 40, boughtWh: 0 }], pause)).rejects.toThrow(
      RangeError,
    );
  });

  test("behavior: leaves stand in the order given, and each has its path to the root", () => {
    const { root, leaves } = certificateTree(CERTIFICATES);
    const tree = treeOfPublished({ root, leaves }) as QuadTree;
    CERTIFICATES.forEach(({ commitment, soldWh, boughtWh }, position) => {
      const leaf = certificateLeaf(BigInt(commitment), soldWh, boughtWh);
      expect(BigInt(leaves[position] as Hex)).toBe(leaf);
      expect(rootOfPath(leaf, tree.path(position))).toBe(BigInt(root));
    });
    expect(BigInt(certificateTree([]).root)).toBe(new QuadTree().root);
  });

  test("invariant: a tree made at once is the one that is made leaf by leaf", () => {
    for (const count of [0, 1, 3, 4, 5, 16, 17, 70]) {
      const leaves = Array.from({ length: count }, (_, index) => BigInt(index + 1));
      const slowly = new QuadTree();
      leaves.forEach((leaf, position) => {
        slowly.set(position, leaf);
      });
      const atOnce = new QuadTree(leaves);
      expect(atOnce.root, `${count} leaves`).toBe(slowly.root);
      for (const tree of [slowly, atOnce]) tree.set(count + 2, 99n);
      expect(atOnce.root, `${count} leaves and a later one`).toBe(slowly.root);
    }
    expect(() => new QuadTree([FIELD_ORDER])).toThrow(RangeError);
    expect(() => new QuadTree(new Array<bigint>(4 ** 8 + 1).fill(1n))).toThrow(RangeError);
  });
});

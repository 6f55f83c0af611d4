// Owns the promise that the sum tree hashes as Settlement does, and shows nothing but its leaves. It refuses to compute the
// figures it compares with: they stand in the vector file, to which the contract's tests hold Solidity.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  hashSumLeaf,
  isLeafOf,
  MAX_SUM_LEVELS,
  type SumLeaf,
  type SumPath,
  type Sums,
  SumTree,
  sumRoot,
} from "../../evidence/sum-tree.ts";
import type { Hex } from "../../protocol/fields.ts";
import { settlementVectors, vectorLeaf, vectorLeaves } from "../../tools/make-settlement-vectors.ts";
import vectors from "../vectors/settlement.json" with { type: "json" };

const SIZE = 10;
const leaves = vectorLeaves(SIZE);
const tree = new SumTree(leaves);

function claim(position: number, of: SumTree = tree): { leaf: SumLeaf; path: SumPath } {
  const found = of.claimOf(vectorLeaf(position).account);
  if (found === null) throw new Error(`no leaf ${position}`);
  return found;
}

const isShown = (leaf: SumLeaf, path: SumPath) => isLeafOf(tree.root, tree.totals, leaf, path);
const withSums = (leaf: SumLeaf, sums: Partial<Sums>): SumLeaf => ({
  ...leaf,
  sums: { ...leaf.sums, ...sums },
});

describe("what is no leaf", () => {
  test("rejects: an account twice, in either spelling", () => {
    const [first] = leaves as [SumLeaf];
    const shouted = { ...first, account: first.account.toUpperCase().replace("0X", "0x") as Hex };
    expect(() => new SumTree([...leaves, first])).toThrow(RangeError);
    expect(() => new SumTree([...leaves, shouted])).toThrow(RangeError);
  });

  test("rejects: accounts that are no address, and amounts that no contract could pay", () => {
    const { sums } = vectorLeaf(0);
    expect(() => new SumTree([{ account: "0x1234", sums }])).toThrow(RangeError);
    for (const [name, value] of [
      ["withdrawalsMicros", 2n ** 64n],
      ["heldMicros", 2n ** 64n],
      ["rewards", 2n ** 128n],
      ["heldMicros", -1n],
    ] as const) {
      expect(() => new SumTree([withSums(vectorLeaf(0), { [name]: value })]), name).toThrow(RangeError);
    }
  });

  test("rejects: leaves that are whole each and too much together", () => {
    const most = withSums(vectorLeaf(0), { heldMicros: 2n ** 64n - 1n });
    expect(() => new SumTree([most, withSums(vectorLeaf(1), { heldMicros: 1n })])).toThrow(RangeError);
    expect(new SumTree([most, withSums(vectorLeaf(1), { heldMicros: 0n })]).totals.heldMicros).toBe(
      2n ** 64n - 1n,
    );
  });

  test("rejects: a changed leaf, a foreign path, and a path of another tree", () => {
    const { leaf, path } = claim(3);
    expect(isShown(leaf, path)).toBe(true);
    expect(isShown(withSums(leaf, { heldMicros: leaf.sums.heldMicros + 1n }), path)).toBe(false);
    expect(isShown({ ...leaf, account: vectorLeaf(4).account }, path)).toBe(false);
    expect(isShown(leaf, claim(4).path)).toBe(false);
    expect(isShown(leaf, claim(3, new SumTree(vectorLeaves(SIZE - 1))).path)).toBe(false);
  });

  test("rejects: paths that are too short, too long, or spell their place another way", () => {
    const { leaf, path } = claim(3);
    const { position, siblings } = path;
    const [sibling] = siblings as [SumPath["siblings"][number]];
    expect(isShown(leaf, { position, siblings: siblings.slice(0, -1) })).toBe(false);
    expect(isShown(leaf, { position: 0n, siblings: [] })).toBe(false);
    expect(isShown(leaf, { position, siblings: [...siblings, sibling] })).toBe(false);
    expect(isShown(leaf, { position, siblings: Array(MAX_SUM_LEVELS + 1).fill(sibling) })).toBe(false);
    expect(isShown(leaf, { position: position + 16n, siblings })).toBe(false);
    expect(isShown(leaf, { position: position - 16n, siblings })).toBe(false);
  });

  test("rejects: a node as a leaf, and sums moved to the sibling", () => {
    const { leaf, path } = claim(0);
    const [sibling] = path.siblings as [SumPath["siblings"][number]];
    const both = withSums(leaf, {
      withdrawalsMicros: leaf.sums.withdrawalsMicros + sibling.sums.withdrawalsMicros,
      heldMicros: leaf.sums.heldMicros + sibling.sums.heldMicros,
      rewards: leaf.sums.rewards + sibling.sums.rewards,
    });
    expect(isShown(both, { position: 0n, siblings: path.siblings.slice(1) })).toBe(false);
    const moved = {
      ...sibling,
      sums: { ...sibling.sums, heldMicros: sibling.sums.heldMicros - 1n },
    };
    const more = withSums(leaf, { heldMicros: leaf.sums.heldMicros + 1n });
    expect(isShown(more, { ...path, siblings: [moved, ...path.siblings.slice(1)] })).toBe(false);
  });

  test("rejects: totals that are not the root's, siblings that are no hashes, sums that wrap", () => {
    const { leaf, path } = claim(3);
    const { totals, root } = tree;
    for (const name of ["withdrawalsMicros", "heldMicros", "rewards"] as const) {
      expect(isLeafOf(root, { ...totals, [name]: totals[name] - 1n }, leaf, path), name).toBe(false);
    }
    const [sibling] = path.siblings as [SumPath["siblings"][number]];
    for (const odd of [
      { ...sibling, hash: "0x12" as Hex },
      { ...sibling, sums: { ...sibling.sums, heldMicros: -1n } },
      { ...sibling, sums: { ...sibling.sums, heldMicros: 2n ** 64n - 1n } },
    ]) {
      expect(isShown(leaf, { ...path, siblings: [odd, ...path.siblings.slice(1)] })).toBe(false);
    }
  });
});

describe("what is one", () => {
  test("behavior: the roots, sums and bounds of the vector file", { timeout: 30_000 }, () => {
    expect(hashSumLeaf(vectorLeaf(0))).toBe(vectors.leafHash);
    expect(settlementVectors()).toEqual(vectors);
  });

  test("behavior: every leaf of every size is shown by its path, however its account is spelt", () => {
    for (let size = 1; size <= 17; size += 1) {
      const grown = new SumTree(vectorLeaves(size));
      for (let position = 0; position < size; position += 1) {
        const { leaf, path } = claim(position, grown);
        expect(isLeafOf(grown.root, grown.totals, leaf, path)).toBe(true);
      }
    }
    const { account } = vectorLeaf(3);
    expect(tree.claimOf(account.toUpperCase().replace("0X", "0x") as Hex)?.path.position).toBe(3n);
    expect(tree.claimOf(`0x${"00".repeat(20)}`)).toBeNull();
  });

  test("behavior: a root made with pauses is the tree's, of any size, and refuses what the tree refuses", async () => {
    let pauses = 0;
    const pause = async () => {
      pauses += 1;
    };
    for (const size of [0, 1, 2, 3, 7, 8, 600]) {
      const { root, totals } = new SumTree(vectorLeaves(size));
      expect(await sumRoot(vectorLeaves(size), pause)).toEqual({ root, totals });
    }
    expect(pauses).toBe(3);
    await expect(sumRoot([vectorLeaf(1), vectorLeaf(1)], pause)).rejects.toThrow(RangeError);
    const large = { ...vectorLeaf(1), sums: { ...vectorLeaf(1).sums, heldMicros: 2n ** 64n } };
    await expect(sumRoot([large], pause)).rejects.toThrow(RangeError);
  });

  test("behavior: a region of ten thousand accounts, and the path of its last", { timeout: 30_000 }, () => {
    const grown = new SumTree(vectorLeaves(10_000));
    const { leaf, path } = claim(9_999, grown);
    expect(path.siblings).toHaveLength(14);
    expect(isLeafOf(grown.root, grown.totals, leaf, path)).toBe(true);
  });

  test("property: the totals are the sums of all leaves, in any order", () => {
    const amounts = fc.tuple(fc.bigInt(0n, 2n ** 40n), fc.bigInt(0n, 2n ** 40n), fc.bigInt(0n, 2n ** 90n));
    fc.assert(
      fc.property(fc.array(amounts, { maxLength: 30 }), (drawn) => {
        const drawnLeaves = drawn.map(([withdrawalsMicros, heldMicros, rewards], number) => ({
          account: vectorLeaf(number).account,
          sums: { withdrawalsMicros, heldMicros, rewards },
        }));
        const { totals } = new SumTree(drawnLeaves);
        const sum = (name: keyof Sums) => drawnLeaves.reduce((all, { sums }) => all + sums[name], 0n);
        expect(totals).toEqual({
          withdrawalsMicros: sum("withdrawalsMicros"),
          heldMicros: sum("heldMicros"),
          rewards: sum("rewards"),
        });
        expect(new SumTree(drawnLeaves.toReversed()).totals).toEqual(totals);
      }),
    );
  });
});

// Owns what a household may rely on of a registry it downloads: the path of its own leaf in the tree of exactly the window
// that was asked for, one download for all meters, and nothing of a region that lies. It refuses to tell which leaf it is.

import { describe, expect, test } from "vitest";
import { RegionRegistry, RegistryFault } from "../../clients/household/region-registry.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { TransportFault } from "../../clients/sdk/problem.ts";
import { nodeHex, QuadTree, rootOfPath } from "../../protocol/quad-tree.ts";

/** A region that serves registries of windows, and what was asked of it. */
class Region {
  readonly asked: string[] = [];
  readonly leaves = new Map<number, bigint[]>();
  bend: (answer: { root: string; leaves: string[] }) => object = (answer) => answer;
  isDown = false;

  readonly registry = new RegionRegistry(
    new PolderClient("http://polder.example", {
      retries: 0,
      fetch: async (input) => {
        this.asked.push(String(input));
        if (this.isDown) throw new TypeError("the line is dead");
        const firstSlot = Number(String(input).split("/").at(-1));
        const leaves = this.leaves.get(firstSlot) as bigint[];
        const answer = { root: nodeHex(new QuadTree(leaves).root), leaves: leaves.map(nodeHex) };
        return Response.json({ firstSlot, ...this.bend(answer) });
      },
    }),
    "street",
  );
}

const leavesFrom = (first: number, length: number) =>
  Array.from({ length }, (_, index) => BigInt(first + index) ** 9n);

async function expectPath(region: Region, leaf: bigint, firstSlot: number): Promise<void> {
  const path = await region.registry.pathOf(leaf, firstSlot);
  expect(path, `window ${firstSlot}`).not.toBeNull();
  const root = new QuadTree(region.leaves.get(firstSlot)).root;
  expect(rootOfPath(leaf, path as NonNullable<typeof path>)).toBe(root);
}

describe("a registry", () => {
  test("rejects: leaves that do not have the root, and the next answer is asked for anew", async () => {
    const region = new Region();
    const leaves = leavesFrom(3, 5);
    region.leaves.set(4, leaves);
    const lies: Region["bend"][] = [
      (answer) => ({ ...answer, root: answer.leaves[0] }),
      (answer) => ({ ...answer, leaves: answer.leaves.toReversed() }),
      (answer) => ({ ...answer, leaves: [] }),
      (answer) => ({ ...answer, leaves: answer.leaves.with(1, `0x${"ff".repeat(32)}`) }),
      (answer) => ({ ...answer, leaves: Array.from({ length: 65_537 }, () => answer.leaves[0]) }),
    ];
    for (const lie of lies) {
      region.bend = lie;
      const asked = region.asked.length;
      await expect(region.registry.pathOf(leaves[0] as bigint, 4)).rejects.toBeInstanceOf(RegistryFault);
      expect(region.asked.length).toBe(asked + 1);
    }
    region.bend = (answer) => answer;
    await expectPath(region, leaves[0] as bigint, 4);
  });

  test("rejects: a region that does not answer, which may answer the next time", async () => {
    const region = new Region();
    region.leaves.set(4, leavesFrom(3, 2));
    region.isDown = true;
    await expect(region.registry.pathOf(19_683n, 4)).rejects.toBeInstanceOf(TransportFault);
    region.isDown = false;
    await expectPath(region, 19_683n, 4);
  });

  test("behavior: is asked for once and whole, however many meters want their path, and says when one is not in it", async () => {
    const region = new Region();
    const leaves = leavesFrom(10, 40);
    region.leaves.set(4, leaves);
    await Promise.all(leaves.map((leaf) => expectPath(region, leaf, 4)));
    expect(region.asked).toEqual(["http://polder.example/v1/regions/street/registry/4"]);
    expect(await region.registry.pathOf(5n, 4)).toBeNull();
    expect(await region.registry.pathOf(0n, 4), "an empty place is nobody's").toBeNull();
  });

  test("behavior: windows may be asked for in any order, and each has its own leaves", async () => {
    const region = new Region();
    const leaves = leavesFrom(10, 30);
    region.leaves.set(4, leaves);
    region.leaves.set(8, leaves.with(7, 0n).with(29, 77n));
    region.leaves.set(12, leavesFrom(900, 6));
    const [stays, goes] = [leaves[3] as bigint, leaves[7] as bigint];
    await Promise.all([
      expectPath(region, stays, 4),
      expectPath(region, stays, 8),
      expectPath(region, goes, 4),
    ]);
    expect(await region.registry.pathOf(goes, 8)).toBeNull();
    await expectPath(region, 77n, 8);
    await expectPath(region, goes, 4);
    await expectPath(region, 900n ** 9n, 12);
    await expectPath(region, stays, 8);
    expect(region.asked).toHaveLength(3);
  });

  test("behavior: asked freshly, an emergency's root is seen", async () => {
    const region = new Region();
    const leaves = leavesFrom(10, 8);
    region.leaves.set(4, leaves);
    await expectPath(region, leaves[0] as bigint, 4);
    region.leaves.set(4, leaves.with(0, 0n));
    expect(await region.registry.pathOf(leaves[0] as bigint, 4), "what is kept").not.toBeNull();
    expect(await region.registry.pathOf(leaves[0] as bigint, 4, true)).toBeNull();
    await expectPath(region, leaves[1] as bigint, 4);
    expect(region.asked).toHaveLength(2);
  });
});

// Owns the promises of a household's way into the registry: no path for a leaf that is not listed, none from a list that
// is not its root's, and one that leads to the root otherwise.

import { describe, expect, test } from "vitest";
import { pathInRegistry } from "../../evidence/meter-registry.ts";
import { FIELD_ORDER } from "../../protocol/fields.ts";
import { nodeHex, QuadTree, rootOfPath } from "../../protocol/quad-tree.ts";

const numbers = [11n, 0n, 33n, 44n, 55n, 0n, 77n];
const leaves = numbers.map(nodeHex);
const registry = { firstSlot: 8, root: nodeHex(new QuadTree(numbers).root), leaves };

describe("way into the registry", () => {
  test("rejects: a leaf that is not listed", () => {
    expect(pathInRegistry(registry, 22n)).toEqual({ ok: false, reason: "leaf_missing" });
    expect(pathInRegistry({ ...registry, leaves: [] }, 11n)).toEqual({ ok: false, reason: "leaf_missing" });
  });

  test("rejects: a list that is not its root's, by one leaf more, less, changed or moved", () => {
    const lists = [
      [...leaves, nodeHex(88n)],
      leaves.slice(0, -1),
      leaves.with(2, nodeHex(34n)),
      leaves.toReversed(),
    ];
    for (const other of lists)
      expect(pathInRegistry({ ...registry, leaves: other }, 44n)).toEqual({
        ok: false,
        reason: "root_wrong",
      });
    const root = nodeHex(BigInt(registry.root) + 1n);
    expect(pathInRegistry({ ...registry, root }, 44n)).toEqual({ ok: false, reason: "root_wrong" });
  });

  test("rejects: leaves that are no field elements", () => {
    const wrong = { ...registry, leaves: leaves.with(0, nodeHex(FIELD_ORDER)) };
    expect(() => pathInRegistry(wrong, 44n)).toThrow(RangeError);
  });

  test("behavior: every leaf's path leads to the root", () => {
    for (const leaf of numbers.filter((number) => number !== 0n)) {
      const verdict = pathInRegistry(registry, leaf);
      expect(verdict.ok && nodeHex(rootOfPath(leaf, verdict.path) as bigint)).toBe(registry.root);
    }
  });
});

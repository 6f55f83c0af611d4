// Owns the promise that every window has the root of exactly the meters that were enrolled before it began, against a
// tree built from nothing. It refuses a change that reaches a window that has begun, emergencies excepted.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leavesOfWindow, rootOfWindow } from "../../market/registry.ts";
import { rebuildIndexes } from "../../market/state.ts";
import type { Hex } from "../../protocol/fields.ts";
import { EMPTY_LEAF, nodeHex, QuadTree } from "../../protocol/quad-tree.ts";
import {
  deadlineS,
  enrol,
  FIRST_SLOT,
  leafOf,
  type Market,
  MIDNIGHT_S,
  openMarket,
  replay,
  unenrol,
  word,
} from "../support/market.ts";
import { indexesOf } from "../support/untouched-state.ts";

const naiveRoot = (leaves: readonly Hex[]): Hex => nodeHex(new QuadTree(leaves.map(BigInt)).root);
const EMPTY = nodeHex(EMPTY_LEAF);

/** Root and leaves of a window, after comparing the one with a tree built of the other. */
function windowOf({ state }: Market, firstSlot: number): Hex[] {
  const leaves = leavesOfWindow(state, firstSlot);
  expect(rootOfWindow(state, firstSlot)).toBe(naiveRoot(leaves));
  return leaves;
}

describe("the registry of a region", () => {
  test("behavior: a change acts from the next window on", () => {
    const market = openMarket();
    market.accept(enrol(1));
    expect(windowOf(market, FIRST_SLOT)).toEqual([leafOf(1)]);
    market.to(MIDNIGHT_S);
    market.accept(enrol(2));
    market.accept(unenrol(1));
    expect(windowOf(market, FIRST_SLOT)).toEqual([leafOf(1)]);
    expect(windowOf(market, FIRST_SLOT + 4)).toEqual([EMPTY, leafOf(2)]);
    market.to(MIDNIGHT_S + 3_600);
    market.accept(enrol(3));
    // Its place is free, but the window that still has it is open.
    expect(windowOf(market, FIRST_SLOT + 8)).toEqual([EMPTY, leafOf(2), leafOf(3)]);
    expect(windowOf(market, FIRST_SLOT)).toEqual([leafOf(1)]);
    market.to(deadlineS(FIRST_SLOT));
    market.accept(enrol(4));
    expect(windowOf(market, FIRST_SLOT + 4)).toEqual([EMPTY, leafOf(2)]);
    expect(windowOf(market, FIRST_SLOT + 8)).toEqual([leafOf(4), leafOf(2), leafOf(3)]);
  });

  test("behavior: a rotation takes the old leaf's place, of the key, the secret or both", () => {
    const market = openMarket();
    market.accept(enrol(1));
    market.accept(enrol(2));
    market.to(MIDNIGHT_S);
    const rotated = { replaces: word(1), connection: word(1) };
    market.accept(enrol(1, { ...rotated, leaf: word(77) }));
    expect(windowOf(market, FIRST_SLOT)).toEqual([leafOf(1), leafOf(2)]);
    expect(windowOf(market, FIRST_SLOT + 4)).toEqual([word(77), leafOf(2)]);
    market.accept(enrol(9, rotated));
    expect(windowOf(market, FIRST_SLOT + 4)).toEqual([leafOf(9), leafOf(2)]);
    market.refuse(unenrol(1), "meter_not_found");
    market.accept(enrol(1, { connection: word(55) }));
    expect(windowOf(market, FIRST_SLOT + 4)).toEqual([leafOf(9), leafOf(2), leafOf(1)]);
  });

  test("behavior: an emergency takes every leaf of a key out of every window that is not closed", () => {
    const market = openMarket();
    for (const meter of [1, 2, 3]) market.accept(enrol(meter));
    market.to(MIDNIGHT_S);
    market.accept(enrol(1, { replaces: word(1), connection: word(1), leaf: word(77) }));
    market.to(MIDNIGHT_S + 3_600);
    market.accept(enrol(4));
    const { number } = market.accept(unenrol(1, true));
    expect(windowOf(market, FIRST_SLOT)).toEqual([EMPTY, leafOf(2), leafOf(3)]);
    expect(windowOf(market, FIRST_SLOT + 4)).toEqual([EMPTY, leafOf(2), leafOf(3)]);
    expect(windowOf(market, FIRST_SLOT + 8)).toEqual([EMPTY, leafOf(2), leafOf(3), leafOf(4)]);
    expect(market.entries[number - 1]?.events[0]).toMatchObject({ meters: [1, 4], fromSlot: FIRST_SLOT });
  });

  test("behavior: an emergency for a key that was rotated out leaves its successor where it is", () => {
    const market = openMarket();
    for (const meter of [1, 2]) market.accept(enrol(meter));
    market.to(MIDNIGHT_S);
    market.accept(enrol(9, { replaces: word(1), connection: word(1) }));
    market.accept(unenrol(1, true));
    expect(windowOf(market, FIRST_SLOT)).toEqual([EMPTY, leafOf(2)]);
    expect(windowOf(market, FIRST_SLOT + 4)).toEqual([leafOf(9), leafOf(2)]);
  });

  test("property: whatever installers do, every window's root is the tree of its leaves, live and replayed", () => {
    const change = fc.record({
      meter: fc.integer({ min: 1, max: 6 }),
      of: fc.integer({ min: 1, max: 6 }),
      what: fc.constantFrom("enrol", "rotate", "revoke", "remove"),
      waitS: fc.constantFrom(0, 0, 600, 1_800, 3_600),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 14 }), (changes) => {
        const market = openMarket();
        for (const [step, { meter, of, what, waitS }] of changes.entries()) {
          market.to(market.atS + waitS);
          const leaf = word(1_000 + step);
          const draft =
            what === "enrol"
              ? enrol(meter, { leaf })
              : what === "rotate"
                ? enrol(meter, { leaf, replaces: word(of), connection: word(of) })
                : unenrol(meter, what === "remove");
          market.execute(market.request(draft));
          const { windowFirstSlot } = market.state.header;
          for (const ahead of [0, 4, 8]) windowOf(market, windowFirstSlot + ahead);
        }
        const replayed = replay(market.lines);
        expect(replayed.header.roots).toEqual(market.state.header.roots);
        const indexes = indexesOf(replayed);
        rebuildIndexes(replayed);
        expect(indexesOf(replayed)).toEqual(indexes);
      }),
      { numRuns: 40 },
    );
  });
});

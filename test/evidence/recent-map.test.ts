// Owns the promise that the bounded map forgets the entry that was not used for longest.

import { describe, expect, test } from "vitest";
import { RecentMap } from "../../evidence/recent-map.ts";

describe("recent map", () => {
  test("invariant: it never holds more than its capacity", () => {
    const map = new RecentMap<number>(3);
    for (let key = 0; key < 50; key += 1) {
      map.set(`${key}`, key);
      expect(map.size).toBeLessThanOrEqual(3);
    }
    expect(["47", "48", "49"].map((key) => map.get(key))).toEqual([47, 48, 49]);
    expect(map.get("46")).toBeUndefined();
  });

  test("behavior: what was read lately outlives what was not", () => {
    const map = new RecentMap<number>(2);
    map.set("a", 1);
    map.set("b", 2);
    expect(map.get("a")).toBe(1);
    map.set("c", 3);
    expect(map.get("a")).toBe(1);
    expect(map.get("b")).toBeUndefined();
    map.set("a", 4);
    expect(map.get("a")).toBe(4);
    expect(map.size).toBe(2);
  });
});

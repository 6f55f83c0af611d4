// Owns the promise that the verifier computes directions, maxima, sums and packing from the claims and checks every range
// itself, and that enrolment checks what the circuit relies on.

import fc from "fast-check";
import { poseidon4 } from "poseidon-lite/poseidon4";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER, poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { packReadings, regionTag } from "../../evidence/gateway-window.ts";
import {
  type MeterStatement,
  meterLeaf,
  meterNullifier,
  meterSignalsOf,
  packClaims,
  type SlotClaim,
  secretCommitment,
  totalsOf,
} from "../../evidence/meter-statement.ts";
import { EMPTY_LEAF, QuadTree, rootOfPath, TREE_LEAVES } from "../../protocol/quad-tree.ts";

const CONTEXT = {
  chainId: 31_337,
  settlement: `0x${"00".repeat(20)}`,
  regionId: "polder-one",
  windowSlots: 4,
} as const;
const CLAIMS: SlotClaim[] = [
  { isExport: true, claimedWh: 1_500 },
  { isExport: false, claimedWh: 320 },
  { isExport: true, claimedWh: 0 },
  { isExport: false, claimedWh: 2 ** 20 - 1 },
];
const STATEMENT: MeterStatement = {
  context: CONTEXT,
  firstSlot: 1_958_976,
  root: 11n,
  account: `0x${"ff".repeat(20)}`,
  nullifier: 12n,
  claims: CLAIMS,
};

describe("meter statement", () => {
  test("rejects: claims out of range, too few, or in a window that begins anywhere", () => {
    const withClaim = (claimedWh: number) => ({ claims: CLAIMS.with(2, { isExport: true, claimedWh }) });
    const refusals: [Partial<MeterStatement>, string][] = [
      [withClaim(2 ** 20), "claims"],
      [withClaim(2 ** 20 + 1), "claims"],
      [withClaim(-1), "claims"],
      [withClaim(0.5), "claims"],
      [withClaim(Number.NaN), "claims"],
      [withClaim(Number.POSITIVE_INFINITY), "claims"],
      [{ claims: CLAIMS.slice(1) }, "claims"],
      [{ claims: [...CLAIMS, ...CLAIMS] }, "claims"],
      [{ firstSlot: 1_958_977 }, "firstSlot"],
      [{ firstSlot: -4 }, "firstSlot"],
      [{ firstSlot: 2 ** 53 }, "firstSlot"],
      [{ root: FIELD_ORDER }, "root"],
      [{ root: -1n }, "root"],
      [{ nullifier: FIELD_ORDER }, "nullifier"],
      [{ account: "0x00" }, "account"],
      [{ account: `0x${"ff".repeat(32)}` }, "account"],
    ];
    for (const [changes, path] of refusals) {
      const verdict = meterSignalsOf({ ...STATEMENT, ...changes });
      expect(verdict, path).toEqual({ ok: false, code: "evidence_malformed", facts: { path } });
    }
  });

  test("behavior: signals are computed from the claims in the clear, in the circuit's order", () => {
    const packed = CLAIMS.reduce(
      (sum, { isExport, claimedWh }, slot) =>
        sum + (BigInt(claimedWh + (isExport ? 2 ** 21 : 0)) << BigInt(22 * slot)),
      0n,
    );
    const account = (1n << 160n) - 1n;
    const signals = [
      11n,
      regionTag(CONTEXT),
      1_958_976,
      account,
      12n,
      1_500,
      2 ** 20 - 1,
      1_500,
      2 ** 20 + 319,
      packed,
    ];
    expect(meterSignalsOf(STATEMENT)).toEqual({ ok: true, signals: signals.map(String) });
  });

  test("property: different claims never pack alike, and claims of everything pack as the readings do", () => {
    const slot = fc.record({ isExport: fc.boolean(), claimedWh: fc.integer({ min: 0, max: 2 ** 20 - 1 }) });
    const window = fc.array(slot, { minLength: 96, maxLength: 96 });
    fc.assert(
      fc.property(window, fc.nat(95), slot, (claims, at, other) => {
        const changed = claims.with(at, other);
        const isSame = JSON.stringify(changed) === JSON.stringify(claims);
        expect(packClaims(changed).join() === packClaims(claims).join()).toBe(isSame);
        const net = claims.map(({ isExport, claimedWh }) => (isExport ? claimedWh : 0 - claimedWh));
        const whole = net.map((wh) => ({ isExport: wh > 0, claimedWh: Math.abs(wh) }));
        expect(packClaims(whole)).toEqual(packReadings(net));
        expect(totalsOf(claims)?.salesWh).toBeLessThan(2 ** 27);
      }),
      { numRuns: 50 },
    );
  });

  test("rejects: at enrolment, keys outside of the subgroup and limits that the circuit does not check", () => {
    const key = poseidonKeyOf(new Uint8Array(32).fill(3));
    const limits = { nameplateWh: 2 ** 20 - 1, connectionWh: 0, saleCapWh: 2 ** 27 - 1, purchaseCapWh: 0 };
    const leafOf = (changes: Partial<typeof limits>) =>
      meterLeaf(key, secretCommitment(7n), regionTag(CONTEXT), { ...limits, ...changes });
    expect(() => leafOf({})).not.toThrow();
    expect(() => leafOf({ nameplateWh: 2 ** 20 })).toThrow(/nameplate/);
    expect(() => leafOf({ connectionWh: -1 })).toThrow(/connection/);
    expect(() => leafOf({ saleCapWh: 2 ** 27 })).toThrow(/cap of sales/);
    expect(() => leafOf({ purchaseCapWh: 1.5 })).toThrow(/cap of purchases/);
    expect(() => meterLeaf([0n, 1n], 1n, 1n, limits)).toThrow(/subgroup/);
    expect(() => meterLeaf(key, FIELD_ORDER, 1n, limits)).toThrow(/commitment/);
    expect(() => secretCommitment(FIELD_ORDER)).toThrow(/secret/);
  });

  test("invariant: a nullifier is one per secret, place and window", () => {
    const tag = regionTag(CONTEXT);
    const others = [meterNullifier(8n, tag, 4), meterNullifier(7n, tag + 1n, 4), meterNullifier(7n, tag, 8)];
    expect(new Set([meterNullifier(7n, tag, 4), ...others]).size).toBe(4);
  });
});

describe("quad tree", () => {
  test("rejects: positions outside of it and leaves that are no field elements", () => {
    const tree = new QuadTree([5n]);
    const before = tree.root;
    for (const position of [-1, TREE_LEAVES, 0.5]) {
      expect(() => tree.set(position, 1n)).toThrow(RangeError);
      expect(() => tree.path(position)).toThrow(RangeError);
    }
    for (const leaf of [-1n, FIELD_ORDER]) expect(() => tree.set(0, leaf)).toThrow(RangeError);
    expect(tree.root).toBe(before);
  });

  test("rejects: a path of another leaf, cut or stretched", () => {
    const tree = new QuadTree([5n, 6n]);
    const path = tree.path(1);
    expect(rootOfPath(6n, path)).toBe(tree.root);
    expect(rootOfPath(7n, path)).toBeNull();
    expect(rootOfPath(6n, path.slice(0, -1))).toBeNull();
    expect(rootOfPath(6n, [...path, [tree.root, 0n, 0n, 0n]])).toBeNull();
  });

  test("invariant: the root is that of the tree written out, and removing restores it", () => {
    const leaves = Array.from({ length: 70 }, (_, index) => BigInt(index + 1));
    let [level, empty] = [leaves, EMPTY_LEAF];
    for (let depth = 0; depth < 8; depth += 1) {
      const at = (index: number) => level[index] ?? empty;
      const width = Math.ceil(level.length / 4);
      const up = Array.from({ length: width }, (_, k) =>
        poseidon4([at(4 * k), at(4 * k + 1), at(4 * k + 2), at(4 * k + 3)]),
      );
      [level, empty] = [up, poseidon4([empty, empty, empty, empty])];
    }
    const tree = new QuadTree(leaves);
    expect([tree.root]).toEqual(level);
    const far = TREE_LEAVES - 1;
    tree.set(far, 99n);
    expect(rootOfPath(99n, tree.path(far))).toBe(tree.root);
    tree.set(far, EMPTY_LEAF);
    expect([tree.root]).toEqual(level);
    expect(new QuadTree().root).toBe(empty);
    expect(tree.leaf(69)).toBe(70n);
    expect(tree.leaf(70)).toBe(EMPTY_LEAF);
  });
});

// Owns the promise that our EdDSA over Baby Jubjub is circomlib's: equal to zk-kit in both directions, forgeries refused.

import { createRequire } from "node:module";
import { babyjubjub } from "@noble/curves/misc.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FIELD_ORDER,
  type FieldPoint,
  isInSubgroup,
  poseidonKeyOf,
  SUBGROUP_ORDER,
  signPoseidon,
  verifyPoseidon,
} from "../../evidence/eddsa-poseidon.ts";
import { orderEight } from "../support/small-order.ts";

interface ZkKit {
  derivePublicKey(seed: Uint8Array): [bigint, bigint];
  signMessage(seed: Uint8Array, message: bigint): { R8: [bigint, bigint]; S: bigint };
  verifySignature(message: bigint, signature: { R8: FieldPoint; S: bigint }, key: FieldPoint): boolean;
}
// Its ESM entry does not load in Node; the CommonJS one does.
const zkKit = createRequire(import.meta.url)("@zk-kit/eddsa-poseidon") as ZkKit;

const { Point } = babyjubjub;
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const elements = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n });
const SEED = new Uint8Array(32).fill(11);
const MESSAGE = 123_456_789n;

function affine(point: ReturnType<typeof orderEight>): FieldPoint {
  const { x, y } = point.toAffine();
  return [x, y];
}

describe("eddsa-poseidon", () => {
  test("rejects: what circomlib's verifier rejects", () => {
    const key = poseidonKeyOf(SEED);
    const good = signPoseidon(SEED, MESSAGE);
    const [x, y] = good.r8;
    const refusals: [string, FieldPoint, bigint, { r8: FieldPoint; s: bigint }][] = [
      ["another message", key, MESSAGE + 1n, good],
      ["another key", poseidonKeyOf(new Uint8Array(32).fill(12)), MESSAGE, good],
      ["another s", key, MESSAGE, { ...good, s: (good.s + 1n) % SUBGROUP_ORDER }],
      ["s + order", key, MESSAGE, { ...good, s: good.s + SUBGROUP_ORDER }],
      ["negative s", key, MESSAGE, { ...good, s: good.s - SUBGROUP_ORDER }],
      ["another R8", key, MESSAGE, { ...good, r8: [FIELD_ORDER - x, y] }],
      ["R8 off the curve", key, MESSAGE, { ...good, r8: [x, y + 1n] }],
      ["R8 not canonical", key, MESSAGE, { ...good, r8: [x + FIELD_ORDER, y] }],
      ["message not canonical", key, MESSAGE + FIELD_ORDER, good],
      ["key not canonical", [key[0] + FIELD_ORDER, key[1]], MESSAGE, good],
      ["key off the curve", [key[0], key[1] + 1n], MESSAGE, good],
    ];
    for (const [what, ...input] of refusals) expect(verifyPoseidon(...input), what).toBe(false);
  });

  test("rejects: keys of small order, which would sign everything", () => {
    const torsion = orderEight();
    const s = 4242n;
    const r8 = affine(Point.BASE.multiply(s));
    for (let k = 0, point = Point.ZERO; k < 8; k += 1, point = point.add(torsion)) {
      const key = affine(point);
      expect(verifyPoseidon(key, MESSAGE, { r8, s }), `${k}`).toBe(false);
      expect(isInSubgroup(key), `${k}`).toBe(false);
    }
  });

  test("rejects: enrolment of a key outside of the subgroup, off the curve or not canonical", () => {
    const [x, y] = poseidonKeyOf(SEED);
    const mixed = affine(Point.fromAffine({ x, y }).add(orderEight()));
    expect(isInSubgroup(mixed)).toBe(false);
    expect(isInSubgroup([x, y + 1n])).toBe(false);
    expect(isInSubgroup([x + FIELD_ORDER, y])).toBe(false);
    expect(isInSubgroup([x - FIELD_ORDER, y])).toBe(false);
    expect(isInSubgroup([x, y])).toBe(true);
    expect(isInSubgroup([x, y])).toBe(true); // from the cache
    expect(isInSubgroup(mixed)).toBe(false);
  });

  test("rejects: signing what is no field element", () => {
    expect(() => signPoseidon(SEED, FIELD_ORDER)).toThrow(RangeError);
    expect(() => signPoseidon(SEED, -1n)).toThrow(RangeError);
    expect(() => signPoseidon(new Uint8Array(31), 0n)).toThrow(RangeError);
  });

  test("behavior: the verifier follows circomlib outside of the subgroup too", () => {
    // Only the owner can make such a signature, and enrolment refuses the key.
    const torsion = orderEight();
    const [x, y] = poseidonKeyOf(SEED);
    const mixed = affine(Point.fromAffine({ x, y }).add(torsion));
    const { r8, s } = signPoseidon(SEED, MESSAGE);
    expect(verifyPoseidon(mixed, MESSAGE, { r8, s })).toBe(false); // hm includes the key
    expect(zkKit.verifySignature(MESSAGE, { R8: r8, S: s }, mixed)).toBe(false);
  });

  test("property: keys and signatures are @zk-kit's, bit for bit, and both verifiers accept them", () => {
    fc.assert(
      fc.property(seeds, elements, (seed, message) => {
        const key = poseidonKeyOf(seed);
        expect(key).toEqual(zkKit.derivePublicKey(seed));
        const ours = signPoseidon(seed, message);
        const theirs = zkKit.signMessage(seed, message);
        expect(ours).toEqual({ r8: theirs.R8, s: theirs.S });
        expect(verifyPoseidon(key, message, { r8: theirs.R8, s: theirs.S })).toBe(true);
        expect(zkKit.verifySignature(message, { R8: ours.r8, S: ours.s }, key)).toBe(true);
        expect(isInSubgroup(key)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  test("property: both verifiers refuse what was tampered with", () => {
    const parts = fc.constantFrom("message", "s", "r8", "key");
    fc.assert(
      fc.property(seeds, elements, parts, (seed, message, part) => {
        const signature = signPoseidon(seed, message);
        const key = part === "key" ? affine(Point.BASE.multiply(99n)) : poseidonKeyOf(seed);
        const said = part === "message" ? (message + 1n) % FIELD_ORDER : message;
        const s = part === "s" ? (signature.s + 1n) % SUBGROUP_ORDER : signature.s;
        const r8 = part === "r8" ? affine(Point.BASE.multiply(77n)) : signature.r8;
        expect(verifyPoseidon(key, said, { r8, s })).toBe(false);
        expect(zkKit.verifySignature(said, { R8: r8, S: s }, key)).toBe(false);
      }),
      { numRuns: 12 },
    );
  });
});

// Owns the promise that session keys are verified strictly, the same on every runtime.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bigOfLittleEndian, hexOf } from "../../evidence/bytes.ts";
import { satisfiesEquation } from "../../evidence/ed25519.ts";
import {
  formatApiKey,
  parseApiKey,
  sessionKeyOf,
  signSession,
  verifySession,
} from "../../evidence/session-signature.ts";
import type { Hex } from "../../protocol/fields.ts";
import vectors from "../vectors/signatures.json" with { type: "json" };

const { Point } = ed25519;
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const strictly = { zip215: false };

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

/** The eight points whose order divides 8, found by clearing the prime factor of points at small y. */
function torsionPoints() {
  const found = new Map<string, InstanceType<typeof Point>>();
  for (let y = 2n; found.size < 8; y += 1n) {
    try {
      const point = Point.fromBytes(littleEndian(y));
      // (L − 1)·P + P, because multiplyUnsafe takes scalars below L only.
      const torsion = point.multiplyUnsafe(Point.Fn.ORDER - 1n).add(point);
      for (let k = 0, multiple = Point.ZERO; k < 8; k += 1, multiple = multiple.add(torsion)) {
        found.set(multiple.toHex(), multiple);
      }
    } catch {
      // no point has this y
    }
  }
  return [...found.values()];
}

/** Signs with A = a·B + T and R = r·B + U, as only the key's owner can. */
function signMixed(digest: Uint8Array, keyTorsion = Point.ZERO, nonceTorsion = Point.ZERO, nonce = 7n) {
  const { scalar, point } = ed25519.utils.getExtendedPublicKey(new Uint8Array(32).fill(5));
  const key = point.add(keyTorsion).toBytes();
  const r = Point.BASE.multiply(nonce).add(nonceTorsion).toBytes();
  const k = Point.Fn.create(bigOfLittleEndian(sha512(concatBytes(r, key, digest))));
  const s = Point.Fn.create(nonce + k * scalar);
  return { key, signature: concatBytes(r, littleEndian(s)), k };
}

describe("session signature", () => {
  for (const vector of vectors.session.filter(({ verdict }) => !verdict.ok)) {
    test(`rejects: ${vector.name}`, async () => {
      const verdict = await verifySession(vector.key as Hex, vector.digest as Hex, vector.signature as Hex);
      expect(verdict).toMatchObject(vector.verdict);
    });
  }

  test("rejects: every torsion point as A and as R, with either sign bit", async () => {
    const good = vectors.session[0] as (typeof vectors.session)[0];
    const points = torsionPoints();
    expect(points).toHaveLength(8);
    for (const point of points) {
      for (const sign of [0x00, 0x80]) {
        const encoding = point.toBytes();
        encoding[31] = ((encoding[31] as number) & 0x7f) | sign;
        const asKey = await verifySession(hexOf(encoding), good.digest as Hex, good.signature as Hex);
        expect(asKey).toMatchObject({ code: "signature_small_order", facts: { point: "key" } });
        const withR = `${hexOf(encoding)}${good.signature.slice(66)}` as Hex;
        const asR = await verifySession(good.key as Hex, good.digest as Hex, withR);
        expect(asR).toMatchObject({ code: "signature_small_order", facts: { point: "r" } });
      }
    }
  });

  test("rejects: every y from p to 2²⁵⁵ − 1 as A and as R", async () => {
    const good = vectors.session[0] as (typeof vectors.session)[0];
    for (let y = Point.Fp.ORDER; y < 2n ** 255n; y += 1n) {
      const encoding = hexOf(littleEndian(y));
      const asKey = await verifySession(encoding, good.digest as Hex, good.signature as Hex);
      expect(asKey).toMatchObject({ code: "signature_malformed", facts: { notCanonical: "key" } });
      const withR = `${encoding}${good.signature.slice(66)}` as Hex;
      const asR = await verifySession(good.key as Hex, good.digest as Hex, withR);
      expect(asR).toMatchObject({ code: "signature_malformed", facts: { notCanonical: "r" } });
    }
  });

  test("rejects: R with a torsion component, which a cofactored verifier accepts", async () => {
    const digest = new Uint8Array(32).fill(1);
    for (const torsion of torsionPoints().filter((point) => !point.is0())) {
      const { key, signature } = signMixed(digest, Point.ZERO, torsion);
      expect(ed25519.verify(signature, digest, key, strictly)).toBe(true);
      expect(await verifySession(hexOf(key), digest, hexOf(signature))).toMatchObject({
        code: "signature_invalid",
      });
    }
  });

  test("regression: lax verification accepts every small-order forgery among the vectors", () => {
    // noble's default and workerd's WebCrypto accept them; Node's depends on its OpenSSL.
    const raw = (hex: string) => hexToBytes(hex.slice(2));
    const forgeries = vectors.session.filter(({ name }) => /small-order|identity/.test(name));
    expect(forgeries).toHaveLength(4);
    for (const { name, key, digest, signature } of forgeries) {
      expect(ed25519.verify(raw(signature), raw(digest), raw(key), { zip215: true }), name).toBe(true);
      if (name.includes("small-order R")) continue; // binds the message, since only the owner can make it
      expect(ed25519.verify(raw(signature), new Uint8Array(32), raw(key), { zip215: true }), name).toBe(true);
    }
  });

  for (const vector of vectors.session.filter(({ verdict }) => verdict.ok)) {
    test(`behavior: ${vector.name} is accepted`, async () => {
      const verdict = await verifySession(vector.key as Hex, vector.digest as Hex, vector.signature as Hex);
      expect(verdict).toEqual({ ok: true });
    });
  }

  test("behavior: hex in upper case names the same key", async () => {
    const { key, digest, signature } = vectors.session[0] as (typeof vectors.session)[0];
    const upper = (hex: string) => `0x${hex.slice(2).toUpperCase()}` as Hex;
    expect(await verifySession(upper(key), digest as Hex, upper(signature))).toEqual({ ok: true });
  });

  test("property: agrees with noble's strict verification on honest, tampered and random input", async () => {
    const part = fc.constantFrom("none", "digest", "key", "r", "s");
    await fc.assert(
      fc.asyncProperty(bytes32, bytes32, part, fc.nat(255), async (seed, digest, tampered, bit) => {
        const key = hexToBytes(sessionKeyOf(seed).slice(2));
        const signature = hexToBytes(signSession(seed, digest).slice(2));
        const flip = (bytes: Uint8Array, offset: number) => {
          const at = offset + (bit >> 3);
          bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
        };
        const message = digest.slice();
        if (tampered === "digest") flip(message, 0);
        if (tampered === "key") flip(key, 0);
        if (tampered === "r") flip(signature, 0);
        if (tampered === "s") flip(signature, 32);
        const verdict = await verifySession(hexOf(key), message, hexOf(signature));
        expect(verdict.ok).toBe(ed25519.verify(signature, message, key, strictly));
        expect(verdict.ok).toBe(tampered === "none");
      }),
      { numRuns: 150 },
    );
  });

  test("property: on keys with torsion WebCrypto decides as the plain equation does", async () => {
    const torsion = torsionPoints();
    let accepted = 0;
    for (let round = 0; round < 64; round += 1) {
      const digest = new Uint8Array(32).fill(round);
      const { key, signature } = signMixed(digest, torsion[round % 8]);
      const { ok } = await verifySession(hexOf(key), digest, hexOf(signature));
      expect(ok).toBe(satisfiesEquation(key, digest, signature));
      if (ok) accepted += 1;
    }
    expect(accepted).toBeGreaterThan(8); // every key without torsion, and some of the others by chance
    expect(accepted).toBeLessThan(64);
  });

  test("property: the equation in JavaScript agrees with WebCrypto", async () => {
    await fc.assert(
      fc.asyncProperty(bytes32, bytes32, fc.boolean(), async (seed, digest, spoilt) => {
        const key = hexToBytes(sessionKeyOf(seed).slice(2));
        const signature = hexToBytes(signSession(seed, digest).slice(2));
        const message = spoilt ? Uint8Array.from(digest, (byte) => byte ^ 1) : digest;
        const { ok } = await verifySession(hexOf(key), message, hexOf(signature));
        expect(satisfiesEquation(key, message, signature)).toBe(ok);
      }),
      { numRuns: 20 },
    );
  });
});

describe("api key", () => {
  const account: Hex = `0x${"a1".repeat(20)}`;
  const seed: Hex = `0x${"5e".repeat(32)}`;
  const token = `polder_${"a1".repeat(20)}${"5e".repeat(32)}`;

  test("rejects: any other form", () => {
    for (const spoilt of [
      "",
      "polder_",
      token.slice(0, -1),
      `${token}0`,
      `${token}\n`,
      ` ${token}`,
      token.toUpperCase(),
      token.replace("a1", "A1"),
      token.replace("polder_", "polder-"),
      token.replace("a1", "g1"),
    ]) {
      expect(parseApiKey(spoilt), JSON.stringify(spoilt)).toBeNull();
    }
    expect(() => formatApiKey("0x00", seed)).toThrow(RangeError);
  });

  test("behavior: reads what it writes, and its seed signs for its session key", async () => {
    expect(formatApiKey(account, seed)).toBe(token);
    const parsed = parseApiKey(token);
    expect(parsed).toEqual({ account, seed });
    const digest = new Uint8Array(32).fill(3);
    expect(await verifySession(sessionKeyOf(seed), digest, signSession(seed, digest))).toEqual({ ok: true });
  });
});

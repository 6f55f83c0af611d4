// Owns strict Ed25519 (RFC 8032) over WebCrypto. It refuses what platforms do not agree on, and workerd lets pass:
// small-order A or R, and encodings that are not canonical.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../protocol/fields.ts";
import { type Bytes, bigOfLittleEndian, bytesOf, hexOf } from "./bytes.ts";
import { refused, type Verdict } from "./evidence-kind.ts";
import { RecentMap } from "./recent-map.ts";

/** WebCrypto's key handle, under whichever name the platform's types give it. */
type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const { Point } = ed25519;
const ALGORITHM = "Ed25519";

/** p = 2²⁵⁵ − 19, little-endian as an encoding spells it. */
const FIELD_BYTES = littleEndian(Point.Fp.ORDER);
/** L, the order of the base point. */
const ORDER_BYTES = littleEndian(Point.Fn.ORDER);

/**
 * The y of every point whose order divides 8: identity, order 2, order 4 (y = 0) and the two of order 8. An encoding
 * is y and a sign bit, so these five cover the eight torsion points and the two spellings "minus zero" of x = 0.
 */
const SMALL_ORDER_Y = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
].map((hex) => bytesOf(`0x${hex}`, 32) as Bytes);

/** Imported keys are opaque handles of about a hundred bytes; a busy Worker sees a few thousand signers. */
const KEYS_KEPT = 4096;
const importedKeys = new RecentMap<ImportedKey>(KEYS_KEPT);

/**
 * Verifies a signature strictly: S < L, A and R canonical and not of small order, and S·B = R + k·A without the
 * cofactor, which is what OpenSSL, BoringSSL and `verify_strict` of ed25519-dalek compute. So Worker, browser and
 * audit agree on every input, including keys with a torsion component.
 *
 * @returns `signature_malformed` (length or encoding), `signature_small_order`, or `signature_invalid`.
 */
export async function verifyStrictly(key: Hex, message: Uint8Array, signature: Hex): Promise<Verdict> {
  const keyBytes = bytesOf(key, 32);
  if (keyBytes === null) return refused("signature_malformed", { expectedKeyBytes: 32 });
  const bytes = bytesOf(signature, 64);
  if (bytes === null) return refused("signature_malformed", { expectedBytes: 64 });
  const r = bytes.subarray(0, 32);
  if (!isBelow(bytes.subarray(32), ORDER_BYTES)) return refused("signature_malformed", { notCanonical: "s" });
  for (const [name, encoding] of [["key", keyBytes] as const, ["r", r] as const]) {
    const y = encoding.slice();
    y[31] = (y[31] as number) & 0x7f;
    if (!isBelow(y, FIELD_BYTES)) return refused("signature_malformed", { notCanonical: name });
    if (SMALL_ORDER_Y.some((small) => isSame(y, small)))
      return refused("signature_small_order", { point: name });
  }
  const valid = (await platformHasEd25519())
    ? await verifyOnPlatform(key, keyBytes, message as Bytes, bytes)
    : satisfiesEquation(keyBytes, message, bytes);
  return valid ? { ok: true } : refused("signature_invalid");
}

/** Public key of a 32-byte seed (RFC 8032, 5.1.5). */
export function publicKeyOf(seed: Uint8Array): Hex {
  return hexOf(ed25519.getPublicKey(seed));
}

/** Signature by a 32-byte seed (RFC 8032, 5.1.6); synchronous, for callers that may not await. */
export function signMessage(seed: Uint8Array, message: Uint8Array): Hex {
  return hexOf(ed25519.sign(message, seed));
}

/**
 * The verification equation alone, in JavaScript: for platforms whose WebCrypto has no Ed25519, and what the tests
 * hold WebCrypto against. Encodings must have been checked before.
 */
export function satisfiesEquation(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const a = Point.fromBytes(key);
    const r = signature.subarray(0, 32);
    const s = bigOfLittleEndian(signature.subarray(32));
    const k = Point.Fn.create(bigOfLittleEndian(sha512(concatBytes(r, key, message))));
    return isSame(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), r);
  } catch {
    return false; // the key is not the encoding of a point
  }
}

async function verifyOnPlatform(name: Hex, key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  const cacheKey = name.toLowerCase();
  let imported = importedKeys.get(cacheKey);
  if (imported === undefined) {
    try {
      imported = await crypto.subtle.importKey("raw", key, ALGORITHM, false, ["verify"]);
    } catch {
      return false; // some platforms refuse a key that is no point here, others when they verify
    }
    importedKeys.set(cacheKey, imported);
  }
  return crypto.subtle.verify(ALGORITHM, imported, signature, message);
}

let support: Promise<boolean> | undefined;

/** Asks once, with the base point as key: browsers before 2025 have no Ed25519. */
function platformHasEd25519(): Promise<boolean> {
  support ??= crypto.subtle
    .importKey("raw", Point.BASE.toBytes() as Bytes, ALGORITHM, false, ["verify"])
    .then(() => true)
    .catch(() => false);
  return support;
}

function littleEndian(value: bigint): Bytes {
  const bytes = new Uint8Array(32);
  for (let index = 0; index < 32; index += 1) bytes[index] = Number((value >> BigInt(8 * index)) & 0xffn);
  return bytes;
}

/** Compares two 32-byte little-endian values. Not constant-time: everything here is public. */
function isBelow(value: Uint8Array, limit: Uint8Array): boolean {
  for (let index = 31; index >= 0; index -= 1) {
    const difference = (value[index] as number) - (limit[index] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

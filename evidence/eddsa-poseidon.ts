// Owns EdDSA over Baby Jubjub with Poseidon, the signature a circuit can check (EIP-2494 curve, circomlib's
// EdDSAPoseidonVerifier). It refuses coordinates that are not canonical, keys of small order and s past the order.

import { babyjubjub } from "@noble/curves/misc.js";
import { blake512 } from "@noble/hashes/blake1.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { poseidon5 } from "poseidon-lite/poseidon5";
import { bigOfLittleEndian, exactBytes, wordOf } from "./bytes.ts";
import { RecentMap } from "./recent-map.ts";

const { Point } = babyjubjub;
type CurvePoint = InstanceType<typeof Point>;

/** The scalar field of bn254, over which the curve and Poseidon are defined. */
export const FIELD_ORDER: bigint = Point.Fp.ORDER;
/** Order of Base8 and of the subgroup every gateway key must be in. */
export const SUBGROUP_ORDER: bigint = Point.Fn.ORDER;

/** Affine point; canonical when both coordinates are below the field's order. */
export type FieldPoint = readonly [x: bigint, y: bigint];

export interface PoseidonSignature {
  readonly r8: FieldPoint;
  readonly s: bigint;
}

/**
 * 8·A of keys that were found in the subgroup, since that check costs as much as half a verification. There is no
 * table of A's multiples: it takes 3 ms and 85 kB to build, saves 0.7 ms a time, and a gateway signs once a window.
 */
const KEYS_KEPT = 4096;
const subgroupKeys = new RecentMap<CurvePoint>(KEYS_KEPT);

/**
 * True for a usable public key: canonical coordinates, on the curve, not the identity, and in the prime-order
 * subgroup. Outside of it, A and A + T (T of small order) would sign alike and be enrolled as two gateways.
 */
export function isInSubgroup(key: FieldPoint): boolean {
  return timesEight(key) !== null;
}

/**
 * Verifies as circomlib's EdDSAPoseidonVerifier does: s < order, A and R8 on the curve, 8·A not the identity, and
 * s·Base8 = R8 + hm·(8·A) with hm = Poseidon(R8x, R8y, Ax, Ay, M). The subgroup of A is `isInSubgroup`'s matter.
 *
 * @param message field element below the field's order; anything else is refused.
 */
export function verifyPoseidon(key: FieldPoint, message: bigint, signature: PoseidonSignature): boolean {
  const { r8, s } = signature;
  if (!isCanonical(message) || s < 0n || s >= SUBGROUP_ORDER) return false;
  if (!isOnCurve(r8)) return false;
  const key8 = subgroupKeys.get(nameOf(key)) ?? (isOnCurve(key) ? pointOf(key).clearCofactor() : null);
  if (key8 === null || key8.is0()) return false;
  const hm = poseidon5([r8[0], r8[1], key[0], key[1], message]) % SUBGROUP_ORDER;
  return Point.BASE.multiplyUnsafe(s).subtract(key8.multiplyUnsafe(hm)).equals(pointOf(r8));
}

/** Public key of a 32-byte seed, as circomlibjs and @zk-kit derive it. */
export function poseidonKeyOf(seed: Uint8Array): FieldPoint {
  return expand(seed).key;
}

/**
 * Signs a field element. Deterministic (nonce from BLAKE-512 of a secret prefix and the message, RFC 8032's way);
 * key derivation and nonce are circomlibjs's, so the signature is the same, bit for bit, as a firmware built on it
 * makes.
 *
 * @param seed 32 secret bytes.
 * @throws RangeError when the message is not below the field's order.
 */
export function signPoseidon(seed: Uint8Array, message: bigint): PoseidonSignature {
  if (!isCanonical(message)) throw new RangeError("the message must be a field element");
  const { scalar, prefix, key } = expand(seed);
  const littleEndian = wordOf(message).reverse();
  const nonce = bigOfLittleEndian(blake512(concatBytes(prefix, littleEndian))) % SUBGROUP_ORDER;
  const r8 = affineOf(Point.BASE.multiply(nonce));
  const hm = poseidon5([r8[0], r8[1], key[0], key[1], message]);
  return { r8, s: (nonce + 8n * hm * scalar) % SUBGROUP_ORDER };
}

/** Pruning as in Ed25519 (RFC 8032, 5.1.5); Base8 stands for the cleared cofactor, hence the shift by three. */
function expand(seed: Uint8Array): { scalar: bigint; prefix: Uint8Array; key: FieldPoint } {
  const hash = blake512(exactBytes(seed, 32, "seed"));
  const head = hash.slice(0, 32);
  head[0] = (head[0] as number) & 0xf8;
  head[31] = ((head[31] as number) & 0x7f) | 0x40;
  const scalar = (bigOfLittleEndian(head) >> 3n) % SUBGROUP_ORDER;
  return { scalar, prefix: hash.slice(32), key: affineOf(Point.BASE.multiply(scalar)) };
}

function timesEight(key: FieldPoint): CurvePoint | null {
  const name = nameOf(key);
  const kept = subgroupKeys.get(name);
  if (kept !== undefined) return kept;
  if (!isOnCurve(key)) return null;
  const point = pointOf(key);
  if (point.is0() || !point.isTorsionFree()) return null;
  const key8 = point.clearCofactor();
  subgroupKeys.set(name, key8);
  return key8;
}

function isCanonical(value: bigint): boolean {
  return value >= 0n && value < FIELD_ORDER;
}

/** Canonical coordinates that satisfy a·x² + y² = 1 + d·x²·y². */
function isOnCurve([x, y]: FieldPoint): boolean {
  if (!isCanonical(x) || !isCanonical(y)) return false;
  const { a, d } = Point.CURVE();
  const x2 = (x * x) % FIELD_ORDER;
  const y2 = (y * y) % FIELD_ORDER;
  return (a * x2 + y2 - 1n - d * ((x2 * y2) % FIELD_ORDER)) % FIELD_ORDER === 0n;
}

function pointOf([x, y]: FieldPoint): CurvePoint {
  return Point.fromAffine({ x, y });
}

function affineOf(point: CurvePoint): FieldPoint {
  const { x, y } = point.toAffine();
  return [x, y];
}

function nameOf([x, y]: FieldPoint): string {
  return `${x.toString(36)},${y.toString(36)}`;
}

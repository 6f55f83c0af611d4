// Owns the step from untrusted JSON to a Groth16 proof over bn254. It refuses every second spelling (leading zeros, a
// coordinate plus the field's order, z other than 1), points off the curve or at infinity, and a B outside of G2.

import { bn254 } from "@noble/curves/bn254.js";
import { FIELD_ORDER } from "./eddsa-poseidon.ts";

export type G1Point = InstanceType<typeof bn254.G1.Point>;
export type G2Point = InstanceType<typeof bn254.G2.Point>;

/** A decoded proof; all points are in their groups, none is the identity. */
export interface Groth16Proof {
  readonly a: G1Point;
  readonly b: G2Point;
  readonly c: G1Point;
}

/** Where a decoder stopped. */
export class Malformed extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`malformed: ${path}`);
    this.path = path;
  }
}

const COORDINATE_ORDER: bigint = bn254.fields.Fp.ORDER;
const CANONICAL = /^(0|[1-9][0-9]*)$/;
/** Digits of the larger order, so that nobody makes us parse megabytes of digits. */
const MAX_DIGITS = 77;
const PROOF_KEYS = new Set(["pi_a", "pi_b", "pi_c", "protocol", "curve"]);

/**
 * Public signals as integers.
 * @param count exactly so many, each `^(0|[1-9][0-9]*)$` and below the scalar field's order.
 * @throws Malformed for anything else.
 */
export function decodeSignals(value: unknown, count: number): bigint[] {
  const texts = tupleOf(value, count, "signals");
  return texts.map((text, index) => integerOf(text, FIELD_ORDER, `signals.${index}`));
}

/** The eight coordinates of a proof, canonical, not yet known to be points. */
export interface ProofCoordinates {
  readonly a: readonly [x: bigint, y: bigint];
  readonly b: readonly [x0: bigint, x1: bigint, y0: bigint, y1: bigint];
  readonly c: readonly [x: bigint, y: bigint];
}

/**
 * A proof in snarkjs's JSON form: pi_a [x, y, "1"], pi_b [[x₀, x₁], [y₀, y₁], ["1", "0"]], pi_c [x, y, "1"], and
 * optionally protocol "groth16" and curve "bn128". Cheap: whether these are points is for `proofPoints`.
 * @throws Malformed for anything else.
 */
export function decodeProof(value: unknown): ProofCoordinates {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Malformed("proof");
  const proof = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(proof)) if (!PROOF_KEYS.has(key)) throw new Malformed("proof");
  if (![undefined, "groth16"].includes(proof.protocol as string | undefined)) throw new Malformed("protocol");
  if (![undefined, "bn128"].includes(proof.curve as string | undefined)) throw new Malformed("curve");
  return {
    a: decodeG1(proof.pi_a, "pi_a"),
    b: decodeG2(proof.pi_b, "pi_b"),
    c: decodeG1(proof.pi_c, "pi_c"),
  };
}

/**
 * The points of a proof.
 * @throws Malformed for one that is not in its group. The dearest check is last: B's subgroup takes a multiplication.
 */
export function proofPoints({ a, b, c }: ProofCoordinates): Groth16Proof {
  return { a: pointOfG1(a, "pi_a"), c: pointOfG1(c, "pi_c"), b: pointOfG2(b, "pi_b") };
}

/** Canonical coordinates of what claims to be a point of G1. */
export function decodeG1(value: unknown, path: string): ProofCoordinates["a"] {
  const [x, y, z] = tupleOf(value, 3, path);
  if (z !== "1") throw new Malformed(`${path}.2`);
  return [coordinateOf(x, `${path}.0`), coordinateOf(y, `${path}.1`)];
}

/** Canonical coordinates of what claims to be a point of G2. */
export function decodeG2(value: unknown, path: string): ProofCoordinates["b"] {
  const [x, y, z] = tupleOf(value, 3, path);
  const [one, zero] = tupleOf(z, 2, `${path}.2`);
  if (one !== "1" || zero !== "0") throw new Malformed(`${path}.2`);
  const [x0, x1] = tupleOf(x, 2, `${path}.0`);
  const [y0, y1] = tupleOf(y, 2, `${path}.1`);
  return [
    coordinateOf(x0, `${path}.0.0`),
    coordinateOf(x1, `${path}.0.1`),
    coordinateOf(y0, `${path}.1.0`),
    coordinateOf(y1, `${path}.1.1`),
  ];
}

/** A point of G1 (whose cofactor is 1), not the identity. */
export function pointOfG1([x, y]: ProofCoordinates["a"], path: string): G1Point {
  return inGroup(() => bn254.G1.Point.fromAffine({ x, y }), path);
}

/** A point of G2, in the subgroup of prime order and not the identity. */
export function pointOfG2([x0, x1, y0, y1]: ProofCoordinates["b"], path: string): G2Point {
  const affine = { x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } };
  return inGroup(() => bn254.G2.Point.fromAffine(affine), path);
}

/** Noble's `assertValidity` is the curve's equation and, where the cofactor is not 1, the subgroup. */
function inGroup<Point extends { is0(): boolean; assertValidity(): void }>(
  make: () => Point,
  path: string,
): Point {
  try {
    const point = make();
    // Noble takes (0, 0) for the identity, which satisfies more equations than a prover should choose from.
    if (!point.is0()) {
      point.assertValidity();
      return point;
    }
  } catch {
    // Off the curve, or outside of the subgroup.
  }
  throw new Malformed(path);
}

function coordinateOf(value: unknown, path: string): bigint {
  return integerOf(value, COORDINATE_ORDER, path);
}

function tupleOf(value: unknown, length: number, path: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw new Malformed(path);
  return value;
}

function integerOf(value: unknown, order: bigint, path: string): bigint {
  if (typeof value !== "string" || value.length > MAX_DIGITS || !CANONICAL.test(value)) {
    throw new Malformed(path);
  }
  const integer = BigInt(value);
  if (integer >= order) throw new Malformed(path);
  return integer;
}

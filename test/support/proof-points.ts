// Owns proofs made of other proofs: points moved, scaled and exchanged, as a forger or a relay would. It refuses to change
// what it is given.

import { bn254 } from "@noble/curves/bn254.js";
import type { LooseProof, ProofCase } from "./proofs.ts";

const { G1, G2, fields } = bn254;
/** Order of the coordinates' field. */
export const Q = fields.Fp.ORDER;
/** Order of the signals' field. */
export const R = fields.Fr.ORDER;
export type G1Point = InstanceType<typeof G1.Point>;
export type G2Point = InstanceType<typeof G2.Point>;

export const g1Of = ([x, y]: string[]): G1Point =>
  G1.Point.fromAffine({ x: BigInt(x as string), y: BigInt(y as string) });
const fp2Of = ([c0, c1]: string[]) => ({ c0: BigInt(c0 as string), c1: BigInt(c1 as string) });
export const g2Of = ([x, y]: string[][]): G2Point =>
  G2.Point.fromAffine({ x: fp2Of(x as string[]), y: fp2Of(y as string[]) });

export function g1Json(point: G1Point): string[] {
  const { x, y } = point.toAffine();
  return [`${x}`, `${y}`, "1"];
}

export function g2Json(point: G2Point): string[][] {
  const { x, y } = point.toAffine();
  return [
    [`${x.c0}`, `${x.c1}`],
    [`${y.c0}`, `${y.c1}`],
    ["1", "0"],
  ];
}

/** A point of the curve over Fp2 that is outside of G2, whose cofactor is as large as its order. */
export function outsideOfG2(): G2Point {
  const { Fp2 } = fields;
  const b = Fp2.sub(Fp2.sqr(G2.Point.BASE.y), Fp2.mul(Fp2.sqr(G2.Point.BASE.x), G2.Point.BASE.x));
  for (let k = 1n; ; k += 1n) {
    const x = Fp2.fromBigTuple([k, 1n]);
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
      const point = G2.Point.fromAffine({ x, y });
      if (!point.isTorsionFree()) return point;
    } catch {
      // No square root: no point with this x.
    }
  }
}

/** A changed copy. */
export function changed(given: ProofCase, change: (proof: LooseProof, signals: string[]) => void): ProofCase {
  const copy = structuredClone(given);
  change(copy.proof, copy.signals);
  return copy;
}

/** A valid proof made another: (A, B, C) → (−A, −B, C). */
export function negated(given: ProofCase): ProofCase {
  return changed(given, (proof) => {
    proof.pi_a = g1Json(g1Of(proof.pi_a).negate());
    proof.pi_b = g2Json(g2Of(proof.pi_b).negate());
  });
}

/** A valid proof made another: (A, B, C) → (ρA, ρ⁻¹B, C). */
export function rescaled(given: ProofCase, rho: bigint): ProofCase {
  return changed(given, (proof) => {
    proof.pi_a = g1Json(g1Of(proof.pi_a).multiply(rho));
    proof.pi_b = g2Json(g2Of(proof.pi_b).multiply(fields.Fr.inv(rho)));
  });
}

/** A proof that is none: C moved by a point. */
export function moved(given: ProofCase, by: G1Point): ProofCase {
  return changed(given, (proof) => {
    proof.pi_c = g1Json(g1Of(proof.pi_c).add(by));
  });
}

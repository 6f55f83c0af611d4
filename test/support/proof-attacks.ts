// Owns what a forger makes of a good proof: every coordinate bent, points exchanged, moved or outside of their groups. It
// refuses what is still a proof: malleated proofs are in proof-points.ts.

import { bn254 } from "@noble/curves/bn254.js";
import { changed, g2Json, g2Of, moved, outsideOfG2, Q } from "./proof-points.ts";
import type { LooseProof, ProofCase } from "./proofs.ts";

/** What is bent; the forgery; whether every coordinate is below the field's order and no point at infinity. */
export type ProofAttack = readonly [what: string, forged: ProofCase, isCanonical: boolean];

const plus = (text: string | undefined, by: bigint) => `${BigInt(text as string) + by}`;

/** Each coordinate with its name and how to change it. */
function coordinatesOf(): [string, (proof: LooseProof, to: (text: string) => string) => void][] {
  const g1 = (["pi_a", "pi_c"] as const).flatMap((name) =>
    [0, 1].map((at): [string, (proof: LooseProof, to: (text: string) => string) => void] => [
      `${name}.${at}`,
      (proof, to) => {
        proof[name][at] = to(proof[name][at] as string);
      },
    ]),
  );
  const g2 = [0, 1].flatMap((row) =>
    [0, 1].map((at): [string, (proof: LooseProof, to: (text: string) => string) => void] => [
      `pi_b.${row}.${at}`,
      ({ pi_b }, to) => {
        const pair = pi_b[row] as string[];
        pair[at] = to(pair[at] as string);
      },
    ]),
  );
  return [...g1, ...g2];
}

/** A second spelling of A's y that snarkjs's contract takes for the first: q − y' mod 2²⁵⁶ is q − y mod q. */
export function secondSpelling(y: string): string {
  return `${Q + 2n ** 256n - (Q - BigInt(y) + Q)}`;
}

/** Forgeries of a good proof. */
export function proofAttacks(good: ProofCase): ProofAttack[] {
  const of = (change: (proof: LooseProof) => void) => changed(good, change);
  const zero2 = [
    ["0", "0"],
    ["0", "0"],
    ["1", "0"],
  ];
  const bent = coordinatesOf().flatMap(([name, change]): ProofAttack[] => [
    [`${name} + 1`, of((proof) => change(proof, (text) => `${(BigInt(text) + 1n) % Q}`)), true],
    [`${name} + q`, of((proof) => change(proof, (text) => plus(text, Q))), false],
    [`${name} is 0`, of((proof) => change(proof, () => "0")), true],
  ]);
  return [
    ...bent,
    [
      "A's y as only snarkjs's contract reads it",
      of(({ pi_a }) => {
        pi_a[1] = secondSpelling(pi_a[1] as string);
      }),
      false,
    ],
    ["A at infinity", of((proof) => Object.assign(proof, { pi_a: ["0", "0", "1"] })), false],
    ["C at infinity", of((proof) => Object.assign(proof, { pi_c: ["0", "0", "1"] })), false],
    ["B at infinity", of((proof) => Object.assign(proof, { pi_b: zero2 })), false],
    ["A and C exchanged", of((proof) => Object.assign(proof, { pi_a: proof.pi_c, pi_c: proof.pi_a })), true],
    ["B's parts exchanged", of((proof) => Object.assign(proof, { pi_b: exchanged(proof.pi_b) })), true],
    ["B outside of G2", of((proof) => Object.assign(proof, { pi_b: g2Json(outsideOfG2()) })), true],
    [
      "B plus a point outside of G2",
      of((proof) => Object.assign(proof, { pi_b: g2Json(g2Of(proof.pi_b).add(outsideOfG2())) })),
      true,
    ],
    ["C moved", moved(good, bn254.G1.Point.BASE), true],
  ];
}

function exchanged([x, y, z]: string[][]): string[][] {
  return [(x as string[]).toReversed(), (y as string[]).toReversed(), z as string[]];
}

// Owns a Groth16 key whose secrets the tests know, with which a valid proof takes a millisecond and no circuit. It refuses
// to prove what the circuit would not, as `meterWitness` tells it; shipping code refuses the key: no manifest names it.

import { bn254 } from "@noble/curves/bn254.js";
import { meterWitness, type WindowInputs } from "../../circuits/meter-witness.ts";
import type { ProofJson, ProvedWindow } from "../../circuits/prover.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import { readGroth16Key } from "../../evidence/groth16-key.ts";
import { meterSignalsOf } from "../../evidence/meter-statement.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";

/** Public signals of a window: root, tag, slot, account, nullifier, two maxima, two sums, and the packed claims. */
const SIGNALS = { 4: 10, 96: 18 } as const;

/** What a ceremony's parties forget. Small and different: nothing here is a secret. */
const [ALPHA, BETA, GAMMA, DELTA] = [11n, 13n, 17n, 19n];
/** Scalars of A and B, the same in every proof. */
const [A, B] = [23n, 29n];
const icScalar = (index: number): bigint => 1_000_003n + 31n * BigInt(index);

const { Fr } = bn254.fields;
const oneOverDelta = Fr.inv(DELTA);

/** The verification key in snarkjs's JSON form, for windows of 4 or 96 slots. */
export function trapdoorKeyJson(windowSlots: 4 | 96): Record<string, unknown> {
  const nPublic = SIGNALS[windowSlots];
  return {
    protocol: "groth16",
    curve: "bn128",
    nPublic,
    vk_alpha_1: pointOfG1(ALPHA),
    vk_beta_2: pointOfG2(BETA),
    vk_gamma_2: pointOfG2(GAMMA),
    vk_delta_2: pointOfG2(DELTA),
    IC: Array.from({ length: nPublic + 1 }, (_, index) => pointOfG1(icScalar(index))),
  };
}

/** The shipping verifier under that key. */
export function trapdoorVerifier(windowSlots: 4 | 96): Groth16Verifier {
  const use = {
    origin: "development",
    chainId: LOCAL_CHAIN_ID,
    publicElements: SIGNALS[windowSlots],
  };
  return new Groth16Verifier(readGroth16Key(trapdoorKeyJson(windowSlots), use));
}

/**
 * A proof of any signals whatever: C = (ab − αβ − γ·Σ sᵢ·icᵢ)/δ, so that e(A, B) is what the equation wants.
 * @param signals decimal field elements.
 */
export function simulatedProof(signals: readonly string[]): ProofJson {
  const sum = signals.reduce(
    (total, signal, index) => Fr.add(total, Fr.mul(Fr.create(BigInt(signal)), icScalar(index + 1))),
    icScalar(0),
  );
  const c = Fr.mul(Fr.sub(Fr.create(A * B - ALPHA * BETA), Fr.mul(GAMMA, sum)), oneOverDelta);
  return { pi_a: PROOF_A, pi_b: PROOF_B, pi_c: pointOfG1(c), protocol: "groth16", curve: "bn128" };
}

/**
 * Proves a window as the circuit would, or says why it would not.
 * @throws RangeError naming the first input that no proof exists for.
 */
export function proveByTrapdoor(inputs: WindowInputs): ProvedWindow {
  const { root, nullifier } = meterWitness(inputs);
  const { context, firstSlot, account, claims } = inputs;
  const verdict = meterSignalsOf({ context, firstSlot, root, account, nullifier, claims });
  if (!verdict.ok) throw new RangeError(`out of range: ${verdict.facts.path}`);
  const { signals } = verdict;
  return { proof: simulatedProof(signals), publicSignals: signals, firstSlot, root, nullifier, claims };
}

/** The same proof in other bytes: (−A, −B, C) satisfies the equation where (A, B, C) does. */
export function malleated(proof: ProofJson): ProofJson {
  const negated = (coordinate: string | undefined): string =>
    bn254.fields.Fp.neg(BigInt(coordinate as string)).toString();
  const [x, y, z] = proof.pi_a as readonly [string, string, string];
  const [bx, by, bz] = proof.pi_b as readonly (readonly string[])[];
  return {
    ...proof,
    pi_a: [x, negated(y), z],
    pi_b: [bx as readonly string[], (by as readonly string[]).map(negated), bz as readonly string[]],
  };
}

function pointOfG1(scalar: bigint): readonly string[] {
  const { x, y } = bn254.G1.Point.BASE.multiply(scalar % FIELD_ORDER).toAffine();
  return [x.toString(), y.toString(), "1"];
}

function pointOfG2(scalar: bigint): readonly (readonly string[])[] {
  const { x, y } = bn254.G2.Point.BASE.multiply(scalar).toAffine();
  return [
    [x.c0.toString(), x.c1.toString()],
    [y.c0.toString(), y.c1.toString()],
    ["1", "0"],
  ];
}

const PROOF_A = pointOfG1(A);
const PROOF_B = pointOfG2(B);

// Owns the verification of Groth16 proofs, one or many at a time. It refuses to let one proof of a batch stand or fall
// with another: every coefficient is fresh randomness, and a batch that fails is halved until the culprit is alone.

import { interleavedMSMUnsafe, normalizeZ } from "@noble/curves/abstract/curve.js";
import { bn254 } from "@noble/curves/bn254.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { bigOf } from "./bytes.ts";
import { FIELD_ORDER } from "./eddsa-poseidon.ts";
import {
  decodeProof,
  decodeSignals,
  type G1Point,
  type Groth16Proof,
  Malformed,
  type ProofCoordinates,
  proofPoints,
} from "./groth16-decoding.ts";
import { type Groth16Key, type Lines, linesOf } from "./groth16-key.ts";
import { RecentMap } from "./recent-map.ts";

const { Fp12 } = bn254.fields;
const G1 = bn254.G1.Point;
/** The soundness of a batch: a set of bad proofs passes with probability 2⁻¹²⁸. */
const COEFFICIENT_BYTES = 16;
/** Tables of points that are used once: eight multiples, for coefficients of 128 bits. */
const ONCE_WINDOW_BITS = 5;
/** Verified proofs remembered, 64 hex digits each. */
const ACCEPTED_KEPT = 4096;

/** A proof and its public signals as they came. */
export interface ProofToVerify {
  readonly signals: unknown;
  readonly proof: unknown;
}

/** What a proof turned out to be. */
export type ProofVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: "malformed"; readonly path: string }
  | { readonly ok: false; readonly reason: "invalid" };

interface Entry {
  readonly signals: readonly bigint[];
  readonly proof: Groth16Proof;
  readonly name: string;
}

const INVALID: ProofVerdict = { ok: false, reason: "invalid" };
const VALID: ProofVerdict = { ok: true };

/** Verifies proofs under one key, and remembers which it accepted. Proofs are malleable: replay is the nullifier's. */
export class Groth16Verifier {
  readonly #key: Groth16Key;
  /** Accepted ones only: a refusal remembered would be memory that strangers fill. */
  readonly #accepted: RecentMap<true>;

  constructor(key: Groth16Key, acceptedKept: number = ACCEPTED_KEPT) {
    this.#key = key;
    this.#accepted = new RecentMap(acceptedKept);
  }

  /** Verifies one proof; never throws for what a request can hold. */
  verify(given: ProofToVerify): ProofVerdict {
    return this.verifyBatch([given])[0] as ProofVerdict;
  }

  /** Verifies many proofs with one final exponentiation; the verdicts are in their order and each is its own. */
  verifyBatch(given: readonly ProofToVerify[]): ProofVerdict[] {
    const decoded = given.map((item) => this.#decode(item));
    const open = decoded.filter((entry) => entry !== null && "proof" in entry);
    // Only now, with every proof fixed, may randomness be drawn.
    const good = new Set(this.#goodOf(open));
    return decoded.map((entry) => {
      if (entry === null) return VALID;
      if (!("proof" in entry)) return entry;
      if (!good.has(entry)) return INVALID;
      this.#accepted.set(entry.name, true);
      return VALID;
    });
  }

  /** The entry, why there is none, or null for one that was accepted before. */
  #decode({ signals, proof }: ProofToVerify): Entry | ProofVerdict | null {
    try {
      const integers = decodeSignals(signals, this.#key.publicElements);
      const coordinates = decodeProof(proof);
      const name = nameOf(this.#key, integers, coordinates);
      if (this.#accepted.get(name) === true) return null;
      return { signals: integers, proof: proofPoints(coordinates), name };
    } catch (error) {
      if (error instanceof Malformed) return { ok: false, reason: "malformed", path: error.path };
      throw error;
    }
  }

  #goodOf(entries: readonly Entry[]): readonly Entry[] {
    if (entries.length === 0 || equationHolds(this.#key, entries)) return entries;
    if (entries.length === 1) return [];
    const half = entries.length >> 1;
    return [...this.#goodOf(entries.slice(0, half)), ...this.#goodOf(entries.slice(half))];
  }
}

/**
 * Whether Π e(−ρA, B) · e(Σ ρ·IC(signals), γ) · e(Σ ρC, δ) · e(α, β)^Σρ is one, with ρ = 1 for a single proof and
 * 128-bit nonzero randomness, the same on all of a proof's terms, for more.
 */
function equationHolds(key: Groth16Key, entries: readonly Entry[]): boolean {
  const isSingle = entries.length === 1;
  const coefficients = entries.map(() => (isSingle ? 1n : drawCoefficient()));
  const total = coefficients.reduce((sum, coefficient) => sum + coefficient, 0n) % FIELD_ORDER;
  const scaled = entries.map(({ proof }, index) =>
    proof.a.multiplyUnsafe(coefficients[index] as bigint).negate(),
  );
  const allC = entries.map(({ proof }) => proof.c);
  const sumOfC = interleavedMSMUnsafe(G1, allC, ONCE_WINDOW_BITS)(coefficients);
  const points = normalizeZ(G1, [...scaled, signalsPoint(key, entries, coefficients, total), sumOfC]);
  const lines = [...entries.map(({ proof }) => linesOf(proof.b)), key.gammaLines, key.deltaLines];
  const pairs: [Lines, bigint, bigint][] = [];
  points.forEach((point, index) => {
    // A sum may be the identity by chance or design; it pairs to one.
    if (point.is0()) return;
    const { x, y } = point.toAffine();
    pairs.push([lines[index] as Lines, x, y]);
  });
  const product = Fp12.finalExponentiate(bn254.millerLoopBatch(pairs));
  return Fp12.eql(Fp12.mul(product, Fp12.pow(key.alphaBeta, total)), Fp12.ONE);
}

/** Σ ρ·IC(signals): the scalars of all proofs are added first, so there is one product a signal and not one a proof. */
function signalsPoint(
  key: Groth16Key,
  entries: readonly Entry[],
  coefficients: readonly bigint[],
  total: bigint,
): G1Point {
  const scalars = Array.from({ length: key.publicElements }, (_, signal) =>
    entries.reduce((sum, { signals }, index) => {
      return (sum + (coefficients[index] as bigint) * (signals[signal] as bigint)) % FIELD_ORDER;
    }, 0n),
  );
  return key.combine([total, ...scalars]);
}

function drawCoefficient(): bigint {
  for (;;) {
    const coefficient = bigOf(crypto.getRandomValues(new Uint8Array(COEFFICIENT_BYTES)));
    if (coefficient !== 0n) return coefficient;
  }
}

/** Hash of key, signals and proof, which after decoding have one spelling. */
function nameOf(key: Groth16Key, signals: readonly bigint[], { a, b, c }: ProofCoordinates): string {
  return bytesToHex(sha256(utf8ToBytes([key.id, ...signals, ...a, ...b, ...c].join())));
}

// Owns a verification key that is ready to verify with. It refuses a key without a contribution of its second phase
// (γ = δ: anybody forges), a development key off the local chain, and a key for another number of signals.

import { interleavedMSMUnsafe } from "@noble/curves/abstract/curve.js";
import { bn254 } from "@noble/curves/bn254.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { LOCAL_CHAIN_ID } from "../protocol/limits.ts";
import { decodeG1, decodeG2, type G1Point, type G2Point, pointOfG1, pointOfG2 } from "./groth16-decoding.ts";

/** Who made a key that everybody may know the secrets of. */
export const DEVELOPMENT_ORIGIN = "development";

/** 64 multiples of each IC point, some 0.3 MB a key: it takes half of the time that products without tables take. */
const TABLE_WINDOW_BITS = 8;

/** An element of the target group. */
export type TargetElement = ReturnType<typeof bn254.pairing>;
/** The lines of the Miller loop of one point of G2, which depend on nothing else. */
export type Lines = ReturnType<typeof bn254.utils.calcPairingPrecomputes>;

/** A checked key, with what can be computed once. */
export interface Groth16Key {
  /** SHA-256 of the key, so that a proof accepted under one is not taken for accepted under another. */
  readonly id: string;
  readonly publicElements: number;
  /** e(α, β). */
  readonly alphaBeta: TargetElement;
  readonly gammaLines: Lines;
  readonly deltaLines: Lines;
  /** IC₀·s₀ + IC₁·s₁ + …: s₀ is one, or the coefficients' sum, and the rest belong to the signals. */
  readonly combine: (scalars: bigint[]) => G1Point;
}

/** What a key is to be used for. */
export interface KeyUse {
  /** The manifest's `origin`. */
  readonly origin: string;
  readonly chainId: number;
  readonly publicElements: number;
}

/**
 * Reads a verification key in snarkjs's JSON form. e(α, β) is computed here and not read from it.
 * @throws Error for a key that must not be used; a deployment with one must not start.
 */
export function readGroth16Key(json: unknown, use: KeyUse): Groth16Key {
  if (use.origin === DEVELOPMENT_ORIGIN && use.chainId !== LOCAL_CHAIN_ID) {
    throw new Error(`a development key is refused on chain ${use.chainId}: hold a ceremony`);
  }
  const key = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (key.protocol !== "groth16" || key.curve !== "bn128") throw new Error("not a Groth16 key over bn128");
  const ic = Array.isArray(key.IC) ? key.IC : [];
  if (key.nPublic !== use.publicElements || ic.length !== use.publicElements + 1) {
    throw new Error(`the key must be for ${use.publicElements} public signals`);
  }
  const readG1 = (value: unknown, path: string) => pointOfG1(decodeG1(value, path), path);
  const readG2 = (path: string) => pointOfG2(decodeG2(key[path], path), path);
  const alpha = readG1(key.vk_alpha_1, "vk_alpha_1");
  const [beta, gamma, delta] = [readG2("vk_beta_2"), readG2("vk_gamma_2"), readG2("vk_delta_2")];
  if (gamma.equals(delta))
    throw new Error("γ = δ: nobody contributed to this key, and anybody forges under it");
  const points = ic.map((point, index) => readG1(point, `IC.${index}`));
  return {
    id: bytesToHex(sha256(utf8ToBytes(canonicalText([alpha, beta, gamma, delta, ...points])))),
    publicElements: use.publicElements,
    alphaBeta: bn254.pairing(alpha, beta),
    gammaLines: linesOf(gamma),
    deltaLines: linesOf(delta),
    combine: interleavedMSMUnsafe(bn254.G1.Point, points, TABLE_WINDOW_BITS),
  };
}

/** The lines of a point that is in G2. */
export function linesOf(point: G2Point): Lines {
  return bn254.utils.calcPairingPrecomputes(point);
}

function canonicalText(points: readonly (G1Point | G2Point)[]): string {
  return JSON.stringify(
    points.map((point) => point.toAffine()),
    (_, value) => (typeof value === "bigint" ? value.toString() : value),
  );
}

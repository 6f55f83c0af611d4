// Owns the verifiers of meter proofs: one for each window length, under the committed keys. It refuses a key whose hash is
// not the manifest's, and keys of origin "development" on any chain but the local one.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import hourKey from "../circuits/artifacts/meter-4.vk.json" with { type: "json" };
import dayKey from "../circuits/artifacts/meter-96.vk.json" with { type: "json" };
import manifest from "../circuits/circuits.json" with { type: "json" };
import { Groth16Verifier } from "./groth16.ts";
import { readGroth16Key } from "./groth16-key.ts";

const KEYS = { 4: hourKey, 96: dayKey } as const;
const verifiers = new Map<string, Groth16Verifier>();

/**
 * The verifier of windows of this length; made at its first use, which takes some tenths of a second.
 * @throws Error for a key that must not be used here.
 */
export function meterVerifier(windowSlots: 4 | 96, chainId: number): Groth16Verifier {
  const name = `${windowSlots}/${chainId}`;
  let verifier = verifiers.get(name);
  if (verifier === undefined) {
    verifier = new Groth16Verifier(readMeterKey(windowSlots, chainId, KEYS[windowSlots]));
    verifiers.set(name, verifier);
  }
  return verifier;
}

/**
 * Checks a key against the manifest and reads it.
 * @param key in snarkjs's JSON form, as the file has it.
 * @throws Error when its hash is not the manifest's, or for what `readGroth16Key` refuses.
 */
export function readMeterKey(windowSlots: 4 | 96, chainId: number, key: unknown) {
  const { origin, publicSignals, sha256: named } = manifest.circuits[`meter-${windowSlots}`];
  // As snarkjs writes it: the hash of the file, though a bundler has taken the file apart.
  const found = bytesToHex(sha256(utf8ToBytes(`${JSON.stringify(key, null, 1)}\n`)));
  if (found !== named.verificationKey)
    throw new Error(
      `the key of meter-${windowSlots} is ${found}, the manifest names ${named.verificationKey}`,
    );
  const publicElements = publicSignals.reduce((sum, [, elements]) => sum + Number(elements), 0);
  return readGroth16Key(key, { origin, chainId, publicElements });
}

// Owns the hashes of the circuits' verification keys, by which a vote names them on the chain. It refuses a key that must not be
// used at all.

import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import certificateKey from "../circuits/artifacts/certificate.vk.json" with { type: "json" };
import hourKey from "../circuits/artifacts/meter-4.vk.json" with { type: "json" };
import dayKey from "../circuits/artifacts/meter-96.vk.json" with { type: "json" };
import manifest from "../circuits/circuits.json" with { type: "json" };
import type { Hex } from "../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../protocol/limits.ts";
import { readGroth16Key } from "./groth16-key.ts";

export const CIRCUIT_NAMES = ["meter-4", "meter-96", "certificate"] as const;
export type CircuitName = (typeof CIRCUIT_NAMES)[number];

const KEYS = { "meter-4": hourKey, "meter-96": dayKey, certificate: certificateKey } as const;

/** A circuit's name as the contract takes it. */
export function circuitWord(name: CircuitName): Hex {
  return `0x${bytesToHex(utf8ToBytes(name)).padEnd(64, "0")}`;
}

/**
 * SHA-256 of this release's key for a circuit, as its verifier on the chain has it; takes some tenths of a second.
 * @throws Error for a key that `readGroth16Key` refuses
 */
export function verificationKeyHash(name: CircuitName): Hex {
  const { origin, publicSignals } = manifest.circuits[name];
  const publicElements = publicSignals.reduce((sum, [, elements]) => sum + Number(elements), 0);
  const { id } = readGroth16Key(KEYS[name], { origin, chainId: LOCAL_CHAIN_ID, publicElements });
  return `0x${id}`;
}

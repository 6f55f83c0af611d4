// Owns which results are run again: drawn from a secret that was bound before the job was sold and a block that came after its
// result. It refuses a draw that a seller could foresee, the region could choose, or nobody could repeat.

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../protocol/fields.ts";
import { MAX_REFEREE_FUEL_MEGA } from "../protocol/limits.ts";
import { hexOf } from "./bytes.ts";

const BPS = 10_000n;

/**
 * The secret of a region's epoch.
 * @param seed the 32 bytes that the key of the region's receipts is made of
 */
export function auditSecretOf(seed: Uint8Array, region: string, epoch: number): Hex {
  return hexOf(hmac(sha256, seed, utf8ToBytes(`polder-audit\n${region}\n${epoch}`)));
}

/**
 * Whether a result is run again: SHA-256(secret ‖ hash of the block ‖ number of the obligation in 8 bytes) as a number, modulo
 * 10⁴, is below the rate. Of equal chances to within 10⁻⁷².
 * @param blockHash of the first finalised block after the report; 32 zeroes where the region follows no chain
 * @param fuelMega reported; what is more than the referee runs is never drawn
 */
export function isDrawn(
  secret: Hex,
  blockHash: Hex,
  obligationId: number,
  fuelMega: number,
  auditRateBps: number,
): boolean {
  if (fuelMega > MAX_REFEREE_FUEL_MEGA) return false;
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(obligationId));
  const digest = sha256(concatBytes(hexToBytes(secret.slice(2)), hexToBytes(blockHash.slice(2)), number));
  return BigInt(hexOf(digest)) % BPS < BigInt(auditRateBps);
}

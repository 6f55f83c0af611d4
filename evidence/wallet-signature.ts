// Owns the check of a wallet's signature (secp256k1 with recovery over an EIP-712 digest). It refuses every second
// spelling of a signature: other lengths, recovery bytes 0 and 1, an s in the upper half.

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Hex } from "../protocol/fields.ts";
import { bigOf, bytesOf, exactBytes, hexOf } from "./bytes.ts";
import { refused, type Verdict } from "./evidence-kind.ts";

const ORDER = secp256k1.Point.CURVE().n;
const HALF_ORDER = ORDER >> 1n;

/**
 * Recovers who signed a digest.
 *
 * @param digest the 32 bytes that were signed.
 * @param signature r ‖ s ‖ v, 65 bytes, v 27 or 28, as wallets write it.
 * @returns the lower-case address; `signature_malformed`, `signature_high_s` (EIP-2) or `signature_invalid` when no
 *   key fits. That the address is the expected account is for the caller to compare.
 */
export function recoverWallet(digest: Uint8Array | Hex, signature: Hex): Verdict<{ readonly wallet: Hex }> {
  const message = exactBytes(digest, 32, "digest");
  const bytes = bytesOf(signature, 65);
  if (bytes === null) return refused("signature_malformed", { expectedBytes: 65 });
  const v = bytes[64] as number;
  if (v !== 27 && v !== 28) return refused("signature_malformed", { v });
  const r = bigOf(bytes.subarray(0, 32));
  const s = bigOf(bytes.subarray(32, 64));
  if (r === 0n || r >= ORDER) return refused("signature_malformed", { out_of_range: "r" });
  if (s === 0n || s >= ORDER) return refused("signature_malformed", { out_of_range: "s" });
  if (s > HALF_ORDER) return refused("signature_high_s");
  try {
    const key = new secp256k1.Signature(r, s, v - 27).recoverPublicKey(message).toBytes(false);
    return { ok: true, wallet: hexOf(keccak_256(key.subarray(1)).subarray(12)) };
  } catch {
    // r is no curve point's x, or the recovered key is the point at infinity.
    return refused("signature_invalid");
  }
}

// Owns what a deployment does with a wallet's key of its own: its address, and signatures over digests as
// wallet-signature.ts takes them. It refuses a key that is none.

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../protocol/fields.ts";
import { exactBytes, hexOf } from "./bytes.ts";

/** A signature in its parts, as transactions take it. */
export interface SignatureParts {
  readonly r: Hex;
  readonly s: Hex;
  readonly yParity: 0 | 1;
}

/** Whether 32 bytes are a key: neither zero nor the curve's order or above. */
export function isWalletKey(key: Hex): boolean {
  return secp256k1.utils.isValidSecretKey(exactBytes(key, 32, "a wallet's key"));
}

/** The lower-case address of a key. @throws RangeError, Error for what is no key. */
export function walletOf(key: Hex): Hex {
  const point = secp256k1.getPublicKey(exactBytes(key, 32, "a wallet's key"), false);
  return hexOf(keccak_256(point.subarray(1)).subarray(12));
}

/** Signs a digest of 32 bytes; s is in the lower half (EIP-2). */
export function signParts(key: Hex, digest: Uint8Array | Hex): SignatureParts {
  const signature = secp256k1.sign(
    exactBytes(digest, 32, "a digest"),
    exactBytes(key, 32, "a wallet's key"),
    { prehash: false, format: "recovered" },
  );
  const yParity = signature[0] === 1 ? 1 : 0;
  return { r: hexOf(signature.subarray(1, 33)), s: hexOf(signature.subarray(33, 65)), yParity };
}

/** Signs a digest as wallets write it: r ‖ s ‖ v, v 27 or 28. */
export function signWallet(key: Hex, digest: Uint8Array | Hex): Hex {
  const { r, s, yParity } = signParts(key, digest);
  const bytes = concatBytes(exactBytes(r, 32, "r"), exactBytes(s, 32, "s"), Uint8Array.of(27 + yParity));
  return hexOf(bytes);
}

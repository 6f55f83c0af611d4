// Owns hashing and signing with the runtime's native code. It refuses nothing: keys were checked when they were read.

import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { Hex } from "../protocol/fields.ts";

/** SHA-256 over concatenated pieces as hex digits: the hash of journal and state. */
export function sha256Hex(...pieces: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** SHA-256 of bytes: the hash of receipt trees. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** DER header of an Ed25519 private key (RFC 8410); the seed follows it. */
const PKCS8_HEAD = "302e020100300506032b657004220420";

/** A signer with an Ed25519 seed (RFC 8032); a native signature takes a tenth of the portable one's time. */
export function ed25519Signer(seed: Hex): (message: Uint8Array) => Hex {
  const key: KeyObject = createPrivateKey({
    key: Buffer.from(PKCS8_HEAD + seed.slice(2), "hex"),
    format: "der",
    type: "pkcs8",
  });
  return (message) => `0x${sign(null, message, key).toString("hex")}`;
}

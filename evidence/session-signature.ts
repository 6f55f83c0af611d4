// Owns session keys: their signatures over command digests and the API key, which is a session key whose seed travels
// as a bearer token. It refuses loose spellings of either.

import type { Hex } from "../protocol/fields.ts";
import { type Bytes, exactBytes } from "./bytes.ts";
import { publicKeyOf, signMessage, verifyStrictly } from "./ed25519.ts";
import type { Verdict } from "./evidence-kind.ts";

const TOKEN = /^polder_([0-9a-f]{40})([0-9a-f]{64})$/;

/** What an API key holds: whose account, and the seed of the session key that acts for it. */
export interface ApiKey {
  readonly account: Hex;
  /** 32 bytes; whoever has them may do whatever the session key's scope allows. */
  readonly seed: Hex;
}

/**
 * Verifies a session key's signature over a command digest, strictly (see `verifyStrictly`).
 * @param key 32-byte Ed25519 public key.
 * @param digest 32 bytes.
 * @param signature R ‖ S, 64 bytes.
 */
export function verifySession(key: Hex, digest: Uint8Array | Hex, signature: Hex): Promise<Verdict> {
  return verifyStrictly(key, exactBytes(digest, 32, "digest"), signature);
}

/** Signs a command digest with a session key's 32-byte seed. */
export function signSession(seed: Uint8Array | Hex, digest: Uint8Array | Hex): Hex {
  return signMessage(seedBytes(seed), exactBytes(digest, 32, "digest"));
}

/** The session key (Ed25519 public key) of a 32-byte seed. */
export function sessionKeyOf(seed: Uint8Array | Hex): Hex {
  return publicKeyOf(seedBytes(seed));
}

/** Bearer token of an account and a seed: `polder_`, 40 and 64 lower-case hex digits. */
export function formatApiKey(account: Hex, seed: Hex): string {
  const token = `polder_${account.slice(2)}${seed.slice(2)}`.toLowerCase();
  if (!TOKEN.test(token)) throw new RangeError("an API key is an account of 20 bytes and a seed of 32");
  return token;
}

/** Reads a bearer token; null for anything but the exact form, upper case included. */
export function parseApiKey(token: string): ApiKey | null {
  const match = TOKEN.exec(token);
  return match === null ? null : { account: `0x${match[1] as string}`, seed: `0x${match[2] as string}` };
}

function seedBytes(seed: Uint8Array | Hex): Bytes {
  return exactBytes(seed, 32, "seed");
}

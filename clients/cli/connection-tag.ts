// Owns how a grid connection is named in a registry: by a tag that only the registrar's key makes. It refuses a key that is
// short, and to name the connection itself: connection numbers are few enough to try them all.

import { createHmac } from "node:crypto";
import type { Hex } from "../../protocol/fields.ts";

const DOMAIN = "polder/connection/v1";
const KEY_FORM = /^0x[0-9a-fA-F]{64}$/;
const MOST_CHARACTERS = 64;

/**
 * HMAC-SHA256 over a connection's number, the same however it is spaced or cased: the same number has the same tag in
 * every region.
 * @param key 32 secret bytes as hex.
 * @throws Error for a number or a key that is none
 */
export function connectionTag(key: Hex, number: string): Hex {
  const written = number
    .normalize("NFKC")
    .replaceAll(/[\s.-]/g, "")
    .toUpperCase();
  if (!/^[0-9A-Z/]+$/.test(written) || written.length > MOST_CHARACTERS)
    throw new Error("a connection's number has up to 64 letters and digits");
  const hmac = createHmac("sha256", Buffer.from(key.slice(2), "hex")).update(`${DOMAIN}\0${written}`);
  return `0x${hmac.digest("hex")}`;
}

/** The registrar's key, from POLDER_REGISTRAR_KEY. @throws Error when it is not set or well formed */
export function registrarKeyFromEnvironment(): Hex {
  const key = process.env.POLDER_REGISTRAR_KEY;
  if (key === undefined || !KEY_FORM.test(key))
    throw new Error(
      "set POLDER_REGISTRAR_KEY to the registrar's key, 0x and 64 hex digits, or give a ready tag with --connection-tag",
    );
  return key as Hex;
}

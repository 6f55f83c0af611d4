// Owns the step between hex strings and bytes for signatures and keys. It refuses hex of any length but the one asked
// for, where the usual decoders would pad or cut.

import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../protocol/fields.ts";

/** The type that WebCrypto takes: bytes that no other thread can change while they are checked. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of `0x` and exactly `length` bytes of hex in either case, or null. */
export function bytesOf(hex: string, length: number): Bytes | null {
  if (hex.length !== 2 + 2 * length || !/^0x[0-9a-fA-F]*$/.test(hex)) return null;
  return hexToBytes(hex.slice(2)) as Bytes;
}

/** Lower-case hex of bytes. */
export function hexOf(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}

/**
 * Exactly `length` bytes given as bytes or hex: digests and secrets, which our own code makes.
 * @throws RangeError for anything else, since that is a bug of the caller and not a refusal.
 */
export function exactBytes(value: Uint8Array | Hex, length: number, what: string): Bytes {
  const bytes = typeof value === "string" ? bytesOf(value, length) : value;
  if (bytes === null || bytes.length !== length) throw new RangeError(`${what} must be ${length} bytes`);
  return bytes as Bytes;
}

/** Big-endian value of bytes. */
export function bigOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(hexOf(bytes));
}

/** Little-endian value of bytes. */
export function bigOfLittleEndian(bytes: Uint8Array): bigint {
  return bigOf(bytes.slice().reverse());
}

/** 32 big-endian bytes of a value below 2²⁵⁶. */
export function wordOf(value: bigint): Bytes {
  return hexToBytes(value.toString(16).padStart(64, "0")) as Bytes;
}

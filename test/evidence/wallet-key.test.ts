// Owns the promise that the deployment's own wallet signs as any wallet does: viem's address, viem's bytes, recovered here. It
// refuses what is no key.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { hexOf } from "../../evidence/bytes.ts";
import { isWalletKey, signParts, signWallet, walletOf } from "../../evidence/wallet-key.ts";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import type { Hex } from "../../protocol/fields.ts";
import { word } from "../support/market.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const asKey = (value: bigint): Hex => `0x${value.toString(16).padStart(64, "0")}`;

describe("a wallet's key", () => {
  test("rejects: zero, the curve's order, and keys and digests of another length", () => {
    for (const value of [0n, ORDER, ORDER + 1n, 2n ** 256n - 1n])
      expect(isWalletKey(asKey(value))).toBe(false);
    expect(isWalletKey(asKey(ORDER - 1n))).toBe(true);
    for (const key of ["0x12", "0x", `${word(1)}00`] as Hex[]) {
      expect(() => walletOf(key)).toThrow(RangeError);
      expect(() => signWallet(key, word(1))).toThrow(RangeError);
    }
    expect(() => signWallet(word(1), "0x12")).toThrow(RangeError);
    expect(() => walletOf(asKey(0n))).toThrow();
  });

  test("behavior: address and signature are viem's, and recover to the address", async () => {
    for (let number = 1; number <= 20; number += 1) {
      const key = hexOf(keccak_256(Uint8Array.of(number)));
      const account = privateKeyToAccount(key);
      const digest = keccak_256(Uint8Array.of(number, number));
      expect(walletOf(key)).toBe(account.address.toLowerCase());
      const signature = signWallet(key, digest);
      expect(signature).toBe(await account.sign({ hash: hexOf(digest) }));
      expect(recoverWallet(digest, signature)).toEqual({ ok: true, wallet: walletOf(key) });
      const { r, s, yParity } = signParts(key, digest);
      expect(signature).toBe(`${r}${s.slice(2)}${(27 + yParity).toString(16)}`);
    }
  });
});

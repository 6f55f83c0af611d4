// Owns the promise that a wallet's signature is accepted in one form only, with low s.

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { recoverAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import type { Hex } from "../../protocol/fields.ts";
import vectors from "../vectors/signatures.json" with { type: "json" };

describe("wallet signature", () => {
  for (const vector of vectors.wallet.filter(({ verdict }) => !verdict.ok)) {
    test(`rejects: ${vector.name}`, () => {
      expect(recoverWallet(vector.digest as Hex, vector.signature as Hex)).toMatchObject(vector.verdict);
    });
  }

  test("rejects: hex that is not hex", () => {
    const good = vectors.wallet[0] as (typeof vectors.wallet)[0];
    const spoilt = `${good.signature.slice(0, -1)}g` as Hex;
    expect(recoverWallet(good.digest as Hex, spoilt)).toMatchObject({ code: "signature_malformed" });
    const bare = good.signature.slice(2) as Hex;
    expect(recoverWallet(good.digest as Hex, bare)).toMatchObject({ code: "signature_malformed" });
  });

  test("rejects: a digest of another length, as our own bug", () => {
    expect(() => recoverWallet("0x00", vectors.wallet[0]?.signature as Hex)).toThrow(RangeError);
  });

  test("regression: viem recovers a signer from the refused twins", async () => {
    for (const name of ["high s, the twin of the good one", "v is 0 or 1"]) {
      const { digest, signature, account } = vectors.wallet.find((vector) => vector.name === name) as {
        digest: Hex;
        signature: Hex;
        account: string;
      };
      expect((await recoverAddress({ hash: digest, signature })).toLowerCase()).toBe(account);
    }
  });

  for (const vector of vectors.wallet.filter(({ verdict }) => verdict.ok)) {
    test(`behavior: ${vector.name} is recovered`, () => {
      expect(recoverWallet(vector.digest as Hex, vector.signature as Hex)).toEqual(vector.verdict);
    });
  }

  test("property: what viem's accounts sign is recovered to their address", async () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (secret, digest) => {
        fc.pre(secp256k1.utils.isValidSecretKey(secret));
        const account = privateKeyToAccount(`0x${bytesToHex(secret)}`);
        const signature = await account.sign({ hash: `0x${bytesToHex(digest)}` });
        expect(recoverWallet(digest, signature)).toEqual({
          ok: true,
          wallet: account.address.toLowerCase(),
        });
      }),
      { numRuns: 25 },
    );
  });
});

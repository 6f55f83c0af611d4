// Owns the promises of a delivery's voucher: who signed it, and that it means one delivery of one trade in one region. It
// refuses to judge whose trade that is: the market does.

import { bytesToHex } from "@noble/hashes/utils.js";
import { hashTypedData } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import {
  type DeliveryVoucher,
  verifyVoucher,
  voucherDigest,
  voucherTypedData,
} from "../../evidence/delivery-voucher.ts";
import { readEvidence } from "../../evidence/evidence.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";

const DOMAIN: SigningDomain = { chainId: 31_337, settlement: `0x${"5e".repeat(20)}` };
const SEED: Hex = `0x${"07".repeat(32)}`;
const wallet = privateKeyToAccount(`0x${"0b".repeat(32)}`);

const COMMAND: CommandOf<"settle_obligation"> = {
  type: "settle_obligation",
  account: `0x${"01".repeat(20)}`,
  region: "polder-one",
  nonce: 1,
  expiresAtS: 2,
  obligationId: 7,
  deliveredMega: 41,
  jobDigest: `0x${"aa".repeat(32)}`,
  outputHash: `0x${"bb".repeat(32)}`,
  isFinal: false,
};

const byWallet = async (command = COMMAND, domain = DOMAIN): Promise<DeliveryVoucher> => ({
  kind: "delivery-voucher",
  signature: await wallet.signTypedData(voucherTypedData(domain, command) as never),
});

const bySession = (command = COMMAND): DeliveryVoucher => ({
  kind: "delivery-voucher",
  signature: signSession(SEED, voucherDigest(DOMAIN, command)),
  sessionKey: sessionKeyOf(SEED),
});

describe("vouchers", () => {
  test("rejects: what is no voucher, or not in canonical form", async () => {
    const good = await byWallet();
    for (const evidence of [
      null,
      7,
      {},
      { ...good, kind: "voucher" },
      { ...good, extra: 1 },
      { ...good, signature: "11" },
      { ...good, sessionKey: "0x11" },
    ])
      expect(await verifyVoucher(DOMAIN, COMMAND, evidence)).toMatchObject({
        ok: false,
        code: "evidence_malformed",
      });
    expect(await verifyVoucher(DOMAIN, COMMAND, { ...good, signature: "0x11" })).toMatchObject({
      code: "signature_malformed",
    });
    const turned: Hex = `0x${"11".repeat(64)}`;
    expect(await verifyVoucher(DOMAIN, COMMAND, { ...bySession(), signature: turned })).toMatchObject({
      ok: false,
    });
  });

  test("rejects: a voucher of another trade, amount, job, output, region or chain: it is somebody else's or nobody's", async () => {
    const others: Partial<CommandOf<"settle_obligation">>[] = [
      { obligationId: 8 },
      { deliveredMega: 42 },
      { jobDigest: `0x${"ac".repeat(32)}` },
      { outputHash: `0x${"bc".repeat(32)}` },
      { region: "polder-two" },
    ];
    for (const other of others) {
      const command = { ...COMMAND, ...other };
      const verdict = await verifyVoucher(DOMAIN, command, await byWallet());
      // A wallet's signature always recovers to somebody; never to who signed another statement.
      if (verdict.ok)
        expect(verdict.facts.agreedBy).not.toEqual([
          { scheme: "wallet", address: wallet.address.toLowerCase() },
        ]);
      expect(await verifyVoucher(DOMAIN, command, bySession())).toMatchObject({
        ok: false,
        code: "signature_invalid",
      });
    }
    const elsewhere = await verifyVoucher({ ...DOMAIN, chainId: 1 }, COMMAND, bySession());
    expect(elsewhere).toMatchObject({ ok: false, code: "signature_invalid" });
  });

  test("behavior: who sends it, in which command, and whether it is final do not matter to it", async () => {
    const command = {
      ...COMMAND,
      account: `0x${"09".repeat(20)}` as Hex,
      nonce: 99,
      expiresAtS: 5,
      isFinal: true,
    };
    expect(await verifyVoucher(DOMAIN, command, bySession())).toMatchObject({ ok: true });
  });

  test("behavior: the facts are the delivery and who agreed to it", async () => {
    const delivery = {
      kind: "delivery",
      means: "voucher",
      obligation: 7,
      deliveredMega: 41,
      jobDigest: COMMAND.jobDigest,
      outputHash: COMMAND.outputHash,
    };
    expect(await readEvidence(DOMAIN, COMMAND, await byWallet())).toEqual({
      ok: true,
      facts: { ...delivery, agreedBy: [{ scheme: "wallet", address: wallet.address.toLowerCase() }] },
      shown: null,
    });
    expect(await readEvidence(DOMAIN, COMMAND, bySession())).toEqual({
      ok: true,
      facts: { ...delivery, agreedBy: [{ scheme: "session", key: sessionKeyOf(SEED) }] },
      shown: null,
    });
    expect(await readEvidence(DOMAIN, COMMAND, undefined)).toEqual({ ok: true, facts: null, shown: null });
  });

  test("invariant: the digest is the one that wallets make of the typed data", () => {
    expect(`0x${bytesToHex(voucherDigest(DOMAIN, COMMAND))}`).toBe(
      hashTypedData(voucherTypedData(DOMAIN, COMMAND) as never),
    );
  });
});

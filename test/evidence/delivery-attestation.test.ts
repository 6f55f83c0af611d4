// Owns the promises of a delivery's attestation: which key made it, and that it means one result of one trade in one region. It refuses
// to judge whose key counts: the market does.

import { bytesToHex } from "@noble/hashes/utils.js";
import { hashTypedData } from "viem";
import { describe, expect, test } from "vitest";
import { attestDelivery, verifyAttestation } from "../../evidence/delivery-attestation.ts";
import { readEvidence } from "../../evidence/evidence.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type SigningDomain, statementDigest, typedStatement } from "../../protocol/typed-data.ts";

const DOMAIN: SigningDomain = { chainId: 31_337, settlement: `0x${"5e".repeat(20)}` };
const SEED: Hex = `0x${"07".repeat(32)}`;

const COMMAND: CommandOf<"report_result"> = {
  type: "report_result",
  account: `0x${"01".repeat(20)}`,
  region: "polder-one",
  nonce: 1,
  expiresAtS: 2,
  obligationId: 7,
  fuelMega: 41,
  jobDigest: `0x${"aa".repeat(32)}`,
  outputHash: `0x${"bb".repeat(32)}`,
};

describe("attestations", () => {
  test("rejects: none at all, and what is not in canonical form", async () => {
    const good = attestDelivery(DOMAIN, COMMAND, SEED);
    for (const evidence of [
      undefined,
      null,
      {},
      { ...good, kind: "delivery-voucher" },
      { ...good, extra: 1 },
      { ...good, sessionKey: undefined },
      { ...good, signature: "11" },
    ])
      expect(await readEvidence(DOMAIN, COMMAND, evidence)).toMatchObject({
        ok: false,
        code: "evidence_malformed",
      });
  });

  test("rejects: that of another trade, fuel, job, output, region, chain or key", async () => {
    const good = attestDelivery(DOMAIN, COMMAND, SEED);
    for (const other of [
      { obligationId: 8 },
      { fuelMega: 42 },
      { jobDigest: `0x${"ac".repeat(32)}` },
      { outputHash: `0x${"bc".repeat(32)}` },
      { region: "polder-two" },
    ] as const)
      expect(await verifyAttestation(DOMAIN, { ...COMMAND, ...other }, good)).toMatchObject({
        ok: false,
        code: "signature_invalid",
      });
    const elsewhere = await verifyAttestation({ ...DOMAIN, chainId: 1 }, COMMAND, good);
    expect(elsewhere).toMatchObject({ ok: false, code: "signature_invalid" });
    const sessionKey = sessionKeyOf(`0x${"08".repeat(32)}`);
    expect(await verifyAttestation(DOMAIN, COMMAND, { ...good, sessionKey })).toMatchObject({
      ok: false,
      code: "signature_invalid",
    });
  });

  test("behavior: the facts are the result and the key that attests it, whoever sends it and when", async () => {
    const sent = { ...COMMAND, account: `0x${"09".repeat(20)}` as Hex, nonce: 99, expiresAtS: 5 };
    const { obligationId: obligation, fuelMega: deliveredMega, jobDigest, outputHash } = COMMAND;
    expect(await readEvidence(DOMAIN, sent, attestDelivery(DOMAIN, COMMAND, SEED))).toEqual({
      ok: true,
      facts: {
        ...{ kind: "delivery", means: "job_result", obligation, deliveredMega, jobDigest, outputHash },
        agreedBy: [{ scheme: "session", key: sessionKeyOf(SEED) }],
      },
      shown: null,
    });
  });

  test("invariant: what is signed is typed data that anybody can show", () => {
    const { region, obligationId, fuelMega, jobDigest, outputHash } = COMMAND;
    const statement = { region, obligationId, fuelMega, jobDigest, outputHash };
    expect(`0x${bytesToHex(statementDigest(DOMAIN, "DeliveryAttestation", COMMAND))}`).toBe(
      hashTypedData(typedStatement(DOMAIN, "DeliveryAttestation", statement) as never),
    );
  });
});

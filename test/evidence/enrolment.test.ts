// Owns the promise that nobody enrols a gateway without its consent to exactly that commitment, region and window. It
// refuses keys of small order, whose signatures anybody makes.

import { babyjubjub } from "@noble/curves/misc.js";
import { describe, expect, test } from "vitest";
import { poseidonKeyOf, SUBGROUP_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { consentMessage, signConsent, verifyConsent } from "../../evidence/enrolment.ts";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import { gatewayIdOfSeed, regionTag, windowMessage } from "../../evidence/gateway-window.ts";
import { meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import { nodeHex } from "../../protocol/quad-tree.ts";
import { word } from "../support/market.ts";

const CONTEXT: EvidenceContext = {
  chainId: 31_337,
  settlement: `0x${"00".repeat(20)}`,
  regionId: "polder-one",
  windowSlots: 4,
};
const SEED = new Uint8Array(32).fill(31);
const [x, y] = poseidonKeyOf(SEED);
const commitment = secretCommitment(77n);
const ENROLMENT: CommandOf<"enrol_meter"> = {
  type: "enrol_meter",
  region: "polder-one",
  nonce: 1,
  expiresAtS: 2,
  gatewayX: x.toString(),
  gatewayY: y.toString(),
  commitment: commitment.toString(),
  connection: word(1),
  nameplateWh: 1_000,
  connectionWh: 2_000,
  saleCapWh: 3_000,
  purchaseCapWh: 4_000,
  windowSlots: 4,
  replaces: word(0),
};
const CONSENT = signConsent(SEED, CONTEXT, commitment);

describe("a gateway's consent", () => {
  test("rejects: consent to another commitment, region, chain, contract or window length, and of another gateway", () => {
    const others: [EvidenceContext, typeof ENROLMENT, unknown][] = [
      [CONTEXT, { ...ENROLMENT, commitment: "5" }, CONSENT],
      [{ ...CONTEXT, regionId: "polder-two" }, ENROLMENT, CONSENT],
      [{ ...CONTEXT, chainId: 1 }, ENROLMENT, CONSENT],
      [{ ...CONTEXT, settlement: `0x${"01".repeat(20)}` }, ENROLMENT, CONSENT],
      [{ ...CONTEXT, windowSlots: 96 }, ENROLMENT, CONSENT],
      [CONTEXT, ENROLMENT, signConsent(new Uint8Array(32).fill(32), CONTEXT, commitment)],
    ];
    for (const [context, enrolment, consent] of others)
      expect(verifyConsent(context, enrolment, consent)).toMatchObject({ code: "gateway_signature_invalid" });
  });

  test("rejects: keys of small order, keys outside of the subgroup, and points off the curve", () => {
    const { r8, s } = CONSENT.signature;
    for (const [gatewayX, gatewayY] of [
      ["0", "1"],
      ["5", "5"],
      [x.toString(), x.toString()],
      [babyjubjub.Point.Fp.neg(x).toString(), babyjubjub.Point.Fp.neg(y).toString()],
    ] as const) {
      const enrolment = { ...ENROLMENT, gatewayX, gatewayY };
      const verdict = verifyConsent(CONTEXT, enrolment, { kind: "gateway-consent", signature: { r8, s } });
      expect(verdict).toMatchObject({ code: "gateway_key_invalid" });
    }
  });

  test("rejects: every other spelling", () => {
    const { signature } = CONSENT;
    for (const spoilt of [
      undefined,
      null,
      {},
      { ...CONSENT, kind: "meter-proof" },
      { ...CONSENT, more: 1 },
      { kind: "gateway-consent", signature: { ...signature, s: `0${signature.s}` } },
      {
        kind: "gateway-consent",
        signature: { ...signature, s: (BigInt(signature.s) + SUBGROUP_ORDER).toString() },
      },
      { kind: "gateway-consent", signature: { ...signature, r8: [signature.r8[0]] } },
    ])
      expect(verifyConsent(CONTEXT, ENROLMENT, spoilt)).toMatchObject({ code: "evidence_malformed" });
  });

  test("behavior: establishes the gateway and the leaf of key, commitment, region and every limit", () => {
    const verdict = verifyConsent(CONTEXT, ENROLMENT, CONSENT);
    const leafWith = (more: object) =>
      nodeHex(meterLeaf([x, y], commitment, regionTag(CONTEXT), { ...ENROLMENT, ...more }));
    const facts = { kind: "gateway-consent", gateway: gatewayIdOfSeed(SEED), leaf: leafWith({}) };
    expect(verdict).toEqual({ ok: true, facts });
    const limits = ["nameplateWh", "connectionWh", "saleCapWh", "purchaseCapWh"];
    const leaves = [leafWith({}), ...limits.map((limit) => leafWith({ [limit]: 5 }))];
    expect(new Set(leaves).size).toBe(leaves.length);
  });

  test("invariant: no window that a gateway signs is consent, whatever it read", () => {
    const tag = regionTag(CONTEXT);
    expect(consentMessage(tag, commitment)).not.toBe(windowMessage(tag, 0, [commitment]));
    expect(consentMessage(tag, commitment)).not.toBe(windowMessage(tag, Number(commitment % 4n), [0n]));
  });
});

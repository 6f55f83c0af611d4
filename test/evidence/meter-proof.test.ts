// Owns the promise that claims and proof of a window are read one way only, and verified under the committed keys. It
// refuses a second spelling, a key whose bytes are not the manifest's, and a development key off the local chain.

import { describe, expect, test } from "vitest";
import { regionTag } from "../../evidence/gateway-window.ts";
import { meterVerifier, readMeterKey } from "../../evidence/meter-keys.ts";
import {
  type MeterProof,
  meterProofSchema,
  readMeterProof,
  shownWindowOf,
  verifyMeterProofs,
} from "../../evidence/meter-proof.ts";
import { meterNullifier } from "../../evidence/meter-statement.ts";
import { FIELD_ORDER } from "../../protocol/fields.ts";
import { nodeHex } from "../../protocol/quad-tree.ts";
import { sampleWindow } from "../../tools/sample-household.ts";
import { keyJsonOf, provedOf } from "../support/proofs.ts";

const LOCAL = 31_337;

/** The sample's window as its household sends it. */
function shownSample(windowSlots: 4 | 96) {
  const sample = sampleWindow(windowSlots);
  const { claims, root, context, firstSlot, secret, account } = sample;
  const nullifier = meterNullifier(secret, regionTag(context), firstSlot);
  const { proof } = provedOf(`meter-${windowSlots}`)[0] as { proof: unknown };
  const { netWh, evidence } = shownWindowOf({ claims, root, nullifier, proof });
  return { context, command: { account, firstSlot, netWh: [...netWh] }, evidence };
}

const { context, command, evidence } = shownSample(4);

describe("a window that is shown", () => {
  const cases: readonly (readonly [name: string, path: string, spoilt: unknown])[] = [
    ["none", "", undefined],
    ["another kind", "kind", { ...evidence, kind: "gateway-window" }],
    ["an unknown field", "", { ...evidence, more: 1 }],
    ["a root beyond the field", "root", { ...evidence, root: nodeHex(FIELD_ORDER) }],
    ["a nullifier beyond the field", "nullifier", { ...evidence, nullifier: `0x${"ff".repeat(32)}` }],
    ["a nullifier plus the field's order", "nullifier", withNullifierPlus(FIELD_ORDER)],
    ["a short root", "root", { ...evidence, root: "0x01" }],
    ["held back where something is claimed", "heldBack", { ...evidence, heldBack: [claimedSlot()] }],
    ["held back twice", "heldBack", { ...evidence, heldBack: [zeroSlot(), zeroSlot()] }],
    ["held back beyond the window", "heldBack", { ...evidence, heldBack: [4] }],
    ["a truncated proof", "proof.pi_a", { ...evidence, proof: { ...evidence.proof, pi_a: ["1", "2"] } }],
    [
      "a proof with too much",
      "proof.pi_c",
      { ...evidence, proof: { ...evidence.proof, pi_c: ["1", "2", "1", "1"] } },
    ],
    [
      "an oversized coordinate",
      "proof.pi_a.0",
      { ...evidence, proof: { ...evidence.proof, pi_a: ["1".repeat(81), "2", "1"] } },
    ],
    ["another curve", "proof.curve", { ...evidence, proof: { ...evidence.proof, curve: "bls12381" } }],
    ["a proof as text", "proof", { ...evidence, proof: JSON.stringify(evidence.proof) }],
  ];
  for (const [name, path, spoilt] of cases) {
    test(`rejects: ${name}`, () => {
      expect(readMeterProof(context, command, spoilt)).toEqual({
        ok: false,
        code: "evidence_malformed",
        facts: { path },
      });
    });
  }

  for (const windowSlots of [4, 96] as const) {
    test(`behavior: a window of ${windowSlots} is read back as it was claimed, and holds`, () => {
      const sample = shownSample(windowSlots);
      const verdict = readMeterProof(sample.context, sample.command, sample.evidence);
      if (!verdict.ok) expect.fail(verdict.code);
      expect(verdict.shown.statement.claims).toEqual(sampleWindow(windowSlots).claims);
      expect(verdict.facts).toEqual({
        kind: "meter-proof",
        root: sample.evidence.root,
        nullifier: sample.evidence.nullifier,
      });
      expect(verifyMeterProofs(meterVerifier(windowSlots, LOCAL), [verdict.shown])).toEqual([{ ok: true }]);
    });
  }

  test("rejects: the pairing when a claim, a direction, the account, the window or the region is another", () => {
    const held = command.netWh.flatMap((wh, slot) => (wh === 0 ? [slot] : []));
    const others: [typeof context, typeof command, MeterProof][] = [
      [context, { ...command, netWh: command.netWh.map((wh) => wh + 50) }, evidence],
      [context, { ...command, netWh: command.netWh.map((wh) => 0 - wh) }, evidence],
      [context, command, { ...evidence, heldBack: evidence.heldBack.length > 0 ? [] : held }],
      [context, { ...command, account: `0x${"b2".repeat(20)}` }, evidence],
      [context, { ...command, firstSlot: command.firstSlot + 4 }, evidence],
      [{ ...context, regionId: "polder-two" }, command, evidence],
      [{ ...context, chainId: 1 }, command, evidence],
      [{ ...context, settlement: `0x${"01".repeat(20)}` }, command, evidence],
      [context, command, { ...evidence, root: nodeHex(BigInt(evidence.root) + 1n) }],
      [context, command, { ...evidence, nullifier: nodeHex(BigInt(evidence.nullifier) + 1n) }],
    ];
    const shown = others.map(([bound, claimed, spoilt]) => {
      const verdict = readMeterProof(bound, claimed, spoilt);
      if (!verdict.ok) expect.fail(verdict.code);
      return verdict.shown;
    });
    const verdicts = verifyMeterProofs(meterVerifier(4, LOCAL), shown);
    for (const [index, verdict] of verdicts.entries()) {
      expect(verdict, `case ${index}`).toMatchObject({ ok: false });
    }
  });

  test("behavior: it survives JSON and its own schema", () => {
    expect(meterProofSchema.parse(JSON.parse(JSON.stringify(evidence)))).toEqual(evidence);
  });
});

describe("the keys", () => {
  test("rejects: a key that is not the manifest's, in one digit, in another's place, or respelt", async () => {
    const key = await keyJsonOf("meter-4");
    const [alpha] = key.vk_alpha_1 as [string, ...string[]];
    for (const spoilt of [
      { ...key, nPublic: 11 },
      { ...key, vk_alpha_1: [`${BigInt(alpha) + 1n}`, ...(key.vk_alpha_1 as string[]).slice(1)] },
      { ...key, more: 1 },
      await keyJsonOf("meter-96"),
      null,
    ])
      expect(() => readMeterKey(4, LOCAL, spoilt)).toThrow("the manifest names");
    expect(readMeterKey(4, LOCAL, key).publicElements).toBe(10);
  });

  test("rejects: the development keys on every chain but the local one", () => {
    for (const chainId of [1, 8_453, 31_338]) {
      expect(() => meterVerifier(4, chainId)).toThrow("development key is refused");
      expect(() => meterVerifier(96, chainId)).toThrow("development key is refused");
    }
  });
});

function claimedSlot(): number {
  return command.netWh.findIndex((wh) => wh !== 0);
}

function zeroSlot(): number {
  return command.netWh.indexOf(0);
}

function withNullifierPlus(order: bigint): MeterProof {
  return { ...evidence, nullifier: nodeHex(BigInt(evidence.nullifier) + order) };
}

// Owns the promises of the prover: refusals in words, artifacts that are the manifest's, proofs that our verifier takes
// for the claims in the clear, and nothing secret in what it returns.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readArtifact, readProvingArtifacts } from "../../circuits/artifacts.ts";
import { drawSecret } from "../../circuits/household-secret.ts";
import { CIRCUIT_NAMES, CIRCUITS, publicElementsOf } from "../../circuits/manifest.ts";
import { claimsOf, meterWitness, type WindowInputs } from "../../circuits/meter-witness.ts";
import { type ProvedWindow, proveWindow } from "../../circuits/prover.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import { verifyMeterProofs } from "../../evidence/meter-proof.ts";
import type { SlotClaim } from "../../evidence/meter-statement.ts";
import { QuadTree } from "../../protocol/quad-tree.ts";
import { SAMPLE_LIMITS, sampleSecret, sampleWindow } from "../../tools/sample-household.ts";
import { eventually } from "../support/client-region.ts";
import { keyOf } from "../support/proofs.ts";

const ARTIFACTS = join(import.meta.dirname, "../../circuits/artifacts");

describe("artifacts", () => {
  const folder = mkdtempSync(join(tmpdir(), "polder-artifacts-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("rejects: an artifact whose hash is not the manifest's", async () => {
    for (const kind of ["wasm", "zkey", "verificationKey"] as const) {
      const file = {
        wasm: "certificate.wasm",
        zkey: "certificate.zkey",
        verificationKey: "certificate.vk.json",
      }[kind];
      cpSync(join(ARTIFACTS, file), join(folder, file));
      await expect(readArtifact("certificate", kind, folder)).resolves.toBeDefined();
      const bytes = readFileSync(join(folder, file));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      writeFileSync(join(folder, file), bytes);
      await expect(readArtifact("certificate", kind, folder), kind).rejects.toThrow(/the manifest names/);
      writeFileSync(join(folder, file), bytes.subarray(0, 1_000));
      await expect(readArtifact("certificate", kind, folder), kind).rejects.toThrow(/the manifest names/);
    }
  });

  test("invariant: every committed artifact is the manifest's, and every key says how many signals it has", async () => {
    for (const name of CIRCUIT_NAMES) {
      await readProvingArtifacts(name);
      const json = new TextDecoder().decode(await readArtifact(name, "verificationKey"));
      expect(JSON.parse(json).nPublic, name).toBe(publicElementsOf(CIRCUITS[name]));
    }
  });
});

describe("prover", () => {
  const good = sampleWindow(4);
  let proved: ProvedWindow;
  beforeAll(async () => {
    proved = await proveWindow(good, await readProvingArtifacts("meter-4"));
  });
  afterAll(endSnarkThreads);

  test("rejects: in words, what no proof exists for", () => {
    const claim = (slot: number, changes: Partial<SlotClaim>) =>
      good.claims.map((own, index) => (index === slot ? { ...own, ...changes } : own));
    const tight = (limits: Partial<typeof SAMPLE_LIMITS>): WindowInputs =>
      sampleWindow(4, { limits: { ...SAMPLE_LIMITS, ...limits } });
    const refusals: [Partial<WindowInputs> | WindowInputs, RegExp][] = [
      [{ claims: claim(0, { claimedWh: 1_195 }) }, /slot 0: the claim is above the reading/],
      [{ claims: claim(1, { isExport: false }) }, /slot 1: the claim's direction/],
      [{ claims: claim(2, { claimedWh: 0.5 }) }, /whole Wh/],
      [{ claims: claim(2, { claimedWh: -1 }) }, /whole Wh/],
      [{ claims: good.claims.slice(1) }, /4 readings and as many claims/],
      [{ netWh: [...good.netWh, 0] }, /4 readings and as many claims/],
      [{ netWh: good.netWh.with(0, 1_200) }, /the gateway did not sign/],
      [{ firstSlot: good.firstSlot + 4 }, /the gateway did not sign/],
      [{ context: { ...good.context, chainId: 1 } }, /the gateway did not sign/],
      [{ secret: sampleSecret("rotated") }, /the path is not/],
      [{ path: new QuadTree().path(0) }, /the path is not/],
      [{ path: good.path.slice(1) }, /the path is not/],
      [{ account: "0x12" }, /out of range: account/],
      [tight({ nameplateWh: 1_149 }), /above the nameplate/],
      [tight({ saleCapWh: 3_399 }), /sales are above/],
      [sampleWindow(4, { netWh: [-4_350, 0, 0, 0] }), /above the connection/],
      [{ limits: { ...SAMPLE_LIMITS, nameplateWh: 2 ** 20 } }, /nameplate must be/],
    ];
    for (const [changes, words] of refusals) {
      expect(() => meterWitness({ ...good, ...changes }), `${words}`).toThrow(words);
    }
  });

  test("behavior: a proof stands for its claims in the clear, and for no others", async () => {
    const verifier = new Groth16Verifier(await keyOf("meter-4"));
    const { context, account, root } = good;
    const { firstSlot, nullifier, claims, proof } = proved;
    const statement = { context, account, root, firstSlot, nullifier, claims };
    const shown = (changes: Partial<typeof statement>) => ({
      statement: { ...statement, ...changes },
      proof,
    });
    const verdictOf = (changes: Partial<typeof statement>) =>
      verifyMeterProofs(verifier, [shown(changes)])[0]?.ok;
    expect(verdictOf({})).toBe(true);
    expect(proved.root).toBe(root);
    const more = claims.map((claim, slot) =>
      slot === 0 ? { ...claim, claimedWh: claim.claimedWh + 1 } : claim,
    );
    const turned = claims.map((claim) => ({ ...claim, isExport: !claim.isExport }));
    const others: Partial<typeof statement>[] = [
      { claims: more },
      { claims: turned },
      { account: `0x${"b2".repeat(20)}` },
      { root: root + 1n },
      { nullifier: nullifier + 1n },
      { firstSlot: firstSlot + 4 },
      { context: { ...context, chainId: 1 } },
      { context: { ...context, regionId: "polder-two" } },
      { context: { ...context, settlement: `0x${"11".repeat(20)}` } },
    ];
    for (const other of others) expect(verdictOf(other), Object.keys(other).join()).toBe(false);
    expect(verdictOf({})).toBe(true);
    const together = [...others.map(shown), shown({ claims: claims.slice(1) }), shown({})];
    const verdicts = verifyMeterProofs(new Groth16Verifier(await keyOf("meter-4")), together);
    expect(verdicts.slice(0, -2).every(({ ok }) => !ok)).toBe(true);
    expect(verdicts.slice(-2)).toEqual([{ ok: false, reason: "malformed", path: "claims" }, { ok: true }]);
  });

  test("invariant: neither readings nor secrets leave the prover", () => {
    const text = JSON.stringify(proved, (_, value) => (typeof value === "bigint" ? `${value}` : value));
    const hidden = [
      good.secret,
      good.signature.s,
      ...good.signature.r8,
      ...good.gateway,
      ...good.netWh.slice(0, 3),
    ];
    for (const value of hidden) expect(text).not.toMatch(new RegExp(`\\b${value}\\b`));
  });

  test("regression: no thread is left of two proofs that began together", async () => {
    await endSnarkThreads();
    const artifacts = await readProvingArtifacts("meter-4");
    const ports = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
    expect(await eventually(() => ports() === 0), "none at first").toBe(true);
    await Promise.all([proveWindow(good, artifacts), proveWindow(good, artifacts)]);
    expect(ports()).toBeGreaterThan(0);
    await endSnarkThreads();
    expect(await eventually(() => ports() === 0), "none at the end").toBe(true);
  });

  test("behavior: secrets are random and below the field's order", () => {
    const secrets = Array.from({ length: 100 }, drawSecret);
    expect(new Set(secrets).size).toBe(100);
    expect(secrets.every((secret) => secret >= 0n && secret < FIELD_ORDER)).toBe(true);
    expect(secrets.some((secret) => secret > 2n ** 240n)).toBe(true);
  });

  test("behavior: claims round down, keep to a cap and keep the reading's direction", () => {
    const claims = claimsOf([1_194, -320, 30, 0, -7], { stepWh: 50, mostWh: 260 });
    expect(claims.map(({ claimedWh }) => claimedWh)).toEqual([250, 250, 0, 0, 0]);
    expect(claims.map(({ isExport }) => isExport)).toEqual([true, false, true, false, false]);
    expect(() => claimsOf([1], { stepWh: 0 })).toThrow(RangeError);
    expect(() => claimsOf([1], { mostWh: -1 })).toThrow(RangeError);
  });
});

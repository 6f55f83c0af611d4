// Owns the promises about the compiled constraints: that the committed keys are for these sources, that they are within
// their budget, and that no wire of a witness is free. It compiles, so it is the slowest of this room.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { certificateWitness } from "../../circuits/certificate-witness.ts";
import { compileCircuit, differencesOf } from "../../circuits/compile.ts";
import { CIRCUITS } from "../../circuits/manifest.ts";
import { meterWitness } from "../../circuits/meter-witness.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { packClaims } from "../../evidence/meter-statement.ts";
import { sampleCertificate, sampleWindow } from "../../tools/sample-household.ts";
import { type Inputs, refusedBy, witnessOf } from "../support/circuit-witness.ts";
import { looseWires, readConstraints } from "../support/constraint-system.ts";

const COMPILING = 120_000;

describe("constraints", () => {
  const folder = mkdtempSync(join(tmpdir(), "polder-circuits-"));
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await endSnarkThreads();
  });

  test("invariant: a day takes at most 10,400 constraints, an hour at most 8,181", () => {
    expect(CIRCUITS["meter-96"].constraints).toBeGreaterThan(0);
    expect(CIRCUITS["meter-96"].constraints).toBeLessThanOrEqual(10_400);
    expect(CIRCUITS["meter-4"].constraints).toBeLessThanOrEqual(8_181);
  });

  test(
    "invariant: the committed keys are for these sources, and changing any wire of an hour's witness breaks one",
    async () => {
      const compiled = await compileCircuit("meter-4", CIRCUITS["meter-4"], folder);
      expect(differencesOf(CIRCUITS["meter-4"], compiled)).toEqual([]);
      const system = await readConstraints(compiled.r1cs);
      const witness = await witnessOf("meter-4", meterWitness(sampleWindow(4)).signals);
      const loose = looseWires(system, witness, 1n);
      // Both belong to the two comparisons of the signature's sides: where they are equal, IsZero needs no inverse.
      expect(loose).toHaveLength(2);
      expect(loose.map((wire) => witness[wire])).toEqual([0n, 0n]);
      expect(looseWires(system, witness, FIELD_ORDER - 12_345n)).toEqual(loose);
      // The check sees a broken witness.
      expect(() => looseWires(system, witness.with(5, 1n), 1n)).toThrow(/breaks constraint/);
    },
    COMPILING,
  );

  test(
    "invariant: the certificate's keys are for these sources, and no wire of its witness is free",
    async () => {
      const compiled = await compileCircuit("certificate", CIRCUITS.certificate, folder);
      expect(differencesOf(CIRCUITS.certificate, compiled)).toEqual([]);
      const { signals } = certificateWitness(sampleCertificate());
      const system = await readConstraints(compiled.r1cs);
      expect(looseWires(system, await witnessOf("certificate", signals), 1n)).toEqual([]);
    },
    COMPILING,
  );

  test(
    "rejects: readings 0, 0, 0, 1 claimed as 1500, 1500, 1500, 0 when compiled at O1 too",
    async () => {
      const compiled = await compileCircuit("meter-4-o1", CIRCUITS["meter-4"], folder, "O1");
      expect(compiled.constraints).toBeGreaterThan(CIRCUITS["meter-4"].constraints);
      const wasm = readFileSync(compiled.wasm);
      const signed = sampleWindow(4, { netWh: [0, 0, 0, 1] });
      const nothing = [...Array(3).fill({ isExport: false, claimedWh: 0 }), { isExport: true, claimedWh: 1 }];
      const { signals } = meterWitness({ ...signed, claims: nothing });
      expect(await refusedBy("meter-4", signals, wasm)).toBe("accepted");
      const claim = { isExport: false, claimedWh: 1_500 };
      const packedClaims = packClaims([claim, claim, claim, { isExport: true, claimedWh: 0 }]);
      const borrowed = [2n ** 22n - 1_500n, 2n ** 22n - 1_501n, 2n ** 22n - 1_501n, 0n];
      const negative = [...Array(3).fill(FIELD_ORDER - 1_500n), 1n];
      for (const unsoldWh of [borrowed, negative]) {
        const forged: Inputs = { ...signals, packedClaims, unsoldWh };
        expect(await refusedBy("meter-4", forged, wasm)).toMatch(/^Num2Bits: .*unsoldWh/);
      }
    },
    COMPILING,
  );
});

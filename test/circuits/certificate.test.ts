// Owns the promise that a certificate says no more than an epoch's root holds, and is worth nothing to anybody else.

import { beforeAll, describe, expect, test } from "vitest";
import { certificateWitness } from "../../circuits/certificate-witness.ts";
import { audienceTag, certificateLeaf, certificateSignalsOf } from "../../evidence/certificate-statement.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { sampleCertificate, sampleSecret } from "../../tools/sample-household.ts";
import { type Inputs, refusedBy } from "../support/circuit-witness.ts";

const refusal = (inputs: Inputs) => refusedBy("certificate", inputs);

describe("certificate circuit", () => {
  const sample = sampleCertificate();
  let good: Inputs;
  beforeAll(() => {
    good = certificateWitness(sample).signals;
  });

  test("behavior: what was sold and what was bought is shown up to the last Wh", async () => {
    for (const isPurchase of [false, true]) {
      const thresholdWh = isPurchase ? sample.boughtWh : sample.soldWh;
      const { signals } = certificateWitness({ ...sample, isPurchase, thresholdWh });
      expect(await refusal(signals)).toBe("accepted");
      expect(await refusal({ ...signals, thresholdWh: BigInt(thresholdWh + 1) })).toMatch(
        /^Num2Bits: .*askedWh - thresholdWh/,
      );
    }
  });

  test("rejects: a sum of both sides, amounts the leaf does not hold, thresholds that wrap", async () => {
    const { soldWh, boughtWh } = sample;
    const refusals: [Inputs, RegExp][] = [
      [{ isPurchase: 2n }, /isPurchase - 1/],
      [{ soldWh: BigInt(soldWh + 1) }, /QuadInclusion/],
      [{ boughtWh: BigInt(boughtWh + 1) }, /QuadInclusion/],
      [{ thresholdWh: FIELD_ORDER - 1n }, /Num2Bits\(EPOCH_WH_BITS\(\)\)\(thresholdWh\)/],
      [{ thresholdWh: 2n ** 40n }, /Num2Bits\(EPOCH_WH_BITS\(\)\)\(thresholdWh\)/],
    ];
    for (const [changes, guard] of refusals) expect(await refusal({ ...good, ...changes })).toMatch(guard);
  });

  test("rejects: another's leaf, root, epoch, asker or nullifier", async () => {
    expect(await refusal({ ...good, secret: sampleSecret("thief") })).toMatch(/QuadInclusion/);
    expect(await refusal({ ...good, root: 1n })).toBe("Certificate: reached === root;");
    for (const changes of [
      { epochTag: 1n },
      { audienceTag: audienceTag("an employer") },
      { nullifier: 1n },
    ]) {
      expect(await refusal({ ...good, ...changes })).toBe("Certificate: expected === nullifier;");
    }
  });

  test("rejects: in words, what no proof exists for", () => {
    expect(() => certificateWitness({ ...sample, thresholdWh: sample.boughtWh + 1 })).toThrow(/not reached/);
    expect(() => certificateWitness({ ...sample, secret: 1n })).toThrow(/path/);
    expect(() => certificateWitness({ ...sample, thresholdWh: -1 })).toThrow(/thresholdWh/);
    expect(() => certificateLeaf(1n, 2 ** 40, 0)).toThrow(RangeError);
    const statement = { ...sample, root: 1n, nullifier: 1n };
    expect(certificateSignalsOf({ ...statement, thresholdWh: 2 ** 40 }).ok).toBe(false);
    expect(certificateSignalsOf({ ...statement, root: FIELD_ORDER }).ok).toBe(false);
    expect(certificateSignalsOf({ ...statement, audienceTag: -1n }).ok).toBe(false);
  });
});

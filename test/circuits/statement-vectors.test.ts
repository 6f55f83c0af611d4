// Owns the promise that circom and TypeScript mean the same: one file of numbers, against which both are tested. It also
// scans our sources for a value assigned without its constraint.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CIRCUIT_NAMES, CIRCUITS } from "../../circuits/manifest.ts";
import { meterWitness } from "../../circuits/meter-witness.ts";
import { EPOCH_WH_BITS } from "../../evidence/certificate-statement.ts";
import { packReadings, regionTag, windowMessage } from "../../evidence/gateway-window.ts";
import { meterLeaf, meterNullifier, packClaims, secretCommitment } from "../../evidence/meter-statement.ts";
import { DIRECTION_BIT, SLOTS_PER_ELEMENT, STRIDE_BITS, WH_BITS } from "../../evidence/slot-packing.ts";
import { MAX_READING_WH, MAX_WINDOW_CAP_WH } from "../../protocol/limits.ts";
import { TREE_DEPTH } from "../../protocol/quad-tree.ts";
import { sampleWindow } from "../../tools/sample-household.ts";
import { refusedBy, witnessOf } from "../support/circuit-witness.ts";
import vectors from "../vectors/statements.json" with { type: "json" };

const SOURCES = join(import.meta.dirname, "../../circuits");
const sources = readdirSync(SOURCES)
  .filter((file) => file.endsWith(".circom"))
  .map((file) => [file, readFileSync(join(SOURCES, file), "utf8")] as const);
/** Without comments, which may speak of anything. */
const codeOf = (text: string) => text.replace(/\/\/.*$/gm, "");

describe("statement vectors", () => {
  test("invariant: circom's numbers are the vectors'", () => {
    const bounds = readFileSync(join(SOURCES, "bounds.circom"), "utf8");
    const named = [...bounds.matchAll(/^function (\w+)\(\) \{ return (\d+); \}$/gm)];
    expect(Object.fromEntries(named.map(([, name, value]) => [name, Number(value)]))).toEqual(
      vectors.constants,
    );
  });

  test("invariant: TypeScript's numbers are the vectors'", () => {
    const bits = { WH_BITS, DIRECTION_BIT, STRIDE_BITS, SLOTS_PER_ELEMENT, TREE_DEPTH, EPOCH_WH_BITS };
    expect({ ...bits, CAP_BITS: Math.log2(MAX_WINDOW_CAP_WH + 1) }).toEqual(vectors.constants);
    expect(2 ** WH_BITS - 1).toBe(MAX_READING_WH);
  });

  test("invariant: TypeScript's tag, packing, message, leaf, root and nullifier are the vectors'", () => {
    const { context, firstSlot, netWh, claims, gateway, secret, limits, root } = sampleWindow(4);
    const tag = regionTag(context);
    const commitment = secretCommitment(secret);
    const packedReadings = packReadings(netWh);
    const found = {
      regionTag: tag,
      packedReadings,
      packedClaims: packClaims(claims),
      message: windowMessage(tag, firstSlot, packedReadings),
      commitment,
      leaf: meterLeaf(gateway, commitment, tag, limits),
      root,
      nullifier: meterNullifier(secret, tag, firstSlot),
    };
    const text = JSON.stringify(found, (_, value) => (typeof value === "bigint" ? `${value}` : value));
    expect(JSON.parse(text)).toEqual(vectors.window);
  });

  test("invariant: circom computes the vectors' message, leaf, root and nullifier, or it would refuse", async () => {
    const { signals } = meterWitness(sampleWindow(4));
    const { root, regionTag: tag, nullifier, packedClaims } = vectors.window;
    const stated = { ...signals, root, regionTag: tag, nullifier, packedClaims };
    const witness = await witnessOf("meter-4", stated);
    const values = [1, 2, 5, 10].map((wire) => `${witness[wire]}`);
    expect(values).toEqual([root, tag, nullifier, packedClaims[0]]);
    // The message reaches the signature and the leaf the root, so one wrong number anywhere has no witness.
    for (const name of ["root", "regionTag", "nullifier", "packedClaims"] as const) {
      const wrong = name === "packedClaims" ? ["1"] : "1";
      expect(await refusedBy("meter-4", { ...stated, [name]: wrong }), name).not.toBe("accepted");
    }
  });

  test("invariant: none of our circuits assigns a value without its constraint", () => {
    expect(sources.length).toBeGreaterThan(3);
    for (const [file, text] of sources) expect(codeOf(text), file).not.toMatch(/<--|-->/);
    // What the scan is for: circomlib has such lines, each with its constraint after it.
    const bitify = readFileSync(join(SOURCES, "../node_modules/circomlib/circuits/bitify.circom"), "utf8");
    expect(codeOf(bitify)).toMatch(/<--/);
  });

  test("invariant: every circuit declares its public inputs first and in the manifest's order", () => {
    for (const name of CIRCUIT_NAMES) {
      const { file, template, publicSignals } = CIRCUITS[name];
      const code = codeOf(readFileSync(join(SOURCES, file), "utf8"));
      const body = code.slice(code.indexOf(`template ${template}(`));
      const declared = [...body.matchAll(/signal input (\w+)/g)].map(([, signal]) => signal);
      expect(declared.slice(0, publicSignals.length), name).toEqual(publicSignals.map(([signal]) => signal));
    }
  });
});

// Owns how test/vectors/proofs.json and statements.json are made: proofs under the committed keys, and the numbers that
// circom and TypeScript share. Run it after a ceremony. It refuses to write a proof that snarkjs does not accept.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { groth16 } from "snarkjs";
import { readProvingArtifacts, readVerificationKey } from "../circuits/artifacts.ts";
import type { CircuitName } from "../circuits/manifest.ts";
import { type Proved, proveCertificate, proveWindow } from "../circuits/prover.ts";
import { endSnarkThreads } from "../circuits/snark-threads.ts";
import { EPOCH_WH_BITS } from "../evidence/certificate-statement.ts";
import { packReadings, regionTag, windowMessage } from "../evidence/gateway-window.ts";
import { meterLeaf, meterNullifier, packClaims, secretCommitment } from "../evidence/meter-statement.ts";
import { DIRECTION_BIT, SLOTS_PER_ELEMENT, STRIDE_BITS, WH_BITS } from "../evidence/slot-packing.ts";
import { MAX_WINDOW_CAP_WH } from "../protocol/limits.ts";
import { TREE_DEPTH } from "../protocol/quad-tree.ts";
import { SAMPLE_FIRST_SLOT, sampleCertificate, sampleReadings, sampleWindow } from "./sample-household.ts";

const VECTORS = join(import.meta.dirname, "../test/vectors");
const BIOME = join(import.meta.dirname, "../node_modules/.bin/biome");

function write(file: string, content: unknown): void {
  const path = join(VECTORS, file);
  const text = JSON.stringify(content, (_, value) => (typeof value === "bigint" ? `${value}` : value), 2);
  writeFileSync(path, `${text}\n`);
  execFileSync(BIOME, ["format", "--write", path], { stdio: "ignore" });
}

async function accepted(circuit: CircuitName, proved: Proved) {
  const { proof, publicSignals } = proved;
  const key = (await readVerificationKey(circuit)) as object;
  if (!(await groth16.verify(key, publicSignals, proof))) throw new Error(`${circuit}: snarkjs refuses`);
  return { circuit, publicSignals, proof };
}

/** Two windows of an hour, a day, a certificate. */
async function proofVectors() {
  const hour = await readProvingArtifacts("meter-4");
  const next = { firstSlot: SAMPLE_FIRST_SLOT + 4, netWh: sampleReadings(4, 44) };
  return [
    await accepted("meter-4", await proveWindow(sampleWindow(4), hour)),
    await accepted("meter-4", await proveWindow(sampleWindow(4, next), hour)),
    await accepted("meter-96", await proveWindow(sampleWindow(96), await readProvingArtifacts("meter-96"))),
    await accepted(
      "certificate",
      await proveCertificate(sampleCertificate(), await readProvingArtifacts("certificate")),
    ),
  ];
}

/** Numbers under the names that bounds.circom gives them, and one window worked out. */
function statementVectors() {
  const constants = {
    WH_BITS,
    DIRECTION_BIT,
    STRIDE_BITS,
    SLOTS_PER_ELEMENT,
    CAP_BITS: Math.log2(MAX_WINDOW_CAP_WH + 1),
    TREE_DEPTH,
    EPOCH_WH_BITS,
  };
  const { context, firstSlot, netWh, claims, gateway, secret, limits, root } = sampleWindow(4);
  const tag = regionTag(context);
  const packedReadings = packReadings(netWh);
  const commitment = secretCommitment(secret);
  return {
    constants,
    window: {
      regionTag: tag,
      packedReadings,
      packedClaims: packClaims(claims),
      message: windowMessage(tag, firstSlot, packedReadings),
      commitment,
      leaf: meterLeaf(gateway, commitment, tag, limits),
      root,
      nullifier: meterNullifier(secret, tag, firstSlot),
    },
  };
}

write("statements.json", statementVectors());
write("proofs.json", await proofVectors());
await endSnarkThreads();

// Owns the rows of certificates: the time to prove one and to check it in Node, and to derive an epoch's tree. It refuses a
// certificate that our own verifier refuses.

import { readProvingArtifacts, readVerificationKey } from "../../circuits/artifacts.ts";
import { CIRCUITS, publicElementsOf } from "../../circuits/manifest.ts";
import { proveCertificate } from "../../circuits/prover.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { certificateTree, type EpochCertificate } from "../../evidence/certificate-tree.ts";
import { Groth16Verifier } from "../../evidence/groth16.ts";
import { readGroth16Key } from "../../evidence/groth16-key.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { sampleCertificate } from "../../tools/sample-household.ts";
import { median } from "../median.ts";
import { limited, type Measurement, type Row } from "../row.ts";

const ROUNDS = 5;
const LEAVES = 1_000;

const reported = (name: string, ours: number, unit: string, note: string): Row =>
  limited({ name, ours, unit, higherIsBetter: false, limit: "reported, none set", note });

/** Proves the sample's certificate and checks each proof. */
async function proving(): Promise<Row[]> {
  const artifacts = await readProvingArtifacts("certificate");
  const { origin } = CIRCUITS.certificate;
  const publicElements = publicElementsOf(CIRCUITS.certificate);
  const use = { origin, chainId: LOCAL_CHAIN_ID, publicElements };
  const key = readGroth16Key(await readVerificationKey("certificate"), use);
  const proveS: number[] = [];
  const checkMs: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const started = performance.now();
    const { publicSignals, proof } = await proveCertificate(sampleCertificate(), artifacts);
    const proved = performance.now();
    const verdict = new Groth16Verifier(key).verify({ signals: publicSignals, proof });
    if (!verdict.ok) throw new Error("our verifier refuses the certificate");
    if (round === 0) continue;
    proveS.push((proved - started) / 1_000);
    checkMs.push(performance.now() - proved);
  }
  const method = `in Node, median of ${ROUNDS}`;
  return [
    reported("prove-certificate", median(proveS), "s", `a certificate, witness included, ${method}`),
    reported(
      "check-certificate",
      median(checkMs),
      "ms",
      `its proof by our verifier, the key read before, ${method}`,
    ),
  ];
}

function treeRow(): Row {
  const seconds = Array.from({ length: ROUNDS }, (_, round) => {
    const certificates = Array.from(
      { length: LEAVES },
      (__, account): EpochCertificate => ({
        commitment: String(LEAVES * round + account + 1),
        soldWh: 1_000 * account,
        boughtWh: 500_000,
      }),
    );
    const started = performance.now();
    certificateTree(certificates);
    return (performance.now() - started) / 1_000;
  });
  return reported(
    "certificate-tree",
    median(seconds),
    "s",
    `leaves and root of ${LEAVES} certificates in Node, median of ${ROUNDS}`,
  );
}

/** Measures the rows. */
export const measure: Measurement = async (say) => {
  try {
    const rows = [...(await proving()), treeRow()];
    for (const { name, ours, unit } of rows) say(`${name} ${ours} ${unit}`);
    return rows;
  } finally {
    await endSnarkThreads();
  }
};

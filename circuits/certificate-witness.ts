// SPDX-License-Identifier: GPL-3.0-only
// Owns the inputs of the certificate circuit. It refuses amounts and thresholds for which there is no proof.

import type { SignalInput } from "snarkjs";
import {
  type CertificateStatement,
  certificateLeaf,
  certificateNullifier,
  certificateSignalsOf,
} from "../evidence/certificate-statement.ts";
import { secretCommitment } from "../evidence/meter-statement.ts";
import { rootOfPath, type TreePath } from "../protocol/quad-tree.ts";
import { CIRCUITS } from "./manifest.ts";

/** What a household knows about one of its epochs, and what it wants to show of it. */
export interface CertificateInputs {
  /** The certificate's secret; another than the meter's, or account and meter would be linked. Stays here. */
  readonly secret: bigint;
  /** Both stay here. */
  readonly soldWh: number;
  readonly boughtWh: number;
  readonly path: TreePath;
  readonly epochTag: bigint;
  readonly audienceTag: bigint;
  readonly isPurchase: boolean;
  readonly thresholdWh: number;
}

/**
 * The circuit's inputs.
 * @throws RangeError naming the first thing that no proof exists for.
 */
export function certificateWitness(inputs: CertificateInputs): {
  readonly signals: Readonly<Record<string, SignalInput>>;
  readonly root: bigint;
  readonly nullifier: bigint;
} {
  const { secret, soldWh, boughtWh, path, epochTag, audienceTag, isPurchase, thresholdWh } = inputs;
  const root = rootOfPath(certificateLeaf(secretCommitment(secret), soldWh, boughtWh), path);
  if (root === null) throw new RangeError("the path is not that of this secret and these amounts");
  if ((isPurchase ? boughtWh : soldWh) < thresholdWh) throw new RangeError("the threshold was not reached");
  const nullifier = certificateNullifier(secret, epochTag, audienceTag);
  const statement: CertificateStatement = { root, epochTag, audienceTag, nullifier, isPurchase, thresholdWh };
  const verdict = certificateSignalsOf(statement);
  if (!verdict.ok) throw new RangeError(`out of range: ${verdict.facts.path}`);
  const named = CIRCUITS.certificate.publicSignals.map(([name], index) => [
    name,
    verdict.signals[index] as string,
  ]);
  const signals = {
    ...(Object.fromEntries(named) as Record<string, string>),
    secret,
    soldWh: BigInt(soldWh),
    boughtWh: BigInt(boughtWh),
    children: path,
  };
  return { signals, root, nullifier };
}

// Owns the check of a meter proof against what it is shown for: the statement's signals, computed here, and the proof. It
// refuses to take signals from the prover. Whether root, window and nullifier are the region's is for the region to say.

import type { Groth16Verifier, ProofVerdict } from "./groth16.ts";
import { type MeterStatement, meterSignalsOf } from "./meter-statement.ts";

/** A proof as it came, and the statement that its claims in the clear make. */
export interface ShownProof {
  readonly statement: MeterStatement;
  readonly proof: unknown;
}

/**
 * Verifies proofs of windows of one length, all in one batch.
 * @param verifier holds the key of that window length.
 * @returns a verdict for each in their order; `malformed` names the path in statement or proof.
 */
export function verifyMeterProofs(verifier: Groth16Verifier, shown: readonly ShownProof[]): ProofVerdict[] {
  const stated = shown.map(({ statement }) => meterSignalsOf(statement));
  const whole = shown.flatMap(({ proof }, index) => {
    const verdict = stated[index];
    return verdict?.ok ? [{ signals: verdict.signals, proof }] : [];
  });
  const verdicts = verifier.verifyBatch(whole).values();
  return stated.map((verdict) => {
    if (!verdict.ok) return { ok: false, reason: "malformed", path: String(verdict.facts.path) };
    return verdicts.next().value as ProofVerdict;
  });
}

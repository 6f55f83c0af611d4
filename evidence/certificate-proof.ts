// Owns the check of a certificate against what it is shown for: the statement's signals, computed here, and the proof. It
// refuses to take signals from the prover. Whether the root is the epoch's, and the nullifier new, is for the asker to say.

import { type CertificateStatement, certificateSignalsOf } from "./certificate-statement.ts";
import type { Groth16Verifier, ProofVerdict } from "./groth16.ts";

/**
 * Verifies one certificate.
 * @param verifier holds the certificate circuit's key.
 * @param proof anything; it is decoded here.
 * @returns `malformed` with the path in statement or proof, or `invalid` when the proof is not one of this statement.
 */
export function verifyCertificate(
  verifier: Groth16Verifier,
  statement: CertificateStatement,
  proof: unknown,
): ProofVerdict {
  const verdict = certificateSignalsOf(statement);
  if (!verdict.ok) return { ok: false, reason: "malformed", path: String(verdict.facts.path) };
  return verifier.verify({ signals: verdict.signals, proof });
}

// Owns the smallest program that can verify meter proofs, to be weighed and to be started cold. It refuses to be more.

export { meterVerifier } from "../evidence/meter-keys.ts";
export { readMeterProof, verifyMeterProofs } from "../evidence/meter-proof.ts";

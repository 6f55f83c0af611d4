// Owns the committed proofs and keys as tests take them. It refuses to hand out an object that one test could change for
// another.

import { readVerificationKey } from "../../circuits/artifacts.ts";
import { CIRCUITS, type CircuitName, publicElementsOf } from "../../circuits/manifest.ts";
import { type Groth16Key, readGroth16Key } from "../../evidence/groth16-key.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import written from "../vectors/proofs.json" with { type: "json" };

/** A proof that may be tampered with. */
export interface LooseProof {
  pi_a: string[];
  pi_b: string[][];
  pi_c: string[];
  [other: string]: unknown;
}

/** A fresh copy of a proof and its signals. */
export interface ProofCase {
  signals: string[];
  proof: LooseProof;
}

/** The committed proofs of a circuit. */
export function provedOf(circuit: CircuitName): ProofCase[] {
  return written
    .filter((vector) => vector.circuit === circuit)
    .map(({ publicSignals, proof }) => structuredClone({ signals: publicSignals, proof }));
}

/** The committed verification key as JSON. */
export async function keyJsonOf(circuit: CircuitName): Promise<Record<string, unknown>> {
  return (await readVerificationKey(circuit)) as Record<string, unknown>;
}

/** The committed verification key, read for the local chain. */
export async function keyOf(circuit: CircuitName): Promise<Groth16Key> {
  const publicElements = publicElementsOf(CIRCUITS[circuit]);
  const use = { origin: "development", chainId: LOCAL_CHAIN_ID, publicElements };
  return readGroth16Key(await keyJsonOf(circuit), use);
}

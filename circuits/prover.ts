// SPDX-License-Identifier: GPL-3.0-only
// Owns proving: from a household's readings and secret to a proof and the claims in the clear. It refuses inputs that no
// proof exists for, in words, before the circuit would refuse them without; readings and secret do not leave it.

import { groth16, type SignalInput, wtns } from "snarkjs";
import type { SlotClaim } from "../evidence/meter-statement.ts";
import { type CertificateInputs, certificateWitness } from "./certificate-witness.ts";
import { meterWitness, type WindowInputs } from "./meter-witness.ts";
import { startSnarkThreads } from "./snark-threads.ts";

/** Bytes of a circuit's witness calculator and proving key, from disk or over the network; check their hashes. */
export interface ProvingArtifacts {
  readonly wasm: Uint8Array;
  readonly zkey: Uint8Array;
}

/** A proof in snarkjs's JSON form. */
export interface ProofJson {
  readonly pi_a: readonly string[];
  readonly pi_b: readonly (readonly string[])[];
  readonly pi_c: readonly string[];
  readonly protocol: string;
  readonly curve: string;
}

/** A proof and its public signals, decimal strings in the manifest's order. */
export interface Proved {
  readonly proof: ProofJson;
  readonly publicSignals: readonly string[];
}

/** What a household sends for a window: everything in it is public. */
export interface ProvedWindow extends Proved {
  readonly firstSlot: number;
  readonly root: bigint;
  readonly nullifier: bigint;
  readonly claims: readonly SlotClaim[];
}

/**
 * Proves one window of a meter. About 1.5 (4 slots) to 1.9 s (96) on two cores.
 * @param onStep is told when a step begins.
 * @throws RangeError naming the first input that no proof exists for.
 */
export async function proveWindow(
  inputs: WindowInputs,
  artifacts: ProvingArtifacts,
  onStep?: (step: "witness" | "proof") => void,
): Promise<ProvedWindow> {
  const { signals, root, nullifier } = meterWitness(inputs);
  const { firstSlot, claims } = inputs;
  return { ...(await prove(signals, artifacts, onStep)), firstSlot, root, nullifier, claims };
}

/**
 * Proves that an account sold or bought at least so much in an epoch.
 * @throws RangeError naming the first input that no proof exists for.
 */
export async function proveCertificate(
  inputs: CertificateInputs,
  artifacts: ProvingArtifacts,
): Promise<Proved & { readonly nullifier: bigint }> {
  const { signals, nullifier } = certificateWitness(inputs);
  return { ...(await prove(signals, artifacts)), nullifier };
}

async function prove(
  signals: Readonly<Record<string, SignalInput>>,
  { wasm, zkey }: ProvingArtifacts,
  onStep?: (step: "witness" | "proof") => void,
): Promise<Proved> {
  onStep?.("witness");
  const witness: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(signals, { type: "mem", data: wasm }, witness);
  onStep?.("proof");
  await startSnarkThreads();
  const { proof, publicSignals } = await groth16.prove({ type: "mem", data: zkey }, witness);
  return { proof, publicSignals };
}

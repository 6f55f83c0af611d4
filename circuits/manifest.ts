// SPDX-License-Identifier: GPL-3.0-only
// Owns what circuits.json says: which circuits there are, how each is instantiated, what it makes public, and the hashes
// of what was made from it. It refuses a name that is not in the manifest.

import written from "./circuits.json" with { type: "json" };

/** Name of a circuit in the manifest. */
export type CircuitName = keyof typeof written.circuits;

/** Artifacts of a circuit that are committed, and the file name each has after the circuit's. */
export const ARTIFACT_SUFFIX = {
  wasm: ".wasm",
  zkey: ".zkey",
  verificationKey: ".vk.json",
} as const;
export type ArtifactKind = keyof typeof ARTIFACT_SUFFIX;

/** One entry of the manifest. */
export interface Circuit {
  /** Source beside the manifest. */
  readonly file: string;
  readonly template: string;
  readonly parameters: readonly number[];
  /** Public inputs in the order of the proof's signals: name and number of field elements. */
  readonly publicSignals: readonly (readonly [name: string, elements: number])[];
  /** Constraints after optimisation at O2. */
  readonly constraints: number;
  /** Who made the keys: `development` (one party, refused off the local chain) or the name of a ceremony. */
  readonly origin: string;
  /** Lower-case hex. The r1cs is not committed: it is compiled again, and its hash is what a ceremony was for. */
  readonly sha256: Readonly<Record<ArtifactKind | "r1cs", string>>;
}

/** Every circuit by name. */
export const CIRCUITS = written.circuits as unknown as Readonly<Record<CircuitName, Circuit>>;
export const CIRCUIT_NAMES = Object.keys(CIRCUITS) as readonly CircuitName[];

/** Number of field elements that a proof of this circuit makes public. */
export function publicElementsOf(circuit: Circuit): number {
  return circuit.publicSignals.reduce((sum, [, elements]) => sum + elements, 0);
}

/** The circom main file of an entry, for a folder in which its source stands too. */
export function mainSourceOf(circuit: Circuit): string {
  const names = circuit.publicSignals.map(([name]) => name).join(", ");
  return [
    "pragma circom 2.1.0;",
    `include "${circuit.file}";`,
    `component main {public [${names}]} = ${circuit.template}(${circuit.parameters.join(", ")});`,
    "",
  ].join("\n");
}

// SPDX-License-Identifier: GPL-3.0-only
// Owns `npm run circuits:solidity`: the verifiers for the chain, exported by snarkjs from the committed keys. It refuses to
// add to them: what a proof is worth is for the contract that calls one.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { zKey } from "snarkjs";
import { readArtifact } from "./artifacts.ts";
import { CIRCUIT_NAMES, type CircuitName } from "./manifest.ts";
import { endSnarkThreads } from "./snark-threads.ts";

/** Contract of each circuit, in `governance/verifiers`. */
export const CONTRACTS: Readonly<Record<CircuitName, string>> = {
  "meter-4": "HourVerifier",
  "meter-96": "DayVerifier",
  certificate: "CertificateVerifier",
};

/** Where a circuit's contract stands. */
export function contractFile(name: CircuitName): string {
  return join(dirname(import.meta.dirname), "governance/verifiers", `${CONTRACTS[name]}.sol`);
}

/** Solidity source of a circuit's verifier; the same for the same key. */
export async function solidityOf(name: CircuitName): Promise<string> {
  const snarkjs = dirname(createRequire(import.meta.url).resolve("snarkjs"));
  const groth16 = readFileSync(join(snarkjs, "../templates/verifier_groth16.sol.ejs"), "utf8");
  const zkey = { type: "mem", data: await readArtifact(name, "zkey") } as const;
  const exported = await zKey.exportSolidityVerifier(zkey, { groth16 });
  const [licence, ...rest] = exported.replace(/[ \t]+$/gm, "").split("\n");
  const opening = [
    `// Owns the pairing equation of the ${name} circuit, generated from its key by \`npm run circuits:solidity\`.`,
    "// It refuses nothing else: roots, nullifiers, accounts, ranges of claims and the chain are its caller's to check.",
  ];
  const source = [licence, ...opening, ...rest].join("\n").replace(/\n{3,}/g, "\n\n");
  return source.replace("contract Groth16Verifier", `contract ${CONTRACTS[name]}`).trimEnd().concat("\n");
}

if (import.meta.main) {
  for (const name of CIRCUIT_NAMES) {
    mkdirSync(dirname(contractFile(name)), { recursive: true });
    writeFileSync(contractFile(name), await solidityOf(name));
  }
  await endSnarkThreads();
}

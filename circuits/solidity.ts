// SPDX-License-Identifier: GPL-3.0-only
// Owns `npm run circuits:solidity`: the verifiers for the chain, exported by snarkjs from the committed keys, with what a gate
// asks of the key. It refuses a key that anybody forges under; what a proof is worth is for the gate that calls one.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { zKey } from "snarkjs";
import { readGroth16Key } from "../evidence/groth16-key.ts";
import { LOCAL_CHAIN_ID } from "../protocol/limits.ts";
import { readArtifact, readVerificationKey } from "./artifacts.ts";
import { CIRCUIT_NAMES, CIRCUITS, type CircuitName, publicElementsOf } from "./manifest.ts";
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

/**
 * What a gate asks of the key inside a verifier, whose constants are private: who made it, its hash under which TypeScript
 * knows it, and whether gamma and delta differ. The last is computed on chain from the very constants that verify.
 * @throws Error for a key whose gamma and delta are equal, or an origin that is not plain text
 */
async function keyFactsOf(name: CircuitName): Promise<string> {
  const { origin } = CIRCUITS[name];
  if (!/^[A-Za-z0-9 .,:()/-]{1,100}$/.test(origin)) throw new Error(`not an origin to write down: ${origin}`);
  const use = { origin, chainId: LOCAL_CHAIN_ID, publicElements: publicElementsOf(CIRCUITS[name]) };
  const { id } = readGroth16Key(await readVerificationKey(name), use);
  const differ = ["x1", "x2", "y1", "y2"].map((part) => `gamma${part} != delta${part}`).join(" || ");
  return [
    `    string public constant keyOrigin = "${origin}";`,
    `    bytes32 public constant keyHash = 0x${id};`,
    "",
    "    function keyIsContributed() external pure returns (bool) {",
    `        return ${differ};`,
    "    }",
    "",
  ].join("\n");
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
    "// It refuses nothing else: roots, nullifiers, accounts, ranges of claims, key and chain are its gate's to check.",
  ];
  const source = [licence, ...opening, ...rest].join("\n").replace(/\n{3,}/g, "\n\n");
  const opened = `contract ${CONTRACTS[name]} {\n${await keyFactsOf(name)}\n`;
  return source
    .replace("contract Groth16Verifier {\n", () => opened)
    .trimEnd()
    .concat("\n");
}

if (import.meta.main) {
  for (const name of CIRCUIT_NAMES) {
    mkdirSync(dirname(contractFile(name)), { recursive: true });
    writeFileSync(contractFile(name), await solidityOf(name));
  }
  await endSnarkThreads();
}

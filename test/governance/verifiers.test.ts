// Owns the promise that the contracts of governance/verifiers are those of the committed keys and, on an EVM, accept the
// committed proofs and nothing that was made of them.

import { readFileSync } from "node:fs";
import { createEVM, type EVM } from "@ethereumjs/evm";
import solc from "solc";
import { type Abi, bytesToHex, decodeFunctionResult, encodeFunctionData, hexToBytes } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CIRCUIT_NAMES, type CircuitName } from "../../circuits/manifest.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { CONTRACTS, contractFile, solidityOf } from "../../circuits/solidity.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import { type ProofCase, provedOf } from "../support/proofs.ts";

interface Built {
  readonly abi: Abi;
  readonly code: Uint8Array;
}

function build(name: CircuitName): Built {
  const file = `${CONTRACTS[name]}.sol`;
  const input = {
    language: "Solidity",
    sources: { [file]: { content: readFileSync(contractFile(name), "utf8") } },
    settings: { outputSelection: { "*": { "*": ["abi", "evm.deployedBytecode.object"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const contract = output.contracts?.[file]?.[CONTRACTS[name]];
  if (contract === undefined) throw new Error(JSON.stringify(output.errors));
  return { abi: contract.abi, code: hexToBytes(`0x${contract.evm.deployedBytecode.object}`) };
}

/** Calldata in the EVM's order, in which the imaginary part of B's coordinates is first. */
function argumentsOf({ signals, proof }: ProofCase) {
  const integers = (values: readonly string[]) => values.map(BigInt);
  const [x, y] = proof.pi_b as [string[], string[]];
  return [
    integers(proof.pi_a.slice(0, 2)),
    [integers(x).reverse(), integers(y).reverse()],
    integers(proof.pi_c.slice(0, 2)),
    integers(signals),
  ];
}

describe("verifiers on chain", () => {
  let evm: EVM;
  beforeAll(async () => {
    evm = await createEVM();
  });
  afterAll(endSnarkThreads);

  const accepts = async ({ abi, code }: Built, args: readonly unknown[]) => {
    const data = hexToBytes(encodeFunctionData({ abi, functionName: "verifyProof", args }));
    const { returnValue, exceptionError } = await evm.runCode({ code, data, gasLimit: 5_000_000n });
    if (exceptionError !== undefined) return false;
    return decodeFunctionResult({ abi, functionName: "verifyProof", data: bytesToHex(returnValue) }) === true;
  };

  test("invariant: they are what snarkjs exports from the committed keys", async () => {
    for (const name of CIRCUIT_NAMES) {
      expect(readFileSync(contractFile(name), "utf8"), name).toBe(await solidityOf(name));
    }
  });

  test("rejects: another signal, a signal plus the field's order, another point", async () => {
    for (const name of CIRCUIT_NAMES) {
      const built = build(name);
      const good = provedOf(name)[0] as ProofCase;
      expect(await accepts(built, argumentsOf(good)), name).toBe(true);
      const [a, b, c, signals] = argumentsOf(good) as [bigint[], bigint[][], bigint[], bigint[]];
      for (const index of signals.keys()) {
        const value = signals[index] as bigint;
        expect(await accepts(built, [a, b, c, signals.with(index, value + 1n)]), `${name} ${index}`).toBe(
          false,
        );
      }
      const first = signals[0] as bigint;
      expect(await accepts(built, [a, b, c, signals.with(0, first + FIELD_ORDER)]), name).toBe(false);
      expect(await accepts(built, [c, b, a, signals]), name).toBe(false);
      expect(await accepts(built, [a, [[...(b[0] as bigint[])].reverse(), b[1]], c, signals]), name).toBe(
        false,
      );
    }
  });
});

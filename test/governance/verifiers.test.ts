// Owns the promise that the contracts of governance/verifiers are those of the committed keys and, on an EVM, accept the
// committed proofs and nothing that was made of them.

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CIRCUIT_NAMES, type CircuitName } from "../../circuits/manifest.ts";
import { endSnarkThreads } from "../../circuits/snark-threads.ts";
import { CONTRACTS, contractFile, solidityOf } from "../../circuits/solidity.ts";
import { FIELD_ORDER } from "../../evidence/eddsa-poseidon.ts";
import {
  accountOf,
  Chain,
  type Compiled,
  compile,
  type Deployed,
  evmProof,
  sourceOf,
} from "../support/evm.ts";
import { secondSpelling } from "../support/proof-attacks.ts";
import { keyOf, type ProofCase, provedOf } from "../support/proofs.ts";

const fileOf = (name: CircuitName) => `verifiers/${CONTRACTS[name]}.sol`;

function argumentsOf({ signals, proof }: ProofCase): [bigint[], bigint[][], bigint[], bigint[]] {
  const { a, b, c } = evmProof(proof);
  return [a, b, c, signals.map(BigInt)];
}

describe("verifiers on chain", () => {
  const verifiers = new Map<CircuitName, Deployed>();
  let chain: Chain;
  beforeAll(async () => {
    chain = await Chain.start(31_337);
    const contracts = compile(
      Object.fromEntries(CIRCUIT_NAMES.map((name) => [fileOf(name), sourceOf(fileOf(name))])),
    );
    for (const name of CIRCUIT_NAMES)
      verifiers.set(name, await chain.deployed(contracts[CONTRACTS[name]] as Compiled));
  });
  afterAll(endSnarkThreads);

  const read = async (name: CircuitName, what: string, ...args: unknown[]) =>
    (await chain.call(verifiers.get(name) as Deployed, accountOf(1), what, ...args)).value;
  const accepts = (name: CircuitName, args: readonly unknown[]) => read(name, "verifyProof", ...args);

  test("invariant: they are what snarkjs exports from the committed keys", async () => {
    for (const name of CIRCUIT_NAMES) {
      expect(readFileSync(contractFile(name), "utf8"), name).toBe(await solidityOf(name));
    }
  });

  test("invariant: each says of its key what the manifest and our own reader say", async () => {
    for (const name of CIRCUIT_NAMES) {
      expect(await read(name, "keyOrigin")).toBe("development");
      expect(await read(name, "keyHash")).toBe(`0x${(await keyOf(name)).id}`);
      expect(await read(name, "keyIsContributed")).toBe(true);
    }
  });

  test("rejects: another signal, a signal plus the field's order, another point", async () => {
    for (const name of CIRCUIT_NAMES) {
      const good = provedOf(name)[0] as ProofCase;
      expect(await accepts(name, argumentsOf(good)), name).toBe(true);
      const [a, b, c, signals] = argumentsOf(good);
      for (const index of signals.keys()) {
        const value = signals[index] as bigint;
        const other = [a, b, c, signals.with(index, value + 1n)];
        expect(await accepts(name, other), `${name} ${index}`).toBe(false);
      }
      const first = signals[0] as bigint;
      expect(await accepts(name, [a, b, c, signals.with(0, first + FIELD_ORDER)]), name).toBe(false);
      expect(await accepts(name, [c, b, a, signals]), name).toBe(false);
      // Why gates check coordinates: this contract negates A modulo the order, and so takes another number for its y.
      const spelled = [a[0] as bigint, BigInt(secondSpelling(`${a[1]}`))];
      expect(await accepts(name, [spelled, b, c, signals]), name).toBe(true);
      const swapped = [[...(b[0] as bigint[])].reverse(), b[1]];
      expect(await accepts(name, [a, swapped, c, signals]), name).toBe(false);
    }
  });
});

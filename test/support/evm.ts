// Owns contracts on an EVM in this process: compiled, deployed, called, with the error that refused a call by its name. It
// refuses to hide a compiler's warning.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCustomCommon, Hardfork, Mainnet } from "@ethereumjs/common";
import { createEVM, type EVM } from "@ethereumjs/evm";
import { createAddressFromString } from "@ethereumjs/util";
import solc from "solc";
import {
  type Abi,
  bytesToHex,
  decodeErrorResult,
  decodeEventLog,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  hexToBytes,
} from "viem";

const GOVERNANCE = join(import.meta.dirname, "../../governance");
/** As it will be deployed. */
const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};
const GAS_LIMIT = 15_000_000n;

/** A compiled contract. */
export interface Compiled {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

/** The text of a contract of `governance/`, such as `gates/MeterGate.sol`. */
export const sourceOf = (file: string): string => readFileSync(join(GOVERNANCE, file), "utf8");

/**
 * Compiles contracts with all they import.
 * @param sources file names below `governance/` with their text
 * @returns contracts by name
 */
export function compile(sources: Readonly<Record<string, string>>): Record<string, Compiled> {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(Object.entries(sources).map(([file, content]) => [file, { content }])),
    settings: SETTINGS,
  };
  const imports = (file: string) => ({ contents: sourceOf(file) });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: imports }));
  if (output.errors !== undefined) throw new Error(JSON.stringify(output.errors));
  const contracts = Object.values(
    output.contracts as Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>,
  );
  return Object.fromEntries(
    contracts.flatMap((file) =>
      Object.entries(file).map(([name, { abi, evm }]) => [
        name,
        { abi, bytecode: `0x${evm.bytecode.object}` },
      ]),
    ),
  );
}

/** What came of a call. */
export interface Called {
  /** What it returned, or null when it reverted. */
  readonly value: unknown;
  /** Name of the error it reverted with; null when it did not. */
  readonly error: string | null;
  readonly events: readonly { readonly eventName: string | undefined; readonly args: unknown }[];
  /** Of the whole transaction: intrinsic, calldata and execution, refunds left out. */
  readonly gas: bigint;
}

export interface Deployed {
  readonly address: Hex;
  readonly abi: Abi;
}

/** An account of a number's own. */
export const accountOf = (number: number): Hex => `0x${number.toString(16).padStart(40, "0")}`;
const DEPLOYER = accountOf(0xd0);

/** A chain with one block at a time and no consensus. */
export class Chain {
  readonly #evm: EVM;
  #chainId: bigint;
  blockNumber = 1n;

  private constructor(evm: EVM, chainId: bigint) {
    this.#evm = evm;
    this.#chainId = chainId;
  }

  static async start(chainId: number): Promise<Chain> {
    const common = createCustomCommon({ chainId }, Mainnet, { hardfork: Hardfork.Prague });
    const chain = new Chain(await createEVM({ common }), BigInt(chainId));
    common.chainId = () => chain.#chainId;
    return chain;
  }

  /** Makes the chain another one, as after a fork that took another id. */
  fork(chainId: number): void {
    this.#chainId = BigInt(chainId);
  }

  /** Deploys; answers where, or the name of the error that refused it. */
  async deploy(
    { abi, bytecode }: Compiled,
    ...args: unknown[]
  ): Promise<Deployed | { readonly error: string }> {
    const data = encodeDeployData({ abi, bytecode, args });
    const { execResult, createdAddress } = await this.#run(DEPLOYER, undefined, data);
    if (execResult.exceptionError !== undefined) return { error: errorOf(abi, execResult.returnValue) };
    return { address: createdAddress?.toString() as Hex, abi };
  }

  /** Deploys what must be deployed. */
  async deployed(contract: Compiled, ...args: unknown[]): Promise<Deployed> {
    const result = await this.deploy(contract, ...args);
    if ("error" in result) throw new Error(`not deployed: ${result.error}`);
    return result;
  }

  async call(
    { address, abi }: Deployed,
    from: Hex,
    functionName: string,
    ...args: unknown[]
  ): Promise<Called> {
    const data = encodeFunctionData({ abi, functionName, args });
    const { execResult } = await this.#run(from, address, data);
    const { returnValue, exceptionError, logs = [], executionGasUsed } = execResult;
    const gas = intrinsicGas(data) + executionGasUsed;
    if (exceptionError !== undefined)
      return { value: null, error: errorOf(abi, returnValue), events: [], gas };
    const value = decodeFunctionResult({ abi, functionName, data: bytesToHex(returnValue) });
    const events = logs.map(([, topics, bytes]) =>
      decodeEventLog({
        abi,
        topics: topics.map((topic) => bytesToHex(topic)) as [Hex],
        data: bytesToHex(bytes),
      }),
    );
    return { value, error: null, events, gas };
  }

  async #run(from: Hex, to: Hex | undefined, data: Hex) {
    // Each transaction begins with cold addresses and slots.
    this.#evm.journal.cleanJournal();
    const zero = createAddressFromString(accountOf(0));
    return this.#evm.runCall({
      caller: createAddressFromString(from),
      ...(to === undefined ? {} : { to: createAddressFromString(to) }),
      data: hexToBytes(data),
      gasLimit: GAS_LIMIT,
      block: {
        header: {
          number: this.blockNumber,
          coinbase: zero,
          timestamp: 0n,
          difficulty: 0n,
          prevRandao: new Uint8Array(32),
          gasLimit: GAS_LIMIT,
          getBlobGasPrice: () => undefined,
        },
      },
    });
  }
}

/** What a transaction costs before it runs: 21,000, 4 for a zero byte and 16 for another. */
function intrinsicGas(data: Hex): bigint {
  return hexToBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4n : 16n), 21_000n);
}

function errorOf(abi: Abi, data: Uint8Array): string {
  if (data.length === 0) return "without a reason";
  return decodeErrorResult({ abi, data: bytesToHex(data) }).errorName;
}

/** Arguments of a verifier's proof in the EVM's order, in which the imaginary part of B's coordinates is first. */
export function evmProof(proof: {
  readonly pi_a: string[];
  readonly pi_b: string[][];
  readonly pi_c: string[];
}) {
  const integers = (values: readonly string[]) => values.map(BigInt);
  const [x, y] = proof.pi_b as [string[], string[]];
  return {
    a: integers(proof.pi_a.slice(0, 2)),
    b: [integers(x).reverse(), integers(y).reverse()],
    c: integers(proof.pi_c.slice(0, 2)),
  };
}

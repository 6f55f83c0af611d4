// Owns a chain in a process of its own for tests: anvil, with its time set by the test. It refuses to outlive the test run.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Abi,
  type Address,
  createTestClient,
  type Hex,
  http,
  publicActions,
  type TransactionReceipt,
  walletActions,
} from "viem";
import { foundry } from "viem/chains";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";

const ANVIL = join(import.meta.dirname, "../../node_modules/.bin/anvil");

/** False where npm has no anvil for this machine. */
export const hasAnvil = existsSync(ANVIL);

/** A client that may send from every account the chain begins with. */
function clientOf(url: string, chainId: number) {
  const chain = { ...foundry, id: chainId };
  return createTestClient({ mode: "anvil", chain, transport: http(url), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions);
}
export type ChainClient = ReturnType<typeof clientOf>;

/** A contract that was deployed. */
export interface Contract {
  readonly address: Address;
  readonly abi: Abi;
}

/** A running chain. */
export interface LocalChain {
  /** Its RPC. */
  readonly url: string;
  readonly client: ChainClient;
  /** Accounts with money for gas, in lower case; the first one sends everything here. */
  readonly accounts: readonly Address[];
  readonly deploy: (abi: Abi, bytecode: Hex, args: readonly unknown[]) => Promise<Contract>;
  /** Sends a call and waits for its block; throws with the error's name where it would revert. */
  readonly send: (
    contract: Contract,
    functionName: string,
    args: readonly unknown[],
  ) => Promise<TransactionReceipt>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a chain on a free port of this machine.
 * @param startS time of its first block. Unix seconds.
 * @param chainId which chain it says it is.
 */
export async function startChain(startS: number, chainId: number = LOCAL_CHAIN_ID): Promise<LocalChain> {
  const args = ["--port", "0", "--timestamp", String(startS), "--chain-id", String(chainId)];
  // Without it a block is final only when 64 others stand on it.
  args.push("--slots-in-an-epoch", "1");
  const anvil = spawn(ANVIL, args, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => anvil.once("close", () => resolve()));
  const endWithRun = () => anvil.kill("SIGKILL");
  process.once("exit", endWithRun);
  const url = await addressOf(anvil);
  const client = clientOf(url, chainId);
  const accounts = (await client.getAddresses()).map((account) => account.toLowerCase() as Address);
  const account = accounts[0] as Address;
  return {
    url,
    client,
    accounts,
    deploy: async (abi, bytecode, args) => {
      const hash = await client.deployContract({ abi, bytecode, args, account });
      const { contractAddress } = await client.waitForTransactionReceipt({ hash });
      return { address: contractAddress as Address, abi };
    },
    send: async (contract, functionName, args) => {
      const { request } = await client.simulateContract({ ...contract, functionName, args, account });
      return client.waitForTransactionReceipt({ hash: await client.writeContract(request) });
    },
    stop: async () => {
      process.off("exit", endWithRun);
      anvil.kill("SIGTERM");
      await ended;
    },
  };
}

/** What anvil says it listens on. */
function addressOf(anvil: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    anvil.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const address = /Listening on (\S+)/.exec(printed)?.[1];
      if (address !== undefined) resolve(`http://${address}`);
    });
    anvil.once("error", reject);
    anvil.once("close", (code) => reject(new Error(`anvil ended with ${code}: ${printed}`)));
  });
}

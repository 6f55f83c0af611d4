// Owns making contracts one after the other by one wallet, so that a run that is cut off anywhere finds what it made. It
// refuses to ask for a contract before its address is on disk, and to ask twice while the first may still come.

import { type Abi, getContractAddress, type Hex } from "viem";
import type { ContractSender } from "../calls/contract-call.ts";
import type { ContractName, DeploymentStore, Progress } from "./deployment.ts";
import { DeployRefused } from "./refusals.ts";

const PAUSE_MS = 500;
/** Blocks come every few seconds or, where fees rose, in minutes. */
const PATIENCE_MS = 10 * 60_000;

/** Contracts of one deployment. */
export class ContractCreation {
  readonly #chain: ContractSender;
  readonly #store: DeploymentStore;
  #progress: Progress;

  constructor(chain: ContractSender, store: DeploymentStore, progress: Progress) {
    this.#chain = chain;
    this.#store = store;
    this.#progress = progress;
  }

  /**
   * Makes a contract, unless an earlier run has.
   * @returns its address in lower case, and whether it was made now.
   * @throws Error where its transaction fails.
   */
  async create(
    name: ContractName,
    { abi, bytecode, args }: { readonly abi: Abi; readonly bytecode: Hex; readonly args: readonly unknown[] },
  ): Promise<{ readonly address: Hex; readonly isNew: boolean }> {
    const { client, wallet } = this.#chain;
    const known = await this.#settled(name);
    if (known !== null) return { address: known, isNew: false };
    const from = wallet.account.address;
    const nonce = await client.getTransactionCount({ address: from });
    const address = getContractAddress({ from, nonce: BigInt(nonce) }).toLowerCase() as Hex;
    this.#progress = {
      ...this.#progress,
      contracts: { ...this.#progress.contracts, [name]: { address, nonce } },
    };
    this.#store.writeProgress(this.#progress);
    const hash = await wallet.deployContract({ abi, bytecode, args, nonce });
    const { status } = await client.waitForTransactionReceipt({ hash });
    if (status !== "success") throw new Error(`the transaction that makes ${name} failed: ${hash}`);
    return { address, isNew: true };
  }

  /** The contract that an earlier run asked for, once its transaction is through; null where it made none. */
  async #settled(name: ContractName): Promise<Hex | null> {
    const asked = this.#progress.contracts[name];
    if (asked === undefined) return null;
    const { client, wallet } = this.#chain;
    const { address } = wallet.account;
    const pending = await client.getTransactionCount({ address, blockTag: "pending" });
    // Sent and not yet in a block: a second one would make a second contract.
    for (const endMs = Date.now() + PATIENCE_MS; pending > asked.nonce; await sleep(PAUSE_MS)) {
      if ((await client.getTransactionCount({ address })) > asked.nonce) break;
      if (Date.now() > endMs) throw new DeployRefused(`the transaction that makes ${name} is still waiting`);
    }
    const code = await client.getCode({ address: asked.address });
    return code === undefined || code === "0x" ? null : asked.address;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// Owns how a deployment reads its contracts and calls them. It refuses to call in the owner's place where somebody else owns the
// contract by now.

import type { Abi, Hex } from "viem";
import { type ContractSender, sendCall } from "../calls/contract-call.ts";
import { DeployRefused } from "./refusals.ts";

/** A contract by its address. */
export interface DeployedContract {
  readonly address: Hex;
  readonly abi: Abi;
}

export class DeployCalls {
  readonly #sender: ContractSender;
  /** Told of each step that was done. */
  readonly report: (message: string) => void;

  constructor(sender: ContractSender, report: (message: string) => void) {
    this.#sender = sender;
    this.report = report;
  }

  /** Whoever deploys. */
  get deployer(): Hex {
    return this.#sender.wallet.account.address;
  }

  get client(): ContractSender["client"] {
    return this.#sender.client;
  }

  read(contract: DeployedContract, functionName: string, args: readonly unknown[] = []): Promise<unknown> {
    return this.client.readContract({ ...contract, functionName, args });
  }

  async send(contract: DeployedContract, functionName: string, args: readonly unknown[]): Promise<void> {
    await sendCall(this.#sender, { ...contract, functionName, args });
  }

  /** @throws DeployRefused where the owner alone may, and whoever deploys is not the owner any more */
  async sendAsOwner(
    contract: DeployedContract,
    functionName: string,
    args: readonly unknown[],
  ): Promise<void> {
    const owner = await this.read(contract, "owner");
    if (!isSame(owner, this.deployer))
      throw new DeployRefused(`${functionName} is for the owner, ${owner}, and not for ${this.deployer}`);
    await this.send(contract, functionName, args);
  }
}

/** Whether what a contract says is an address is this one, in either case. */
export function isSame(found: unknown, wanted: string): boolean {
  return typeof found === "string" && found.toLowerCase() === wanted.toLowerCase();
}

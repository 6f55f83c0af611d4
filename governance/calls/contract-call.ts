// Owns sending one call to a contract: simulated first, then sent, then waited for. It refuses to send what the contract
// would refuse.

import type { Abi, Account, Chain, Hash, Hex, PublicClient, Transport, WalletClient } from "viem";
import { refusalOf } from "./contract-refusal.ts";

/** A chain, and a wallet that sends to it. */
export interface ContractSender {
  readonly client: PublicClient;
  readonly wallet: WalletClient<Transport, Chain, Account>;
}

/** A call to a contract. */
export interface ContractCall {
  readonly address: Hex;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
}

/**
 * Sends a call and waits until it is in a block.
 * @returns its transaction, and what the simulation of it returned.
 * @throws ContractRefusal where the contract refuses; Error where the transaction fails all the same, or is not heard of
 */
export async function sendCall(
  { client, wallet }: ContractSender,
  call: ContractCall,
): Promise<{ readonly hash: Hash; readonly result: unknown }> {
  const { account } = wallet;
  let hash: Hash;
  let result: unknown;
  try {
    const simulated = await client.simulateContract({ ...call, account });
    result = simulated.result;
    const gas = withMargin(await client.estimateContractGas({ ...call, account }));
    hash = await wallet.writeContract({ ...simulated.request, account, gas } as never);
  } catch (error) {
    throw refusalOf(error);
  }
  const { status } = await client.waitForTransactionReceipt({ hash });
  // Between simulation and block somebody else was quicker.
  if (status !== "success") throw new Error(`${call.functionName} failed in its block: ${hash}`);
  return { hash, result };
}

/**
 * An estimate is made at the last block's time: whoever mints right after somebody else updates the token's checkpoint of that
 * second there, and in a later block adds one, for a word more. What is not used is not paid.
 */
function withMargin(gas: bigint): bigint {
  return (gas * 5n) / 4n + 30_000n;
}

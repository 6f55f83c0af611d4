// Owns sending one call to a contract: simulated first, then sent, then waited for. It refuses to send what the contract
// would refuse.

import type { Abi, Account, Chain, Hash, Hex, Transport, WalletClient } from "viem";
import type { ChainConnection } from "./chain-connection.ts";
import { refusalOf } from "./chain-refusal.ts";

/** A wallet that sends, and the chain it sends to. */
export interface Sender {
  readonly connection: ChainConnection;
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
 * @throws ChainRefusal where the contract refuses; Error where the transaction fails all the same, or is not heard of
 */
export async function sendCall(
  { connection, wallet }: Sender,
  call: ContractCall,
): Promise<{ readonly hash: Hash; readonly result: unknown }> {
  const { account } = wallet;
  let hash: Hash;
  let result: unknown;
  try {
    const simulated = await connection.client.simulateContract({ ...call, account });
    result = simulated.result;
    hash = await wallet.writeContract({ ...simulated.request, account } as never);
  } catch (error) {
    throw refusalOf(error);
  }
  const { status } = await connection.client.waitForTransactionReceipt({ hash });
  // Between simulation and block somebody else was quicker.
  if (status !== "success") throw new Error(`${call.functionName} failed in its block: ${hash}`);
  return { hash, result };
}

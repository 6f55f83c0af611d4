// Owns the way to a chain through an RPC: which chain it is, and a wallet on it. It refuses an RPC of another chain than the
// one that is meant, and well-known keys on any chain but the local one.

import {
  type Account,
  type Chain,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  type LocalAccount,
  type PublicClient,
  type Transport,
  type WalletClient,
} from "viem";
import { isWellKnownWallet } from "../../governance/deploy/well-known-wallets.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";

/** Thrown where the way to the chain is not the right one. */
export class ChainFault extends Error {
  override readonly name = "ChainFault";
}

/** A chain that is the right one. */
export interface ChainConnection {
  readonly chain: Chain;
  readonly client: PublicClient;
  readonly transport: Transport;
}

/** A local chain has a block when its launcher makes one; others every few seconds. */
const POLL_MS = 500;

/**
 * Opens a chain.
 * @param chainId which one it must be; null takes the one that answers.
 * @param transport instead of plain HTTP to the RPC.
 * @throws ChainFault where nobody answers, or another chain does.
 */
export async function openChain(
  rpc: string,
  chainId: number | null,
  transport: Transport = http(rpc, { batch: true }),
): Promise<ChainConnection> {
  if (!/^https?:\/\/\S+$/.test(rpc)) throw new ChainFault(`not the address of an RPC: ${rpc}`);
  const found = await createPublicClient({ transport })
    .getChainId()
    .catch((cause: unknown) => {
      throw new ChainFault(`no chain answers at ${rpc}`, { cause });
    });
  if (chainId !== null && found !== chainId)
    throw new ChainFault(`${rpc} is of chain ${found}, and not of chain ${chainId}`);
  const chain = defineChain({
    id: found,
    name: `chain ${found}`,
    nativeCurrency: { name: "ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  });
  const client = createPublicClient({ chain, transport, pollingInterval: POLL_MS }) as PublicClient;
  return { chain, client, transport };
}

/** A wallet on a chain. @throws ChainFault for a well-known one off the local chain */
export function walletOn(
  { chain, transport }: ChainConnection,
  account: LocalAccount,
): WalletClient<Transport, Chain, Account> {
  requireOwnKey(account.address, chain.id);
  return createWalletClient({ chain, transport, account, pollingInterval: POLL_MS });
}

/** @throws ChainFault for a wallet whose key everybody has, on any chain but the local one */
export function requireOwnKey(account: string, chainId: number): void {
  if (chainId !== LOCAL_CHAIN_ID && isWellKnownWallet(account))
    throw new ChainFault(`${account} is a wallet whose key everybody has: it is refused on chain ${chainId}`);
}

// Owns staking for a provider: its wallet's money goes into the contract of stakes, bound to the key that signs its results. It
// refuses to stake with another key than the one that is staked already, and to approve more than it stakes.

import type { LocalAccount } from "viem";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { sendCall } from "../../governance/calls/contract-call.ts";
import { providerStakeAbi, testQuoteAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type ChainConnection, walletOn } from "../chain/chain-connection.ts";
import { QuoteToken } from "../chain/quote-token.ts";

const ABI = [...providerStakeAbi, ...testQuoteAbi.filter(({ type }) => type === "error")] as const;

/** Stakes, or adds to a stake. @returns the transaction. @throws ContractRefusal; Error for another key */
export async function stakeFor(
  connection: ChainConnection,
  contract: Hex,
  wallet: LocalAccount,
  terms: { readonly region: string; readonly nodeKey: Hex; readonly amountMicros: bigint },
): Promise<Hex> {
  const { client } = connection;
  const sender = { client, wallet: walletOn(connection, wallet) };
  const { amountMicros, nodeKey } = terms;
  const word = regionWord(terms.region);
  const read = { address: contract, abi: providerStakeAbi } as const;
  const [quote, { nodeKey: staked }] = await Promise.all([
    client.readContract({ ...read, functionName: "quote" }),
    client.readContract({ ...read, functionName: "stakeOf", args: [word, wallet.address] }),
  ]);
  const isFirst = /^0x0*$/.test(staked);
  if (!isFirst && staked !== nodeKey) throw new Error(`this account has staked with another key: ${staked}`);
  const token = new QuoteToken(sender, quote, contract);
  await token.requireBalance(amountMicros);
  const allowance = await token.allowance();
  if (allowance < amountMicros) await token.approve(amountMicros, allowance);
  const call = isFirst
    ? { functionName: "stake", args: [word, nodeKey, amountMicros] }
    : { functionName: "topUp", args: [word, amountMicros] };
  const { hash } = await sendCall(sender, { address: contract, abi: ABI, ...call });
  return hash;
}

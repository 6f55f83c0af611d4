// Owns what must not be deployed where real money is: well-known keys, verification keys without a ceremony, play money, and
// votes that are over before anybody saw them. It refuses before anything is sent; on the local chain nearly all of it is allowed.

import type { PublicClient } from "viem";
import { meterVerifier } from "../../evidence/meter-keys.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { testQuoteAbi } from "../generated/abi.ts";
import type { DeployFile } from "./deploy-file.ts";
import { VOTE_LIMITS, VOTE_TIMES } from "./vote-file.ts";
import { isWellKnownWallet } from "./well-known-wallets.ts";

const TEST_QUOTE_SYMBOL = "TESTQ";

/** Thrown for what must not be deployed; nothing was sent. */
export class DeployRefused extends Error {
  override readonly name = "DeployRefused";
}

/**
 * @param deployer whose key sends the transactions.
 * @throws DeployRefused for what is named above, and for an RPC of another chain.
 */
export async function requireDeployable(
  plan: DeployFile,
  deployer: Hex,
  client: PublicClient,
): Promise<void> {
  const chainId = await client.getChainId();
  if (chainId !== plan.chainId)
    throw new DeployRefused(`the file is for chain ${plan.chainId}, and the RPC is of chain ${chainId}`);
  if (chainId !== LOCAL_CHAIN_ID) requireSerious(plan, deployer, chainId);
  if (plan.quote !== "test") await requireQuote(plan.quote, chainId, client);
}

/** Off the local chain. */
function requireSerious(plan: DeployFile, deployer: Hex, chainId: number): void {
  const here = `on chain ${chainId}`;
  const { guardian = NO_ADDRESS, quote, vote, regions } = plan;
  if (guardian === NO_ADDRESS)
    throw new DeployRefused(`name a guardian: ${here} somebody must be able to freeze a false report`);
  if (quote === "test") throw new DeployRefused(`play money is refused ${here}: name the quote asset`);
  for (const name of VOTE_TIMES)
    if (vote[name] < VOTE_LIMITS[name].least)
      throw new DeployRefused(`${name} is ${vote[name]}, and ${here} at least ${VOTE_LIMITS[name].least}`);
  const wallets = [
    ["the deployer", deployer],
    ["the guardian", guardian],
    ["the votes' guardian", vote.guardian ?? NO_ADDRESS],
    ...vote.members.map(({ account }) => ["a member", account] as const),
    ...regions.flatMap(({ region, operator, installers }) => [
      [`the operator of ${region}`, operator] as const,
      ...installers.map((installer) => [`an installer of ${region}`, installer] as const),
    ]),
  ] as const;
  for (const [who, wallet] of wallets)
    if (isWellKnownWallet(wallet))
      throw new DeployRefused(`${who} is ${wallet}, whose key everybody has: it is refused ${here}`);
  for (const windowSlots of new Set(regions.map((region) => region.windowSlots)))
    requireCeremony(windowSlots, chainId);
}

/** What meters prove under is not on this contract, but its money rests on it. */
function requireCeremony(windowSlots: 4 | 96, chainId: number): void {
  try {
    meterVerifier(windowSlots, chainId);
  } catch (error) {
    throw new DeployRefused(`the verification key of meter-${windowSlots}: ${(error as Error).message}`);
  }
}

async function requireQuote(quote: Hex, chainId: number, client: PublicClient): Promise<void> {
  const code = await client.getCode({ address: quote });
  if (code === undefined || code === "0x")
    throw new DeployRefused(`the quote asset ${quote} is no contract on chain ${chainId}`);
  const read = <Name extends "decimals" | "symbol">(functionName: Name) =>
    client.readContract({ address: quote, abi: testQuoteAbi, functionName }).catch(() => null);
  const [decimals, symbol] = await Promise.all([read("decimals"), read("symbol")]);
  if (decimals !== 6)
    throw new DeployRefused(`the quote asset ${quote} has ${decimals ?? "no"} decimals, and needs six`);
  if (chainId !== LOCAL_CHAIN_ID && symbol === TEST_QUOTE_SYMBOL)
    throw new DeployRefused(`the quote asset ${quote} is play money: it is refused on chain ${chainId}`);
}

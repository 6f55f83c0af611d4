// Owns what every command about a chain needs: the RPC, the contract, the wallet, the kept leaves. It refuses keys on the
// command line, and to go on with an RPC of another chain than the region's.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { LocalAccount } from "viem";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import type { Profile } from "../../protocol/profile.ts";
import { openChain } from "../chain/chain-connection.ts";
import { type KeptLeaf, leavesIn } from "../chain/kept-leaf.ts";
import { SettlementClient } from "../chain/settlement-client.ts";
import { walletFrom } from "../chain/wallet-key.ts";
import type { PolderClient } from "../sdk/client.ts";
import { type Place, placeOf, withPlace } from "./context.ts";
import { type Amount, address, httpAddress } from "./options.ts";

/** Where an agent keeps its leaves unless it is told otherwise. */
const AGENT_MEMORY = "polder-agent.ndjson";
export const CHAIN_KEYS =
  "\nkeys: POLDER_KEY (a wallet's private key), or an encrypted file by --keystore or POLDER_KEYSTORE, whose password is\nPOLDER_PASSWORD or asked for; POLDER_RPC stands for --rpc";

export interface ChainPlace extends Place {
  readonly rpc?: string;
  readonly keystore?: string;
  readonly leaf?: string;
  readonly for?: Hex;
  readonly json?: boolean;
}

/** A region, and the contract that holds its money. */
export interface Settled {
  readonly client: PolderClient;
  readonly region: string;
  readonly profile: Profile;
  readonly settlement: SettlementClient;
}

/** Adds the options that name a region, its chain, a wallet, and how to answer. */
export function withChain(command: Command): Command {
  return withWallet(withRpc(withPlace(command))).addHelpText("after", CHAIN_KEYS);
}

export function withRpc(command: Command): Command {
  return command.option("--rpc <url>", "of the chain that holds the money", httpAddress);
}

export function withWallet(command: Command): Command {
  return command.option("--keystore <file>", "the wallet's encrypted file").option("--json", "as JSON");
}

export function withLeaf(command: Command): Command {
  return command
    .option("--leaf <file>", `leaves that an agent has kept (${AGENT_MEMORY})`)
    .option("--for <address>", "the account; the wallet's own without it", address);
}

/** The region and its contract. @throws Error where its money is no chain's; ChainFault */
export async function settledPlace(options: ChainPlace): Promise<Settled> {
  const rpc = rpcOf(options);
  const { client, region } = await placeOf(options);
  const [{ chainId, settlement }, { profile, market }] = await Promise.all([
    client.deployment(),
    client.region(region),
  ]);
  if (market === null) throw new Error(`${region} is not opened yet`);
  if (market.quote !== "settlement" || settlement === NO_ADDRESS)
    throw new Error(`${region} holds test money: nothing of it is on a chain`);
  const connection = await openChain(rpc, chainId);
  return { client, region, profile, settlement: await SettlementClient.open(connection, settlement, region) };
}

/** @throws Error where no RPC is named */
export function rpcOf({ rpc = process.env.POLDER_RPC }: Pick<ChainPlace, "rpc">): string {
  if (rpc === undefined) throw new Error("name the chain's RPC with --rpc, or set POLDER_RPC");
  return httpAddress(rpc);
}

export function walletOf({ keystore }: ChainPlace): Promise<LocalAccount> {
  return walletFrom(keystore);
}

/** The kept leaves: of the file that was named, else of the agent's where there is one. @throws Error for a broken file */
export function keptLeaves({ leaf }: ChainPlace): readonly KeptLeaf[] {
  if (leaf !== undefined) return leavesIn(leaf);
  return existsSync(AGENT_MEMORY) ? leavesIn(AGENT_MEMORY) : [];
}

/** An amount in the region's currency. @throws Error for another currency's */
export function microsOf({ micros, currency }: Amount, profile: Profile): number {
  if (currency !== "" && currency !== profile.currency)
    throw new Error(`${profile.region} is in ${profile.currency}, and not in ${currency}`);
  return micros;
}

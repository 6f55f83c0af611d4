// Owns what every command about votes needs: who answers, which contracts, which wallet. It refuses a deployment file without an
// RPC, and an RPC of another chain than the vote's.

import type { Command } from "commander";
import type { LocalAccount } from "viem";
import { type Deployment, deploymentSchema } from "../../../governance/deploy/deployment.ts";
import type { GovernanceAnswer } from "../../../protocol/vote-answer.ts";
import { openChain } from "../../chain/chain-connection.ts";
import { PolderClient } from "../../sdk/client.ts";
import { VoteClient } from "../../sdk/vote-client.ts";
import { ChainVotes } from "../../votes/chain-votes.ts";
import type { VoteSource } from "../../votes/vote-source.ts";
import { VoteWallet } from "../../votes/vote-wallet.ts";
import { CHAIN_KEYS, type ChainPlace, rpcOf, walletOf, withRpc, withWallet } from "../chain-context.ts";
import { withPlace } from "../context.ts";
import { readJson } from "../document-files.ts";

export interface VotePlace extends ChainPlace {
  readonly deployment?: string;
}

/** Adds the options that say who answers about votes. */
export function withVotes(command: Command): Command {
  return withRpc(withPlace(command))
    .option("--deployment <file>", "read the chain itself, by this deployment's file; it needs --rpc")
    .option("--json", "as JSON");
}

/** Adds the options of a command that sends something. */
export function withVoter(command: Command): Command {
  return withWallet(withRpc(withPlace(command)))
    .option("--deployment <file>", "read the chain itself, by this deployment's file")
    .addHelpText("after", CHAIN_KEYS);
}

/** Who answers: the chain where a deployment's file is named, else the deployment that was named. */
export async function votesOf(options: VotePlace): Promise<VoteSource> {
  if (options.deployment === undefined) return new VoteClient(new PolderClient(options.url));
  const deployment = deploymentIn(options.deployment);
  return ChainVotes.open(await openChain(rpcOf(options), deployment.chainId), deployment);
}

/** A wallet at the vote, with what the vote is made of. */
export async function voterOf(options: VotePlace): Promise<{
  readonly votes: VoteSource;
  readonly overview: GovernanceAnswer;
  readonly wallet: VoteWallet;
  readonly signer: LocalAccount;
}> {
  const signer = await walletOf(options);
  const rpc = rpcOf(options);
  const votes = await votesOf(options);
  const overview = await votes.overview();
  const connection = await openChain(rpc, overview.chainId);
  return { votes, overview, wallet: new VoteWallet(connection, signer, overview.contracts), signer };
}

function deploymentIn(file: string): Deployment {
  return deploymentSchema.parse(readJson(file));
}

/** Amounts of any size as decimal texts. */
export function printJson(value: object): void {
  console.log(JSON.stringify(value, (_name, part) => (typeof part === "bigint" ? part.toString() : part)));
}

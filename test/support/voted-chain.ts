// Owns a real chain whose contracts belong to a vote of two members, for tests: its time is the test's to set, and its members'
// wallets are known. It refuses to propose anything by itself.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Abi, Hex, LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type ChainConnection, openChain, walletOn } from "../../clients/chain/chain-connection.ts";
import { deploymentFiles } from "../../clients/chain/deployment-files.ts";
import { type ContractSender, sendCall } from "../../governance/calls/contract-call.ts";
import { describedBy, voteAbi } from "../../governance/calls/vote-abi.ts";
import { deploy } from "../../governance/deploy/deploy.ts";
import { deployFileSchema } from "../../governance/deploy/deploy-file.ts";
import { CONTRACT_NAMES, type Deployment } from "../../governance/deploy/deployment.ts";
import type { VoteContracts } from "../../governance/proposals/vote-contracts.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { type LocalChain, startChain } from "./local-chain.ts";
import { LOCAL, REGION, TOKEN, VOTE } from "./vote-file.ts";

export const START_S = 20_000 * 86_400 + 5;
export const DEPLOYER_KEY: Hex = `0x${"d1".repeat(32)}`;
export const ANN_KEY: Hex = `0x${"a1".repeat(32)}`;
export const BEN_KEY: Hex = `0x${"b1".repeat(32)}`;
/** Holds one token: less than the relay pays for. */
export const CAROL_KEY: Hex = `0x${"c1".repeat(32)}`;
export const GUARDIAN_KEY: Hex = `0x${"61".repeat(32)}`;
export const REGION_ID = REGION.region;

export const lower = ({ address }: { readonly address: Hex }): Hex => address.toLowerCase() as Hex;

/** A chain with a vote. */
export class VotedChain {
  readonly chain: LocalChain;
  readonly connection: ChainConnection;
  readonly deployment: Deployment;
  readonly folder: string;
  readonly ann: LocalAccount = privateKeyToAccount(ANN_KEY);
  readonly ben: LocalAccount = privateKeyToAccount(BEN_KEY);
  readonly carol: LocalAccount = privateKeyToAccount(CAROL_KEY);
  readonly guardian: LocalAccount = privateKeyToAccount(GUARDIAN_KEY);

  private constructor(
    chain: LocalChain,
    connection: ChainConnection,
    deployment: Deployment,
    folder: string,
  ) {
    this.chain = chain;
    this.connection = connection;
    this.deployment = deployment;
    this.folder = folder;
  }

  /** @param others members beside the three, with what each holds. @param startS time of the first block. */
  static async start(
    others: readonly { readonly account: Hex; readonly amount: string }[] = [],
    startS: number = START_S,
  ): Promise<VotedChain> {
    const folder = mkdtempSync(join(tmpdir(), "polder-votes-"));
    const chain = await startChain(startS);
    const keys = [DEPLOYER_KEY, ANN_KEY, BEN_KEY, CAROL_KEY, GUARDIAN_KEY];
    for (const key of keys)
      await chain.client.setBalance({ address: privateKeyToAccount(key).address, value: 10n ** 20n });
    const connection = await openChain(chain.url, LOCAL_CHAIN_ID);
    const members = [
      { account: lower(privateKeyToAccount(ANN_KEY)), amount: String(60_000n * TOKEN) },
      { account: lower(privateKeyToAccount(BEN_KEY)), amount: String(39_999n * TOKEN) },
      { account: lower(privateKeyToAccount(CAROL_KEY)), amount: String(TOKEN) },
      ...others,
    ];
    const vote = { ...VOTE, members, guardian: lower(privateKeyToAccount(GUARDIAN_KEY)) };
    const deployment = await deploy(deployFileSchema.parse({ ...LOCAL, vote }), {
      client: connection.client,
      wallet: walletOn(connection, privateKeyToAccount(DEPLOYER_KEY)),
      store: deploymentFiles(join(folder, "chain")),
      report: () => {},
    });
    // Votes count from the second after they were given.
    await chain.client.mine({ blocks: 3, interval: 2 });
    return new VotedChain(chain, connection, deployment, folder);
  }

  get contracts(): VoteContracts {
    const found = CONTRACT_NAMES.map((name) => [name, this.deployment[name]]);
    return Object.fromEntries(found) as VoteContracts;
  }

  sender(wallet: LocalAccount): ContractSender {
    return { client: this.connection.client, wallet: walletOn(this.connection, wallet) };
  }

  /** Calls the governor. @throws ContractRefusal */
  async govern(wallet: LocalAccount, functionName: string, args: readonly unknown[]): Promise<unknown> {
    const call = { address: this.deployment.governor, abi: voteAbi as Abi, functionName, args };
    return (await sendCall(this.sender(wallet), call)).result;
  }

  /** Proposes calls. @returns the proposal's number. @throws ContractRefusal */
  async propose(
    wallet: LocalAccount,
    calls: readonly { readonly target: Hex; readonly data: Hex }[],
    description = "A test",
  ): Promise<bigint> {
    const args = [
      calls.map(({ target }) => target),
      calls.map(() => 0n),
      calls.map(({ data }) => data),
      describedBy(description, lower(wallet)),
    ];
    return (await this.govern(wallet, "propose", args)) as bigint;
  }

  /** Lets the chain's time pass. */
  async pass(seconds: number): Promise<void> {
    await this.chain.client.increaseTime({ seconds });
    await this.chain.client.mine({ blocks: 1 });
  }

  /** Does what a vote has passed, as the timelock that everything governed belongs to. */
  async asTimelock(address: Hex, abi: Abi, functionName: string, args: readonly unknown[]): Promise<void> {
    await this.as(this.deployment.timelock, address, abi, functionName, args);
  }

  /** Calls in anybody's name. */
  async as(
    account: Hex,
    address: Hex,
    abi: Abi,
    functionName: string,
    args: readonly unknown[],
  ): Promise<void> {
    const { client } = this.chain;
    await client.impersonateAccount({ address: account });
    await client.setBalance({ address: account, value: 10n ** 18n });
    const { request } = await client.simulateContract({ address, abi, functionName, args, account });
    await client.waitForTransactionReceipt({ hash: await client.writeContract(request) });
  }

  async stop(): Promise<void> {
    await this.chain.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// Owns a relay of ballots with all that it stands on, for tests: a real chain with a vote, an endpoint that can be spoilt, and a
// deployment that is begun again as often as a test likes. It refuses to propose or to vote by itself.

import { encodeFunctionData, type Hex, type LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect } from "vitest";
import type { Stack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { VoteClient } from "../../clients/sdk/vote-client.ts";
import { type SignedBallot, signBallot } from "../../clients/votes/vote-wallet.ts";
import { walletOf } from "../../evidence/wallet-key.ts";
import type { Ballot } from "../../governance/forms/ballot.ts";
import { polderGovernorAbi, rewardParametersAbi } from "../../governance/generated/abi.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { type EndpointServer, startEndpoint } from "../mirror/endpoint-server.ts";
import { TOKEN, VOTE } from "../support/vote-file.ts";
import { lower, VotedChain } from "../support/voted-chain.ts";
import { startVotedStack } from "../support/voted-stack.ts";

const RELAY_KEY = "7e".repeat(32);
export const RELAY = walletOf(`0x${RELAY_KEY}`);
/** Each has a hundred tokens, no ether, and is at the relay once or twice. */
const VOTERS: readonly LocalAccount[] = Array.from({ length: 12 }, (_, place) =>
  privateKeyToAccount(`0x${(0x5000 + place).toString(16).padStart(64, "0")}`),
);
export const voter = (place: number): LocalAccount => VOTERS[place] as LocalAccount;
export const eventually = { timeout: 15_000, interval: 50 };

export class RelayWorld {
  readonly world: VotedChain;
  readonly endpoint: EndpointServer;
  /** Takes votes from the beginning on. */
  open = "";
  #stack: Stack | null = null;
  #votes: VoteClient | null = null;
  #made = 0;

  private constructor(world: VotedChain, endpoint: EndpointServer) {
    this.world = world;
    this.endpoint = endpoint;
  }

  static async start(): Promise<RelayWorld> {
    const world = await VotedChain.start(
      VOTERS.map((wallet) => ({ account: lower(wallet), amount: String(100n * TOKEN) })),
    );
    const relay = new RelayWorld(world, await startEndpoint(world.chain.url));
    await world.chain.client.setBalance({ address: RELAY, value: 10n ** 19n });
    relay.open = await relay.proposed();
    return relay;
  }

  get stack(): Stack {
    if (this.#stack === null) throw new Error("the relay was not begun");
    return this.#stack;
  }

  get votes(): VoteClient {
    if (this.#votes === null) throw new Error("the relay was not begun");
    return this.#votes;
  }

  /** Begins the deployment, or begins it again under the same address. */
  async begin(vars: Record<string, string> = {}): Promise<void> {
    const port = this.#stack?.port ?? 0;
    await this.#stack?.stop();
    this.#stack = await startVotedStack(
      this.world,
      {
        CHAIN_RPC: this.endpoint.url,
        RELAY_KEY,
        RELAY_BUDGET_WEI: String(10n ** 18n),
        RELAY_MINIMUM_VOTES: String(2n * TOKEN),
        ...vars,
      },
      { port },
    );
    this.#votes = new VoteClient(new PolderClient(this.#stack.url, { retries: 0 }));
  }

  /** A proposal that takes votes, or is about to. */
  async proposed(isActive = true): Promise<string> {
    this.#made += 1;
    const data = encodeFunctionData({
      abi: rewardParametersAbi,
      functionName: "change",
      args: [`0x${"00".repeat(32)}`, [{ parameter: 7, value: 110n }]],
    });
    const target = this.world.deployment.rewardParameters;
    const id = await this.world.propose(this.world.ann, [{ target, data }], `Number ${this.#made}`);
    if (isActive) await this.world.pass(VOTE.votingDelaySeconds + 1);
    return id.toString();
  }

  /** A proposal that the deployment shows as taking votes. */
  async opened(): Promise<string> {
    const id = await this.proposed();
    const shown = () =>
      this.votes.proposal(id).then(
        ({ proposal }) => proposal.state,
        () => null,
      );
    await expect.poll(shown, eventually).toBe("active");
    return id;
  }

  signed(wallet: LocalAccount, proposal: string, more: Partial<Ballot> = {}): Promise<SignedBallot> {
    return signBallot(
      wallet,
      { chainId: LOCAL_CHAIN_ID, governor: this.world.deployment.governor },
      { proposal, support: "for", nonce: 0, reason: "", ...more },
    );
  }

  /** The code and facts by which a ballot is refused. */
  async refused(ballot: object): Promise<[ErrorCode, Record<string, unknown>]> {
    try {
      await this.votes.relay(ballot as SignedBallot);
    } catch (error) {
      const { code, facts } = error as { code: ErrorCode; facts: Record<string, unknown> };
      return [code, facts];
    }
    throw new Error("was not refused");
  }

  governor(
    functionName: "hasVoted" | "proposalVotes" | "nonces",
    args: readonly unknown[],
  ): Promise<unknown> {
    return this.world.chain.client.readContract({
      address: this.world.deployment.governor,
      abi: polderGovernorAbi,
      functionName,
      args,
    } as never) as Promise<unknown>;
  }

  hasVoted(proposal: string, wallet: LocalAccount): Promise<unknown> {
    return this.governor("hasVoted", [BigInt(proposal), wallet.address]);
  }

  relayNonce(): Promise<number> {
    return this.world.chain.client.getTransactionCount({ address: RELAY });
  }

  /** Sends another's call at ten times its fee, so that it is in a block before it. */
  async overtake(hash: Hex, call?: Hex): Promise<void> {
    const before = await this.world.chain.client.getTransaction({ hash });
    const { wallet } = this.world.sender(this.world.ann);
    await wallet.sendTransaction({
      to: before.to as Hex,
      data: call ?? before.input,
      gas: 300_000n,
      maxFeePerGas: 10n * (before.maxFeePerGas as bigint),
      maxPriorityFeePerGas: 10n * (before.maxPriorityFeePerGas as bigint),
    });
  }

  /** What the relay says that it spent today. Wei. */
  async spent(): Promise<bigint> {
    return BigInt((await this.votes.overview()).relay?.spentWei ?? -1);
  }

  async stageOf(proposal: string, wallet: LocalAccount) {
    return (await this.votes.voter(proposal, lower(wallet))).relayed?.stage;
  }

  async stop(): Promise<void> {
    await this.#stack?.stop();
    await this.endpoint.stop();
    await this.world.stop();
  }
}

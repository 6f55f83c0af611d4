// Owns what a wallet does about votes: proposing, voting, queueing, executing, cancelling, delegating. It refuses nothing itself;
// each call is put to the contract before it is sent.

import type { Abi, Hash, LocalAccount } from "viem";
import { type ContractSender, sendCall } from "../../governance/calls/contract-call.ts";
import { voteAbi } from "../../governance/calls/vote-abi.ts";
import { type Ballot, type BallotPlace, ballotTypedData, SUPPORTS } from "../../governance/forms/ballot.ts";
import type { Draft } from "../../governance/forms/draft.ts";
import { proposalOf } from "../../governance/forms/draft.ts";
import { polderTokenAbi } from "../../governance/generated/abi.ts";
import type { VoteContracts } from "../../governance/proposals/vote-contracts.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type ChainConnection, walletOn } from "../chain/chain-connection.ts";

/** A ballot that anybody may send. */
export type SignedBallot = Ballot & { readonly signature: Hex };

/** A wallet at a vote. */
export class VoteWallet {
  readonly #sender: ContractSender;
  readonly #signer: LocalAccount;
  readonly #contracts: Pick<VoteContracts, "governor" | "token">;

  /** @throws ChainFault for a well-known wallet off the local chain */
  constructor(
    connection: ChainConnection,
    signer: LocalAccount,
    contracts: Pick<VoteContracts, "governor" | "token">,
  ) {
    this.#sender = { client: connection.client, wallet: walletOn(connection, signer) };
    this.#signer = signer;
    this.#contracts = contracts;
  }

  get address(): Hex {
    return this.#signer.address.toLowerCase() as Hex;
  }

  /** @returns the proposal's number, and its transaction. @throws ContractRefusal */
  async propose(
    draft: Draft,
    contracts: VoteContracts,
  ): Promise<{ readonly id: string; readonly hash: Hash }> {
    const { targets, values, calldatas, description } = proposalOf(draft, this.address, contracts);
    const { hash, result } = await this.#govern("propose", [targets, values, calldatas, description]);
    return { hash, id: String(result) };
  }

  /** @returns the votes that were counted. Base units. @throws ContractRefusal */
  async vote({ proposal, support, reason }: Pick<Ballot, "proposal" | "support" | "reason">) {
    const args = [BigInt(proposal), SUPPORTS.indexOf(support)];
    const { hash, result } =
      reason === ""
        ? await this.#govern("castVote", args)
        : await this.#govern("castVoteWithReason", [...args, reason]);
    return { hash, weight: result as bigint };
  }

  /** Hands what was passed to the timelock; anybody may. @throws ContractRefusal */
  async queue(proposal: string): Promise<Hash> {
    return (await this.#govern("queue", [BigInt(proposal)])).hash;
  }

  /** Executes what has waited; anybody may. @throws ContractRefusal */
  async execute(proposal: string): Promise<Hash> {
    return (await this.#govern("execute", [BigInt(proposal)])).hash;
  }

  /** Takes a proposal back that is still pending, or, for the guardian, any. @throws ContractRefusal */
  async cancel(proposal: string): Promise<Hash> {
    return (await this.#govern("cancel", [BigInt(proposal)])).hash;
  }

  /** Gives the wallet's votes, all of them, to an account: to itself, or to whoever votes for it. */
  async delegate(account: Hex): Promise<Hash> {
    const call = { address: this.#contracts.token, abi: polderTokenAbi as Abi, functionName: "delegate" };
    return (await sendCall(this.#sender, { ...call, args: [account] })).hash;
  }

  #govern(functionName: string, args: readonly unknown[]) {
    const call = { address: this.#contracts.governor, abi: voteAbi as Abi, functionName, args };
    return sendCall(this.#sender, call);
  }
}

/** What the relay may send in a wallet's place: it counts at this governor, once. */
export async function signBallot(
  signer: LocalAccount,
  place: BallotPlace,
  ballot: Omit<Ballot, "voter">,
): Promise<SignedBallot> {
  const whole = { ...ballot, voter: signer.address.toLowerCase() as Hex };
  return { ...whole, signature: await signer.signTypedData(ballotTypedData(place, whole)) };
}

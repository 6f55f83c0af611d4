// Owns what the relay asks of the chain about one ballot, and how it reads the answers. It refuses to believe that a ballot would
// count before the governor has said so.

import { decodeFunctionResult, encodeFunctionData } from "viem";
import { z } from "zod";
import { type Ballot, signedBallotCall } from "../../governance/forms/ballot.ts";
import { refusalIn } from "../../governance/forms/draft-check.ts";
import { polderGovernorAbi } from "../../governance/generated/abi.ts";
import type { Attempt } from "../../governance/proposals/chain-view.ts";
import type { Facts } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { PROPOSAL_STATES, type ProposalState } from "../../protocol/vote-answer.ts";
import { callAt, decode, hexText, quantity, troubleOf } from "../mirror/agreed-chain.ts";
import type { Rpc, RpcCall, RpcError, RpcResult } from "../mirror/rpc.ts";

/** What the governor says of a voter and a proposal. */
export interface VoterStanding {
  /** Null for no proposal of this governor. */
  readonly state: ProposalState | null;
  readonly hasVoted: boolean;
  /** At the snapshot; before it, 0. Base units. */
  readonly votes: bigint;
  readonly nonce: bigint;
}

/** What the governor would do with a ballot. */
export type Rehearsal = { readonly gas: number } | { readonly refused: Facts };

/** How a transaction went. */
export interface Receipt {
  readonly block: number;
  readonly isDone: boolean;
  readonly paidWei: bigint;
}

const wei = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(BigInt);
const receiptSchema = z
  .object({ blockNumber: quantity, status: quantity, gasUsed: wei, effectiveGasPrice: wei })
  .nullable();

/** More than any vote takes; an endpoint that estimates more is not believed. */
const MAX_GAS = 1_000_000;

/** The questions to one governor. */
export class RelayChain {
  readonly #governor: Hex;

  constructor(governor: Hex) {
    this.#governor = governor;
  }

  /** @param block as of which: a tag, or a block's hash. @throws ChainTrouble */
  async standing(rpc: Rpc, proposal: string, voter: Hex, block: unknown = "latest"): Promise<VoterStanding> {
    const id = BigInt(proposal);
    const [state, snapshot, voted, nonce] = (await this.#ask(rpc, [
      this.#call("state", [id], block),
      this.#call("proposalSnapshot", [id], block),
      this.#call("hasVoted", [id, voter], block),
      this.#call("nonces", [voter], block),
    ])) as [RpcResult, RpcResult, RpcResult, RpcResult];
    // With data it is the governor that refuses: it knows no such proposal.
    const isUnknown = "error" in state && state.error.data !== null;
    const found = isUnknown ? null : (PROPOSAL_STATES[Number(this.#read(rpc, "state", state))] ?? null);
    const isOpen = found !== null && found !== "pending";
    const votes = isOpen
      ? await this.#votes(rpc, voter, this.#read(rpc, "proposalSnapshot", snapshot) as bigint, block)
      : 0n;
    return {
      state: found,
      hasVoted: this.#read(rpc, "hasVoted", voted) as boolean,
      nonce: this.#read(rpc, "nonces", nonce) as bigint,
      votes,
    };
  }

  /** @throws ChainTrouble */
  async rehearse(rpc: Rpc, from: Hex, ballot: Ballot, signature: Hex): Promise<Rehearsal> {
    const data = signedBallotCall(ballot, signature);
    const estimate = { method: "eth_estimateGas", params: [{ from, to: this.#governor, data }] };
    const [said, gas] = await this.#ask(rpc, [callAt(this.#governor, data, "latest", from), estimate]);
    if (said !== undefined && "error" in said) return refusedWith(said.error);
    // Some endpoints estimate on top of what waits to get in: the same ballot may, sent by somebody else.
    if (gas !== undefined && "error" in gas && gas.error.data !== null) return refusedWith(gas.error);
    if (gas === undefined || "error" in gas)
      throw troubleOf(rpc.fault("refused", gas?.error.message ?? "no gas"));
    const estimated = decode(rpc, quantity, gas.result);
    if (estimated > MAX_GAS) throw troubleOf(rpc.fault("malformed", `a vote takes ${estimated} gas`));
    // Storage may be dearer by the time it is in a block.
    return { gas: Math.ceil(estimated * 1.25) };
  }

  /** Of the first of these transactions that is in a block; null where none is. @throws ChainTrouble */
  async receipt(rpc: Rpc, transactions: readonly Hex[]): Promise<Receipt | null> {
    const calls = transactions.map((hash) => ({ method: "eth_getTransactionReceipt", params: [hash] }));
    for (const answer of await this.#ask(rpc, calls)) {
      const found = "error" in answer ? null : decode(rpc, receiptSchema, answer.result);
      if (found === null) continue;
      const { blockNumber, status, gasUsed, effectiveGasPrice } = found;
      return { block: blockNumber, isDone: status === 1, paidWei: gasUsed * effectiveGasPrice };
    }
    return null;
  }

  /** @throws ChainTrouble */
  async weiOf(rpc: Rpc, account: Hex): Promise<bigint> {
    const [answer] = await this.#ask(rpc, [{ method: "eth_getBalance", params: [account, "latest"] }]);
    if (answer === undefined || "error" in answer) throw troubleOf(rpc.fault("refused", "no balance"));
    return decode(rpc, wei, answer.result);
  }

  async #votes(rpc: Rpc, voter: Hex, snapshotS: bigint, block: unknown): Promise<bigint> {
    const [answer] = await this.#ask(rpc, [this.#call("getVotes", [voter, snapshotS], block)]);
    return this.#read(rpc, "getVotes", answer as RpcResult) as bigint;
  }

  #call(functionName: GovernorRead, args: readonly unknown[], block: unknown): RpcCall {
    const data = encodeFunctionData({ abi: polderGovernorAbi, functionName, args } as never);
    return callAt(this.#governor, data, block);
  }

  #read(rpc: Rpc, functionName: GovernorRead, answer: RpcResult): unknown {
    if ("error" in answer) throw troubleOf(rpc.fault("refused", `${functionName}: ${answer.error.message}`));
    const data = decode(rpc, hexText, answer.result);
    return decodeFunctionResult({ abi: polderGovernorAbi, functionName, data });
  }

  async #ask(rpc: Rpc, calls: readonly RpcCall[]): Promise<RpcResult[]> {
    try {
      return await rpc.ask(calls);
    } catch (error) {
      throw troubleOf(error);
    }
  }
}

function refusedWith({ data, message }: RpcError): Rehearsal {
  const attempt: Attempt = { reverted: data, message };
  return { refused: refusalIn(attempt) ?? { refusal: message } };
}

type GovernorRead = "state" | "proposalSnapshot" | "hasVoted" | "nonces" | "getVotes";

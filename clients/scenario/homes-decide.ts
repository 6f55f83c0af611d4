// Owns a vote of a market's homes on its chain, step by step with what each step costs, and the plain case in which all of them
// are for it. It refuses nothing; the contracts do.

import { type Abi, encodeFunctionData, type Hex, keccak256, toBytes } from "viem";
import { sendCall } from "../../governance/calls/contract-call.ts";
import { describedBy, voteAbi } from "../../governance/calls/vote-abi.ts";
import { polderTokenAbi } from "../../governance/generated/abi.ts";
import { senderOf } from "./lying-operator.ts";
import type { Home, SettledMarket } from "./settled-market.ts";

/** How a vote is counted by the governor (its `VoteType`). */
const SUPPORT = { against: 0, for: 1 } as const;

/** What is decided. */
export interface Decision {
  readonly address: Hex;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly description: string;
}

/** A step of a vote, and the gas of its transaction. */
export interface VoteStep {
  readonly step: "delegate" | "propose" | "vote" | "queue" | "execute";
  readonly by: string;
  readonly gas: number;
}

/** One decision on its way. */
export class HomesVote {
  readonly steps: VoteStep[] = [];
  readonly #market: SettledMarket;
  #proposal = 0n;
  /** As the governor takes a proposal again when it is queued and executed. */
  #whole: readonly unknown[] = [];

  constructor(market: SettledMarket) {
    this.#market = market;
  }

  /** The proposal's number; 0 before there is one. */
  get proposal(): bigint {
    return this.#proposal;
  }

  /** Gives a home's votes to another. */
  async delegate(home: Home, to: Home): Promise<void> {
    const token = { address: this.#market.deployment.token, abi: polderTokenAbi as Abi };
    await this.#send("delegate", home, { ...token, functionName: "delegate", args: [to.account] });
  }

  async propose(home: Home, decision: Decision): Promise<void> {
    const description = describedBy(decision.description, home.account);
    const calls = [[decision.address], [0n], [encodeFunctionData(decision as never)]] as const;
    this.#proposal = (await this.#call("propose", home, "propose", [...calls, description])) as bigint;
    this.#whole = [...calls, keccak256(toBytes(description))];
    await this.#passTo("proposalSnapshot", 1n);
  }

  async vote(home: Home, support: keyof typeof SUPPORT, reason = ""): Promise<void> {
    const ballot = [this.#proposal, SUPPORT[support]];
    if (reason === "") await this.#call("vote", home, "castVote", ballot);
    else await this.#call("vote", home, "castVoteWithReason", [...ballot, reason]);
  }

  /** Waits for the end of the vote, queues what was passed, and executes it when its time has come. */
  async carryOut(home: Home): Promise<void> {
    await this.#passTo("proposalDeadline", 1n);
    await this.#call("queue", home, "queue", this.#whole);
    await this.#passTo("proposalEta", 0n);
    await this.#call("execute", home, "execute", this.#whole);
  }

  async #passTo(functionName: string, extraS: bigint): Promise<void> {
    const call = { ...this.#governor(), functionName, args: [this.#proposal] };
    const atS = (await this.#market.settlement.connection.client.readContract(call)) as bigint;
    await this.#market.passTo(Number(atS + extraS));
  }

  #call(
    step: VoteStep["step"],
    home: Home,
    functionName: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    return this.#send(step, home, { ...this.#governor(), functionName, args });
  }

  async #send(step: VoteStep["step"], home: Home, call: Parameters<typeof sendCall>[1]): Promise<unknown> {
    const sender = senderOf(this.#market, home.wallet);
    const { hash, result } = await sendCall(sender, call);
    const { gasUsed } = await sender.client.getTransactionReceipt({ hash });
    this.steps.push({ step, by: home.name, gas: Number(gasUsed) });
    return result;
  }

  #governor() {
    return { address: this.#market.deployment.governor, abi: voteAbi as Abi };
  }
}

/** All homes decide for something, letting the chain's time pass. @throws ContractRefusal where they may not */
export async function homesDecide(market: SettledMarket, decision: Decision): Promise<void> {
  const { homes } = market;
  const [proposer] = homes as [Home];
  const vote = new HomesVote(market);
  await vote.propose(proposer, decision);
  for (const home of homes) await vote.vote(home, "for");
  await vote.carryOut(proposer);
}

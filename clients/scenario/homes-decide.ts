// Owns a decision of the homes: one proposes a call, all vote for it, and it is executed when its time has come. It refuses
// nothing; the contracts do.

import { type Abi, encodeFunctionData, type Hex, keccak256, toBytes } from "viem";
import { sendCall } from "../../governance/calls/contract-call.ts";
import { describedBy, voteAbi } from "../../governance/calls/vote-abi.ts";
import { senderOf } from "./lying-operator.ts";
import type { SettledMarket } from "./settled-market.ts";

const FOR = 1;

/** What is decided. */
export interface Decision {
  readonly address: Hex;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly description: string;
}

/** Proposes, votes, queues and executes, letting the chain's time pass in between. @throws ContractRefusal where it may not */
export async function homesDecide(market: SettledMarket, decision: Decision): Promise<void> {
  const { homes, deployment } = market;
  const [proposer] = homes as [(typeof homes)[number]];
  const governor = { address: deployment.governor, abi: voteAbi as Abi };
  const client = market.settlement.connection.client;
  const send = (home: typeof proposer, functionName: string, args: readonly unknown[]) =>
    sendCall(senderOf(market, home.wallet), { ...governor, functionName, args });
  const passTo = async (functionName: string, extraS: bigint): Promise<void> => {
    const atS = (await client.readContract({ ...governor, functionName, args: [proposal] })) as bigint;
    await market.passTo(Number(atS + extraS));
  };
  const description = describedBy(decision.description, proposer.account);
  const calls = [[decision.address], [0n], [encodeFunctionData(decision as never)]] as const;
  const { result } = await send(proposer, "propose", [...calls, description]);
  const proposal = result as bigint;
  await passTo("proposalSnapshot", 1n);
  for (const home of homes) await send(home, "castVote", [proposal, FOR]);
  await passTo("proposalDeadline", 1n);
  const whole = [...calls, keccak256(toBytes(description))];
  await send(proposer, "queue", whole);
  await passTo("proposalEta", 0n);
  await send(proposer, "execute", whole);
}

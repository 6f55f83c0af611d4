// Owns how a ballot that was taken gets on: sent again while it is in no block, held against final blocks once it is, and sent
// anew where one was undone. It refuses to give a ballot up before the governor does.

import { z } from "zod";
import { type Ballot, signedBallotCall } from "../../governance/forms/ballot.ts";
import type { Hex } from "../../protocol/fields.ts";
import { decode, quantity, troubleOf } from "../mirror/agreed-chain.ts";
import type { LatestView, Outbox } from "../mirror/outbox.ts";
import type { Rpc } from "../mirror/rpc.ts";
import { type BallotPosting, nameOf, type RelayBallots, type RelayedBallot } from "./relay-ballots.ts";
import type { RelayChain } from "./relay-chain.ts";

/** What following ballots needs. */
export interface RelayFollowing {
  readonly view: LatestView;
  readonly ballots: RelayBallots;
  readonly outbox: Outbox<BallotPosting>;
  readonly chain: RelayChain;
  /** The relay's wallet. */
  readonly account: Hex;
}

const finalBlock = z.object({ number: quantity, hash: z.string() });

/** Looks at all open ballots once. @throws ChainTrouble */
export async function followBallots(following: RelayFollowing): Promise<void> {
  const { view, ballots, outbox } = following;
  await noteTransactions(following);
  await outbox.settle(view);
  // A dearer version has another hash: whichever gets in is looked for.
  await noteTransactions(following);
  for (const ballot of ballots.open()) {
    if (ballot.stage === "included") await followIncluded(following, ballot);
    else if ((await outbox.inFlight(nameOf(ballot))) === null) await resolve(following, ballot);
  }
}

/** Keeps each version's hash with its ballot, and sets aside what a dearer one may cost. */
async function noteTransactions({ ballots, outbox }: RelayFollowing): Promise<void> {
  for (const ballot of ballots.open()) {
    const sent = await outbox.inFlight(nameOf(ballot));
    if (sent === null || ballot.transactions.includes(sent.transaction)) continue;
    const wei = BigInt(sent.gas) * sent.maxFeeWei;
    ballots.put({
      ...ballot,
      transactions: [...ballot.transactions, sent.transaction],
      wei: wei > ballot.wei ? wei : ballot.wei,
    });
  }
}

/** The outbox has nothing of it: its nonce is used, or it died before it was kept. */
async function resolve(following: RelayFollowing, ballot: RelayedBallot): Promise<void> {
  const { view, ballots, chain } = following;
  const receipt = await chain.receipt(view.rpc, ballot.transactions);
  if (receipt !== null) {
    // Sent for nothing, when somebody else was quicker with it or the vote was over: it was paid all the same.
    const stage = receipt.isDone ? "included" : "refused";
    ballots.put({ ...ballot, stage, wei: receipt.paidWei, block: receipt.block });
    return;
  }
  const { state, hasVoted } = await chain.standing(view.rpc, ballot.proposal, ballot.voter);
  if (hasVoted) ballots.put({ ...ballot, stage: "included", block: null });
  else if (state === "active") await sendAnew(following, ballot);
  else ballots.put({ ...ballot, stage: "refused" });
}

async function sendAnew(
  { view, ballots, outbox, chain, account }: RelayFollowing,
  ballot: RelayedBallot,
): Promise<void> {
  const rehearsal = await chain.rehearse(view.rpc, account, ballotIn(ballot), ballot.signature);
  if ("refused" in rehearsal) {
    ballots.put({ ...ballot, stage: "refused" });
    return;
  }
  const data = signedBallotCall(ballotIn(ballot), ballot.signature);
  await outbox.post({ name: nameOf(ballot), data, gas: rehearsal.gas }, view);
}

/** In a block: over when a final one says so; one that was undone is looked for again. */
async function followIncluded(
  { view, ballots, chain }: RelayFollowing,
  ballot: RelayedBallot,
): Promise<void> {
  const final = await finalised(view.rpc);
  if (final.number < (ballot.block ?? 0)) return;
  const at = { blockHash: final.hash, requireCanonical: true };
  const { hasVoted } = await chain.standing(view.rpc, ballot.proposal, ballot.voter, at);
  if (hasVoted) ballots.put({ ...ballot, stage: "counted" });
  else if (ballot.block !== null) ballots.put({ ...ballot, stage: "sent", block: null });
}

async function finalised(rpc: Rpc): Promise<z.infer<typeof finalBlock>> {
  try {
    const [block] = await rpc.need([{ method: "eth_getBlockByNumber", params: ["finalized", false] }]);
    return decode(rpc, finalBlock, block);
  } catch (error) {
    throw troubleOf(error);
  }
}

function ballotIn({ proposal, support, voter, nonce, reason }: RelayedBallot): Ballot {
  return { proposal, support, voter, nonce, reason };
}

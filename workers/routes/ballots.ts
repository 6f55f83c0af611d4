// Owns the paths of the relay: what a voter needs to sign, and the ballot that was signed. It refuses what it can without asking
// the chain: signatures of others, voters who never had votes, proposals that take none.

import { hashTypedData } from "viem";
import { z } from "zod";
import type { Env } from "../../durable-objects/environment.ts";
import { recoverWallet } from "../../evidence/wallet-signature.ts";
import { type Ballot, ballotFields, ballotTypedData, ownBallotCall } from "../../governance/forms/ballot.ts";
import { address, type Hex, signatureBytes } from "../../protocol/fields.ts";
import { decimal, relayedAnswer, voterAnswer } from "../../protocol/vote-answer.ts";
import { Refusal, refuse } from "../problems.ts";
import { type Application, route } from "../router.ts";
import { heard, voteIndex, voteRelay } from "../vote-access.ts";

const tag = "governance";
const voterParams = z.strictObject({ proposal: decimal, voter: address });
const signedBallot = ballotFields.extend({ signature: signatureBytes });

/** Registers the paths. */
export function ballotRoutes(application: Application): void {
  route(
    application,
    {
      ...{ method: "get", path: "/v1/governance/proposals/:proposal/voters/:voter", tag },
      summary: "A voter on a proposal: votes, the nonce of the next ballot, and what became of a relayed one",
      params: voterParams,
      answers: voterAnswer,
    },
    async ({ context, env, params: { proposal, voter } }) => {
      const known = await heard(voteIndex(env).voter(proposal, voter));
      // Whoever never had votes has signed nothing that counted: the chain need not be asked.
      if (!known.everHadVotes)
        return context.json({
          ...{ proposal, voter, state: known.state, hasVoted: known.hasVoted },
          ...{ votes: "0", nonce: 0, relayed: null },
        });
      const standing = await heard(voteRelay(env).voter(proposal, voter));
      if (standing === null) throw new Refusal("proposal_not_found", { proposal });
      return context.json(standing);
    },
  );
  route(
    application,
    {
      ...{ method: "post", path: "/v1/governance/votes", tag },
      summary: "Hand in a signed ballot, which the relay sends and pays for",
      description:
        "Signed as EIP-712 typed data of the governor: `Ballot`, or `ExtendedBallot` with a reason. The same ballot again gets the same answer. A refusal for money holds the call for the voter's own wallet.",
      body: signedBallot,
      answers: relayedAnswer,
    },
    async ({ context, env, body: { signature, ...ballot } }) => {
      const index = voteIndex(env);
      requireSigned(env, ballot, signature);
      const { proposal, voter } = ballot;
      const known = await heard(index.voter(proposal, voter));
      if (!known.everHadVotes)
        throw new Refusal("votes_below_minimum", {
          votes: "0",
          to: env.GOVERNOR.toLowerCase(),
          data: ownBallotCall(ballot),
        });
      return context.json(await heard(voteRelay(env).cast(ballot, signature)));
    },
  );
}

/** @throws Refusal for a signature that is not the voter's own, over this very ballot, for this governor */
function requireSigned(env: Env, ballot: Ballot, signature: Hex): void {
  const place = { chainId: Number(env.CHAIN_ID), governor: env.GOVERNOR.toLowerCase() as Hex };
  const verdict = recoverWallet(hashTypedData(ballotTypedData(place, ballot)), signature);
  if (!verdict.ok) refuse(verdict);
  else if (verdict.wallet !== ballot.voter)
    throw new Refusal("signature_invalid", { voter: ballot.voter, signer: verdict.wallet });
}

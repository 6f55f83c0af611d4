// Owns ballots that are signed and sent by somebody else: what a voter signs, and the call that carries it. It refuses parameters
// of a vote, which this governor's counting does not know.

import { encodeFunctionData, type TypedDataDefinition } from "viem";
import { z } from "zod";
import { address, bounded, type Hex } from "../../protocol/fields.ts";
import { decimal } from "../../protocol/vote-answer.ts";
import { polderGovernorAbi } from "../generated/abi.ts";

/** By the numbers that the governor counts. */
export const SUPPORTS = ["against", "for", "abstain"] as const;
export type Support = (typeof SUPPORTS)[number];

/** What a reason may be through the relay, which pays for every byte; a wallet of one's own has no such limit. */
export const MAX_REASON_BYTES = 512;
const NO_PARAMETERS: Hex = "0x";

export const ballotFields = z.strictObject({
  proposal: decimal,
  support: z.enum(SUPPORTS),
  voter: address,
  nonce: bounded(0, Number.MAX_SAFE_INTEGER).meta({ description: "the voter's next one at the governor" }),
  reason: z
    .string()
    .refine(
      (text) => new TextEncoder().encode(text).length <= MAX_REASON_BYTES,
      `is more than ${MAX_REASON_BYTES} bytes`,
    )
    .refine((text) => text.isWellFormed(), "is no text")
    .default(""),
});
export type Ballot = z.infer<typeof ballotFields>;

/** Where a ballot counts: it is worth nothing at any other governor or chain. */
export interface BallotPlace {
  readonly chainId: number;
  readonly governor: Hex;
}

const PLAIN = [
  { name: "proposalId", type: "uint256" },
  { name: "support", type: "uint8" },
  { name: "voter", type: "address" },
  { name: "nonce", type: "uint256" },
] as const;
const EXTENDED = [...PLAIN, { name: "reason", type: "string" }, { name: "params", type: "bytes" }] as const;

/** What the voter signs (EIP-712); without a reason the shorter form, as the governor has two. */
export function ballotTypedData({ chainId, governor }: BallotPlace, ballot: Ballot): TypedDataDefinition {
  const { proposal, support, voter, nonce, reason } = ballot;
  const message = {
    proposalId: BigInt(proposal),
    support: SUPPORTS.indexOf(support),
    voter,
    nonce: BigInt(nonce),
  };
  const domain = { name: "PolderGovernor", version: "1", chainId, verifyingContract: governor } as const;
  return reason === ""
    ? { domain, types: { Ballot: PLAIN }, primaryType: "Ballot", message }
    : {
        domain,
        types: { ExtendedBallot: EXTENDED },
        primaryType: "ExtendedBallot",
        message: { ...message, reason, params: NO_PARAMETERS },
      };
}

/** The governor's call that counts a signed ballot, whoever sends it. */
export function signedBallotCall(ballot: Ballot, signature: Hex): Hex {
  const { proposal, support, voter, reason } = ballot;
  const [id, number] = [BigInt(proposal), SUPPORTS.indexOf(support)];
  return reason === ""
    ? encodeFunctionData({
        abi: polderGovernorAbi,
        functionName: "castVoteBySig",
        args: [id, number, voter, signature],
      })
    : encodeFunctionData({
        abi: polderGovernorAbi,
        functionName: "castVoteWithReasonAndParamsBySig",
        args: [id, number, voter, reason, NO_PARAMETERS, signature],
      });
}

/** The call by which the voter's own wallet votes. */
export function ownBallotCall({
  proposal,
  support,
  reason,
}: Pick<Ballot, "proposal" | "support" | "reason">): Hex {
  const [id, number] = [BigInt(proposal), SUPPORTS.indexOf(support)];
  return reason === ""
    ? encodeFunctionData({ abi: polderGovernorAbi, functionName: "castVote", args: [id, number] })
    : encodeFunctionData({
        abi: polderGovernorAbi,
        functionName: "castVoteWithReason",
        args: [id, number, reason],
      });
}

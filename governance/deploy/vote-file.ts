// Owns the part of a deploy file that says how votes go and who holds the token in the beginning. It refuses a beginning in
// which no vote could ever be proposed or pass.

import { z } from "zod";
import { address, bounded, tokenAmount } from "../../protocol/fields.ts";

/** Each costs the token's creation an entry and a delegation; all of them must fit in one block. */
export const MOST_MEMBERS = 100;

/** Bounds that governance/vote/VoteLimits.sol has as well, and the timelock's own. Seconds and percent. */
export const VOTE_LIMITS = {
  votingDelaySeconds: { least: 3_600, most: 14 * 86_400 },
  votingPeriodSeconds: { least: 86_400, most: 30 * 86_400 },
  lateQuorumSeconds: { least: 6 * 3_600, most: 30 * 86_400 },
  /** Whoever disagrees with what was passed needs time to leave. */
  timelockDelaySeconds: { least: 86_400, most: 30 * 86_400 },
  quorumPercent: { least: 1, most: 50 },
  thresholdPercent: 1,
} as const;

/** Times that the local chain may have as short as it likes, but not zero. */
export const VOTE_TIMES = [
  "votingDelaySeconds",
  "votingPeriodSeconds",
  "lateQuorumSeconds",
  "timelockDelaySeconds",
] as const;

const time = (name: (typeof VOTE_TIMES)[number]) => bounded(1, VOTE_LIMITS[name].most);

const memberSchema = z.strictObject({
  account: address,
  /** Base units; they count as the member's own votes at once. */
  amount: tokenAmount.refine((amount) => amount !== "0", "a member holds nothing"),
});

/** How votes go, and the token's beginning. */
export const voteSchema = z
  .strictObject({
    members: z
      .array(memberSchema)
      .min(1)
      .max(MOST_MEMBERS)
      .refine(
        (members) => new Set(members.map(({ account }) => account)).size === members.length,
        "a member stands twice",
      ),
    /** What the timelock holds from the beginning; it does not vote. Base units. */
    treasuryAmount: tokenAmount,
    /** The most that may ever exist. Base units. */
    cap: tokenAmount,
    /** By how much the ceiling on all rewards grows in a day. Base units. */
    mostPerDay: tokenAmount,
    /** From a proposal to the moment whose balances count. */
    votingDelaySeconds: time("votingDelaySeconds"),
    votingPeriodSeconds: time("votingPeriodSeconds"),
    /** How long a vote stays open after its quorum was reached. */
    lateQuorumSeconds: time("lateQuorumSeconds"),
    /** From a vote's end to its execution, at the least. */
    timelockDelaySeconds: time("timelockDelaySeconds"),
    /** Of all tokens, the treasury's included. */
    quorumPercent: bounded(VOTE_LIMITS.quorumPercent.least, VOTE_LIMITS.quorumPercent.most),
    /** Votes that a proposer needs. Base units. */
    proposalThreshold: tokenAmount,
    /** Who may cancel proposals; nobody without it. */
    guardian: address.optional(),
  })
  .superRefine((vote, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    const amounts = vote.members.map(({ amount }) => BigInt(amount));
    const voting = amounts.reduce((sum, amount) => sum + amount, 0n);
    const supply = voting + BigInt(vote.treasuryAmount);
    if (supply > BigInt(vote.cap)) refuse("cap", "the beginning is more than the cap");
    if (voting * 100n < supply * BigInt(vote.quorumPercent))
      refuse("quorumPercent", "all members together do not reach the quorum");
    const threshold = BigInt(vote.proposalThreshold);
    if (threshold * 100n > supply * BigInt(VOTE_LIMITS.thresholdPercent))
      refuse("proposalThreshold", `it is more than ${VOTE_LIMITS.thresholdPercent} percent of the supply`);
    if (amounts.every((amount) => amount < threshold))
      refuse("proposalThreshold", "no member could propose anything");
    if (vote.lateQuorumSeconds > vote.votingPeriodSeconds)
      refuse("lateQuorumSeconds", "it is longer than the voting period");
  });
export type VoteFile = z.infer<typeof voteSchema>;

/** The longest that a decision takes from its proposal on, executed at once. Seconds. */
export function longestVoteSeconds(vote: VoteFile): number {
  const { votingDelaySeconds, votingPeriodSeconds, lateQuorumSeconds, timelockDelaySeconds } = vote;
  return votingDelaySeconds + votingPeriodSeconds + lateQuorumSeconds + timelockDelaySeconds;
}

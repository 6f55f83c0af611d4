// Owns what the page says of a vote: its state, its times, how it stands, and what it would have changed. It refuses to round
// up: tokens and shares are cut.

import type { PreviewAnswer } from "../../protocol/preview-answer.ts";
import type { ProposalAnswer } from "../../protocol/vote-answer.ts";
import { tokensText } from "./amounts.ts";

/** Base units, as texts carry them. */
export const tokens = (baseUnits: string): string => tokensText(BigInt(baseUnits));

/** Days and hours, hours and minutes, or less. */
export function spanText(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor((seconds % 86_400) / 3_600),
    Math.floor((seconds % 3_600) / 60),
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}

const STATES: Readonly<Record<ProposalAnswer["state"], string>> = {
  pending: "not open yet",
  active: "open for votes",
  cancelled: "taken back",
  defeated: "not passed",
  succeeded: "passed, to be queued",
  queued: "passed, waiting",
  expired: "expired",
  executed: "done",
};

/** Where a proposal stands, and how long it will. */
export function stateText({ state, executedBy, cancelledBy, waitsFor, secondsLeft }: ProposalAnswer): string {
  if (executedBy === "timelock") return "done, past the governor";
  if (cancelledBy === "timelock") return "cancelled in the timelock";
  if (waitsFor === null || secondsLeft === null) return STATES[state];
  if (waitsFor === "eta" && secondsLeft === 0) return "passed, can be executed";
  return `${STATES[state]}, ${spanText(secondsLeft)} left`;
}

/** Of for and against together, in whole percent; null while nobody has said either. */
export function sharePercent({ votes }: Pick<ProposalAnswer, "votes">): number | null {
  const [inFavour, all] = [BigInt(votes.for), BigInt(votes.for) + BigInt(votes.against)];
  return all === 0n ? null : Number((inFavour * 100n) / all);
}

/** For and abstain beside the quorum, and whose quorum that is. */
export function quorumText({ quorum, votes }: Pick<ProposalAnswer, "quorum" | "votes">): string {
  const counted = tokensText(BigInt(votes.for) + BigInt(votes.abstain));
  const needed = `${counted} of ${tokens(quorum.votes)} votes that count for the quorum`;
  if (!quorum.isAtSnapshot) return `${needed}, as of today: the snapshot that decides is still to come`;
  return quorum.isReached ? `${needed}: reached` : needed;
}

/** A line of what was paid and would have been. */
export interface EffectLine {
  readonly label: string;
  readonly paid: string;
  readonly preview: string;
  readonly isChanged: boolean;
}

/** What the last epochs would have paid, for all and for the household that is shown. */
export function effectLines(
  { total, resources, own }: PreviewAnswer,
  ofMoney: (micros: number) => string,
): EffectLine[] {
  const line = (label: string, paid: string, preview: string): EffectLine => ({
    ...{ label, paid, preview },
    isChanged: paid !== preview,
  });
  const money = (micros: string): string => ofMoney(Number(micros));
  const rows = [
    line("Rewards of all", tokens(total.paid.rewards), tokens(total.preview.rewards)),
    ...resources
      .filter(({ resource, units }) => resource !== "energy" && units !== "0")
      .map(({ resource, paid, preview }) =>
        line(`Of them for ${resource}`, tokens(paid.rewards), tokens(preview.rewards)),
      ),
    line("To the treasury", money(total.paid.feesMicros), money(total.preview.feesMicros)),
    line("Network fees", money(total.paid.networkMicros), money(total.preview.networkMicros)),
  ];
  if (own === null) return rows;
  return [
    ...rows,
    line("This household’s rewards", tokens(own.paid.rewards), tokens(own.preview.rewards)),
    line("Received for its sales", money(own.paid.receivedMicros), money(own.preview.receivedMicros)),
    line("Network fees it paid", money(own.paid.networkMicros), money(own.preview.networkMicros)),
  ];
}

/** What a reader of those lines must know beside them. */
export function effectHints({ selfTrading, leftOut }: PreviewAnswer): string[] {
  const easier = selfTrading.filter(({ change }) => change === "easier").map(({ resource }) => resource);
  const hints =
    easier.length === 0
      ? []
      : [`Trading ${easier.join(" and ")} with oneself would pay at a lower worth of the token than now.`];
  const without = new Set(leftOut.deliveries.map(({ epoch }) => epoch)).size;
  if (without === 0) return hints;
  const resources = [...new Set(leftOut.deliveries.map(({ resource }) => resource))].join(" and ");
  return [...hints, `Without ${resources} of ${without} older epochs, which do not tell whose it was.`];
}

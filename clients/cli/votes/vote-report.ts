// Owns how votes are written for people: states, times, quorums, calls, and what a draft would do. It refuses to round: amounts
// are cut, never up.

import { formatUnits } from "viem";
import type { PreviewAnswer } from "../../../protocol/preview-answer.ts";
import type {
  BallotAnswer,
  BlockAnswer,
  DelegateAnswer,
  OperationAnswer,
  ParametersAnswer,
  ProposalAnswer,
  RefusalAnswer,
} from "../../../protocol/vote-answer.ts";
import { instant, kwh, money, table } from "../figures.ts";

/** The token has eighteen decimals; votes are shown in whole tokens and four places. */
export function tokens(baseUnits: string | bigint): string {
  const [whole = "", part = ""] = formatUnits(BigInt(baseUnits), 18).split(".");
  const shown = part.slice(0, 4).replace(/0+$/, "");
  return shown === "" ? whole : `${whole}.${shown}`;
}

/** Texts of strangers: what would steer a terminal, or turn a line's direction, is shown as a mark in its place. */
export function plain(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, "\u{fffd}");
}

/** A span of time as people say it: days, hours, minutes. */
export function span(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor((seconds % 86_400) / 3_600), "h"],
    [Math.floor((seconds % 3_600) / 60), "min"],
  ];
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return shown.length === 0 ? `${seconds} s` : shown.slice(0, 2).join(" ");
}

/** Chain times are told in this machine's zone. */
const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
export const when = (atS: number): string => instant(atS, zone());

const WAITS = { snapshot: "to its snapshot", end: "to vote", eta: "to execution" } as const;

function waiting({ waitsFor, secondsLeft }: ProposalAnswer): string {
  if (waitsFor === null || secondsLeft === null) return "";
  if (waitsFor === "eta" && secondsLeft === 0) return "can be executed";
  return `${span(secondsLeft)} ${WAITS[waitsFor]}`;
}

/** A line a proposal. */
export function proposalTable(proposals: readonly ProposalAnswer[]): string {
  return table(
    ["proposal", "state", "title", "for", "against", "abstain", "quorum", ""],
    proposals.map((proposal) => [
      short(proposal.id),
      stateOf(proposal),
      plain(proposal.title).slice(0, 48),
      tokens(proposal.votes.for),
      tokens(proposal.votes.against),
      tokens(proposal.votes.abstain),
      quorumOf(proposal),
      waiting(proposal),
    ]),
  );
}

/** A number of 78 digits, as far as nobody mistakes it; commands take its beginning. */
export function short(id: string): string {
  return id.length <= 10 ? id : id.slice(0, 10);
}

function stateOf({ state, executedBy, cancelledBy }: ProposalAnswer): string {
  if (executedBy === "timelock") return "executed past the governor";
  if (cancelledBy === "timelock") return "cancelled in the timelock";
  return state;
}

function quorumOf({ quorum }: ProposalAnswer): string {
  const needed = `${tokens(quorum.votes)}${quorum.isAtSnapshot ? "" : " today"}`;
  return quorum.isReached ? `${needed}, reached` : needed;
}

/** All of one proposal. */
export function proposalReport(
  proposal: ProposalAnswer,
  ballots: readonly BallotAnswer[],
  previews: readonly PreviewAnswer[],
): string {
  const { quorum, votes } = proposal;
  const rows: [string, string][] = [
    ["proposal", proposal.id],
    ["state", [stateOf(proposal), waiting(proposal)].filter((part) => part !== "").join(", ")],
    ["proposed by", proposal.proposer],
    ["votes count as of", when(proposal.snapshotS)],
    [
      "takes votes until",
      `${when(proposal.endsAtS)}${proposal.isExtended ? " (extended: the quorum came late)" : ""}`,
    ],
    ["for, against, abstain", [votes.for, votes.against, votes.abstain].map(tokens).join(", ")],
    [
      quorum.isAtSnapshot ? "quorum at its snapshot" : "quorum if the snapshot were now",
      `${tokens(quorum.votes)}, ${quorum.isReached ? "reached" : "not reached"}`,
    ],
    ["timelock operation", proposal.operationId],
    ...(proposal.etaS === null
      ? []
      : ([["can be executed from", when(proposal.etaS)]] as [string, string][])),
  ];
  return [
    plain(proposal.description),
    "",
    table([], rows),
    ...proposal.calls.map(({ words }, place) => `call ${place + 1}: ${words}`),
    ...changeLines(proposal),
    ...(ballots.length === 0 ? [] : ["", ballotTable(ballots)]),
    ...previews.flatMap((preview) => ["", previewReport(preview)]),
  ].join("\n");
}

function changeLines({ changes }: Pick<ProposalAnswer, "changes">): string[] {
  return changes.flatMap(({ region, values }) =>
    values.map(({ name, current, value }) => `  ${region} ${name}: ${current ?? "?"} -> ${value}`),
  );
}

function ballotTable(ballots: readonly BallotAnswer[]): string {
  return table(
    ["voter", "vote", "weight", "reason"],
    ballots.map(({ voter, support, weight, reason }) => [
      voter,
      support,
      tokens(weight),
      plain(reason).replaceAll("\n", " ").slice(0, 60),
    ]),
  );
}

export function operationTable(operations: readonly OperationAnswer[]): string {
  return table(
    ["operation", "state", "ready", "proposal", "calls"],
    operations.map(({ id, state, readyAtS, proposal, calls }) => [
      id.slice(0, 10),
      state,
      readyAtS === null ? "" : when(readyAtS),
      proposal === null ? "NONE: no proposal made it" : short(proposal),
      calls.map(({ words }) => words.slice(0, 60)).join("; "),
    ]),
  );
}

export function delegateTable(delegates: readonly DelegateAnswer[]): string {
  return table(
    ["delegate", "votes", "named by"],
    delegates.map(({ account, votes, delegators }) => [account, tokens(votes), delegators]),
  );
}

/** The form of a region's values. */
export function formTable({ values }: ParametersAnswer): string {
  return table(
    ["value", "now", "next vote", "bounds", "unit", ""],
    values.map((value) => [
      value.name,
      value.current,
      `${value.lowestNext} to ${value.highestNext}`,
      `${value.least} to ${value.most}`,
      value.unit,
      value.isCoolingDown ? `changed lately: from ${when(value.changeableAtS)}` : "",
    ]),
  );
}

/** What a draft is refused for, a line each. */
export function refusalLines(refusals: readonly RefusalAnswer[]): string[] {
  return refusals.map(({ code, facts, call }) => {
    const where = call === null ? "" : `call ${call + 1}: `;
    return `${where}${code} ${JSON.stringify(facts)}`;
  });
}

const labelOf = ({ account, resource }: PreviewAnswer["providers"][number]): string =>
  resource === "energy" ? account : `${account}, ${resource}`;

/** A line for each resource that somebody could sell to themselves sooner or later than now. */
function selfTradingLines(selfTrading: PreviewAnswer["selfTrading"]): string[] {
  const changed = selfTrading.filter(({ change }) => change !== "none");
  if (changed.length === 0) return ["trading with oneself pays neither sooner nor later than now"];
  return changed.map(({ resource, change, inForce, preview }) => {
    const [now, then] = [inForce, preview].map(
      ({ breakEvenMicrosPerToken: micros }) => micros ?? "no price",
    ) as [string, string];
    return `trading ${resource} with oneself becomes ${change}: it pays from ${then} micros a token on, now ${now}`;
  });
}

/** What the last epochs would have paid, in all and to those that it changes most. */
export function previewReport(preview: PreviewAnswer): string {
  const { region, epochs, total, resources, providers, selfTrading, unchanged, own, leftOut } = preview;
  const delivered = resources.filter(({ resource, units }) => resource !== "energy" && units !== "0");
  const rows = [
    ["rewards", tokens(total.paid.rewards), tokens(total.preview.rewards)],
    ...delivered.flatMap(({ resource, paid, preview: then }) => [
      [`  of them for ${resource}`, tokens(paid.rewards), tokens(then.rewards)],
      [`  fees of ${resource}`, money(BigInt(paid.feesMicros)), money(BigInt(then.feesMicros))],
    ]),
    ["fees to the treasury", money(BigInt(total.paid.feesMicros)), money(BigInt(total.preview.feesMicros))],
    ["network fees", money(BigInt(total.paid.networkMicros)), money(BigInt(total.preview.networkMicros))],
    [
      "received for sales",
      money(BigInt(total.paid.receivedMicros)),
      money(BigInt(total.preview.receivedMicros)),
    ],
  ];
  const people = [
    ...(own === null ? [] : [{ ...own, label: "you" }]),
    ...providers.slice(0, 5).map((one) => ({ ...one, label: labelOf(one) })),
  ];
  return [
    `effect on ${region}: its last ${epochs.length} epochs, paid once more under the new values (${kwh(total.soldWh)} kWh sold)`,
    table(["", "paid", "would have been"], rows),
    ...(people.length === 0
      ? []
      : [
          table(
            ["", "rewards paid", "would have been", "received", "would have been"],
            people.map(({ label, paid, preview: then }) => [
              label,
              tokens(paid.rewards),
              tokens(then.rewards),
              money(BigInt(paid.receivedMicros)),
              money(BigInt(then.receivedMicros)),
            ]),
          ),
        ]),
    ...selfTradingLines(selfTrading),
    ...(leftOut.deliveries.length === 0
      ? []
      : [
          `left out of both columns, for it was not kept then whose they were: ${leftOut.deliveries.map(({ epoch, resource }) => `${resource} of epoch ${epoch}`).join(", ")}`,
        ]),
    ...(unchanged.length === 0 ? [] : [`no past epoch can show: ${unchanged.join(", ")}`]),
  ].join("\n");
}

/** As of which block. */
export function asOf({ number, timeS }: BlockAnswer): string {
  return `as of block ${number}, ${when(timeS)}`;
}

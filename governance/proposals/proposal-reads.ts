// Owns what proposals and operations are now: asked of the contracts, beside what their events have said. It refuses to derive a
// state: the governor says it, and who executed something is told by whose event there is.

import type { Hex } from "../../protocol/fields.ts";
import {
  type BallotAnswer,
  type DelegateAnswer,
  type OperationAnswer,
  PROPOSAL_STATES,
  type ProposalAnswer,
  type ProposalState,
} from "../../protocol/vote-answer.ts";
import { changesIn, type DecodedCall, decodeCall } from "../forms/decoded-call.ts";
import { polderGovernorAbi, timelockControllerAbi } from "../generated/abi.ts";
import type { ChainView, ContractRead } from "./chain-view.ts";
import { readOf } from "./contract-reads.ts";
import { type VoteContracts, VoteMismatch } from "./vote-contracts.ts";
import type { BallotRecord, OperationRecord, ProposalRecord, VoteHistory } from "./vote-history.ts";

/** States that nothing changes any more. */
export const SETTLED_STATES: ReadonlySet<ProposalState> = new Set([
  "cancelled",
  "defeated",
  "expired",
  "executed",
]);

/** What the governor says of a proposal now. */
interface Standing {
  readonly state: ProposalState;
  readonly deadlineS: number;
  readonly etaS: number;
  readonly votes: { readonly against: bigint; readonly for: bigint; readonly abstain: bigint };
  readonly quorum: bigint;
  readonly quorumAsOfS: number;
}

/**
 * The governor keeps its own list of proposals: one whose event was not found, or was kept back, is missed by its count.
 * @throws VoteMismatch
 */
export async function requireAllProposals(
  view: ChainView,
  { governor }: VoteContracts,
  { proposals }: VoteHistory,
): Promise<void> {
  const [count] = await view.read<[bigint]>([readOf(governor, polderGovernorAbi, "proposalCount")]);
  if (count !== BigInt(proposals.size))
    throw new VoteMismatch(`the governor has ${count} proposals, and events of ${proposals.size} were found`);
}

/** Reads proposals, in the order of their records. */
export async function readProposals(
  view: ChainView,
  contracts: VoteContracts,
  records: readonly ProposalRecord[],
  history: VoteHistory,
): Promise<ProposalAnswer[]> {
  const nowS = view.block.timeS;
  const reads = records.flatMap(({ id, snapshotS }) =>
    standingReads(contracts.governor, id, quorumAt(snapshotS, nowS)),
  );
  const answers = await view.read<readonly unknown[]>(reads);
  return records.map((record, place) => {
    const own = answers.slice(place * STANDING_READS, (place + 1) * STANDING_READS);
    const operation = history.operations.get(record.operationId);
    return proposalOf(contracts, record, standingOf(own, quorumAt(record.snapshotS, nowS)), operation, nowS);
  });
}

/** The contract refuses the second that runs: until the snapshot is past, the quorum is what it would be by the last one. */
function quorumAt(snapshotS: number, nowS: number): number {
  return Math.min(snapshotS, nowS - 1);
}

const STANDING_READS = 5;

function standingReads(governor: Hex, id: string, quorumAsOfS: number): readonly ContractRead<unknown>[] {
  const read = (name: "state" | "proposalDeadline" | "proposalEta" | "proposalVotes") =>
    readOf(governor, polderGovernorAbi, name, [BigInt(id)]);
  return [
    read("state"),
    read("proposalDeadline"),
    read("proposalEta"),
    read("proposalVotes"),
    readOf(governor, polderGovernorAbi, "quorum", [BigInt(quorumAsOfS)]),
  ];
}

function standingOf(answers: readonly unknown[], quorumAsOfS: number): Standing {
  const [state, deadlineS, etaS, [against, inFavour, abstain], quorum] = answers as [
    number,
    bigint,
    bigint,
    readonly [bigint, bigint, bigint],
    bigint,
  ];
  return {
    state: PROPOSAL_STATES[state] as ProposalState,
    deadlineS: Number(deadlineS),
    etaS: Number(etaS),
    votes: { against, for: inFavour, abstain },
    ...{ quorum, quorumAsOfS },
  };
}

function proposalOf(
  contracts: VoteContracts,
  record: ProposalRecord,
  standing: Standing,
  operation: OperationRecord | undefined,
  nowS: number,
): ProposalAnswer {
  const { state, deadlineS, etaS, votes, quorum, quorumAsOfS } = standing;
  const calls = record.calls.map((call) => decodeCall(contracts, call));
  const waitsFor = { pending: "snapshot", active: "end", queued: "eta" } as const;
  const untilS = { snapshot: record.snapshotS + 1, end: deadlineS + 1, eta: etaS };
  const waits = state in waitsFor ? waitsFor[state as keyof typeof waitsFor] : null;
  return {
    id: record.id,
    title: titleOf(record.description),
    description: record.description,
    proposer: record.proposer,
    state,
    snapshotS: record.snapshotS,
    endsAtS: deadlineS,
    isExtended: record.extendedEndS !== null,
    waitsFor: waits,
    secondsLeft: waits === null ? null : Math.max(0, untilS[waits] - nowS),
    quorum: {
      votes: quorum.toString(),
      asOfS: quorumAsOfS,
      isAtSnapshot: quorumAsOfS === record.snapshotS,
      isReached: votes.for + votes.abstain >= quorum,
    },
    votes: {
      for: votes.for.toString(),
      against: votes.against.toString(),
      abstain: votes.abstain.toString(),
    },
    operationId: record.operationId,
    etaS: record.queuedEtaS,
    executedBy: state === "executed" ? (record.executedAtBlock === null ? "timelock" : "governor") : null,
    cancelledBy: cancelledBy(state, record, operation),
    createdAtBlock: record.createdAtBlock,
    calls: calls.map(({ answer }) => answer),
    changes: changesIn(calls, () => null),
  };
}

/** An operation that was cancelled in the timelock takes its proposal with it, and the governor has no event of it. */
function cancelledBy(
  state: ProposalState,
  { cancelledAtBlock }: ProposalRecord,
  operation: OperationRecord | undefined,
): ProposalAnswer["cancelledBy"] {
  if (state !== "cancelled") return null;
  return cancelledAtBlock === null && operation?.cancelledAtBlock !== null ? "timelock" : "governor";
}

/** A description's first line, as far as a list has room for it. */
export function titleOf(description: string): string {
  const [line = ""] = description.split("\n");
  return line.replace(/^#+\s*/, "").slice(0, 200);
}

/** The timelock's operations, the newest first; those that no proposal made as such. */
export async function readOperations(
  view: ChainView,
  contracts: VoteContracts,
  history: VoteHistory,
): Promise<OperationAnswer[]> {
  const records = [...history.operations.values()].reverse();
  const byOperation = new Map(
    [...history.proposals.values()].map(({ id, operationId }) => [operationId, id]),
  );
  const waiting = records.filter(
    ({ executedAtBlock, cancelledAtBlock }) => executedAtBlock === null && cancelledAtBlock === null,
  );
  const times = await view.read<bigint[]>(
    waiting.map(({ id }) => readOf(contracts.timelock, timelockControllerAbi, "getTimestamp", [id])),
  );
  return records.map((record) => {
    const place = waiting.indexOf(record);
    const readyAtS = place === -1 ? null : Number(times[place]);
    return {
      id: record.id,
      proposal: byOperation.get(record.id) ?? null,
      state: operationState(record, readyAtS, view.block.timeS),
      readyAtS,
      scheduledAtBlock: record.scheduledAtBlock,
      calls: record.calls.map((call) => decodeCall(contracts, call).answer),
    };
  });
}

function operationState(
  { executedAtBlock, cancelledAtBlock }: OperationRecord,
  readyAtS: number | null,
  nowS: number,
): OperationAnswer["state"] {
  if (executedAtBlock !== null) return "executed";
  if (cancelledAtBlock !== null) return "cancelled";
  return readyAtS !== null && readyAtS <= nowS ? "ready" : "waiting";
}

/** Who votes for whom, the most votes first; those without votes last, or left out by a limit. */
export function delegatesIn({ delegates }: VoteHistory, limit: number): DelegateAnswer[] {
  const all = [...delegates.values()].filter(({ votes, delegators }) => votes !== "0" || delegators > 0);
  all.sort(
    (one, other) => compare(BigInt(other.votes), BigInt(one.votes)) || compare(one.account, other.account),
  );
  return all.slice(0, limit);
}

const SUPPORT = ["against", "for", "abstain"] as const;

/** Ballots on a proposal, the heaviest first. */
export function ballotsIn({ ballots }: VoteHistory, proposal: string, limit: number): BallotAnswer[] {
  const own = [...ballots.values()].filter((ballot) => ballot.proposal === proposal);
  own.sort(
    (one, other) => compare(BigInt(other.weight), BigInt(one.weight)) || compare(one.voter, other.voter),
  );
  return own.slice(0, limit).map(told);
}

function told({ voter, support, weight, reason, block }: BallotRecord): BallotAnswer {
  return { voter, support: SUPPORT[support] ?? "abstain", weight, reason, block };
}

function compare<T extends bigint | string>(one: T, other: T): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A proposal's calls told, for whoever needs to know what they change. */
export function callsOfRecord(contracts: VoteContracts, { calls }: ProposalRecord): readonly DecodedCall[] {
  return calls.map((call) => decodeCall(contracts, call));
}

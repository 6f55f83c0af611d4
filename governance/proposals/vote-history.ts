// Owns what the contracts' events say of votes: proposals, ballots, the timelock's operations whoever made them, and who holds
// whose votes. It refuses to say what anything is now; the contracts are asked for that.

import {
  decodeEventLog,
  encodeAbiParameters,
  keccak256,
  parseAbiParameters,
  toBytes,
  toEventHash,
} from "viem";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { polderGovernorAbi, polderTokenAbi, timelockControllerAbi } from "../generated/abi.ts";
import type { ContractLog } from "./chain-view.ts";

/** A call of a proposal or an operation. */
export interface RawCall {
  readonly target: Hex;
  /** Wei, decimal. */
  readonly value: string;
  readonly data: Hex;
}

/** A proposal as it was made, and what the governor said of it since. */
export interface ProposalRecord {
  /** Decimal. */
  readonly id: string;
  readonly proposer: Hex;
  readonly calls: readonly RawCall[];
  readonly description: string;
  /** Balances of this second count. Unix seconds. */
  readonly snapshotS: number;
  /** The last second in which it takes votes, as proposed. */
  readonly endS: number;
  /** The same after a late quorum; null without one. */
  readonly extendedEndS: number | null;
  readonly createdAtBlock: number;
  /** By which the timelock knows it, or would. */
  readonly operationId: Hex;
  readonly queuedEtaS: number | null;
  readonly executedAtBlock: number | null;
  readonly cancelledAtBlock: number | null;
}

/** An operation of the timelock. */
export interface OperationRecord {
  readonly id: Hex;
  readonly calls: readonly RawCall[];
  readonly delaySeconds: number;
  readonly scheduledAtBlock: number;
  readonly executedAtBlock: number | null;
  readonly cancelledAtBlock: number | null;
}

/** An account that votes for others, or for itself. */
export interface DelegateRecord {
  readonly account: Hex;
  /** Base units, decimal. */
  readonly votes: string;
  /** Accounts that named it. */
  readonly delegators: number;
}

/** A vote that was cast. */
export interface BallotRecord {
  readonly proposal: string;
  readonly voter: Hex;
  readonly support: number;
  /** Base units, decimal. */
  readonly weight: string;
  readonly reason: string;
  readonly block: number;
}

/** A record by the map it stands in. */
export interface HistoryRecords {
  readonly proposals: ProposalRecord;
  readonly operations: OperationRecord;
  readonly delegates: DelegateRecord;
  readonly ballots: BallotRecord;
}
export type HistoryKind = keyof HistoryRecords;

const eventHashes = (
  abi: readonly { readonly type: string; readonly name?: string }[],
  names: readonly string[],
) =>
  names.map((name) => {
    const found = abi.find((item) => item.type === "event" && item.name === name);
    if (found === undefined) throw new Error(`there is no event ${name}`);
    return toEventHash(found as never);
  });

/** The events that are read, by contract. */
export const VOTE_EVENTS = {
  governor: eventHashes(polderGovernorAbi, [
    "ProposalCreated",
    "ProposalQueued",
    "ProposalExtended",
    "ProposalExecuted",
    "ProposalCanceled",
    "VoteCast",
    "VoteCastWithParams",
  ]),
  timelock: eventHashes(timelockControllerAbi, ["CallScheduled", "CallExecuted", "Cancelled"]),
  token: eventHashes(polderTokenAbi, ["DelegateChanged", "DelegateVotesChanged"]),
} as const;
export type EventSource = keyof typeof VOTE_EVENTS;

/** What is kept of a reason: whoever wants more of it finds it on the chain. */
const MAX_REASON_CHARACTERS = 500;

/** The events of a vote's contracts, folded. */
export class VoteHistory {
  readonly proposals: Map<string, ProposalRecord>;
  readonly operations: Map<string, OperationRecord>;
  readonly delegates: Map<string, DelegateRecord>;
  /** By proposal and voter. */
  readonly ballots: Map<string, BallotRecord>;
  /** What folding has changed, by kind and key, for whoever keeps it. */
  readonly changed = new Set<`${HistoryKind}/${string}`>();
  readonly #governor: Hex;

  constructor(governor: Hex, before?: VoteHistory) {
    this.#governor = governor;
    this.proposals = new Map(before?.proposals);
    this.operations = new Map(before?.operations);
    this.delegates = new Map(before?.delegates);
    this.ballots = new Map(before?.ballots);
  }

  /** A copy that can be folded further while this one stays. */
  copy(): VoteHistory {
    return new VoteHistory(this.#governor, this);
  }

  /** Takes a contract's logs, in the chain's order. @throws Error for a log that is none of its events */
  fold(source: EventSource, logs: readonly ContractLog[]): void {
    for (const log of logs) {
      if (source === "governor") this.#foldGovernor(log);
      else if (source === "timelock") this.#foldTimelock(log);
      else this.#foldToken(log);
    }
  }

  #foldGovernor(log: ContractLog): void {
    const event = decodeEventLog({ abi: polderGovernorAbi, ...topicsOf(log) });
    const { block } = log;
    const { eventName, args } = event;
    if (eventName === "ProposalCreated") this.#propose(args, block);
    else if (eventName === "ProposalQueued")
      this.#amend(args.proposalId, { queuedEtaS: Number(args.etaSeconds) });
    else if (eventName === "ProposalExtended")
      this.#amend(args.proposalId, { extendedEndS: Number(args.extendedDeadline) });
    else if (eventName === "ProposalExecuted") this.#amend(args.proposalId, { executedAtBlock: block });
    else if (eventName === "ProposalCanceled") this.#amend(args.proposalId, { cancelledAtBlock: block });
    else if (eventName === "VoteCast" || eventName === "VoteCastWithParams") this.#vote(args, block);
  }

  #propose(
    args: {
      readonly proposalId: bigint;
      readonly proposer: Hex;
      readonly targets: readonly Hex[];
      readonly values: readonly bigint[];
      readonly calldatas: readonly Hex[];
      readonly voteStart: bigint;
      readonly voteEnd: bigint;
      readonly description: string;
    },
    block: number,
  ): void {
    const { proposalId, targets, values, calldatas, description } = args;
    const id = proposalId.toString();
    this.#keep("proposals", id, {
      id,
      proposer: lower(args.proposer),
      calls: targets.map((target, place) => ({
        target: lower(target),
        value: String(values[place]),
        data: calldatas[place] as Hex,
      })),
      description,
      snapshotS: Number(args.voteStart),
      endS: Number(args.voteEnd),
      extendedEndS: null,
      createdAtBlock: block,
      operationId: operationIdOf(this.#governor, { targets, values, calldatas, description }),
      queuedEtaS: null,
      executedAtBlock: null,
      cancelledAtBlock: null,
    });
  }

  #amend(proposalId: bigint, change: Partial<ProposalRecord>): void {
    const known = this.proposals.get(proposalId.toString());
    if (known !== undefined) this.#keep("proposals", known.id, { ...known, ...change });
  }

  #vote(
    args: {
      readonly voter: Hex;
      readonly proposalId: bigint;
      readonly support: number;
      readonly weight: bigint;
      readonly reason: string;
    },
    block: number,
  ): void {
    const proposal = args.proposalId.toString();
    const voter = lower(args.voter);
    this.#keep("ballots", `${proposal}/${voter}`, {
      proposal,
      voter,
      support: args.support,
      weight: args.weight.toString(),
      reason: args.reason.slice(0, MAX_REASON_CHARACTERS),
      block,
    });
  }

  #foldTimelock(log: ContractLog): void {
    const event = decodeEventLog({ abi: timelockControllerAbi, ...topicsOf(log) });
    const { block } = log;
    if (event.eventName === "CallScheduled") {
      const { id, target, value, data, delay } = event.args;
      const known = this.operations.get(id);
      // Cancelled and scheduled anew it is the same operation, from its first call on.
      const before = known === undefined || known.cancelledAtBlock !== null ? [] : known.calls;
      this.#keep("operations", id, {
        id,
        calls: [...before, { target: lower(target), value: value.toString(), data }],
        delaySeconds: Number(delay),
        scheduledAtBlock: block,
        executedAtBlock: null,
        cancelledAtBlock: null,
      });
      return;
    }
    if (event.eventName !== "CallExecuted" && event.eventName !== "Cancelled") return;
    const known = this.operations.get(event.args.id);
    if (known === undefined) return;
    const change = event.eventName === "Cancelled" ? { cancelledAtBlock: block } : { executedAtBlock: block };
    this.#keep("operations", known.id, { ...known, ...change });
  }

  #foldToken(log: ContractLog): void {
    const event = decodeEventLog({ abi: polderTokenAbi, ...topicsOf(log) });
    if (event.eventName === "DelegateVotesChanged") {
      const { delegate, newVotes } = event.args;
      this.#delegate(lower(delegate), { votes: newVotes.toString() });
    }
    if (event.eventName !== "DelegateChanged") return;
    const [from, to] = [lower(event.args.fromDelegate), lower(event.args.toDelegate)];
    if (from !== NO_ADDRESS)
      this.#delegate(from, { delegators: (this.delegates.get(from)?.delegators ?? 1) - 1 });
    if (to !== NO_ADDRESS) this.#delegate(to, { delegators: (this.delegates.get(to)?.delegators ?? 0) + 1 });
  }

  #delegate(account: Hex, change: Partial<DelegateRecord>): void {
    const known = this.delegates.get(account) ?? { account, votes: "0", delegators: 0 };
    this.#keep("delegates", account, { ...known, ...change });
  }

  #keep<K extends HistoryKind>(kind: K, key: string, record: HistoryRecords[K]): void {
    (this[kind] as Map<string, HistoryRecords[K]>).set(key, record);
    this.changed.add(`${kind}/${key}`);
  }
}

/** A proposal's calls and words as the governor hashes them. */
export interface Proposed {
  readonly targets: readonly Hex[];
  readonly values: readonly bigint[];
  readonly calldatas: readonly Hex[];
  readonly description: string;
}

/** By which the timelock knows a proposal's operation: the salt is the governor's address over the description's hash. */
export function operationIdOf(governor: Hex, { targets, values, calldatas, description }: Proposed): Hex {
  const descriptionHash = keccak256(toBytes(description));
  const salt = (BigInt(governor) << 96n) ^ BigInt(descriptionHash);
  return keccak256(
    encodeAbiParameters(parseAbiParameters("address[], uint256[], bytes[], bytes32, bytes32"), [
      [...targets],
      [...values],
      [...calldatas],
      `0x${"00".repeat(32)}`,
      `0x${salt.toString(16).padStart(64, "0")}`,
    ]),
  );
}

function topicsOf({ topics, data }: ContractLog): { topics: [Hex, ...Hex[]]; data: Hex } {
  return { topics: [...topics] as [Hex, ...Hex[]], data };
}

const lower = (address: Hex): Hex => address.toLowerCase() as Hex;

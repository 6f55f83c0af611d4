// Owns the object that knows a deployment's votes: it answers all who look out of one look at the chain a block. It refuses to be
// asked for more drafts than its endpoints can bear, and to be a source: everything in it is on the chain.

import { DurableObject } from "cloudflare:workers";
import { valuesByRegion } from "../governance/forms/decoded-call.ts";
import { type Draft, DraftMalformed } from "../governance/forms/draft.ts";
import { type CheckedDraft, checkDraft } from "../governance/forms/draft-check.ts";
import { ballotsIn, callsOfRecord, delegatesIn } from "../governance/proposals/proposal-reads.ts";
import { VoteMismatch } from "../governance/proposals/vote-contracts.ts";
import { type Rejection, rejected } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import type { DraftValues } from "../protocol/governed-values.ts";
import {
  MAX_BALLOT_ROWS,
  MAX_DELEGATE_ROWS,
  MAX_DRAFTS_PER_MINUTE,
  MAX_NEW_REGIONS_PER_MINUTE,
} from "../protocol/limits.ts";
import type {
  BallotAnswer,
  BlockAnswer,
  DelegateAnswer,
  GovernanceAnswer,
  OperationAnswer,
  ParametersAnswer,
  ProposalAnswer,
  ProposalState,
} from "../protocol/vote-answer.ts";
import type { Env } from "./environment.ts";
import { SettingsRefused } from "./mirror/settings.ts";
import { ChainTrouble } from "./mirror/trouble.ts";
import { PerMinute } from "./per-minute.ts";
import { VoteReader, type VoteSnapshot } from "./votes/vote-reader.ts";
import { VoteRecords } from "./votes/vote-records.ts";
import { hasVotes, voteSettings } from "./votes/vote-settings.ts";

/** An answer, or why there is none: what is thrown in one object arrives in another without its fields. */
export type Told<T> = { readonly value: T } | { readonly rejection: Rejection };

/** Values that a proposal changes in a region. */
export interface RegionChanges {
  readonly region: string;
  readonly values: DraftValues;
}

/** A voter as the chain's events have it. */
export interface KnownVoter {
  readonly state: ProposalState;
  readonly hasVoted: boolean;
  /** Whoever was never given votes, by itself or another, has none at any snapshot. */
  readonly everHadVotes: boolean;
}

/** One per governor; its name is the chain's id and the governor's address. */
export class VoteIndex extends DurableObject<Env> {
  #reader: VoteReader | null = null;
  readonly #drafts = new PerMinute(MAX_DRAFTS_PER_MINUTE);
  /** Regions that the chain has said to be under votes; they stay so. */
  readonly #governed = new Set<string>();
  #unknown = { minute: 0, names: new Set<string>() };

  overview(): Promise<Told<Omit<GovernanceAnswer, "relay">>> {
    return this.#tell((snapshot) => snapshot.overview(Number(this.env.CHAIN_ID)));
  }

  /** The newest first. */
  proposals(): Promise<Told<{ readonly block: BlockAnswer; readonly proposals: readonly ProposalAnswer[] }>> {
    return this.#tell(async (snapshot) => ({
      block: snapshot.view.block,
      proposals: await snapshot.proposals(),
    }));
  }

  /** One with its ballots, the heaviest of them. */
  proposal(id: string): Promise<
    Told<{
      readonly block: BlockAnswer;
      readonly proposal: ProposalAnswer;
      readonly ballots: readonly BallotAnswer[];
    }>
  > {
    return this.#tell(async (snapshot) => {
      const found = (await snapshot.proposals()).find((proposal) => proposal.id === id);
      if (found === undefined) throw new Missing(id);
      const proposal = found.state === "executed" ? found : await withCurrent(snapshot, found);
      return {
        block: snapshot.view.block,
        proposal,
        ballots: ballotsIn(snapshot.history, id, MAX_BALLOT_ROWS),
      };
    });
  }

  /** What is known of a voter and a proposal without asking the chain for them. */
  voter(id: string, voter: Hex): Promise<Told<KnownVoter>> {
    return this.#tell(async (snapshot) => {
      const found = (await snapshot.proposals()).find((proposal) => proposal.id === id);
      if (found === undefined) throw new Missing(id);
      const { ballots, delegates } = snapshot.history;
      return {
        state: found.state,
        hasVoted: ballots.has(`${id}/${voter}`),
        everHadVotes: delegates.has(voter),
      };
    });
  }

  /** What a proposal changes, by region. */
  changes(id: string): Promise<Told<readonly RegionChanges[]>> {
    return this.#tell(async (snapshot) => {
      const record = snapshot.record(id);
      if (record === null) throw new Missing(id);
      return valuesByRegion(callsOfRecord(snapshot.contracts, record));
    });
  }

  operations(): Promise<
    Told<{ readonly block: BlockAnswer; readonly operations: readonly OperationAnswer[] }>
  > {
    return this.#tell(async (snapshot) => ({
      block: snapshot.view.block,
      operations: await snapshot.operations(),
    }));
  }

  delegates(): Promise<Told<{ readonly block: BlockAnswer; readonly delegates: readonly DelegateAnswer[] }>> {
    return this.#tell(async (snapshot) => ({
      block: snapshot.view.block,
      delegates: delegatesIn(snapshot.history, MAX_DELEGATE_ROWS),
    }));
  }

  /** The form of a region's values; null for a region that is not under votes. */
  async form(region: string): Promise<Told<ParametersAnswer | null>> {
    if (!this.#mayAsk(region))
      return { rejection: rejected("overloaded", { regionsPerMinute: MAX_NEW_REGIONS_PER_MINUTE }) };
    const told = await this.#tell((snapshot) => snapshot.form(region));
    if ("value" in told && told.value !== null) this.#governed.add(region);
    return told;
  }

  /** All that is to be said of a draft but its effect. */
  async draft(draft: Draft, proposer: Hex): Promise<Told<CheckedDraft>> {
    if (!this.#drafts.take(Date.now()))
      return { rejection: rejected("overloaded", { draftsPerMinute: MAX_DRAFTS_PER_MINUTE }) };
    return this.#tell(async (snapshot) => {
      const { view, contracts } = snapshot;
      const settings = await snapshot.settings();
      return checkDraft({ view, contracts, settings, chainId: Number(this.env.CHAIN_ID) }, draft, proposer);
    });
  }

  /** Anybody can invent names, and the chain would be asked for each. */
  #mayAsk(region: string): boolean {
    if (this.#governed.has(region)) return true;
    const minute = Math.floor(Date.now() / 60_000);
    if (minute !== this.#unknown.minute) this.#unknown = { minute, names: new Set() };
    const { names } = this.#unknown;
    if (names.size >= MAX_NEW_REGIONS_PER_MINUTE && !names.has(region)) return false;
    names.add(region);
    return true;
  }

  async #tell<T>(ask: (snapshot: VoteSnapshot) => Promise<T>): Promise<Told<T>> {
    try {
      return { value: await ask(await this.#made().snapshot()) };
    } catch (error) {
      const rejection = rejectionOf(error);
      if (rejection === null) throw error;
      return { rejection };
    }
  }

  #made(): VoteReader {
    if (!hasVotes(this.env)) throw new SettingsRefused("GOVERNOR");
    this.#reader ??= new VoteReader({
      settings: voteSettings(this.env),
      kept: new VoteRecords(this.ctx.storage),
      wallMs: () => Date.now(),
    });
    return this.#reader;
  }
}

class Missing extends Error {
  readonly proposal: string;
  constructor(proposal: string) {
    super("no such proposal");
    this.proposal = proposal;
  }
}

/** What an error is to whoever asked; null for a fault of ours. */
function rejectionOf(error: unknown): Rejection | null {
  if (error instanceof Missing) return rejected("proposal_not_found", { proposal: error.proposal });
  if (error instanceof DraftMalformed)
    return rejected("malformed_request", { path: `calls.${error.call}`, expected: error.message });
  if (error instanceof ChainTrouble)
    return rejected("chain_away", { ...error.problem.facts, problem: error.problem.code });
  if (error instanceof SettingsRefused || error instanceof VoteMismatch)
    return rejected("governance_missing", { reason: error.message });
  return null;
}

/** Beside what is to be changed, what it is. */
async function withCurrent(snapshot: VoteSnapshot, proposal: ProposalAnswer): Promise<ProposalAnswer> {
  const changes = await Promise.all(
    proposal.changes.map(async ({ region, values }) => {
      const form = await snapshot.form(region);
      const currentOf = (name: string) => form?.values.find((value) => value.name === name)?.current ?? null;
      return { region, values: values.map((value) => ({ ...value, current: currentOf(value.name) })) };
    }),
  );
  return { ...proposal, changes };
}

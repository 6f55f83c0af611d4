// Owns the relay of ballots: what is checked before anything is paid for, in which order, and how a ballot gets into a final
// block whatever dies in between. It refuses any call but the governor's two for signed ballots, and to pay more than its budget.

import { RecentMap } from "../../evidence/recent-map.ts";
import type { Ballot } from "../../governance/forms/ballot.ts";
import { ownBallotCall, signedBallotCall } from "../../governance/forms/ballot.ts";
import { type Facts, type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_BALLOTS_PER_MINUTE, MAX_BALLOTS_PER_VOTER_HOUR } from "../../protocol/limits.ts";
import type { RelayAnswer, VoterAnswer } from "../../protocol/vote-answer.ts";
import type { MirrorMemory } from "../mirror/mirror-memory.ts";
import { feesOf, type LatestView, Outbox } from "../mirror/outbox.ts";
import { Rpc } from "../mirror/rpc.ts";
import { type BallotPosting, nameOf, type RelayBallots, type RelayedBallot } from "./relay-ballots.ts";
import { RelayChain } from "./relay-chain.ts";
import { followBallots } from "./relay-follow.ts";
import type { RelaySettings } from "./relay-settings.ts";

export interface RelayHost {
  readonly settings: RelaySettings;
  readonly memory: MirrorMemory;
  readonly ballots: RelayBallots;
  readonly wallMs: () => number;
  /** Sets the alarm for then at the latest; durable before what follows. Wall milliseconds. */
  readonly wakeAt: (wallMs: number) => Promise<void>;
  readonly fetch?: typeof fetch;
}

/** What became of a ballot. */
export type Cast = { readonly ballot: RelayedBallot } | { readonly rejection: Rejection };

/** However many ask for one voter. Wall milliseconds. */
const VOTER_MS = 1_000;
const VOTERS_KEPT = 256;
const TIMEOUT_MS = 10_000;
const DAY_S = 86_400;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** One deployment's relay. */
export class RelayDesk {
  readonly #host: RelayHost;
  readonly #rpcs: readonly Rpc[];
  readonly #outbox: Outbox<BallotPosting>;
  readonly #chain: RelayChain;
  readonly #voters = new RecentMap<{ readonly answer: Promise<VoterAnswer | null>; readonly atMs: number }>(
    VOTERS_KEPT,
  );
  #turn = 0;
  #looked = { minute: 0, ballots: 0 };
  /** Whoever takes a nonce, or settles one, is alone. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: RelayHost) {
    const { settings, memory } = host;
    const options = { timeoutMs: TIMEOUT_MS, ...(host.fetch === undefined ? {} : { fetch: host.fetch }) };
    const { chainId, key, account, roots } = settings;
    this.#host = host;
    this.#rpcs = settings.rpcs.map((url) => new Rpc(url, options));
    this.#chain = new RelayChain(roots.governor);
    this.#outbox = new Outbox(this.#rpcs, {
      ...{ chainId, to: roots.governor, key, account, memory },
      nameOf: ({ name }) => name,
      problemOf: (_posting, error) => ({ code: "rpc_refused", facts: { error } }),
    });
  }

  status(): RelayAnswer {
    const { settings, ballots } = this.#host;
    return {
      isOpen: true,
      account: settings.account,
      minimumVotes: settings.minimumVotes.toString(),
      budgetWei: settings.budgetWei.toString(),
      spentWei: ballots.spentWei(this.#day()).toString(),
      resetsAtS: (this.#day() + 1) * DAY_S,
    };
  }

  /** What a voter needs to know to sign, and what became of a ballot; asked of the chain once a second. @throws ChainTrouble */
  voter(proposal: string, voter: Hex): Promise<VoterAnswer | null> {
    const name = nameOf({ proposal, voter });
    const known = this.#voters.get(name);
    if (known !== undefined && this.#host.wallMs() - known.atMs < VOTER_MS) return known.answer;
    const answer = this.#askVoter(proposal, voter);
    this.#voters.set(name, { answer, atMs: this.#host.wallMs() });
    return answer;
  }

  /**
   * Takes a ballot whose signature was checked, or says why not. The same one again is answered as before.
   * @throws ChainTrouble
   */
  async cast(ballot: Ballot, signature: Hex): Promise<Cast> {
    const known = this.#taken(ballot);
    if (known !== null) return known;
    const flood = this.#flood(ballot.voter);
    if (flood !== null) return { rejection: flood };
    if (this.#spentWei() >= this.#host.settings.budgetWei) return { rejection: this.#spent(ballot, {}) };
    const view = await this.#latest();
    const refusal = await this.#refusal(view, ballot);
    if (refusal !== null) return { rejection: refusal };
    const rehearsal = await this.#chain.rehearse(view.rpc, this.#host.settings.account, ballot, signature);
    if ("refused" in rehearsal) return { rejection: rejected("ballot_refused", rehearsal.refused) };
    return this.#alone(() => this.#send(ballot, signature, rehearsal.gas));
  }

  /** Brings all open ballots on. @returns whether any is still open. @throws ChainTrouble */
  work(): Promise<boolean> {
    return this.#alone(async () => {
      const { ballots } = this.#host;
      if (ballots.open().length === 0 && (await this.#outbox.isEmpty())) return false;
      const view = await this.#latest();
      await followBallots({
        view,
        ballots,
        outbox: this.#outbox,
        chain: this.#chain,
        account: this.#host.settings.account,
      });
      return ballots.open().length > 0 || !(await this.#outbox.isEmpty());
    });
  }

  /** One vote per voter and proposal: the same answer for the same ballot, and no second one beside it. */
  #taken(ballot: Ballot): Cast | null {
    const known = this.#host.ballots.get(ballot.proposal, ballot.voter);
    if (known === null || known.stage === "refused") return null;
    const isSame = known.support === ballot.support && known.reason === ballot.reason;
    if (isSame) return { ballot: known };
    return { rejection: rejected("already_voted", { stage: known.stage, support: known.support }) };
  }

  #flood(voter: Hex): Rejection | null {
    const nowMs = this.#host.wallMs();
    const hour = Math.floor(nowMs / HOUR_MS);
    if (this.#host.ballots.attempt(voter, hour) > MAX_BALLOTS_PER_VOTER_HOUR) {
      const retryAfterSeconds = Math.ceil(((hour + 1) * HOUR_MS - nowMs) / 1_000);
      return rejected("rate_limited", { limit: MAX_BALLOTS_PER_VOTER_HOUR, retryAfterSeconds });
    }
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute !== this.#looked.minute) this.#looked = { minute, ballots: 0 };
    this.#looked.ballots += 1;
    if (this.#looked.ballots <= MAX_BALLOTS_PER_MINUTE) return null;
    return rejected("overloaded", { ballotsPerMinute: MAX_BALLOTS_PER_MINUTE });
  }

  async #askVoter(proposal: string, voter: Hex): Promise<VoterAnswer | null> {
    const { rpc } = await this.#latest();
    const { state, hasVoted, votes, nonce } = await this.#chain.standing(rpc, proposal, voter);
    if (state === null) return null;
    const known = this.#host.ballots.get(proposal, voter);
    return {
      ...{ proposal, voter, state, hasVoted },
      votes: votes.toString(),
      nonce: Number(nonce),
      relayed: known === null ? null : relayedAnswer(known),
    };
  }

  async #refusal({ rpc }: LatestView, ballot: Ballot): Promise<Rejection | null> {
    const { proposal, voter } = ballot;
    const { minimumVotes } = this.#host.settings;
    const { state, hasVoted, votes, nonce } = await this.#chain.standing(rpc, proposal, voter);
    if (state === null) return rejected("proposal_not_found", { proposal });
    if (state !== "active") return rejected("vote_not_open", { state });
    if (hasVoted) return rejected("already_voted", { stage: "counted" });
    if (votes < minimumVotes || votes === 0n)
      return rejected("votes_below_minimum", {
        votes: votes.toString(),
        minimumVotes: minimumVotes.toString(),
        ...this.#ownWay(ballot),
      });
    if (nonce !== BigInt(ballot.nonce))
      return rejected("ballot_nonce_wrong", { nonce: Number(nonce), got: ballot.nonce });
    return this.#nonceTaken(ballot);
  }

  /** Sets the cost aside, then keeps the transaction, then sends it: whatever dies in between, it is sent, and paid for once. */
  async #send(ballot: Ballot, signature: Hex, gas: number): Promise<Cast> {
    const known = this.#taken(ballot);
    if (known !== null) return known;
    const { settings, ballots, wallMs, wakeAt } = this.#host;
    const clash = this.#nonceTaken(ballot);
    if (clash !== null) return { rejection: clash };
    const view = await this.#latest();
    const wei = BigInt(gas) * feesOf(view, null).maxFeeWei;
    if (this.#spentWei() + wei > settings.budgetWei)
      return { rejection: this.#spent(ballot, { wouldCostWei: `${wei}` }) };
    const has = await this.#chain.weiOf(view.rpc, settings.account);
    if (has < wei)
      return { rejection: this.#spent(ballot, { wouldCostWei: `${wei}`, relayHasWei: `${has}` }) };
    const { proposal, voter, support, reason, nonce } = ballot;
    const taken: RelayedBallot = {
      ...{ proposal, voter, support, reason, signature, nonce, wei, gas },
      ...{ stage: "sent", day: this.#day(), transactions: [], block: null },
    };
    ballots.put(taken);
    await wakeAt(wallMs() + settings.pollMs);
    const posting = { name: nameOf(ballot), data: signedBallotCall(ballot, signature), gas };
    // What is in the way of it passes: it is kept, and sent again.
    await this.#outbox.post(posting, view);
    const sent = await this.#outbox.inFlight(posting.name);
    const whole = { ...taken, transactions: sent === null ? [] : [sent.transaction] };
    ballots.put(whole);
    return { ballot: whole };
  }

  /** Of two ballots under one nonce the governor counts one, and the other would be paid for in vain. */
  #nonceTaken({ voter, nonce }: Ballot): Rejection | null {
    const before = this.#host.ballots.open().find((other) => other.voter === voter && other.nonce === nonce);
    if (before === undefined) return null;
    return rejected("ballot_nonce_wrong", { nonce: nonce + 1, got: nonce, waitsFor: before.proposal });
  }

  #spent(ballot: Ballot, more: Facts): Rejection {
    const { settings, wallMs } = this.#host;
    const resetsAtS = (this.#day() + 1) * DAY_S;
    return rejected("relay_budget_spent", {
      budgetWei: settings.budgetWei.toString(),
      spentWei: this.#spentWei().toString(),
      resetsAtS,
      retryAfterSeconds: Math.max(1, resetsAtS - Math.floor(wallMs() / 1_000)),
      ...more,
      ...this.#ownWay(ballot),
    });
  }

  /** The call for the voter's own wallet. */
  #ownWay(ballot: Ballot): Facts {
    return { to: this.#host.settings.roots.governor, data: ownBallotCall(ballot) };
  }

  #spentWei(): bigint {
    return this.#host.ballots.spentWei(this.#day());
  }

  #day(): number {
    return Math.floor(this.#host.wallMs() / (1_000 * DAY_S));
  }

  #latest(): Promise<LatestView> {
    this.#turn += 1;
    return this.#outbox.latest(this.#turn);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** A ballot as it is told. */
export function relayedAnswer({ proposal, voter, support, reason, stage, transactions }: RelayedBallot) {
  return { proposal, voter, support, reason, stage, transaction: transactions.at(-1) ?? null };
}

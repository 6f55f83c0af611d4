// Owns how votes are read without the chain being asked by everybody who looks: one look at it at a time, at most so often, and
// per block each thing once. It refuses to keep what a final block does not hold.

import { readParameterForm } from "../../governance/forms/parameter-form.ts";
import type { ContractLog } from "../../governance/proposals/chain-view.ts";
import {
  readOperations,
  readProposals,
  requireAllProposals,
  SETTLED_STATES,
} from "../../governance/proposals/proposal-reads.ts";
import { findVoteContracts, type VoteContracts } from "../../governance/proposals/vote-contracts.ts";
import {
  type EventSource,
  type ProposalRecord,
  VOTE_EVENTS,
  type VoteHistory,
} from "../../governance/proposals/vote-history.ts";
import { readSettings, readToken, readTreasury } from "../../governance/proposals/vote-settings.ts";
import type { Hex } from "../../protocol/fields.ts";
import type {
  GovernanceAnswer,
  OperationAnswer,
  ParametersAnswer,
  ProposalAnswer,
  SettingsAnswer,
} from "../../protocol/vote-answer.ts";
import { AgreedChain, type Pin } from "../mirror/agreed-chain.ts";
import { Rpc } from "../mirror/rpc.ts";
import { AgreedView } from "./agreed-view.ts";
import type { VoteSettings } from "./vote-settings.ts";

/** Where what is final of the events is kept. */
export interface KeptHistory {
  through(): number | null;
  load(governor: Hex): VoteHistory;
  keep(history: VoteHistory, through: number): void;
}

export interface VoteReaderHost {
  readonly settings: VoteSettings;
  readonly kept: KeptHistory;
  readonly fetch?: typeof fetch;
  readonly wallMs: () => number;
  /** Final blocks searched before what was found is kept; 20,000 where nothing else is said. */
  readonly blocksAtOnce?: number;
}

/** However many look, and however fast blocks come. Wall milliseconds. */
const MOST_OFTEN_MS = 1_000;
const TIMEOUT_MS = 10_000;
/** A first search goes through a chain's whole past: what breaks off in it goes on from what was kept. */
const BLOCKS_AT_ONCE = 20_000;

/** What one block says of votes; each part is asked for when somebody wants it, once. */
export class VoteSnapshot {
  readonly view: AgreedView;
  readonly contracts: VoteContracts;
  readonly history: VoteHistory;
  readonly #settled: SettledProposals;
  readonly #parts = new Map<string, Promise<unknown>>();

  constructor(view: AgreedView, contracts: VoteContracts, history: VoteHistory, settled: SettledProposals) {
    this.view = view;
    this.contracts = contracts;
    this.history = history;
    this.#settled = settled;
  }

  settings(): Promise<SettingsAnswer> {
    return this.once("settings", () => readSettings(this.view, this.contracts));
  }

  /** All but the relay, which is another object's. */
  overview(chainId: number): Promise<Omit<GovernanceAnswer, "relay">> {
    return this.once("overview", async () => {
      const [settings, token, treasury] = await Promise.all([
        this.settings(),
        readToken(this.view, this.contracts),
        readTreasury(this.view, this.contracts),
      ]);
      const { view, contracts, history } = this;
      return {
        ...{ chainId, block: view.block, contracts, settings, token, treasury },
        proposals: history.proposals.size,
      };
    });
  }

  /** The newest first. */
  proposals(): Promise<readonly ProposalAnswer[]> {
    return this.once("proposals", async () => {
      await requireAllProposals(this.view, this.contracts, this.history);
      const records = [...this.history.proposals.values()].reverse();
      const open = records.filter(({ id }) => !this.#settled.has(id));
      const read = await readProposals(this.view, this.contracts, open, this.history);
      this.#settled.take(read);
      const byId = new Map(read.map((proposal) => [proposal.id, proposal]));
      return records.map(({ id }) => byId.get(id) ?? this.#settled.get(id));
    });
  }

  operations(): Promise<readonly OperationAnswer[]> {
    return this.once("operations", () => readOperations(this.view, this.contracts, this.history));
  }

  record(id: string): ProposalRecord | null {
    return this.history.proposals.get(id) ?? null;
  }

  /** @returns null for a region that is not under votes */
  form(region: string): Promise<ParametersAnswer | null> {
    return this.once(`form/${region}`, async () =>
      readParameterForm(this.view, this.contracts, await this.settings(), region),
    );
  }

  /** Asks once; what failed is asked again by the next. */
  once<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#parts.get(name);
    if (known !== undefined) return known as Promise<T>;
    const asked = ask();
    this.#parts.set(name, asked);
    asked.catch(() => this.#parts.delete(name));
    return asked;
  }
}

/** Proposals that nothing changes any more, in a block that is final: they are not read again. */
class SettledProposals {
  readonly #kept = new Map<string, ProposalAnswer>();
  #final: VoteHistory | null = null;
  #finalS = 0;

  has(id: string): boolean {
    return this.#kept.has(id);
  }

  get(id: string): ProposalAnswer {
    return this.#kept.get(id) as ProposalAnswer;
  }

  take(proposals: readonly ProposalAnswer[]): void {
    for (const proposal of proposals) if (this.#isFinal(proposal)) this.#kept.set(proposal.id, proposal);
  }

  /** @param finalS time of the block that a history is folded through. */
  advance(final: VoteHistory, finalS: number): void {
    this.#final = final;
    this.#finalS = finalS;
  }

  #isFinal({ id, state, endsAtS }: ProposalAnswer): boolean {
    const record = this.#final?.proposals.get(id);
    if (!SETTLED_STATES.has(state) || record === undefined) return false;
    if (state === "defeated" || state === "expired") return endsAtS < this.#finalS;
    const operation = this.#final?.operations.get(record.operationId);
    const ends = [
      ...[record.executedAtBlock, record.cancelledAtBlock],
      ...[operation?.executedAtBlock, operation?.cancelledAtBlock],
    ];
    return ends.some((block) => block !== null && block !== undefined);
  }
}

/** Reads one deployment's votes. */
export class VoteReader {
  readonly #host: VoteReaderHost;
  readonly #chain: AgreedChain;
  readonly #settled = new SettledProposals();
  #contracts: VoteContracts | null = null;
  #base: { readonly history: VoteHistory; readonly through: number } | null = null;
  #last: { readonly snapshot: VoteSnapshot; readonly pin: Pin; readonly atMs: number } | null = null;
  #looking: Promise<VoteSnapshot> | null = null;

  constructor(host: VoteReaderHost) {
    const options = { timeoutMs: TIMEOUT_MS, ...(host.fetch === undefined ? {} : { fetch: host.fetch }) };
    this.#host = host;
    this.#chain = new AgreedChain(
      host.settings.rpcs.map((url) => new Rpc(url, options)),
      host.settings.chainId,
    );
  }

  /** The newest block's. @throws ChainTrouble, VoteMismatch */
  snapshot(): Promise<VoteSnapshot> {
    const { wallMs, settings } = this.#host;
    const last = this.#last;
    if (last !== null && wallMs() - last.atMs < Math.min(MOST_OFTEN_MS, settings.pollMs))
      return Promise.resolve(last.snapshot);
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<VoteSnapshot> {
    const atMs = this.#host.wallMs();
    const pin = await this.#chain.pin("latest");
    const last = this.#last;
    if (last !== null && last.pin.hash === pin.hash) {
      this.#last = { ...last, atMs };
      return last.snapshot;
    }
    const view = new AgreedView(this.#chain, pin);
    this.#contracts ??= await findVoteContracts(view, this.#host.settings.roots);
    const contracts = this.#contracts;
    const history = await this.#historyAt(view, contracts, pin.number);
    const snapshot = new VoteSnapshot(view, contracts, history, this.#settled);
    this.#last = { snapshot, pin, atMs };
    return snapshot;
  }

  /** What is final is folded once and kept; what is newer is folded into a copy, anew for each block. */
  async #historyAt(view: AgreedView, contracts: VoteContracts, through: number): Promise<VoteHistory> {
    const { settings, kept, blocksAtOnce = BLOCKS_AT_ONCE } = this.#host;
    const { governor } = settings.roots;
    const { number, timeS } = await this.#chain.pin();
    const finalised = Math.min(number, through);
    this.#base ??= { history: kept.load(governor), through: kept.through() ?? settings.deployedAtBlock - 1 };
    while (finalised > this.#base.through) {
      const until = Math.min(finalised, this.#base.through + blocksAtOnce);
      // Into a copy: what is broken off half-way leaves nothing behind.
      const history = this.#base.history.copy();
      fold(history, await readLogs(view, contracts, this.#base.through + 1, until));
      // Also without news: the next search begins behind it.
      kept.keep(history, until);
      this.#base = { history, through: until };
    }
    const { history, through: known } = this.#base;
    this.#settled.advance(history, timeS);
    if (through <= known) return history;
    const newest = history.copy();
    fold(newest, await readLogs(view, contracts, known + 1, through));
    return newest;
  }
}

type SourceLogs = readonly (readonly [EventSource, readonly ContractLog[]])[];

/** All events of a vote's contracts in a span of blocks. */
async function readLogs(
  view: AgreedView,
  contracts: VoteContracts,
  fromBlock: number,
  toBlock: number,
): Promise<SourceLogs> {
  const sources = Object.keys(VOTE_EVENTS) as EventSource[];
  return Promise.all(
    sources.map(async (source) => {
      const span = { address: contracts[source], events: VOTE_EVENTS[source], fromBlock, toBlock };
      return [source, await view.logs(span)] as const;
    }),
  );
}

function fold(history: VoteHistory, logs: SourceLogs): void {
  for (const [source, found] of logs) history.fold(source, found);
}

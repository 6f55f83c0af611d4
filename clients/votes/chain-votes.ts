// Owns votes as somebody with an RPC of their own reads them, with nobody's help: the contracts' events from their deployment on,
// and what the contracts say now. It refuses to show what only a deployment can: the past of a region.

import type { Deployment } from "../../governance/deploy/deployment.ts";
import type { Draft } from "../../governance/forms/draft.ts";
import { checkDraft } from "../../governance/forms/draft-check.ts";
import { readParameterForm } from "../../governance/forms/parameter-form.ts";
import type { ChainView } from "../../governance/proposals/chain-view.ts";
import {
  ballotsIn,
  delegatesIn,
  readOperations,
  readProposals,
  requireAllProposals,
} from "../../governance/proposals/proposal-reads.ts";
import { findVoteContracts, type VoteContracts } from "../../governance/proposals/vote-contracts.ts";
import { type EventSource, VOTE_EVENTS, VoteHistory } from "../../governance/proposals/vote-history.ts";
import {
  readSettings,
  readToken,
  readTreasury,
  type WeiRead,
} from "../../governance/proposals/vote-settings.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_BALLOT_ROWS, MAX_DELEGATE_ROWS } from "../../protocol/limits.ts";
import type { PreviewAnswer } from "../../protocol/preview-answer.ts";
import type { DraftAnswer, GovernanceAnswer, ParametersAnswer } from "../../protocol/vote-answer.ts";
import type { ChainConnection } from "../chain/chain-connection.ts";
import { chainViewOf } from "./chain-view.ts";
import type { VoteSource } from "./vote-source.ts";

/** Votes as of the block that was the newest when this was opened. */
export class ChainVotes implements VoteSource {
  readonly #view: ChainView & WeiRead;
  readonly #contracts: VoteContracts;
  readonly #chainId: number;
  readonly #sinceBlock: number;
  #history: Promise<VoteHistory> | undefined;

  private constructor(
    view: ChainView & WeiRead,
    contracts: VoteContracts,
    { chainId, deployedAtBlock }: Deployment,
  ) {
    this.#view = view;
    this.#contracts = contracts;
    this.#chainId = chainId;
    this.#sinceBlock = deployedAtBlock;
  }

  /** @throws VoteMismatch where the deployment's contracts do not belong together; what the chain's client throws */
  static async open(connection: ChainConnection, deployment: Deployment): Promise<ChainVotes> {
    const view = await chainViewOf(connection);
    return new ChainVotes(view, await findVoteContracts(view, deployment), deployment);
  }

  async overview(): Promise<GovernanceAnswer> {
    const [settings, token, treasury, history] = await Promise.all([
      readSettings(this.#view, this.#contracts),
      readToken(this.#view, this.#contracts),
      readTreasury(this.#view, this.#contracts),
      this.#read(),
    ]);
    return {
      chainId: this.#chainId,
      block: this.#view.block,
      contracts: this.#contracts,
      ...{ settings, token, treasury },
      proposals: history.proposals.size,
      relay: null,
    };
  }

  async proposals() {
    const history = await this.#read();
    const records = [...history.proposals.values()].reverse();
    return readProposals(this.#view, this.#contracts, records, history);
  }

  async proposal(id: string) {
    const history = await this.#read();
    const record = history.proposals.get(id);
    if (record === undefined) throw new Error(`there is no proposal ${id}`);
    const [proposal] = await readProposals(this.#view, this.#contracts, [record], history);
    if (proposal === undefined) throw new Error(`there is no proposal ${id}`);
    return { proposal, ballots: ballotsIn(history, id, MAX_BALLOT_ROWS) };
  }

  async operations() {
    return readOperations(this.#view, this.#contracts, await this.#read());
  }

  async delegates() {
    return delegatesIn(await this.#read(), MAX_DELEGATE_ROWS);
  }

  async parameters(region: string): Promise<ParametersAnswer> {
    const settings = await readSettings(this.#view, this.#contracts);
    const form = await readParameterForm(this.#view, this.#contracts, settings, region);
    if (form === null) throw new Error(`${region} is not under votes`);
    return form;
  }

  async checkDraft(draft: Draft, proposer: Hex): Promise<DraftAnswer> {
    const settings = await readSettings(this.#view, this.#contracts);
    const desk = {
      ...{ view: this.#view, contracts: this.#contracts, settings, chainId: this.#chainId },
    };
    return { ...(await checkDraft(desk, draft, proposer)), previews: [] };
  }

  preview(): Promise<readonly PreviewAnswer[]> {
    return Promise.resolve([]);
  }

  #read(): Promise<VoteHistory> {
    this.#history ??= this.#fold();
    return this.#history;
  }

  async #fold(): Promise<VoteHistory> {
    const history = new VoteHistory(this.#contracts.governor);
    for (const source of Object.keys(VOTE_EVENTS) as EventSource[])
      history.fold(
        source,
        await this.#view.logs({
          address: this.#contracts[source],
          events: VOTE_EVENTS[source],
          fromBlock: this.#sinceBlock,
          toBlock: this.#view.block.number,
        }),
      );
    await requireAllProposals(this.#view, this.#contracts, history);
    return history;
  }
}

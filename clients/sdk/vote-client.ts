// Owns a deployment's answers about votes on its chain. It refuses answers that are none; what is to be voted on is on the chain,
// and whoever doubts an answer reads it there.

import type { Draft } from "../../governance/forms/draft.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { PreviewAnswer, PreviewOptions } from "../../protocol/preview-answer.ts";
import type {
  BallotAnswer,
  DelegateAnswer,
  DraftAnswer,
  GovernanceAnswer,
  OperationAnswer,
  ParametersAnswer,
  ProposalAnswer,
  RelayedAnswer,
  VoterAnswer,
} from "../../protocol/vote-answer.ts";
import type { VoteSource } from "../votes/vote-source.ts";
import type { SignedBallot } from "../votes/vote-wallet.ts";
import { isCount, isRecord } from "./answer-shape.ts";
import type { PolderClient } from "./client.ts";
import { TransportFault } from "./problem.ts";

/** Votes as a deployment tells them. */
export class VoteClient implements VoteSource {
  readonly #client: PolderClient;

  constructor(client: PolderClient) {
    this.#client = client;
  }

  async overview(): Promise<GovernanceAnswer> {
    const answer = await this.#client.get<GovernanceAnswer>("/v1/governance");
    if (!isRecord(answer.contracts) || !isRecord(answer.settings) || !isCount(answer.chainId))
      throw new TransportFault("the answer does not say what votes are made of");
    return answer;
  }

  async proposals(): Promise<readonly ProposalAnswer[]> {
    const all: ProposalAnswer[] = [];
    for (let from: number | null = 0; from !== null; ) {
      const page: { readonly next?: unknown } = await this.#client.get(
        `/v1/governance/proposals?from=${from}`,
      );
      all.push(...listIn<ProposalAnswer>(page, "proposals"));
      const next: unknown = page.next;
      if (next !== null && !(isCount(next) && next > from))
        throw new TransportFault("the pages of proposals do not go on");
      from = next;
    }
    return all;
  }

  async proposal(id: string) {
    const answer = await this.#client.get<{ readonly proposal: ProposalAnswer }>(
      `/v1/governance/proposals/${id}`,
    );
    if (!isRecord(answer.proposal) || answer.proposal.id !== id)
      throw new TransportFault("the answer is not this proposal");
    return { proposal: answer.proposal, ballots: listIn<BallotAnswer>(answer, "ballots") };
  }

  async operations(): Promise<readonly OperationAnswer[]> {
    return listIn(await this.#client.get("/v1/governance/operations"), "operations");
  }

  async delegates(): Promise<readonly DelegateAnswer[]> {
    return listIn(await this.#client.get("/v1/governance/delegates"), "delegates");
  }

  parameters(region: string): Promise<ParametersAnswer> {
    return this.#client.get(`/v1/governance/parameters/${region}`);
  }

  /** What a draft would be refused for, and its effect on the last epochs. Nothing is sent. */
  checkDraft(draft: Draft, proposer: Hex, preview?: Partial<PreviewOptions>): Promise<DraftAnswer> {
    const body = { ...draft, proposer, ...(preview === undefined ? {} : { preview }) };
    return this.#client.send("POST", "/v1/governance/drafts", body);
  }

  /** A voter on a proposal, with the nonce of its next ballot. */
  voter(id: string, voter: Hex): Promise<VoterAnswer> {
    return this.#client.get(`/v1/governance/proposals/${id}/voters/${voter}`);
  }

  /**
   * Hands in a signed ballot, which the relay sends and pays for; again it gets the same answer.
   * @throws PolderProblem also `relay_budget_spent`, with the call for the voter's own wallet
   */
  relay(ballot: SignedBallot): Promise<RelayedAnswer> {
    return this.#client.send("POST", "/v1/governance/votes", ballot);
  }

  async preview(id: string, options: Partial<PreviewOptions> = {}): Promise<readonly PreviewAnswer[]> {
    const query = new URLSearchParams(
      Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const answer = await this.#client.get<object>(`/v1/governance/proposals/${id}/preview?${query}`);
    return listIn(answer, "previews");
  }
}

/** A list in an answer. @throws TransportFault where there is none */
function listIn<T>(answer: object, name: string): readonly T[] {
  const list = (answer as Record<string, unknown>)[name];
  if (!Array.isArray(list)) throw new TransportFault(`the answer has no ${name}`);
  return list;
}

// Owns what the commands about votes read, whoever answers: a deployment, or the chain itself. It refuses to send anything.

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
} from "../../protocol/vote-answer.ts";

/** Who answers about votes. */
export interface VoteSource {
  overview(): Promise<GovernanceAnswer>;
  /** The newest first. */
  proposals(): Promise<readonly ProposalAnswer[]>;
  proposal(
    id: string,
  ): Promise<{ readonly proposal: ProposalAnswer; readonly ballots: readonly BallotAnswer[] }>;
  operations(): Promise<readonly OperationAnswer[]>;
  delegates(): Promise<readonly DelegateAnswer[]>;
  parameters(region: string): Promise<ParametersAnswer>;
  checkDraft(draft: Draft, proposer: Hex, preview?: Partial<PreviewOptions>): Promise<DraftAnswer>;
  /** Nothing where the past of no region is known. */
  preview(id: string, options?: Partial<PreviewOptions>): Promise<readonly PreviewAnswer[]>;
}

// Owns the shapes of what a deployment says about votes on its chain: settings, proposals, operations, delegates, the treasury,
// and drafts. It refuses amounts of a token as numbers: they pass what JSON can hold, so they are decimal texts.

import { z } from "zod";
import { ERRORS, type ErrorCode } from "./errors.ts";
import { address, bytes32, count, instantS } from "./fields.ts";
import { GOVERNED_VALUES, type GovernedValue } from "./governed-values.ts";
import { previewAnswer } from "./preview-answer.ts";

/** Also above what a version may hold: whatever a contract answers. */
export const decimal = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,77})$/)
  .meta({ description: "whole number in decimal" });
const tokens = decimal.meta({ description: "token base units" });
const fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const governed = z.enum(GOVERNED_VALUES as readonly [GovernedValue, ...GovernedValue[]]);

export const blockAnswer = z
  .strictObject({ number: count, hash: bytes32, timeS: instantS })
  .meta({ id: "VoteBlock", description: "the newest block that all endpoints have; all else is as of it" });

export const contractsAnswer = z.strictObject({
  governor: address,
  timelock: address.meta({ description: "owner of everything governed, and the treasury" }),
  token: address,
  callList: address,
  rewardParameters: address,
  settlement: address,
  meterRegistry: address,
  providerStake: address,
  quote: address,
});

export const settingsAnswer = z.strictObject({
  votingDelaySeconds: count,
  votingPeriodSeconds: count,
  lateQuorumSeconds: count,
  timelockDelaySeconds: count,
  quorumPercent: count.meta({ description: "of all tokens, the treasury's included" }),
  proposalThreshold: tokens.meta({ description: "votes that a proposer needs" }),
  guardian: address.meta({ description: "may cancel proposals; the zero address for nobody" }),
});

export const treasuryAnswer = z.strictObject({
  account: address,
  quoteMicros: decimal,
  tokens,
  wei: decimal.meta({ description: "no vote can spend it" }),
});

export const relayAnswer = z.strictObject({
  isOpen: z.boolean(),
  account: address.meta({ description: "the wallet that pays; the zero address where there is none" }),
  minimumVotes: tokens.meta({ description: "votes at the snapshot that a ballot must carry" }),
  budgetWei: decimal.meta({ description: "for ballots, a day of UTC" }),
  spentWei: decimal,
  resetsAtS: instantS.meta({ description: "wall time" }),
});

export const governanceAnswer = z
  .strictObject({
    chainId: count,
    block: blockAnswer,
    contracts: contractsAnswer,
    settings: settingsAnswer,
    token: z.strictObject({
      name: z.string(),
      symbol: z.string(),
      decimals: count,
      supply: tokens,
      cap: tokens,
      mintedRewards: tokens,
    }),
    treasury: treasuryAnswer,
    proposals: count,
    relay: relayAnswer.nullable(),
  })
  .meta({ id: "Governance", description: "What votes are made of" });

export const PROPOSAL_STATES = [
  "pending",
  "active",
  "cancelled",
  "defeated",
  "succeeded",
  "queued",
  "expired",
  "executed",
] as const;

export const callAnswer = z.strictObject({
  target: address,
  contract: z
    .string()
    .nullable()
    .meta({ description: "which of the vote's contracts; null for another one" }),
  words: z.string().meta({ description: "what the call does" }),
  form: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: "the call as a draft writes it; null for one that no form has" }),
  value: decimal,
  data: z.string().regex(/^0x([0-9a-f]{2})*$/),
});

export const changesAnswer = z.strictObject({
  region: z.string(),
  values: z.array(z.strictObject({ name: governed, current: decimal.nullable(), value: decimal })),
});

export const proposalAnswer = z
  .strictObject({
    id: decimal,
    title: z.string().meta({ description: "the description's first line" }),
    description: z.string(),
    proposer: address,
    state: z.enum(PROPOSAL_STATES),
    snapshotS: instantS.meta({ description: "votes held at the end of this second count" }),
    endsAtS: instantS.meta({ description: "the last second in which it takes votes" }),
    isExtended: z.boolean().meta({ description: "the quorum was reached late, so it stays open longer" }),
    secondsLeft: count
      .nullable()
      .meta({ description: "of chain time until what `waitsFor` says; null where it waits for nothing" }),
    waitsFor: z.enum(["snapshot", "end", "eta"]).nullable(),
    quorum: z.strictObject({
      votes: tokens.meta({ description: "of for and abstain together" }),
      asOfS: instantS,
      isAtSnapshot: z
        .boolean()
        .meta({ description: "false: the snapshot is still to come, and this is what it would be now" }),
      isReached: z.boolean(),
    }),
    votes: z.strictObject({ for: tokens, against: tokens, abstain: tokens }),
    operationId: bytes32.meta({ description: "by which the timelock knows it, or would" }),
    etaS: instantS.nullable().meta({ description: "from when on it may be executed; null until queued" }),
    executedBy: z
      .enum(["governor", "timelock"])
      .nullable()
      .meta({ description: "timelock: its operation was executed there directly, past the governor" }),
    cancelledBy: z.enum(["governor", "timelock"]).nullable(),
    createdAtBlock: count,
    calls: z.array(callAnswer),
    changes: z.array(changesAnswer).meta({ description: "governed values that it changes, by region" }),
  })
  .meta({ id: "Proposal" });

export const ballotAnswer = z.strictObject({
  voter: address,
  support: z.enum(["against", "for", "abstain"]),
  weight: tokens,
  reason: z.string(),
  block: count,
});

/** How far a relayed ballot has come. */
export const BALLOT_STAGES = ["sent", "included", "counted", "refused"] as const;

export const relayedAnswer = z
  .strictObject({
    proposal: decimal,
    voter: address,
    support: z.enum(["against", "for", "abstain"]),
    reason: z.string(),
    stage: z.enum(BALLOT_STAGES).meta({
      description:
        "sent; included in a block; counted: in a final one; refused: sent for nothing, it may be tried again",
    }),
    transaction: bytes32
      .nullable()
      .meta({ description: "the newest that carries it; a dearer one may follow" }),
  })
  .meta({ id: "RelayedBallot" });

export const voterAnswer = z.strictObject({
  proposal: decimal,
  voter: address,
  state: z.enum(PROPOSAL_STATES),
  hasVoted: z.boolean(),
  votes: tokens.meta({ description: "that count for this proposal; 0 until its snapshot is past" }),
  nonce: count.meta({ description: "to sign the next ballot with" }),
  relayed: relayedAnswer.nullable(),
});

export const operationAnswer = z
  .strictObject({
    id: bytes32,
    proposal: decimal.nullable().meta({ description: "null: no proposal of this governor made it" }),
    state: z.enum(["waiting", "ready", "executed", "cancelled"]),
    readyAtS: instantS.nullable(),
    scheduledAtBlock: count,
    calls: z.array(callAnswer),
  })
  .meta({ id: "TimelockOperation" });

export const delegateAnswer = z.strictObject({
  account: address,
  votes: tokens,
  delegators: count.meta({ description: "accounts that named it, itself included" }),
});

/** A refusal within an answer that is none. */
export const refusalAnswer = z.strictObject({
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  facts: z.record(z.string(), fact),
  call: count.nullable().meta({ description: "which call of the draft, from 0; null for all of it" }),
});

export const valueFormAnswer = z.strictObject({
  name: governed,
  unit: z.string(),
  meaning: z.string(),
  current: decimal.meta({ description: "of the newest version, from which the next step is taken" }),
  least: decimal.meta({ description: "of the bounds, which no vote can change" }),
  most: decimal,
  lowestNext: decimal.meta({ description: "what one vote can make of it, within step and bounds" }),
  highestNext: decimal,
  stepBps: count,
  stepFloor: decimal,
  coolDownSeconds: count,
  changeableAtS: count.meta({ description: "from when on it may change again; 0 where it never did" }),
  isCoolingDown: z.boolean().meta({ description: "no vote that begins now could change it" }),
});

export const parametersAnswer = z
  .strictObject({
    region: z.string(),
    block: blockAnswer,
    version: count,
    fromEpoch: count,
    earliestExecutionS: instantS.meta({ description: "of a vote that begins now" }),
    windowSeconds: count.meta({ description: "evidence may be awaited as long, and no longer" }),
    values: z.array(valueFormAnswer),
  })
  .meta({ id: "ParameterForm", description: "The governed values of a region as a form" });

export const draftAnswer = z
  .strictObject({
    block: blockAnswer,
    description: z.string().meta({ description: "with the line that names the proposer" }),
    proposalId: decimal,
    calls: z.array(callAnswer),
    changes: z.array(changesAnswer),
    refusals: z.array(refusalAnswer).meta({ description: "empty: it could be proposed now" }),
    transaction: z
      .strictObject({ to: address, data: z.string() })
      .meta({ description: "the governor's `propose`, for the proposer's own wallet" }),
    previews: z
      .array(previewAnswer)
      .meta({ description: "for each region whose values change and whose past can be shown" }),
  })
  .meta({ id: "Draft" });

export type BlockAnswer = z.infer<typeof blockAnswer>;
export type SettingsAnswer = z.infer<typeof settingsAnswer>;
export type TreasuryAnswer = z.infer<typeof treasuryAnswer>;
export type GovernanceAnswer = z.infer<typeof governanceAnswer>;
export type RelayAnswer = z.infer<typeof relayAnswer>;
export type ProposalState = (typeof PROPOSAL_STATES)[number];
export type CallAnswer = z.infer<typeof callAnswer>;
export type ChangesAnswer = z.infer<typeof changesAnswer>;
export type ProposalAnswer = z.infer<typeof proposalAnswer>;
export type BallotAnswer = z.infer<typeof ballotAnswer>;
export type RelayedAnswer = z.infer<typeof relayedAnswer>;
export type VoterAnswer = z.infer<typeof voterAnswer>;
export type OperationAnswer = z.infer<typeof operationAnswer>;
export type DelegateAnswer = z.infer<typeof delegateAnswer>;
export type RefusalAnswer = z.infer<typeof refusalAnswer>;
export type ValueFormAnswer = z.infer<typeof valueFormAnswer>;
export type ParametersAnswer = z.infer<typeof parametersAnswer>;
export type DraftAnswer = z.infer<typeof draftAnswer>;

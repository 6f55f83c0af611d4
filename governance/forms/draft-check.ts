// Owns what is said of a draft before it is submitted: its calls in words, and everything that it would be refused for, asked of
// the contracts themselves. It refuses nothing itself; whoever submits decides.

import { type Abi, decodeErrorResult, encodeFunctionData } from "viem";
import { type Facts, type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { GovernedValue } from "../../protocol/governed-values.ts";
import type {
  DraftAnswer,
  ParametersAnswer,
  RefusalAnswer,
  SettingsAnswer,
} from "../../protocol/vote-answer.ts";
import { voteAbi } from "../calls/vote-abi.ts";
import { callListAbi, polderGovernorAbi, polderTokenAbi } from "../generated/abi.ts";
import type { Attempt, ChainView } from "../proposals/chain-view.ts";
import { readOf } from "../proposals/contract-reads.ts";
import type { VoteContracts } from "../proposals/vote-contracts.ts";
import type { Proposed } from "../proposals/vote-history.ts";
import { changesIn, type DecodedCall, decodeCall } from "./decoded-call.ts";
import { type Draft, descriptionHashOf, proposalOf } from "./draft.ts";
import { readParameterForm, refuseChanges } from "./parameter-form.ts";
import { refuseSetting } from "./setting-bounds.ts";

/** A draft with all that there is to say of it but its effect. */
export type CheckedDraft = Omit<DraftAnswer, "previews">;

/** What a draft is held against. */
export interface DraftDesk {
  readonly view: ChainView;
  readonly contracts: VoteContracts;
  readonly settings: SettingsAnswer;
  readonly chainId: number;
}

/** Checks a draft. @throws DraftMalformed; Error where the chain does not answer */
export async function checkDraft(desk: DraftDesk, draft: Draft, proposer: Hex): Promise<CheckedDraft> {
  const { view, contracts } = desk;
  const proposed = proposalOf(draft, proposer, contracts);
  const calls = callsOf(proposed).map((call) => decodeCall(contracts, call));
  const forms = await formsOf(desk, calls);
  const refusals = [
    ...valueRefusals(calls, forms),
    ...(await settingRefusals(desk, calls)),
    ...(await listRefusals(desk, proposed)),
    ...(await proposerRefusals(desk, proposer)),
  ];
  refusals.push(...(await callRefusals(desk, calls, forms, refusals)));
  if (refusals.length === 0) refusals.push(...(await proposeRefusals(desk, proposed, proposer)));
  const currentOf = (region: string, name: GovernedValue): string | null =>
    forms.get(region)?.values.find((form) => form.name === name)?.current ?? null;
  return {
    block: view.block,
    description: proposed.description,
    proposalId: await numberOf(desk, proposed),
    calls: calls.map(({ answer }) => answer),
    changes: changesIn(calls, currentOf),
    refusals,
    transaction: { to: contracts.governor, data: proposeCall(proposed) },
  };
}

/** The governor's `propose`. */
export function proposeCall({ targets, values, calldatas, description }: Proposed): Hex {
  return encodeFunctionData({
    abi: polderGovernorAbi,
    functionName: "propose",
    args: [targets, values, calldatas, description],
  });
}

function callsOf({ targets, values, calldatas }: Proposed) {
  return targets.map((target, place) => ({
    target,
    value: String(values[place]),
    data: calldatas[place] as Hex,
  }));
}

async function numberOf({ view, contracts }: DraftDesk, proposed: Proposed): Promise<string> {
  const { targets, values, calldatas, description } = proposed;
  const args = [targets, values, calldatas, descriptionHashOf(description)];
  const [id] = await view.read<[bigint]>([
    readOf(contracts.governor, polderGovernorAbi, "hashProposal", args),
  ]);
  return id.toString();
}

/** The forms of all regions whose values change; none for a region that is not under votes. */
async function formsOf(
  { view, contracts, settings }: DraftDesk,
  calls: readonly DecodedCall[],
): Promise<ReadonlyMap<string, ParametersAnswer>> {
  const regions = new Set(calls.flatMap(({ changes }) => (changes === null ? [] : [changes.region])));
  const forms = new Map<string, ParametersAnswer>();
  for (const region of regions) {
    const form = await readParameterForm(view, contracts, settings, region);
    if (form !== null) forms.set(region, form);
  }
  return forms;
}

function valueRefusals(
  calls: readonly DecodedCall[],
  forms: ReadonlyMap<string, ParametersAnswer>,
): RefusalAnswer[] {
  return calls.flatMap(({ changes }, call) => {
    const form = changes === null ? undefined : forms.get(changes.region);
    if (changes === null || form === undefined) return [];
    return refuseChanges(form, changes.values).map((refusal) => told(refusal, call));
  });
}

async function settingRefusals({ view, contracts, chainId }: DraftDesk, calls: readonly DecodedCall[]) {
  const [supply] = await view.read<[bigint]>([readOf(contracts.token, polderTokenAbi, "totalSupply")]);
  return calls.flatMap(({ answer }, call) => {
    const word = refuseSetting(answer, { chainId, supply });
    return word === null ? [] : [told(rejected("call_refused", word), call)];
  });
}

/** Each call for itself, so that all that are not on the list are told at once. */
async function listRefusals({ view, contracts }: DraftDesk, { targets, values, calldatas }: Proposed) {
  const from = contracts.governor;
  const attempts = await view.attempt(
    targets.map((target, place) => ({
      ...{ from, to: contracts.callList },
      data: encodeFunctionData({
        abi: callListAbi,
        functionName: "requireAllowed",
        args: [[target], [values[place] as bigint], [calldatas[place] as Hex]],
      }),
    })),
  );
  return attempts.flatMap((attempt, call) => {
    const word = refusalIn(attempt);
    if (word === null) return [];
    const [target, selector] = [targets[call] as Hex, (calldatas[call] as Hex).slice(0, 10)];
    return [told(rejected("call_not_allowed", { ...word, target, selector }), call)];
  });
}

async function proposerRefusals({ view, contracts, settings }: DraftDesk, proposer: Hex) {
  const args = [proposer, BigInt(view.block.timeS - 1)];
  const [votes] = await view.read<[bigint]>([readOf(contracts.token, polderTokenAbi, "getPastVotes", args)]);
  if (votes >= BigInt(settings.proposalThreshold)) return [];
  const facts = { proposer, votes: votes.toString(), threshold: settings.proposalThreshold };
  return [told(rejected("proposer_below_threshold", facts), null)];
}

/**
 * What each call would come to if the timelock made it now; what is refused already is not asked again. The governor takes
 * calls to itself only while it executes a vote: those are judged by their bounds.
 */
async function callRefusals(
  { view, contracts }: DraftDesk,
  calls: readonly DecodedCall[],
  forms: ReadonlyMap<string, ParametersAnswer>,
  refused: readonly RefusalAnswer[],
): Promise<RefusalAnswer[]> {
  const isRefused = (call: number) => refused.some((one) => one.call === call);
  const asked = calls.flatMap(({ answer }, call) =>
    isRefused(call) || answer.contract === "governor" || restsOnEarlier(calls, call)
      ? []
      : [{ call, answer }],
  );
  const attempts = await view.attempt(
    asked.map(({ answer }) => ({
      from: contracts.timelock,
      to: answer.target,
      data: answer.data as Hex,
    })),
  );
  return attempts.flatMap((attempt, place) => {
    const word = refusalIn(attempt);
    const { call } = asked[place] as (typeof asked)[number];
    if (word === null || isOverByThen(word, calls[call] as DecodedCall, forms)) return [];
    return [told(rejected("call_refused", word), call)];
  });
}

/** A call about a region that an earlier one opens can only be judged when that is done. */
function restsOnEarlier(calls: readonly DecodedCall[], place: number): boolean {
  const regionIn = (call: DecodedCall | undefined): unknown => call?.answer.form?.region;
  const region = regionIn(calls[place]);
  return (
    region !== undefined &&
    calls
      .slice(0, place)
      .some((earlier) => earlier.answer.form?.call === "openRegion" && regionIn(earlier) === region)
  );
}

/** A cool-down that is over before the vote can be executed stands in nobody's way. */
function isOverByThen(
  word: Facts,
  { changes }: DecodedCall,
  forms: ReadonlyMap<string, ParametersAnswer>,
): boolean {
  const form = changes === null ? undefined : forms.get(changes.region);
  return (
    word.refusal === "RewardParameters_CoolingDown" &&
    form !== undefined &&
    Number(word.untilS) <= form.earliestExecutionS
  );
}

/** What the governor would say to the proposal itself, such as that it is there already. */
async function proposeRefusals({ view, contracts }: DraftDesk, proposed: Proposed, proposer: Hex) {
  const call = { from: proposer, to: contracts.governor, data: proposeCall(proposed) };
  const [attempt] = await view.attempt([call]);
  const word = attempt === undefined ? null : refusalIn(attempt);
  return word === null ? [] : [told(rejected("call_refused", word), null)];
}

function told({ code, facts }: Rejection, call: number | null): RefusalAnswer {
  return { code, facts, call };
}

/** A contract's own word for a refusal, with its fields; null where the call would go through. */
export function refusalIn(attempt: Attempt): Facts | null {
  if ("output" in attempt) return null;
  const { reverted, message } = attempt;
  if (reverted === null || reverted === "0x") return { refusal: message.slice(0, 200) };
  try {
    const { errorName, args = [], abiItem } = decodeErrorResult({ abi: voteAbi as Abi, data: reverted });
    const names = "inputs" in abiItem ? abiItem.inputs.map((input) => input.name ?? "") : [];
    const fields = (args as readonly unknown[]).map((value, place) => [
      names[place] || `value${place + 1}`,
      typeof value === "number" ? value : String(value),
    ]);
    return { ...Object.fromEntries(fields), refusal: errorName };
  } catch {
    return { refusal: reverted.slice(0, 10) };
  }
}

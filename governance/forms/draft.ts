// Owns drafts of proposals: typed calls and a description, and what the governor is given of them. It refuses a draft without a
// call, a call that no form has, and a description that names a proposer: that line is put there here, always.

import {
  type AbiFunction,
  type AbiParameter,
  encodeFunctionData,
  keccak256,
  parseAbiItem,
  toBytes,
} from "viem";
import { z } from "zod";
import type { Hex } from "../../protocol/fields.ts";
import type { DraftValues } from "../../protocol/governed-values.ts";
import { describedBy } from "../calls/vote-abi.ts";
import { ABI_OF, type VoteContracts } from "../proposals/vote-contracts.ts";
import type { Proposed, RawCall } from "../proposals/vote-history.ts";
import { CALL_FORMS, type CallForm, type CallName, otherCallFields } from "./call-forms.ts";

/** More than anybody reads; each costs gas when it is proposed, and again when it is executed. */
const MAX_CALLS = 20;
const MAX_DESCRIPTION_CHARACTERS = 10_000;
/** What the line begins with that names a proposer. */
const MARKER = "#proposer=";

const formCalls = (Object.keys(CALL_FORMS) as CallName[]).map((name) =>
  (CALL_FORMS[name].fields as z.ZodObject).safeExtend({ call: z.literal(name) }),
);
export const draftCall = z
  .discriminatedUnion("call", [
    otherCallFields.extend({ call: z.literal("otherCall") }),
    ...formCalls,
  ] as unknown as [z.ZodObject, ...z.ZodObject[]])
  .meta({ description: "a typed call; `call` names its form" });
export type DraftCall = { readonly call: CallName | "otherCall" } & Readonly<Record<string, unknown>>;

/** A draft as files and requests hold it. */
export const draftDocument = z.strictObject({
  description: z
    .string()
    .min(1)
    .max(MAX_DESCRIPTION_CHARACTERS)
    .refine((text) => text.trim() !== "", "says nothing")
    .refine((text) => !text.includes(MARKER), `${MARKER} is added for you`)
    .meta({ description: "its first line is the title; the line that names the proposer is added" }),
  calls: z.array(draftCall).min(1).max(MAX_CALLS),
});
export interface Draft {
  readonly description: string;
  readonly calls: readonly DraftCall[];
}

/** Values that a draft changes, by region; of two changes of one value the later holds. */
export function changesOfDraft(
  draft: Draft,
): readonly { readonly region: string; readonly values: DraftValues }[] {
  const byRegion = new Map<string, DraftValues>();
  for (const call of draft.calls) {
    if (call.call !== "changeValues") continue;
    const { region, values } = call as unknown as { readonly region: string; readonly values: DraftValues };
    byRegion.set(region, { ...byRegion.get(region), ...values });
  }
  return [...byRegion].map(([region, values]) => ({ region, values }));
}

/** Thrown for a call whose values do not fit its signature. */
export class DraftMalformed extends Error {
  override readonly name = "DraftMalformed";
  /** Which call, from 0. */
  readonly call: number;

  constructor(call: number, message: string) {
    super(message);
    this.call = call;
  }
}

/** What the governor is asked to vote on. @throws DraftMalformed */
export function proposalOf(draft: Draft, proposer: Hex, contracts: VoteContracts): Proposed {
  const calls = draft.calls.map((call, place) => callOf(call, place, contracts));
  return {
    targets: calls.map(({ target }) => target),
    values: calls.map(() => 0n),
    calldatas: calls.map(({ data }) => data),
    description: describedBy(draft.description.trimEnd(), proposer),
  };
}

/** A proposal's number: the hash of its calls and of its description. */
export function descriptionHashOf(description: string): Hex {
  return keccak256(toBytes(description));
}

function callOf(draft: DraftCall, place: number, contracts: VoteContracts): RawCall {
  if (draft.call === "otherCall") return otherCall(draft as unknown as OtherCall, place);
  const form = CALL_FORMS[draft.call] as unknown as CallForm;
  const { call: _call, ...fields } = draft;
  const target = contracts[form.contract];
  const data = encodeFunctionData({
    abi: ABI_OF[form.contract],
    functionName: form.functionName,
    args: form.argumentsOf(fields),
  });
  return { target, value: "0", data };
}

type OtherCall = z.infer<typeof otherCallFields>;

function otherCall({ target, signature, values }: OtherCall, place: number): RawCall {
  const item = parseAbiItem(`function ${signature}` as "function f()") as AbiFunction;
  try {
    const args = typed(item.inputs, values);
    return { target, value: "0", data: encodeFunctionData({ abi: [item], functionName: item.name, args }) };
  } catch (error) {
    throw new DraftMalformed(place, error instanceof Error ? (error.message.split("\n")[0] as string) : "");
  }
}

/** JSON's values as an encoder takes them: whole numbers may be texts. @throws Error for what does not fit */
function typed(inputs: readonly AbiParameter[], values: readonly unknown[]): unknown[] {
  if (inputs.length !== values.length)
    throw new Error(`takes ${inputs.length} values, and not ${values.length}`);
  return inputs.map((input, place) => typedValue(input, values[place]));
}

function typedValue(input: AbiParameter, value: unknown): unknown {
  const [, element] = /^(.*)\[\d*\]$/.exec(input.type) ?? [];
  if (element !== undefined) {
    if (!Array.isArray(value)) throw new Error(`${input.type} takes a list`);
    return value.map((one) => typedValue({ ...input, type: element }, one));
  }
  if (input.type === "tuple") {
    if (!Array.isArray(value)) throw new Error("a tuple is written as a list");
    return typed((input as { components: readonly AbiParameter[] }).components, value);
  }
  if (!/^u?int\d*$/.test(input.type)) return value;
  if (!/^-?\d+$/.test(String(value))) throw new Error(`${input.type} takes a whole number`);
  return BigInt(String(value));
}

// Owns how a draft is written on a command line: values by name, calls as JSON, a file. It refuses to mix a file with anything
// else, and a value without its region.

import { InvalidArgumentError } from "commander";
import { type Draft, type DraftCall, draftDocument } from "../../../governance/forms/draft.ts";
import { draftSchema, GOVERNED_VALUES, type GovernedValue } from "../../../protocol/governed-values.ts";
import { readJson } from "../document-files.ts";

/** What `proposal draft` is given. */
export interface DraftFlags {
  readonly description?: string;
  readonly set: readonly ValueFlag[];
  readonly call: readonly DraftCall[];
  readonly from?: string;
}

export interface ValueFlag {
  readonly name: GovernedValue;
  readonly value: string;
}

/** `takeRateBps=150`, once more each time. */
export function valueFlag(text: string, before: readonly ValueFlag[]): readonly ValueFlag[] {
  const [, name = "", value = ""] = /^([A-Za-z]+)=(\d+)$/.exec(text) ?? [];
  const found = GOVERNED_VALUES.find((governed) => governed === name);
  if (found === undefined)
    throw new InvalidArgumentError(
      `write a value as name=whole number; the names are ${GOVERNED_VALUES.join(", ")}`,
    );
  if (before.some((one) => one.name === found)) throw new InvalidArgumentError(`${found} stands twice`);
  return [...before, { name: found, value }];
}

/** A typed call as JSON, once more each time. */
export function callFlag(text: string, before: readonly DraftCall[]): readonly DraftCall[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('write a call as JSON, e.g. {"call":"setQuorum","percent":12}');
  }
  const decoded = draftDocument.shape.calls.safeParse([value]);
  if (decoded.success) return [...before, ...(decoded.data as unknown as DraftCall[])];
  const [issue] = decoded.error.issues;
  throw new InvalidArgumentError(`${issue?.path.slice(1).join(".") || "call"}: ${issue?.message}`);
}

/** Whether anything was said of what shall be proposed. */
export function saysAnything({ set, call, from }: DraftFlags): boolean {
  return set.length > 0 || call.length > 0 || from !== undefined;
}

/** The draft that flags say. @param region whose values are set. @throws Error, ZodError */
export function draftOfFlags(flags: DraftFlags, region: string | null): Draft {
  const { description, set, call, from } = flags;
  if (from !== undefined) {
    if (set.length > 0 || call.length > 0 || description !== undefined)
      throw new Error("a file is a whole draft: --from goes with no --set, --call or --description");
    return draftDocument.parse(readJson(from)) as unknown as Draft;
  }
  if (description === undefined) throw new Error("say what it is for with --description; all will read it");
  if (set.length > 0 && region === null)
    throw new Error("name the region whose values are set with --region");
  const change = set.length === 0 ? [] : [{ call: "changeValues", region, values: valuesOf(set) }];
  return draftDocument.parse({ description, calls: [...change, ...call] }) as unknown as Draft;
}

/** Values as drafts have them: amounts of the token as texts, all others as numbers. */
export function valuesOf(set: readonly ValueFlag[]): object {
  return Object.fromEntries(
    set.map(({ name, value }) => {
      const asText = draftSchema.shape[name].safeParse(value);
      return [name, asText.success ? value : Number(value)];
    }),
  );
}

// Owns what a proposal's call says in words, and which governed values it changes. It refuses to guess: a call that is not
// exactly one of the typed ones is told as what it is, a selector and bytes.

import { decodeFunctionData, encodeFunctionData } from "viem";
import type { Hex } from "../../protocol/fields.ts";
import type { DraftValues, GovernedValue } from "../../protocol/governed-values.ts";
import type { CallAnswer, ChangesAnswer } from "../../protocol/vote-answer.ts";
import { ABI_OF, contractNameOf, type VoteContracts } from "../proposals/vote-contracts.ts";
import type { RawCall } from "../proposals/vote-history.ts";
import { CALL_FORMS, type CallForm, type CallName } from "./call-forms.ts";

/** A call, told. */
export interface DecodedCall {
  readonly answer: CallAnswer;
  /** Values that it changes of a region; null for any other call. */
  readonly changes: { readonly region: string; readonly values: DraftValues } | null;
}

/** Tells a call. */
export function decodeCall(contracts: VoteContracts, { target, value, data }: RawCall): DecodedCall {
  const contract = contractNameOf(contracts, target);
  const raw = { target, contract, value, data };
  const found = contract === null ? null : typedCall(contract, data);
  if (found === null) {
    const where = contract ?? target;
    const words = `calls ${nameOf(contract, data)} of ${where}, which no form has: read it before you vote`;
    return { answer: { ...raw, words, form: null }, changes: null };
  }
  const { name, fields, words } = found;
  return {
    // What is sent along with a typed call would be refused, but must not go unseen.
    answer: {
      ...raw,
      words: value === "0" ? words : `${words}, and sends ${value} wei`,
      form: { call: name, ...fields },
    },
    changes:
      name === "changeValues"
        ? (fields as unknown as { readonly region: string; readonly values: DraftValues })
        : null,
  };
}

/** The values that calls change, by region; of two changes of one value the later holds. */
export function valuesByRegion(
  calls: readonly DecodedCall[],
): readonly { readonly region: string; readonly values: DraftValues }[] {
  const byRegion = new Map<string, DraftValues>();
  for (const { changes } of calls)
    if (changes !== null)
      byRegion.set(changes.region, { ...byRegion.get(changes.region), ...changes.values });
  return [...byRegion].map(([region, values]) => ({ region, values }));
}

/** The same beside what the values are. @param currentOf null where that is not known */
export function changesIn(
  calls: readonly DecodedCall[],
  currentOf: (region: string, name: GovernedValue) => string | null,
): ChangesAnswer[] {
  return valuesByRegion(calls).map(({ region, values }) => ({
    region,
    values: (Object.entries(values) as [GovernedValue, number | string][]).map(([name, value]) => ({
      name,
      current: currentOf(region, name),
      value: String(value),
    })),
  }));
}

interface TypedCall {
  readonly name: CallName;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly words: string;
}

function typedCall(contract: keyof VoteContracts, data: Hex): TypedCall | null {
  try {
    const abi = ABI_OF[contract];
    const { functionName, args = [] } = decodeFunctionData({ abi, data });
    // Bytes behind the arguments would be called as well.
    if (encodeFunctionData({ abi, functionName, args: args as readonly unknown[] }) !== data) return null;
    for (const [name, known] of Object.entries(CALL_FORMS) as [CallName, unknown][]) {
      const form = known as CallForm;
      if (form.contract !== contract || form.functionName !== functionName) continue;
      const fields = form.fields.parse(form.fieldsOf(args as readonly unknown[]));
      return { name, fields, words: form.words(fields) };
    }
    return null;
  } catch {
    return null;
  }
}

function nameOf(contract: keyof VoteContracts | null, data: Hex): string {
  const selector = data.slice(0, 10);
  try {
    return contract === null ? selector : decodeFunctionData({ abi: ABI_OF[contract], data }).functionName;
  } catch {
    return selector;
  }
}

// Owns the typed calls that a vote may make: for each its fields, its contract's function, and what it does in words. It refuses
// fields that the contract could not hold; whether it would take them is the contract's to say.

import { parseAbiItem, toFunctionSelector } from "viem";
import { z } from "zod";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { CIRCUIT_NAMES, circuitWord } from "../../evidence/verification-keys.ts";
import { address, bounded, bytes32, type Hex, regionId, tokenAmount } from "../../protocol/fields.ts";
import { changesOf, draftSchema, GOVERNED_VALUES, governedWords } from "../../protocol/governed-values.ts";
import { decimalOfMicros } from "../../protocol/units.ts";
import type { VoteContractName } from "../proposals/vote-contracts.ts";
import { regionNameOf } from "./parameter-form.ts";
import { VALUE_WORDS } from "./value-words.ts";

/** A typed call: what a draft writes, and what the contract takes. */
export interface CallForm<S extends z.ZodObject = z.ZodObject> {
  readonly contract: VoteContractName;
  readonly functionName: string;
  readonly fields: S;
  readonly argumentsOf: (fields: z.infer<S>) => readonly unknown[];
  /** @throws Error for arguments that no draft can write */
  readonly fieldsOf: (args: readonly unknown[]) => unknown;
  readonly words: (fields: z.infer<S>) => string;
}

const formOf = <S extends z.ZodObject>(form: CallForm<S>): CallForm<S> => form;

const selector = z
  .string()
  .regex(/^0x[0-9a-f]{8}$/, "must be a selector: 0x and 8 hex digits") as unknown as z.ZodType<Hex, Hex>;
const signature = z
  .string()
  .regex(/^[a-zA-Z_]\w*\([\w,()[\]]*\)$/, "must be a signature such as pause(bool)");
/** A function as people write it, kept as its selector. */
const functionOf = z.union([
  selector,
  signature.transform((text) => toFunctionSelector(text)).pipe(selector),
]);
const uint = (bits: number) => bounded(0, bits >= 53 ? Number.MAX_SAFE_INTEGER : 2 ** bits - 1);
const allValues = z.strictObject(
  Object.fromEntries(GOVERNED_VALUES.map((name) => [name, tokenAmount])) as Record<
    (typeof GOVERNED_VALUES)[number],
    typeof tokenAmount
  >,
);

const regionOnly = z.strictObject({ region: regionId });
const region = (args: readonly unknown[]): string => {
  const name = regionNameOf(args[0] as Hex);
  if (name === null) throw new Error("not a region's name");
  return name;
};
const lower = (value: unknown): Hex => String(value).toLowerCase() as Hex;
const whole = (value: unknown): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error("beyond what a draft can write");
  return number;
};

const secondsForm = (functionName: string, bits: number, what: string) =>
  formOf({
    contract: "governor",
    functionName,
    fields: z.strictObject({ seconds: uint(bits) }),
    argumentsOf: ({ seconds }) => [bits > 32 ? BigInt(seconds) : seconds],
    fieldsOf: ([seconds]) => ({ seconds: whole(seconds) }),
    words: ({ seconds }) => `makes ${what} ${seconds} seconds`,
  });

const callsForm = (functionName: "allow" | "forbid", what: string) =>
  formOf({
    contract: "callList",
    functionName,
    fields: z.strictObject({
      calls: z
        .array(z.strictObject({ target: address, function: functionOf }))
        .min(1)
        .max(50),
    }),
    argumentsOf: ({ calls }) => [calls.map(({ target, function: name }) => ({ target, selector: name }))],
    fieldsOf: ([calls]) => ({
      calls: (calls as { target: Hex; selector: Hex }[]).map((one) => ({
        target: lower(one.target),
        function: one.selector,
      })),
    }),
    words: ({ calls }) =>
      `${what} ${calls.map(({ target, function: name }) => `${name} of ${target}`).join(", ")}`,
  });

const decideForm = (functionName: "release" | "uphold", what: string) =>
  formOf({
    contract: "settlement",
    functionName,
    fields: regionOnly,
    argumentsOf: (fields) => [regionWord(fields.region)],
    fieldsOf: (args) => ({ region: region(args) }),
    words: (fields) => `decides that the frozen epoch of ${fields.region} is ${what}`,
  });

const termsFields = z.strictObject({
  fromEpoch: uint(53),
  outflowCapBps: uint(16),
  finalityDelaySeconds: uint(32),
  exitAfterSeconds: uint(32),
  leastDepositMicros: uint(53),
  emissionDecayBps: uint(16),
  emissionPerEpoch: tokenAmount,
});

/** By what a draft calls them. */
export const CALL_FORMS = {
  changeValues: formOf({
    contract: "rewardParameters",
    functionName: "change",
    fields: z.strictObject({
      region: regionId,
      values: draftSchema.refine((values) => changesOf(values).length > 0, "changes nothing"),
    }),
    argumentsOf: (fields) => [regionWord(fields.region), changesOf(fields.values)],
    fieldsOf: (args) => ({
      region: region(args),
      values: valuesOf(args[1] as { parameter: number; value: bigint }[]),
    }),
    words: (fields) =>
      `changes ${fields.region}: ${Object.entries(fields.values)
        .map(([name, value]) => `${name} to ${value} (${VALUE_WORDS[name as keyof typeof VALUE_WORDS].unit})`)
        .join(", ")}`,
  }),
  openValues: formOf({
    contract: "rewardParameters",
    functionName: "open",
    fields: z.strictObject({ region: regionId, values: allValues }),
    argumentsOf: (fields) => [regionWord(fields.region), governedWords(fields.values)],
    fieldsOf: (args) => ({
      region: region(args),
      values: Object.fromEntries(
        GOVERNED_VALUES.map((name, place) => [name, String((args[1] as bigint[])[place])]),
      ),
    }),
    words: (fields) => `puts the values of ${fields.region} under votes`,
  }),
  setVerificationKey: formOf({
    contract: "rewardParameters",
    functionName: "setVerificationKey",
    fields: z.strictObject({ circuit: z.enum(CIRCUIT_NAMES), keyHash: bytes32 }),
    argumentsOf: ({ circuit, keyHash }) => [circuitWord(circuit), keyHash],
    fieldsOf: ([circuit, keyHash]) => ({
      circuit: CIRCUIT_NAMES.find((name) => circuitWord(name) === lower(circuit)),
      keyHash: lower(keyHash),
    }),
    words: ({ circuit, keyHash }) => `makes ${keyHash} the key that ${circuit} proofs are verified under`,
  }),
  openRegion: formOf({
    contract: "settlement",
    functionName: "openRegion",
    fields: z.strictObject({
      region: regionId,
      operator: address,
      windowSlots: uint(16),
      epochSlots: uint(16),
      terms: termsFields,
    }),
    argumentsOf: ({ region: name, operator, windowSlots, epochSlots, terms }) => [
      regionWord(name),
      {
        ...{ operator, windowSlots, epochSlots },
        terms: {
          ...terms,
          fromEpoch: BigInt(terms.fromEpoch),
          leastDepositMicros: BigInt(terms.leastDepositMicros),
          emissionPerEpoch: BigInt(terms.emissionPerEpoch),
        },
      },
    ],
    fieldsOf: (args) => openingOf(region(args), args[1] as Opening),
    words: (fields) => `opens the region ${fields.region}, reported by ${fields.operator}`,
  }),
  setOperator: formOf({
    contract: "settlement",
    functionName: "setOperator",
    fields: z.strictObject({ region: regionId, operator: address }),
    argumentsOf: (fields) => [regionWord(fields.region), fields.operator],
    fieldsOf: (args) => ({ region: region(args), operator: lower(args[1]) }),
    words: (fields) => `makes ${fields.operator} the operator of ${fields.region}`,
  }),
  setFreezeGuardian: formOf({
    contract: "settlement",
    functionName: "setGuardian",
    fields: z.strictObject({ guardian: address }),
    argumentsOf: ({ guardian }) => [guardian],
    fieldsOf: ([guardian]) => ({ guardian: lower(guardian) }),
    words: ({ guardian }) => `makes ${guardian} the guardian who may freeze epochs`,
  }),
  releaseFreeze: decideForm("release", "right: it is final"),
  upholdFreeze: decideForm("uphold", "wrong: the region is over and everybody may leave"),
  appointInstallers: formOf({
    contract: "meterRegistry",
    functionName: "appointInstallers",
    fields: z.strictObject({ region: regionId, installers: z.array(address).max(256) }),
    // The register takes them ascending.
    argumentsOf: (fields) => [regionWord(fields.region), [...new Set(fields.installers)].sort()],
    fieldsOf: (args) => ({ region: region(args), installers: (args[1] as Hex[]).map(lower) }),
    words: (fields) =>
      fields.installers.length === 0
        ? `leaves ${fields.region} without installers`
        : `appoints as all installers of ${fields.region}: ${fields.installers.join(", ")}`,
  }),
  cancelSlashes: formOf({
    contract: "providerStake",
    functionName: "cancelSlashes",
    fields: z
      .strictObject({ region: regionId, first: uint(53), last: uint(53) })
      .refine(({ first, last }) => first <= last, "first is behind last"),
    argumentsOf: ({ region: name, first, last }) => [regionWord(name), BigInt(first), BigInt(last)],
    fieldsOf: (args) => ({ region: region(args), first: whole(args[1]), last: whole(args[2]) }),
    words: ({ region: name, first, last }) =>
      `cancels the slashes ${first} to ${last} of ${name} that are queued still`,
  }),
  allowCalls: callsForm("allow", "lets votes call"),
  forbidCalls: callsForm("forbid", "lets votes call no more"),
  payQuote: formOf({
    contract: "quote",
    functionName: "transfer",
    fields: z.strictObject({ to: address, amountMicros: tokenAmount }),
    argumentsOf: ({ to, amountMicros }) => [to, BigInt(amountMicros)],
    fieldsOf: ([to, amount]) => ({ to: lower(to), amountMicros: String(amount) }),
    words: ({ to, amountMicros }) =>
      `pays ${decimalOfMicros(BigInt(amountMicros))} of the quote asset out of the treasury to ${to}`,
  }),
  payTokens: formOf({
    contract: "token",
    functionName: "transfer",
    fields: z.strictObject({ to: address, amount: tokenAmount }),
    argumentsOf: ({ to, amount }) => [to, BigInt(amount)],
    fieldsOf: ([to, amount]) => ({ to: lower(to), amount: String(amount) }),
    words: ({ to, amount }) => `pays ${amount} base units of the token out of the treasury to ${to}`,
  }),
  setVotingDelay: secondsForm("setVotingDelay", 48, "the time from a proposal to its snapshot"),
  setVotingPeriod: secondsForm("setVotingPeriod", 32, "the time that a vote is open"),
  setLateQuorum: secondsForm(
    "setLateQuorumVoteExtension",
    48,
    "the time that a vote stays open after its quorum",
  ),
  setProposalThreshold: formOf({
    contract: "governor",
    functionName: "setProposalThreshold",
    fields: z.strictObject({ votes: tokenAmount }),
    argumentsOf: ({ votes }) => [BigInt(votes)],
    fieldsOf: ([votes]) => ({ votes: String(votes) }),
    words: ({ votes }) => `lets those propose who hold ${votes} base units of votes`,
  }),
  setQuorum: formOf({
    contract: "governor",
    functionName: "updateQuorumNumerator",
    fields: z.strictObject({ percent: bounded(0, 100) }),
    argumentsOf: ({ percent }) => [BigInt(percent)],
    fieldsOf: ([percent]) => ({ percent: whole(percent) }),
    words: ({ percent }) => `makes the quorum ${percent} percent of all tokens`,
  }),
  setProposalGuardian: formOf({
    contract: "governor",
    functionName: "setProposalGuardian",
    fields: z.strictObject({ guardian: address }),
    argumentsOf: ({ guardian }) => [guardian],
    fieldsOf: ([guardian]) => ({ guardian: lower(guardian) }),
    words: ({ guardian }) => `makes ${guardian} the guardian who may cancel proposals`,
  }),
} as const satisfies Readonly<Record<string, unknown>>;
export type CallName = keyof typeof CALL_FORMS;

/** A call that votes have put on the list since: by its signature, with its values as JSON has them. */
export const otherCallFields = z.strictObject({
  target: address,
  signature: signature.refine(isSignature, "is no signature of a function"),
  values: z.array(z.unknown()).max(32),
});

function isSignature(text: string): boolean {
  try {
    return parseAbiItem(`function ${text}` as "function f()").type === "function";
  } catch {
    return false;
  }
}

function valuesOf(changes: readonly { readonly parameter: number; readonly value: bigint }[]): object {
  return Object.fromEntries(
    changes.map(({ parameter, value }) => {
      const name = GOVERNED_VALUES[parameter];
      if (name === undefined) throw new Error("no governed value");
      const isAmount = name === "emissionPerEpoch" || name === "rewardPerFee";
      return [name, isAmount ? value.toString() : whole(value)];
    }),
  );
}

interface Opening {
  readonly operator: Hex;
  readonly windowSlots: number;
  readonly epochSlots: number;
  readonly terms: Readonly<Record<string, bigint | number>>;
}

function openingOf(name: string, { operator, windowSlots, epochSlots, terms }: Opening): object {
  const { emissionPerEpoch, ...numbers } = terms;
  return {
    ...{ region: name, operator: lower(operator), windowSlots, epochSlots },
    terms: {
      ...Object.fromEntries(Object.entries(numbers).map(([field, value]) => [field, whole(value)])),
      emissionPerEpoch: String(emissionPerEpoch),
    },
  };
}

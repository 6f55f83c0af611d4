// Owns the governed values of a region: their names in the order of the chain's versions, what each may be, and drafts of some.
// It refuses values out of their bounds; steps and cool-downs are the contract's to judge.

import { z } from "zod";
import { type Figures, figuresSchema, type Parameters, parametersSchema } from "./commands.ts";
import { type Rejection, rejected } from "./errors.ts";
import { count, tokenAmount } from "./fields.ts";
import {
  MAX_NETWORK_FEE_MICROS_PER_KWH,
  MAX_PROOF_DELAY_SECONDS,
  MAX_REGION_MICROS,
  MAX_TAKE_RATE_BPS,
  MIN_OUTFLOW_CAP_BPS,
} from "./limits.ts";

const HOUR_S = 3_600;
const DAY_S = 86_400;
const MAX_WEIGHT = 1_000_000;
const BPS = 10_000;
const MAX_TOKEN_AMOUNT = 10n ** 30n - 1n;

interface Bounds {
  readonly least: bigint;
  readonly most: bigint;
}

const from = (least: number, most: number | bigint): Bounds => ({ least: BigInt(least), most: BigInt(most) });

/** Every governed value in the order of the contract's `Parameter`, and what it may be there (ParameterBounds.sol). */
export const GOVERNED_BOUNDS = {
  rewardWeightEnergy: from(0, MAX_WEIGHT),
  rewardWeightCompute: from(0, MAX_WEIGHT),
  rewardWeightBandwidth: from(0, MAX_WEIGHT),
  emissionPerEpoch: from(0, MAX_TOKEN_AMOUNT),
  emissionDecayBps: from(0, BPS),
  rewardPerFee: from(0, MAX_TOKEN_AMOUNT),
  shareCapBps: from(0, BPS),
  takeRateBps: from(0, MAX_TAKE_RATE_BPS),
  networkFeeMicrosPerKwh: from(0, MAX_NETWORK_FEE_MICROS_PER_KWH),
  clearingPriceK: from(0, BPS),
  proofDelaySeconds: from(1, MAX_PROOF_DELAY_SECONDS),
  outflowCapBps: from(MIN_OUTFLOW_CAP_BPS, BPS),
  finalityDelaySeconds: from(HOUR_S, 30 * DAY_S),
  exitAfterSeconds: from(HOUR_S, 90 * DAY_S),
  leastDepositMicros: from(1, MAX_REGION_MICROS),
  providerMinimumStake: from(0, MAX_REGION_MICROS),
  unbondingSeconds: from(HOUR_S, 90 * DAY_S),
  slashBps: from(0, BPS),
  auditRateBps: from(0, BPS),
} as const satisfies Readonly<Record<string, Bounds>>;

export type GovernedValue = keyof typeof GOVERNED_BOUNDS;

/** By their number on the chain. */
export const GOVERNED_VALUES = Object.keys(GOVERNED_BOUNDS) as readonly GovernedValue[];

/** Values by name as the chain's version has them. Amounts of the token are base units, of the quote asset micros. */
export function governedWords(values: Readonly<Record<GovernedValue, number | string | bigint>>): bigint[] {
  return GOVERNED_VALUES.map((name) => BigInt(values[name]));
}

/** Values that Settlement judges reports by: a version that changes one of them begins the emission anew. */
export const SETTLEMENT_TERMS: ReadonlySet<GovernedValue> = new Set([
  "emissionPerEpoch",
  "emissionDecayBps",
  "outflowCapBps",
  "finalityDelaySeconds",
  "exitAfterSeconds",
  "leastDepositMicros",
]);

/** Values that are written as decimal texts: they pass what a number of JSON can hold. */
const TOKEN_AMOUNTS: ReadonlySet<GovernedValue> = new Set(["emissionPerEpoch", "rewardPerFee"]);

/** What some values shall be; all others stay. Bounds are judged by `refuseValues`, which says them. */
export const draftSchema = z
  .strictObject(
    Object.fromEntries(
      GOVERNED_VALUES.map((name) => [name, (TOKEN_AMOUNTS.has(name) ? tokenAmount : count).optional()]),
    ) as {
      [N in GovernedValue]: z.ZodOptional<
        N extends "emissionPerEpoch" | "rewardPerFee" ? typeof tokenAmount : typeof count
      >;
    },
  )
  .meta({ description: "governed values that shall change, by name; a value that is left out stays" });
export type DraftValues = z.infer<typeof draftSchema>;

/** A change of a proposal, as the contract's `Change`. */
export interface ValueChange {
  /** Number of the value there. */
  readonly parameter: number;
  readonly value: bigint;
}

/** A draft as the contract's changes, in the ascending order that it asks for. */
export function changesOf(draft: DraftValues): readonly ValueChange[] {
  return GOVERNED_VALUES.flatMap((name, parameter) => {
    const value = draft[name];
    return value === undefined ? [] : [{ parameter, value: BigInt(value) }];
  });
}

/**
 * Judges a draft by the bounds of each value and the length of the region's windows.
 * @param windowSeconds evidence may take as long, and no longer.
 */
export function refuseValues(draft: DraftValues, windowSeconds: number): Rejection | null {
  for (const [name, value] of Object.entries(draft)) {
    const refusal = value === undefined ? null : refuseValue(name as GovernedValue, BigInt(value));
    if (refusal !== null) return refusal;
  }
  const { proofDelaySeconds } = draft;
  if (proofDelaySeconds === undefined || proofDelaySeconds <= windowSeconds) return null;
  return rejected("parameters_out_of_bounds", {
    parameter: "proofDelaySeconds",
    limitSeconds: windowSeconds,
  });
}

function refuseValue(name: GovernedValue, value: bigint): Rejection | null {
  const { least, most } = GOVERNED_BOUNDS[name];
  if (value >= least && value <= most) return null;
  const facts = { parameter: name, got: String(value), least: String(least), most: String(most) };
  return rejected("parameters_out_of_bounds", facts);
}

/** The part of a draft that the market knows. */
export function marketPartOf(draft: DraftValues): Partial<Parameters> {
  return Object.fromEntries(
    Object.entries(draft).filter(([name, value]) => name in parametersSchema.shape && value !== undefined),
  );
}

/** The figures of a version, as the market takes them. @param values by their number on the chain. */
export function figuresOfValues(values: readonly bigint[]): Figures {
  const figures = Object.keys(figuresSchema.shape).map((name) => {
    const value = values[GOVERNED_VALUES.indexOf(name as GovernedValue)];
    if (value === undefined) throw new RangeError(`a version has no ${name}`);
    return [name, TOKEN_AMOUNTS.has(name as GovernedValue) ? value.toString() : Number(value)];
  });
  return Object.fromEntries(figures) as Figures;
}

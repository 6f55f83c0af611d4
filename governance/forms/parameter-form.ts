// Owns the form of a region's governed values: what each is, may become by one vote, and from when on. It refuses, with the code
// of its own, each value that the contract would refuse when such a vote is executed at its earliest.

import { regionWord } from "../../evidence/deposit-chain.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type DraftValues, GOVERNED_VALUES, type GovernedValue } from "../../protocol/governed-values.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import type { ParametersAnswer, SettingsAnswer, ValueFormAnswer } from "../../protocol/vote-answer.ts";
import { rewardParametersAbi, settlementAbi } from "../generated/abi.ts";
import type { ChainView } from "../proposals/chain-view.ts";
import { readOf } from "../proposals/contract-reads.ts";
import type { VoteContracts } from "../proposals/vote-contracts.ts";
import { VALUE_WORDS } from "./value-words.ts";

const BPS = 10_000n;

/** When a vote that begins now can be executed at its earliest. Unix seconds. */
export function earliestExecutionS(view: ChainView, settings: SettingsAnswer): number {
  const { votingDelaySeconds, votingPeriodSeconds, timelockDelaySeconds } = settings;
  return view.block.timeS + votingDelaySeconds + votingPeriodSeconds + timelockDelaySeconds;
}

/** Reads a region's form. @returns null for a region that the contract has not taken up */
export async function readParameterForm(
  view: ChainView,
  { rewardParameters, settlement }: VoteContracts,
  settings: SettingsAnswer,
  region: string,
): Promise<ParametersAnswer | null> {
  const word = regionWord(region);
  const read = <N extends "versionCount" | "versionOf" | "boundsOf" | "changeableAtS">(
    name: N,
    args: readonly unknown[],
  ) => readOf(rewardParameters, rewardParametersAbi, name, args);
  const [count] = await view.read<[bigint]>([read("versionCount", [word])]);
  if (count === 0n) return null;
  const [version, windowSlots] = await view.read<[Version, bigint]>([
    read("versionOf", [word, count - 1n]),
    readOf(settlement, settlementAbi, "windowSlotsOf", [word]),
  ]);
  const bounds = await view.read<Bounds[]>(GOVERNED_VALUES.map((_, place) => read("boundsOf", [place])));
  const changeable = await view.read<bigint[]>(
    GOVERNED_VALUES.map((_, place) => read("changeableAtS", [word, place])),
  );
  const earliestS = earliestExecutionS(view, settings);
  const values = GOVERNED_VALUES.map((name, place) =>
    valueForm(
      name,
      version.values[place] as bigint,
      bounds[place] as Bounds,
      Number(changeable[place]),
      earliestS,
    ),
  );
  return {
    region,
    block: view.block,
    version: Number(count - 1n),
    fromEpoch: Number(version.fromEpoch),
    earliestExecutionS: earliestS,
    windowSeconds: Number(windowSlots) * SLOT_SECONDS,
    values,
  };
}

interface Version {
  readonly fromEpoch: bigint;
  readonly values: readonly bigint[];
}
interface Bounds {
  readonly least: bigint;
  readonly most: bigint;
  readonly stepBps: bigint;
  readonly stepFloor: bigint;
  readonly coolDownSeconds: bigint;
}

function valueForm(
  name: GovernedValue,
  current: bigint,
  { least, most, stepBps, stepFloor, coolDownSeconds }: Bounds,
  changeableAtS: number,
  earliestS: number,
): ValueFormAnswer {
  const share = (current * stepBps) / BPS;
  const step = share > stepFloor ? share : stepFloor;
  const [lowest, highest] = [current - step, current + step];
  return {
    name,
    ...VALUE_WORDS[name],
    current: current.toString(),
    least: least.toString(),
    most: most.toString(),
    lowestNext: (lowest > least ? lowest : least).toString(),
    highestNext: (highest < most ? highest : most).toString(),
    stepBps: Number(stepBps),
    stepFloor: stepFloor.toString(),
    coolDownSeconds: Number(coolDownSeconds),
    changeableAtS,
    isCoolingDown: changeableAtS > earliestS,
  };
}

/** What a vote on these values would be refused for, one refusal a value; empty where none would be. */
export function refuseChanges(
  { values: forms, windowSeconds }: ParametersAnswer,
  values: DraftValues,
): Rejection[] {
  return forms.flatMap((form) => {
    const value = values[form.name];
    const refusal = value === undefined ? null : refuseChange(form, BigInt(value), windowSeconds);
    return refusal === null ? [] : [refusal];
  });
}

/** In the contract's order: bounds, the value that it is already, the step, the cool-down; and the length of a window. */
function refuseChange(form: ValueFormAnswer, value: bigint, windowSeconds: number): Rejection | null {
  const { name: parameter, current, least, most, lowestNext, highestNext } = form;
  const got = value.toString();
  const isWithin = (low: string, high: string) => value >= BigInt(low) && value <= BigInt(high);
  if (!isWithin(least, most)) return rejected("parameters_out_of_bounds", { parameter, got, least, most });
  if (got === current) return rejected("parameter_unchanged", { parameter, current });
  if (!isWithin(lowestNext, highestNext))
    return rejected("parameter_step_too_large", {
      ...{ parameter, current, got },
      least: lowestNext,
      most: highestNext,
    });
  if (form.isCoolingDown)
    return rejected("parameter_cooling_down", { parameter, untilS: form.changeableAtS });
  if (parameter === "proofDelaySeconds" && value > BigInt(windowSeconds))
    return rejected("parameters_out_of_bounds", { parameter, got, limitSeconds: windowSeconds });
  return null;
}

/** A region's name of its word, or null for a word that is none. */
export function regionNameOf(word: Hex): string | null {
  const bytes = Uint8Array.from(word.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const end = bytes.indexOf(0);
  const name = new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
  return /^[a-z][a-z0-9-]{1,31}$/.test(name) && regionWord(name) === word.toLowerCase() ? name : null;
}

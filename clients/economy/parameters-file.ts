// Owns the parameters that the economy is run under: a region's file, or the local region's with a weight for each resource. It
// refuses values out of the bounds that a vote has.

import { z } from "zod";
import type { Parameters } from "../../protocol/commands.ts";
import { draftSchema, marketPartOf, refuseValues } from "../../protocol/governed-values.ts";
import { LOCAL_PARAMETERS } from "../local/region-parameters.ts";
import type { Resource } from "./assumptions.ts";

/** Six hours for evidence, as in docs/examples; it changes nothing here. */
const PROOF_DELAY_S = 21_600;
const DAY_S = 86_400;
const MOST_WEIGHT = 1_000_000;

/** A weight for each resource; the local region rewards energy alone. */
export const FIRST_WEIGHTS: Readonly<Record<Resource, number>> = { energy: 2, compute: 1, bandwidth: 1 };

/** A region's file has them in a field; a file of parameters is they themselves. */
const file = z.union([
  z.looseObject({ parameters: z.record(z.string(), z.unknown()) }).transform(({ parameters }) => parameters),
  z.record(z.string(), z.unknown()),
]);

/**
 * The parameters in a file. Those it leaves out are the local region's; those of stakes change nothing here.
 * @throws RangeError that names the value and its bounds
 */
export function parametersIn(content: unknown): Parameters {
  const named = file.safeParse(content);
  if (!named.success) throw new RangeError("parameters: must be an object of governed values by name");
  const draft = draftSchema.safeParse(named.data);
  if (!draft.success) {
    const issue = draft.error.issues[0];
    const path = issue?.path.join(".") ?? "";
    throw new RangeError(`parameters${path === "" ? "" : `.${path}`}: ${issue?.message ?? "not understood"}`);
  }
  const refusal = refuseValues(draft.data, DAY_S);
  if (refusal === null) return { ...localParameters(), ...marketPartOf(draft.data) };
  const { parameter, ...bounds } = refusal.facts;
  const facts = Object.entries(bounds).map(([name, value]) => `${name} ${value}`);
  throw new RangeError(`parameters.${parameter}: ${refusal.code}: ${facts.join(", ")}`);
}

/** The local region's, with these weights. */
export function localParameters(weights: Readonly<Record<Resource, number>> = FIRST_WEIGHTS): Parameters {
  return withWeights({ ...LOCAL_PARAMETERS, proofDelaySeconds: PROOF_DELAY_S }, weights);
}

/** Other weights. */
export function withWeights(parameters: Parameters, weights: Readonly<Record<Resource, number>>): Parameters {
  return {
    ...parameters,
    rewardWeightEnergy: weights.energy,
    rewardWeightCompute: weights.compute,
    rewardWeightBandwidth: weights.bandwidth,
  };
}

/** Three whole numbers, for energy, compute and bandwidth: "2,1,1". @throws RangeError where they are none */
export function parseWeights(text: string): Record<Resource, number> {
  const [energy, compute, bandwidth, ...more] = text
    .split(",")
    .map((part) => (/^\d{1,7}$/.test(part) ? Number(part) : -1));
  const isWeight = (value: number | undefined): value is number =>
    value !== undefined && value >= 0 && value <= MOST_WEIGHT;
  if (!isWeight(energy) || !isWeight(compute) || !isWeight(bandwidth) || more.length > 0)
    throw new RangeError(
      `must be three whole numbers up to ${MOST_WEIGHT}, for energy, compute and bandwidth, such as 2,1,1`,
    );
  return { energy, compute, bandwidth };
}

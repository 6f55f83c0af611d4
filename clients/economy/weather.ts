// Owns what happens to a market day by day, whatever the token is worth: sun and demand, drawn from the seed. It refuses
// fractions: shapes are thousandths, amounts whole units.

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { divDown } from "../../protocol/units.ts";
import { hashIntegers } from "../household/random-stream.ts";
import {
  DEMAND_SPREAD,
  DEMANDS,
  type DemandCurve,
  EPOCHS_PER_YEAR,
  RESOURCES,
  type Resource,
  SUN_BY_MONTH,
  SUN_SPREAD,
} from "./assumptions.ts";

const PURPOSE_SUN = 31;
const PURPOSE_DEMAND = 32;
const MILLE = 1_000;

/** Thousandths of the mean day's sun in each epoch. The first epoch is a first of January. */
export function sunByEpoch(seed: number, epochs: number): Int32Array {
  const draw = xoroshiro128plus(hashIntegers(seed, PURPOSE_SUN));
  return Int32Array.from({ length: epochs }, (_, epoch) => {
    const month = Math.floor(((epoch % EPOCHS_PER_YEAR) * SUN_BY_MONTH.length) / EPOCHS_PER_YEAR);
    const mean = SUN_BY_MONTH[month] as number;
    return divDown(mean * uniformInt(draw, MILLE - SUN_SPREAD, MILLE + SUN_SPREAD), MILLE);
  });
}

/** Thousandths of the peak that a curve asks for in an epoch, between its half-years in a straight line. */
export function curveAt({ halfYears }: DemandCurve, epoch: number): number {
  const half = Math.floor((epoch * 2) / EPOCHS_PER_YEAR);
  const last = halfYears[halfYears.length - 1] as number;
  const from = halfYears[half] ?? last;
  const to = halfYears[half + 1] ?? last;
  // In halves of a day: a half-year is 182 and a half.
  return from + divDown((to - from) * (epoch * 2 - half * EPOCHS_PER_YEAR), EPOCHS_PER_YEAR);
}

/** Units of each resource that are wanted in each epoch. */
export function demandByEpoch(
  seed: number,
  curve: DemandCurve,
  epochs: number,
): Readonly<Record<Resource, Float64Array>> {
  const of = (resource: Resource, place: number) => {
    const draw = xoroshiro128plus(hashIntegers(seed, PURPOSE_DEMAND, place));
    const { peakUnits } = DEMANDS[resource];
    return Float64Array.from({ length: epochs }, (_, epoch) => {
      const level = curveAt(curve, epoch) * uniformInt(draw, MILLE - DEMAND_SPREAD, MILLE + DEMAND_SPREAD);
      return divDown(divDown(peakUnits, MILLE) * level, MILLE);
    });
  };
  const [energy, compute, bandwidth] = RESOURCES.map(of) as [Float64Array, Float64Array, Float64Array];
  return { energy, compute, bandwidth };
}

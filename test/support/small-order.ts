// Owns points of Baby Jubjub outside of the subgroup that tests forge with. It refuses any other use.

import { babyjubjub } from "@noble/curves/misc.js";
import { SUBGROUP_ORDER } from "../../evidence/eddsa-poseidon.ts";

const { Point } = babyjubjub;

/** A point of order 8: the curve's full generator (EIP-2494's G) times the subgroup's order. */
export function orderEight() {
  const x = 995203441582195749578291179787384436505546430278305826713579947235728471134n;
  const y = 5472060717959818805561601436314318772137091100104008585924551046643952123905n;
  const generator = Point.fromAffine({ x, y });
  return generator.multiplyUnsafe(SUBGROUP_ORDER - 1n).add(generator);
}

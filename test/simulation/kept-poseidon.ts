// Owns what stands in for `poseidon-lite/poseidon4` in simulations: the same hash, made once for the same four children. Every
// seed has the same trees, and a hash takes a third of a millisecond. It refuses any other number of inputs.

import { createRequire } from "node:module";
import { kept } from "./kept.ts";

type Poseidon4 = typeof import("poseidon-lite/poseidon4").poseidon4;

const real = createRequire(import.meta.url)("poseidon-lite/poseidon4") as { readonly poseidon4: Poseidon4 };
const nodes = new Map<string, bigint>();

/** Poseidon of four field elements. */
export function poseidon4(children: readonly bigint[]): bigint {
  if (children.length !== 4) throw new RangeError("four children");
  return kept(nodes, children.map((child) => child.toString(36)).join(), () => real.poseidon4([...children]));
}

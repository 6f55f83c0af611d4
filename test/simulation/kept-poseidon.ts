// Owns what stands in for `poseidon-lite` in simulations: the same hashes, each made once for the same inputs. Every seed has
// the same trees, keys and secrets, and a hash takes a third of a millisecond. It refuses a width that no shipping code asks for.

import { createRequire } from "node:module";
import { kept } from "./kept.ts";

type Hash = (inputs: readonly bigint[]) => bigint;

const require = createRequire(import.meta.url);

/** The package's hash of so many inputs, remembered. */
function keptHash(width: number): Hash {
  const real = (require(`poseidon-lite/poseidon${width}`) as Record<string, Hash>)[
    `poseidon${width}`
  ] as Hash;
  const hashes = new Map<string, bigint>();
  return (inputs) => kept(hashes, inputs.map((input) => input.toString(36)).join(), () => real(inputs));
}

export const poseidon1: Hash = keptHash(1);
export const poseidon2: Hash = keptHash(2);
export const poseidon3: Hash = keptHash(3);
export const poseidon4: Hash = keptHash(4);
export const poseidon5: Hash = keptHash(5);
export const poseidon8: Hash = keptHash(8);
export const poseidon11: Hash = keptHash(11);

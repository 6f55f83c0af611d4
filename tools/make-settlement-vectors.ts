// Writes test/vectors/settlement.json: the bounds that TypeScript and Solidity both have, and hashes of the sum tree. It
// refuses randomness: the same rules give the same file.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bigOf, hexOf, wordOf } from "../evidence/bytes.ts";
import { SUBGROUP_ORDER } from "../evidence/eddsa-poseidon.ts";
import { hashSumLeaf, MAX_SUM_LEVELS, type SumLeaf, SumTree } from "../evidence/sum-tree.ts";
import { FIELD_ORDER } from "../protocol/fields.ts";
import {
  LOCAL_CHAIN_ID,
  MAX_EPOCH_SLOTS,
  MAX_INSTALLERS,
  MAX_READING_WH,
  MAX_REGION_MICROS,
  MAX_WINDOW_CAP_WH,
} from "../protocol/limits.ts";
import { TREE_LEAVES } from "../protocol/quad-tree.ts";
import { SLOT_SECONDS } from "../protocol/units.ts";

const OUT = fileURLToPath(new URL("../test/vectors/settlement.json", import.meta.url));
const BIOME = fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url));

/** Sizes whose roots are written down: none, one, whole and odd levels, and what a region may grow to. */
const SIZES = [0, 1, 2, 3, 5, 8, 10, 1_000, 10_000];

/** The leaf of a number, as the tests of both sides make it: cut out of the number's hash. */
export function vectorLeaf(number: number): SumLeaf {
  const word = bigOf(keccak_256(wordOf(BigInt(number))));
  const bits = (from: bigint, width: bigint) => (word >> from) & ((1n << width) - 1n);
  return {
    account: hexOf(wordOf(bits(0n, 160n)).subarray(12)),
    sums: { withdrawalsMicros: bits(160n, 32n), heldMicros: bits(192n, 32n), rewards: bits(224n, 32n) },
  };
}

export const vectorLeaves = (size: number): SumLeaf[] =>
  Array.from({ length: size }, (_, number) => vectorLeaf(number));

/** The whole file. Amounts are decimal strings. */
export function settlementVectors() {
  return {
    constants: {
      MAX_REGION_MICROS,
      MAX_DEPOSITED_MICROS: Number.MAX_SAFE_INTEGER,
      SLOT_SECONDS,
      MAX_EPOCH_SLOTS,
      MAX_READING_WH,
      MAX_WINDOW_CAP_WH,
      MAX_INSTALLERS,
      TREE_LEAVES,
      LOCAL_CHAIN_ID,
      MAX_SUM_LEVELS,
      FIELD_ORDER: String(FIELD_ORDER),
      SUBGROUP_ORDER: String(SUBGROUP_ORDER),
    },
    leafHash: hashSumLeaf(vectorLeaf(0)),
    trees: SIZES.map((size) => {
      const { root, totals } = new SumTree(vectorLeaves(size));
      const { withdrawalsMicros, heldMicros, rewards } = totals;
      return {
        size,
        root,
        withdrawalsMicros: String(withdrawalsMicros),
        heldMicros: String(heldMicros),
        rewards: String(rewards),
      };
    }),
  };
}

if (import.meta.main) {
  writeFileSync(OUT, JSON.stringify(settlementVectors()));
  execFileSync(BIOME, ["format", "--write", OUT]);
}

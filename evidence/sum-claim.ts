// Owns how a leaf of the sum tree and its path travel and are kept: as JSON, numbers as decimal strings. It refuses text that
// is not exactly that, and a leaf that its path does not lead to the root from.

import type { LeafAnswer } from "../protocol/answers.ts";
import type { Hex } from "../protocol/fields.ts";
import { bytesOf } from "./bytes.ts";
import { isLeafOf, type SumLeaf, type SumPath, type Sums, type SumTree } from "./sum-tree.ts";

/** What an account is owed at the end of an epoch, with all that a contract asks for. */
export interface SumClaim {
  readonly epoch: number;
  readonly sumRoot: Hex;
  readonly totals: Sums;
  readonly leaf: SumLeaf;
  readonly path: SumPath;
}

/** An account's claim as it travels, or null where the tree has no leaf of it. */
export function claimText(epoch: number, tree: SumTree, account: Hex): LeafAnswer | null {
  const claim = tree.claimOf(account);
  if (claim === null) return null;
  const { leaf, path } = claim;
  return {
    epoch,
    sumRoot: tree.root,
    totals: sumsText(tree.totals),
    leaf: { account: leaf.account, sums: sumsText(leaf.sums) },
    path: {
      position: path.position.toString(),
      siblings: path.siblings.map(({ hash, sums }) => ({ hash, sums: sumsText(sums) })),
    },
  };
}

/** Sums as decimal strings. */
export function sumsText({ withdrawalsMicros, heldMicros, rewards }: Sums): LeafAnswer["totals"] {
  return {
    withdrawalsMicros: withdrawalsMicros.toString(),
    heldMicros: heldMicros.toString(),
    rewards: rewards.toString(),
  };
}

/**
 * Reads a claim, whoever it came from.
 * @throws RangeError where a part is missing or malformed, or the path does not lead to the root and its totals.
 */
export function readClaim(text: LeafAnswer): SumClaim {
  try {
    const claim: SumClaim = {
      epoch: wholeNumber(text.epoch),
      sumRoot: hash(text.sumRoot, 32),
      totals: readSums(text.totals),
      leaf: { account: hash(text.leaf.account, 20), sums: readSums(text.leaf.sums) },
      path: {
        position: decimal(text.path.position),
        siblings: text.path.siblings.map((sibling) => ({
          hash: hash(sibling.hash, 32),
          sums: readSums(sibling.sums),
        })),
      },
    };
    if (!isLeafOf(claim.sumRoot, claim.totals, claim.leaf, claim.path))
      throw new RangeError("the path does not lead from the leaf to the root");
    return claim;
  } catch (error) {
    if (error instanceof TypeError) throw new RangeError("a part of the claim is missing");
    throw error;
  }
}

/** @throws RangeError for anything but decimal strings; TypeError where one is missing. */
export function readSums(text: LeafAnswer["totals"]): Sums {
  return {
    withdrawalsMicros: decimal(text.withdrawalsMicros),
    heldMicros: decimal(text.heldMicros),
    rewards: decimal(text.rewards),
  };
}

function decimal(text: unknown): bigint {
  if (typeof text !== "string" || !/^(0|[1-9][0-9]{0,38})$/.test(text))
    throw new RangeError("a number is not a decimal string");
  return BigInt(text);
}

function wholeNumber(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new RangeError("the epoch is not a number");
  return value as number;
}

function hash(text: unknown, length: number): Hex {
  if (typeof text !== "string" || bytesOf(text, length) === null)
    throw new RangeError(`a value is not ${length} bytes of hex`);
  return text.toLowerCase() as Hex;
}

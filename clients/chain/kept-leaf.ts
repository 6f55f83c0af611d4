// Owns what a household keeps of each closed epoch so that it can leave without anybody's help: its leaf and path, and which
// contract they are for. It refuses a leaf whose path does not lead to its root.

import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { readClaim, type SumClaim, textOfClaim } from "../../evidence/sum-claim.ts";
import { leafAnswer } from "../../protocol/answers.ts";
import { address, bounded, type Hex, regionId } from "../../protocol/fields.ts";

/** A leaf of one epoch, with its path, for one region of one Settlement. */
export interface KeptLeaf {
  readonly chainId: number;
  readonly settlement: Hex;
  readonly region: string;
  readonly claim: SumClaim;
}

/** A kept leaf as it is written. */
export const keptLeafSchema = z.object({
  chainId: bounded(1, Number.MAX_SAFE_INTEGER),
  settlement: address,
  region: regionId,
  claim: leafAnswer,
});
export type KeptLeafText = z.infer<typeof keptLeafSchema>;

/** A line of the file that leaves are kept in; an agent's memory is one, and has other lines too. */
const lineSchema = z.object({ leaf: keptLeafSchema.optional() });

export function textOfLeaf(leaf: KeptLeaf): KeptLeafText {
  return { ...leaf, claim: textOfClaim(leaf.claim) };
}

/** @throws RangeError where the path does not lead to the root */
export function readLeaf({ claim, ...place }: KeptLeafText): KeptLeaf {
  return { ...place, claim: readClaim(claim) };
}

/**
 * The leaves of a file, in its order. It is only read: an agent may be writing it.
 * @throws Error that names file and line
 */
export function leavesIn(file: string): readonly KeptLeaf[] {
  if (!existsSync(file)) throw new Error(`${file}: there is no such file of leaves`);
  // What stands behind the last line's end is still being written.
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.flatMap((line, index) => {
    try {
      const { leaf } = lineSchema.parse(line === "" ? {} : JSON.parse(line));
      return leaf === undefined ? [] : [readLeaf(leaf)];
    } catch (error) {
      const why =
        error instanceof z.ZodError
          ? `${error.issues[0]?.path.join(".")}: ${error.issues[0]?.message}`
          : (error as Error).message;
      throw new Error(`${file}, line ${index + 1}: ${why}`);
    }
  });
}

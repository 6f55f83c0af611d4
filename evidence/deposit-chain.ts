// Owns the hash chain of a region's deposits, as governance/settlement/Deposits.sol makes it: a region can credit no other
// deposits than those that were made. It refuses nothing; whether a deposit is the next one is the region's to say.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { CommandOf } from "../protocol/commands.ts";
import type { Hex } from "../protocol/fields.ts";
import { exactBytes, hexOf, wordOf } from "./bytes.ts";

/** What the hash of a deposit is made of. */
export type ChainedDeposit = Pick<
  CommandOf<"credit_deposit">,
  "region" | "account" | "nonce" | "amountMicros" | "previousHash"
>;

/** Hash before the first deposit. */
export const NO_DEPOSITS: Hex = `0x${"00".repeat(32)}`;

/**
 * keccak256(abi.encode(hash before, region, index, account, amountMicros)); the command's nonce is the index.
 * @returns hash of all deposits up to this one.
 */
export function depositsHashOf({ region, account, nonce, amountMicros, previousHash }: ChainedDeposit): Hex {
  const words = concatBytes(
    exactBytes(previousHash, 32, "a deposit's hash"),
    regionBytes(region),
    wordOf(BigInt(nonce)),
    new Uint8Array(12),
    exactBytes(account, 20, "an account"),
    wordOf(BigInt(amountMicros)),
  );
  return hexOf(keccak_256(words));
}

/** A region's name as contracts have it: its characters from the left in 32 bytes. */
export function regionWord(region: string): Hex {
  return hexOf(regionBytes(region));
}

function regionBytes(region: string): Uint8Array {
  const word = new Uint8Array(32);
  word.set(utf8ToBytes(region));
  return word;
}

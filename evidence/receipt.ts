// Owns receipts: one signature for all entries of a flush, and for every entry a path to what was signed (Merkle tree
// of RFC 6962 and 9162). It refuses a receipt whose place in the tree is not the one its entry number says.

import { sha256 as portableSha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { bytes32, entryNumber, type Hex, instantS, regionId } from "../protocol/fields.ts";
import { bytesOf, exactBytes, hexOf } from "./bytes.ts";
import { publicKeyOf, signMessage, verifyStrictly } from "./ed25519.ts";
import { refused, type Verdict } from "./evidence-kind.ts";

/** SHA-256; a Durable Object passes the one of node:crypto, which is faster. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Command id of an entry that no command caused: a tick of the region's clock. */
export const NO_COMMAND: Hex = `0x${"00".repeat(32)}`;

/** What a receipt says of one journal entry. */
export interface ReceiptLeaf {
  readonly region: string;
  readonly chainId: number;
  readonly entry: number;
  /** Digest of the command, or `NO_COMMAND`. */
  readonly commandId: Hex;
  /** Chained hash of the entry. */
  readonly entryHash: Hex;
}

/** What the region signs for a flush: entries `firstEntry` to `lastEntry`, none missing, in this order. */
export interface ReceiptStatement {
  readonly chainId: number;
  readonly region: string;
  readonly firstEntry: number;
  readonly lastEntry: number;
  readonly root: Hex;
  /** Market time of the flush in Unix seconds. */
  readonly atS: number;
}

export interface ReceiptTree {
  readonly root: Hex;
  /** Sibling hashes from the leaf up, for the leaf at `index` (0 is the first entry). */
  pathOf(index: number): Hex[];
}

/** A tree over 2³² entries would need 32 siblings; a flush has a few thousand at most. */
const MAX_PATH = 32;

const chainIdSchema = z.int().min(1);
const signature64 = z
  .string()
  .regex(/^0x[0-9a-f]{128}$/, "must be 64 bytes of lower-case hex")
  .meta({ description: "Ed25519 signature" }) as unknown as z.ZodType<Hex, Hex>;

/** JSON form of a receipt, as it comes with every accepted answer. */
export const receiptSchema = z
  .strictObject({
    region: regionId,
    chainId: chainIdSchema,
    entry: entryNumber,
    commandId: bytes32,
    entryHash: bytes32,
    batch: z.strictObject({ firstEntry: entryNumber, lastEntry: entryNumber, atS: instantS, root: bytes32 }),
    path: z.array(bytes32).max(MAX_PATH),
    key: bytes32.meta({ description: "the region's receipt key (Ed25519)" }),
    signature: signature64,
  })
  .meta({ description: "proof that the region accepted this command as this journal entry" });
export type Receipt = z.infer<typeof receiptSchema>;

/**
 * Bytes of a leaf before hashing: `polder/receipt/v1|chainId|region|entry|`, then command id and entry hash, 32 bytes
 * each. No region name has a bar, so no two leaves share their bytes.
 */
export function receiptLeafBytes(leaf: ReceiptLeaf): Uint8Array {
  return concatBytes(
    utf8ToBytes(`polder/receipt/v1|${leaf.chainId}|${leaf.region}|${leaf.entry}|`),
    exactBytes(leaf.commandId, 32, "commandId"),
    exactBytes(leaf.entryHash, 32, "entryHash"),
  );
}

/** Bytes that are signed: `polder/receipts/v1|chainId|region|firstEntry|lastEntry|root|atS`, root as 0x and hex. */
export function receiptStatementBytes(statement: ReceiptStatement): Uint8Array {
  const { chainId, region, firstEntry, lastEntry, root, atS } = statement;
  return utf8ToBytes(`polder/receipts/v1|${chainId}|${region}|${firstEntry}|${lastEntry}|${root}|${atS}`);
}

/**
 * Merkle tree over leaf bytes (RFC 9162, 2.1): leaf hash SHA-256(0x00 ‖ leaf), node hash SHA-256(0x01 ‖ left ‖ right),
 * the left subtree the largest full one. A level's last node without a sibling moves up unchanged, which gives the
 * same tree.
 *
 * @param leaves at least one.
 */
export function buildReceiptTree(
  leaves: readonly Uint8Array[],
  sha256: Sha256 = portableSha256,
): ReceiptTree {
  if (leaves.length === 0) throw new RangeError("a tree needs a leaf");
  const levels: Uint8Array[][] = [leaves.map((leaf) => hashLeaf(leaf, sha256))];
  for (let level = levels[0] as Uint8Array[]; level.length > 1; ) {
    const above: Uint8Array[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index] as Uint8Array;
      const right = level[index + 1];
      above.push(right === undefined ? left : hashNode(left, right, sha256));
    }
    levels.push(above);
    level = above;
  }
  return {
    root: hexOf((levels.at(-1) as Uint8Array[])[0] as Uint8Array),
    pathOf(index) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length)
        throw new RangeError("no such leaf");
      const path: Hex[] = [];
      let position = index;
      for (const level of levels) {
        const sibling = level[position ^ 1];
        if (sibling !== undefined) path.push(hexOf(sibling));
        position >>>= 1;
      }
      return path;
    },
  };
}

/**
 * Root that a leaf and its path lead to (RFC 9162, 2.1.3.2), or null when the path is too long or too short for a leaf
 * at this index of a tree of this size.
 */
export function rootFromPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Hex[],
  sha256: Sha256 = portableSha256,
): Hex | null {
  if (index < 0 || index >= size) return null;
  let position = index;
  let last = size - 1;
  let hash = hashLeaf(leaf, sha256);
  for (const step of path) {
    const sibling = bytesOf(step, 32);
    if (sibling === null || last === 0) return null;
    // A last node without a sibling moved up; it meets its sibling where its position is odd.
    while (position === last && position % 2 === 0) {
      position /= 2;
      last /= 2;
    }
    hash = position % 2 === 1 ? hashNode(sibling, hash, sha256) : hashNode(hash, sibling, sha256);
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hexOf(hash) : null;
}

/** The region's receipt key of a 32-byte seed. */
export function receiptKeyOf(seed: Uint8Array | Hex): Hex {
  return publicKeyOf(exactBytes(seed, 32, "seed"));
}

/**
 * Signs a flush with the region's seed. Synchronous; an object that has node:crypto may sign
 * `receiptStatementBytes` there instead, Ed25519 being deterministic.
 */
export function signReceipts(seed: Uint8Array | Hex, statement: ReceiptStatement): Hex {
  return signMessage(exactBytes(seed, 32, "seed"), receiptStatementBytes(statement));
}

/**
 * Verifies a receipt by itself: its signature is the region's, and its entry is in the signed tree at the place its
 * number says.
 *
 * @param receipt anything; it is decoded here.
 * @param receiptKey the key the region was opened with, from the journal or the chain, not from the receipt.
 * @returns `evidence_malformed`, or a signature's refusal; `signature_invalid` with `facts.part` = `key` or `path`
 *   when the signature is of somebody else or does not cover this entry.
 */
export async function verifyReceipt(receipt: unknown, receiptKey: Hex, sha256?: Sha256): Promise<Verdict> {
  const decoded = receiptSchema.safeParse(receipt);
  if (!decoded.success) {
    return refused("evidence_malformed", { path: decoded.error.issues[0]?.path.join(".") ?? "" });
  }
  const { batch, path, key, signature, ...leaf } = decoded.data;
  if (leaf.entry < batch.firstEntry || leaf.entry > batch.lastEntry) {
    return refused("evidence_malformed", { path: "entry" });
  }
  if (key !== receiptKey.toLowerCase()) return refused("signature_invalid", { part: "key" });
  const index = leaf.entry - batch.firstEntry;
  const size = batch.lastEntry - batch.firstEntry + 1;
  if (rootFromPath(receiptLeafBytes(leaf), index, size, path, sha256) !== batch.root) {
    return refused("signature_invalid", { part: "path" });
  }
  const statement = { ...batch, chainId: leaf.chainId, region: leaf.region };
  return verifyStrictly(key, receiptStatementBytes(statement), signature);
}

function hashLeaf(leaf: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(concatBytes(LEAF_PREFIX, leaf));
}

function hashNode(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  return sha256(concatBytes(NODE_PREFIX, left, right));
}

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

// Owns the Merkle sum tree over a region's accounts that an epoch's report commits to: one leaf an account, and in every node
// the sums of what is below it, hashed as governance/settlement/SumTree.sol does. It refuses an account twice, sums that pass
// their width, and a path that leads elsewhere.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../protocol/fields.ts";
import { bytesOf, exactBytes, hexOf, wordOf } from "./bytes.ts";

/** What a leaf owes, what is below a node, or what a whole region owes. */
export interface Sums {
  /** Asked out of the region's ledger since it began, paid or not. Micros, below 2⁶⁴. */
  readonly withdrawalsMicros: bigint;
  /** Free and in escrow. Micros, below 2⁶⁴. */
  readonly heldMicros: bigint;
  /** Earned since the region began, claimed or not. Base units of the token, below 2¹²⁸. */
  readonly rewards: bigint;
}

/** One account at the end of an epoch. */
export interface SumLeaf {
  /** 20 bytes. */
  readonly account: Hex;
  readonly sums: Sums;
}

/** The other child of a node on the way up. */
export interface SumSibling {
  readonly hash: Hex;
  readonly sums: Sums;
}

/** What shows that a leaf is in a tree; as the contract takes it. */
export interface SumPath {
  /** Bit i is set where the node of level i is a right child. */
  readonly position: bigint;
  /** From the leaf upwards. */
  readonly siblings: readonly SumSibling[];
}

/** Longest path that the contract looks at. */
export const MAX_SUM_LEVELS = 20;

const LEAF_DOMAIN = keccak_256(utf8ToBytes("polder/sum-leaf/v1"));
const NODE_DOMAIN = keccak_256(utf8ToBytes("polder/sum-node/v1"));
const NOTHING: Sums = { withdrawalsMicros: 0n, heldMicros: 0n, rewards: 0n };

interface SumNode {
  readonly hash: Uint8Array;
  readonly sums: Sums;
}

/** Stands beside the last of an odd number of nodes, and for the root of no accounts. */
const EMPTY: SumNode = { hash: new Uint8Array(32), sums: NOTHING };

/** A tree in memory, for one report. */
export class SumTree {
  /** Level 0 holds the leaves; the last level holds the root alone. */
  readonly #levels: SumNode[][];
  readonly #leaves: readonly SumLeaf[];
  readonly #positions: ReadonlyMap<string, number>;

  /**
   * @param leaves in the region's order of accounts.
   * @throws RangeError for an account that stands twice, is no address, or owes what no contract could pay; and for more than
   * 2²⁰ leaves.
   */
  constructor(leaves: readonly SumLeaf[]) {
    if (leaves.length > 2 ** MAX_SUM_LEVELS) throw new RangeError(`more than 2^${MAX_SUM_LEVELS} leaves`);
    this.#leaves = leaves;
    this.#positions = new Map(leaves.map(({ account }, position) => [account.toLowerCase(), position]));
    if (this.#positions.size !== leaves.length) throw new RangeError("an account stands twice");
    this.#levels = [leaves.map(leafNode)];
    for (let level = this.#levels[0] as SumNode[]; level.length > 1; ) {
      const below = level;
      level = Array.from({ length: Math.ceil(below.length / 2) }, (_, index) =>
        joinNodes(below[2 * index] as SumNode, below[2 * index + 1] ?? EMPTY),
      );
      this.#levels.push(level);
    }
  }

  get root(): Hex {
    return hexOf(this.#top.hash);
  }

  /** What all accounts together are owed. */
  get totals(): Sums {
    return this.#top.sums;
  }

  /** An account's leaf and the path that shows it, or null where it has none. */
  claimOf(account: Hex): { readonly leaf: SumLeaf; readonly path: SumPath } | null {
    const position = this.#positions.get(account.toLowerCase());
    if (position === undefined) return null;
    const siblings = this.#levels.slice(0, -1).map((nodes, level) => {
      const { hash, sums } = nodes[(position >> level) ^ 1] ?? EMPTY;
      return { hash: hexOf(hash), sums };
    });
    return { leaf: this.#leaves[position] as SumLeaf, path: { position: BigInt(position), siblings } };
  }

  get #top(): SumNode {
    return this.#levels.at(-1)?.[0] ?? EMPTY;
  }
}

/** Nodes made between two pauses: some ten milliseconds of hashes. */
const NODES_PER_TURN = 256;

/**
 * Root and sums that `SumTree` has, made with pauses and without keeping the tree: a full region's takes a second, in which
 * nothing else of the process would be answered.
 * @throws RangeError as `SumTree`
 */
export async function sumRoot(
  leaves: readonly SumLeaf[],
  pause: () => Promise<void>,
): Promise<{ readonly root: Hex; readonly totals: Sums }> {
  if (leaves.length > 2 ** MAX_SUM_LEVELS) throw new RangeError(`more than 2^${MAX_SUM_LEVELS} leaves`);
  if (new Set(leaves.map(({ account }) => account.toLowerCase())).size !== leaves.length)
    throw new RangeError("an account stands twice");
  let nodes: SumNode[] = [];
  for (const leaf of leaves) if (nodes.push(leafNode(leaf)) % NODES_PER_TURN === 0) await pause();
  while (nodes.length > 1) {
    const above: SumNode[] = [];
    for (let left = 0; left < nodes.length; left += 2) {
      const node = joinNodes(nodes[left] as SumNode, nodes[left + 1] ?? EMPTY);
      if (above.push(node) % NODES_PER_TURN === 0) await pause();
    }
    nodes = above;
  }
  const { hash, sums } = nodes[0] ?? EMPTY;
  return { root: hexOf(hash), totals: sums };
}

/**
 * Whether a leaf stands in the tree of a root and its sums: the very check that the contract makes before it pays.
 * @param root 32 bytes.
 */
export function isLeafOf(root: Hex, totals: Sums, leaf: SumLeaf, path: SumPath): boolean {
  const { position, siblings } = path;
  const levels = siblings.length;
  if (levels > MAX_SUM_LEVELS || position < 0n || position >> BigInt(levels) !== 0n) return false;
  try {
    let node = leafNode(leaf);
    for (const [level, { hash, sums }] of siblings.entries()) {
      const beside = { hash: exactBytes(hash, 32, "hash"), sums: checkedSums(sums) };
      const isRight = (position >> BigInt(level)) & 1n;
      node = isRight ? joinNodes(beside, node) : joinNodes(node, beside);
    }
    return hexOf(node.hash) === root.toLowerCase() && areEqual(node.sums, totals);
  } catch (error) {
    // Sums that pass their width, and hashes that are none.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** keccak256(abi.encode(domain, account, withdrawalsMicros, heldMicros, rewards)). */
export function hashSumLeaf(leaf: SumLeaf): Hex {
  return hexOf(leafNode(leaf).hash);
}

/** Bytes of a packed leaf: account, withdrawals, held, rewards. */
const LEAF_BYTES = 20 + 8 + 8 + 16;

/** Leaves one after the other, numbers big-endian: how they are stored and handed on. */
export function encodeLeaves(leaves: readonly SumLeaf[]): Uint8Array {
  const bytes = new Uint8Array(leaves.length * LEAF_BYTES);
  const view = new DataView(bytes.buffer);
  leaves.forEach(({ account, sums }, index) => {
    const at = index * LEAF_BYTES;
    bytes.set(exactBytes(account, 20, "an account"), at);
    const { withdrawalsMicros, heldMicros, rewards } = checkedSums(sums);
    view.setBigUint64(at + 20, withdrawalsMicros);
    view.setBigUint64(at + 28, heldMicros);
    view.setBigUint64(at + 36, rewards >> 64n);
    view.setBigUint64(at + 44, BigInt.asUintN(64, rewards));
  });
  return bytes;
}

/** @throws RangeError for bytes that are no whole number of leaves. */
export function decodeLeaves(bytes: Uint8Array): SumLeaf[] {
  if (bytes.length % LEAF_BYTES !== 0) throw new RangeError("leaves are cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / LEAF_BYTES }, (_, index) => {
    const at = index * LEAF_BYTES;
    return {
      account: hexOf(bytes.subarray(at, at + 20)),
      sums: {
        withdrawalsMicros: view.getBigUint64(at + 20),
        heldMicros: view.getBigUint64(at + 28),
        rewards: (view.getBigUint64(at + 36) << 64n) + view.getBigUint64(at + 44),
      },
    };
  });
}

function leafNode({ account, sums }: SumLeaf): SumNode {
  const address = bytesOf(account, 20);
  if (address === null) throw new RangeError(`not an address: ${account}`);
  const hash = keccak_256(concatBytes(LEAF_DOMAIN, new Uint8Array(12), address, words(checkedSums(sums))));
  return { hash, sums };
}

/** keccak256(abi.encode(domain, left, left's sums, right, right's sums)). */
function joinNodes(left: SumNode, right: SumNode): SumNode {
  const hash = keccak_256(
    concatBytes(NODE_DOMAIN, left.hash, words(left.sums), right.hash, words(right.sums)),
  );
  return { hash, sums: checkedSums(addSums(left.sums, right.sums)) };
}

function words({ withdrawalsMicros, heldMicros, rewards }: Sums): Uint8Array {
  return concatBytes(wordOf(withdrawalsMicros), wordOf(heldMicros), wordOf(rewards));
}

function addSums(left: Sums, right: Sums): Sums {
  return {
    withdrawalsMicros: left.withdrawalsMicros + right.withdrawalsMicros,
    heldMicros: left.heldMicros + right.heldMicros,
    rewards: left.rewards + right.rewards,
  };
}

function areEqual(left: Sums, right: Sums): boolean {
  return (
    left.withdrawalsMicros === right.withdrawalsMicros &&
    left.heldMicros === right.heldMicros &&
    left.rewards === right.rewards
  );
}

function checkedSums(sums: Sums): Sums {
  const fits = (value: bigint, bits: bigint) => value >= 0n && value >> bits === 0n;
  const { withdrawalsMicros, heldMicros, rewards } = sums;
  if (!fits(withdrawalsMicros, 64n) || !fits(heldMicros, 64n) || !fits(rewards, 128n))
    throw new RangeError("sums pass their width");
  return sums;
}

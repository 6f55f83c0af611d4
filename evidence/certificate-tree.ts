// Owns the certificate tree of a closed epoch, derived from what the journal says: the same for Worker, audit and client.
// It refuses sums and commitments for which there is no leaf.

import type { EpochClosed } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import { EMPTY_ROOTS, hashNode, nodeHex, QuadTree, TREE_DEPTH, TREE_LEAVES } from "../protocol/quad-tree.ts";
import { bigOf, bytesOf } from "./bytes.ts";
import { certificateLeaf } from "./certificate-statement.ts";

/** One account's line of an epoch: what its leaf is made of. */
export interface EpochCertificate {
  /** Poseidon(secret), decimal. */
  readonly commitment: string;
  readonly soldWh: number;
  readonly boughtWh: number;
}

/** A tree as it is published: leaves by position, 32 bytes each. */
export interface PublishedTree {
  readonly root: Hex;
  readonly leaves: readonly Hex[];
}

/** An epoch's certificates in the order of their leaves, from what its close says and the commitments at that moment. */
export function epochCertificates(
  {
    accounts,
    soldWh,
    boughtWh,
    certified,
  }: Pick<EpochClosed, "accounts" | "soldWh" | "boughtWh" | "certified">,
  commitmentOf: (account: number) => string,
): EpochCertificate[] {
  return accounts.flatMap((account, row) => {
    if (certified[row] !== 1) return [];
    return {
      commitment: commitmentOf(account),
      soldWh: soldWh[row] as number,
      boughtWh: boughtWh[row] as number,
    };
  });
}

/**
 * The tree of an epoch's certificates in the order of `epoch_closed`. Three hashes for every two certificates, a third of
 * a millisecond each.
 * @throws RangeError for sums of 2⁴⁰ Wh and more, or more than 65,536 certificates.
 */
export function certificateTree(certificates: readonly EpochCertificate[]): PublishedTree {
  const leaves = certificates.map(({ commitment, soldWh, boughtWh }) =>
    certificateLeaf(BigInt(commitment), soldWh, boughtWh),
  );
  return {
    root: nodeHex(new QuadTree(leaves).root),
    leaves: leaves.map(nodeHex),
  };
}

/** Hashes made between two pauses: some five milliseconds of them. */
const HASHES_PER_TURN = 16;

/**
 * The root that `certificateTree` has, made with pauses: ten thousand certificates take five seconds, in which nothing else
 * of the process would be answered.
 * @throws RangeError as `certificateTree`
 */
export async function certificateRoot(
  certificates: readonly EpochCertificate[],
  pause: () => Promise<void>,
): Promise<Hex> {
  if (certificates.length > TREE_LEAVES) throw new RangeError(`more than ${TREE_LEAVES} certificates`);
  let nodes: bigint[] = [];
  for (const { commitment, soldWh, boughtWh } of certificates) {
    if (nodes.push(certificateLeaf(BigInt(commitment), soldWh, boughtWh)) % HASHES_PER_TURN === 0)
      await pause();
  }
  for (let level = 1; level <= TREE_DEPTH; level += 1) {
    const empty = EMPTY_ROOTS[level - 1] as bigint;
    const above: bigint[] = [];
    for (let first = 0; first < nodes.length; first += 4) {
      const children = [0, 1, 2, 3].map((child) => nodes[first + child] ?? empty);
      if (above.push(hashNode(children)) % HASHES_PER_TURN === 0) await pause();
    }
    nodes = above;
  }
  return nodeHex(nodes[0] ?? (EMPTY_ROOTS[TREE_DEPTH] as bigint));
}

/**
 * The tree of leaves that somebody published.
 * @returns null when a leaf is no field element, or they do not have the root that was published with them.
 */
export function treeOfPublished({ root, leaves }: PublishedTree): QuadTree | null {
  const decoded = leaves.map((leaf) => bytesOf(leaf, 32));
  if (!decoded.every((bytes) => bytes !== null)) return null;
  try {
    const tree = new QuadTree(decoded.map(bigOf));
    return nodeHex(tree.root) === root ? tree : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

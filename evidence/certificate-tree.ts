// Owns the certificate tree of a closed epoch, derived from what the journal says: the same for Worker, audit and client.
// It refuses sums and commitments for which there is no leaf.

import type { EpochClosed } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import { nodeHex, QuadTree } from "../protocol/quad-tree.ts";
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

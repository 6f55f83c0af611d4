// Owns finding an account's leaf in a report of the chain: from the region, or from the file that its agent keeps. It refuses
// a leaf of another report than the chain's.

import type { SumClaim } from "../../evidence/sum-claim.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { PolderClient } from "../sdk/client.ts";
import { PolderProblem, TransportFault } from "../sdk/problem.ts";
import type { KeptLeaf } from "./kept-leaf.ts";
import type { PostedReport, SettlementClient } from "./settlement-client.ts";

/** Whose leaf, and of which report. */
export interface LeafWanted {
  readonly settlement: SettlementClient;
  readonly account: Hex;
  readonly epoch: number;
  readonly report: PostedReport;
}

/**
 * The account's leaf from the region, else from those kept.
 * @param client null where nobody shall be asked.
 * @returns null where the region says that the account has none, and none is kept.
 * @throws Error where the region cannot be asked or shows another report's, and none is kept
 */
export async function findLeaf(
  wanted: LeafWanted,
  client: PolderClient | null,
  kept: readonly KeptLeaf[],
): Promise<SumClaim | null> {
  const own = keptLeaf(wanted, kept);
  if (own !== null || client === null) return own;
  const { settlement, account, epoch, report } = wanted;
  try {
    const claim = await client.leaf(settlement.region, epoch, account);
    if (claim.sumRoot !== report.sumRoot)
      throw new Error(`the region's report of epoch ${epoch} is not the one on the chain: audit it`);
    return claim;
  } catch (error) {
    if (error instanceof PolderProblem && error.code === "account_not_found") return null;
    if (error instanceof TransportFault)
      throw new Error(`${error.message}, and no leaf of epoch ${epoch} is kept`);
    throw error;
  }
}

/** The kept leaf of exactly this report, or null. */
export function keptLeaf(
  { settlement, account, epoch, report }: LeafWanted,
  kept: readonly KeptLeaf[],
): SumClaim | null {
  const found = kept.findLast(
    ({ chainId, settlement: contract, region, claim }) =>
      chainId === settlement.connection.chain.id &&
      contract === settlement.settlement &&
      region === settlement.region &&
      claim.leaf.account === account &&
      claim.epoch === epoch &&
      claim.sumRoot === report.sumRoot,
  );
  return found?.claim ?? null;
}

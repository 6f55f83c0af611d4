// Owns what a region publishes of a closed epoch, as makers and checkers of certificates need it: terms, dates, sums, tree.
// It refuses leaves that do not have the root they are published with.

import { epochTag } from "../../evidence/certificate-statement.ts";
import { treeOfPublished } from "../../evidence/certificate-tree.ts";
import { regionTag } from "../../evidence/gateway-window.ts";
import type { Epoch, Market } from "../../protocol/answers.ts";
import { type Hex, LAST_INSTANT_S } from "../../protocol/fields.ts";
import type { QuadTree } from "../../protocol/quad-tree.ts";
import { slotStartS } from "../../protocol/units.ts";
import type { Deployment, PolderClient } from "../sdk/client.ts";

/** One epoch of one region. */
export interface EpochRecords {
  readonly deployment: Deployment;
  readonly region: string;
  readonly epoch: number;
  /** First second of it and first second after it. */
  readonly startS: number;
  readonly endS: number;
  readonly timeZone: string;
  /** Binds a statement to chain, contract, region, window length and epoch. */
  readonly tag: bigint;
  readonly sums: Epoch;
  readonly root: Hex;
  readonly leaves: readonly Hex[];
  readonly tree: QuadTree;
}

/**
 * Reads a closed epoch. Everything is asked for whole, so that nobody learns from it whose certificate it is for.
 * @throws Error when it has not closed, or the region contradicts itself
 */
export async function readEpoch(client: PolderClient, region: string, epoch: number): Promise<EpochRecords> {
  const deployment = await client.deployment();
  const { profile, market } = await client.region(region);
  if (market === null) throw new Error(`${region} is not opened yet`);
  const running = Math.floor(market.windowFirstSlot / market.epochSlots);
  const span = spanOf(market, epoch);
  if (epoch >= running)
    throw new Error(`epoch ${epoch} of ${region} has not closed yet: it ends ${whenOf(span.endS)}`);
  const sums = await client.epoch(region, epoch);
  if (sums === undefined)
    throw new Error(`${region} has no epoch ${epoch}; the last one that closed is ${running - 1}`);
  const published = await client.certificates(region, epoch);
  const tree = treeOfPublished(published);
  if (tree === null || published.leaves.length !== sums.certificates.length)
    throw new Error(`${region} contradicts itself: the leaves of epoch ${epoch} do not have its root`);
  const { chainId, settlement } = deployment;
  const { windowSlots } = market;
  return {
    deployment,
    region,
    epoch,
    ...span,
    timeZone: profile.timeZone,
    tag: epochTag(regionTag({ chainId, settlement, regionId: region, windowSlots }), epoch),
    sums,
    root: published.root,
    leaves: published.leaves,
    tree,
  };
}

/** Accounts of the epoch that a certificate could be about: those of its tree that reach the threshold. */
export function candidatesOf({ sums }: EpochRecords, side: "sold" | "bought", atLeastWh: number): number {
  const whOf = side === "sold" ? sums.soldWh : sums.boughtWh;
  return sums.certificates.filter((account) => (whOf[account] ?? 0) >= atLeastWh).length;
}

function spanOf({ epochSlots }: Market, epoch: number): { readonly startS: number; readonly endS: number } {
  return { startS: slotStartS(epoch * epochSlots), endS: slotStartS((epoch + 1) * epochSlots) };
}

function whenOf(atS: number): string {
  return atS > LAST_INSTANT_S ? "after the last year there is" : `at ${new Date(atS * 1000).toISOString()}`;
}

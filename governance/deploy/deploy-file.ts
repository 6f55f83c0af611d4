// Owns the file that says what is to be deployed: chain, owner, guardian, quote asset, and the regions with their first
// terms. It refuses unknown fields, a region or an installer twice, and numbers that no contract takes.

import { z } from "zod";
import { address, bounded, regionId, tokenAmount } from "../../protocol/fields.ts";
import { MAX_EPOCH_SLOTS, MAX_INSTALLERS, MAX_REGION_MICROS } from "../../protocol/limits.ts";

const UINT32 = 2 ** 32 - 1;
const BPS = 10_000;
/** More at once than anybody opens; each is some transactions. */
const MOST_REGIONS = 64;

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** A region's first terms. Closer bounds are the contract's, which is asked before anything is sent. */
export const deployedTermsSchema = z.strictObject({
  outflowCapBps: bounded(0, BPS),
  finalityDelaySeconds: bounded(0, UINT32),
  exitAfterSeconds: bounded(0, UINT32),
  leastDepositMicros: bounded(0, MAX_REGION_MICROS),
  emissionDecayBps: bounded(0, BPS),
  emissionPerEpoch: tokenAmount,
});

const deployedRegionSchema = z.strictObject({
  region: regionId,
  /** Sends the reports; the wallet of the mirror. */
  operator: address,
  windowSlots: z.union([z.literal(4), z.literal(96)]),
  epochSlots: bounded(1, MAX_EPOCH_SLOTS),
  /** The first epoch that is reported, with which the region's first window begins; the running one without it. */
  firstEpoch: bounded(1, UINT32).optional(),
  terms: deployedTermsSchema,
  installers: z.array(address).max(MAX_INSTALLERS).refine(isDistinct, "an installer stands twice"),
});
export type DeployedRegion = z.infer<typeof deployedRegionSchema>;

/** What is to be deployed, and for whom. */
export const deployFileSchema = z.strictObject({
  chainId: bounded(1, Number.MAX_SAFE_INTEGER),
  /** Who decides afterwards; whoever deploys, on the local chain only. */
  owner: address.optional(),
  /** Who may freeze epochs; whoever deploys, on the local chain only. */
  guardian: address.optional(),
  /** A token of six decimals, or play money that is made here, on the local chain only. */
  quote: z.union([z.literal("test"), address]),
  regions: z
    .array(deployedRegionSchema)
    .max(MOST_REGIONS)
    .refine((regions) => isDistinct(regions.map(({ region }) => region)), "a region stands twice"),
});
export type DeployFile = z.infer<typeof deployFileSchema>;

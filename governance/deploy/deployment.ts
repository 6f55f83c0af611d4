// Owns what is remembered of a deployment: where its contracts are, and, while it is made, which of them have been asked
// for. It refuses to know where this is kept.

import { z } from "zod";
import { address, count } from "../../protocol/fields.ts";

/** Where a chain's contracts are, when all of it is done. */
export const deploymentSchema = z.strictObject({
  chainId: count,
  settlement: address,
  meterRegistry: address,
  quote: address,
  /** Votes, and is what rewards are minted in. */
  token: address,
  /** Owns everything governed, and is the treasury. */
  timelock: address,
  /** The timelock's only proposer, canceller and executor. */
  governor: address,
  callList: address,
  rewardParameters: address,
  /** Holds what providers of compute and bandwidth have at stake. */
  providerStake: address,
  /** No earlier block concerns the contracts. */
  deployedAtBlock: count,
  /** Time of that block. Unix seconds. */
  deployedAtS: count,
  guardian: address,
});
export type Deployment = z.infer<typeof deploymentSchema>;

/** Contracts that a deployment makes, in this order. */
export const CONTRACT_NAMES = [
  "quote",
  "settlement",
  "meterRegistry",
  "timelock",
  "token",
  "callList",
  "governor",
  "rewardParameters",
  "providerStake",
] as const;
export type ContractName = (typeof CONTRACT_NAMES)[number];

const asked = z.strictObject({ address, nonce: count });

/**
 * A deployment that is not done. Each contract is noted before it is asked for, with the deployer's nonce that its address
 * follows from, so that a run that was cut off in between finds it.
 */
export const progressSchema = z.strictObject({
  chainId: count,
  deployer: address,
  /** The last block before the first contract was asked for. */
  sinceBlock: count,
  contracts: z.partialRecord(z.enum(CONTRACT_NAMES), asked),
});
export type Progress = z.infer<typeof progressSchema>;

/** Where deployments are kept. Each write is whole, and on disk when it returns. */
export interface DeploymentStore {
  read(chainId: number): Deployment | null;
  write(deployment: Deployment): void;
  readProgress(chainId: number): Progress | null;
  writeProgress(progress: Progress): void;
  /** For when the deployment is written. */
  dropProgress(chainId: number): void;
}

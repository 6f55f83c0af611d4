// Owns a deployment that shows the votes of a chain of its own, for tests. It refuses to open a region: votes need none.

import { join } from "node:path";
import { type Stack, type StackOptions, startStack } from "../../clients/local/stack.ts";
import { varsOf } from "./client-region.ts";
import type { VotedChain } from "./voted-chain.ts";

/** The wallet that reports for regions; nothing is reported here. */
const MIRROR_KEY = "31".repeat(32);

/** Starts a deployment. @param vars over those by which it follows the chain. */
export function startVotedStack(
  { chain, deployment, folder }: VotedChain,
  vars: Readonly<Record<string, string>> = {},
  options: Partial<StackOptions> = {},
): Promise<Stack> {
  return startStack({
    stateFolder: join(folder, "state"),
    logger: () => {},
    ...options,
    vars: {
      ...varsOf(1.5),
      SETTLEMENT: deployment.settlement,
      METER_REGISTRY: deployment.meterRegistry,
      REWARD_PARAMETERS: deployment.rewardParameters,
      PROVIDER_STAKE: deployment.providerStake,
      GOVERNOR: deployment.governor,
      CHAIN_RPC: chain.url,
      CHAIN_DEPLOYED_AT: String(deployment.deployedAtBlock),
      CHAIN_POLL_SECONDS: "0.2",
      MIRROR_KEY,
      ...vars,
    },
  });
}

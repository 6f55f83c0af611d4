// Owns the contracts as tests on a chain find them: deployed from what was exported, with one open region whose operator, owner
// and installer are the chain's first account. It refuses to credit anybody with anything.

import { type Address, type Hex, stringToHex } from "viem";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { type ChainContracts, deployContracts } from "./chain-contracts.ts";

export const REGION_NAME = "polder-one";
/** Its name as the contracts take it. */
export const REGION: Hex = stringToHex(REGION_NAME, { size: 32 });
export const WINDOW_SLOTS = 4;
export const FIRST_EPOCH = 20_000n;
export const DELAY_SECONDS = 2 * 86_400;
/** One unit of the quote asset, in micros; the least deposit. */
export const UNIT = 1_000_000n;
/** What the first epoch may reward. */
export const EMISSION = 1_000n;

const EPOCH_SLOTS = 96;
export const EPOCH_SECONDS = EPOCH_SLOTS * SLOT_SECONDS;
const TERMS = {
  fromEpoch: FIRST_EPOCH,
  outflowCapBps: 2_500,
  finalityDelaySeconds: DELAY_SECONDS,
  exitAfterSeconds: 7 * 86_400,
  leastDepositMicros: UNIT,
  emissionDecayBps: 0,
  emissionPerEpoch: EMISSION,
};

export type DeployedRegion = ChainContracts;

/** Starts a chain in the region's first epoch and deploys everything. */
export async function deployRegion(): Promise<DeployedRegion> {
  const contracts = await deployContracts(Number(FIRST_EPOCH) * EPOCH_SECONDS);
  const { chain, settlement, rewardToken, registry } = contracts;
  const [operator] = chain.accounts as [Address];
  await chain.send(settlement, "setRewardToken", [rewardToken.address]);
  const opening = { operator, windowSlots: WINDOW_SLOTS, epochSlots: EPOCH_SLOTS, terms: TERMS };
  await chain.send(settlement, "openRegion", [REGION, opening]);
  await chain.send(registry, "appointInstallers", [REGION, [operator]]);
  return contracts;
}

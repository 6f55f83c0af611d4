// Owns the opening of regions in a deployment: in Settlement, in the governed values, and their installers, as far as nobody has.
// It refuses a region that is there with other lengths, which are for life.

import { regionWord } from "../../evidence/deposit-chain.ts";
import type { Hex } from "../../protocol/fields.ts";
import { governedWords } from "../../protocol/governed-values.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { type Addresses, contractOf } from "./contracts.ts";
import type { DeployCalls } from "./deploy-calls.ts";
import type { DeployedRegion } from "./deploy-file.ts";
import { DeployRefused } from "./refusals.ts";

/** @throws DeployRefused where it is open otherwise, or not whoever deploys may open it any more */
export async function openRegion(
  calls: DeployCalls,
  addresses: Addresses,
  region: DeployedRegion,
): Promise<void> {
  const word = regionWord(region.region);
  await openInSettlement(calls, addresses, region, word);
  await takeUpParameters(calls, addresses, region, word);
  await appointInstallers(calls, addresses, region, word);
}

/** Its first epoch is the running one, unless the file names one. */
async function openInSettlement(
  calls: DeployCalls,
  addresses: Addresses,
  region: DeployedRegion,
  word: Hex,
): Promise<void> {
  const settlement = contractOf(addresses, "settlement");
  const { operator, windowSlots, epochSlots, terms } = region;
  if ((await calls.read(settlement, "windowSlotsOf", [word])) === 0n) {
    const { timestamp } = await calls.client.getBlock();
    const fromEpoch = BigInt(region.firstEpoch ?? timestamp / BigInt(epochSlots * SLOT_SECONDS));
    const opening = { operator, windowSlots, epochSlots, terms: { fromEpoch, ...terms } };
    await calls.sendAsOwner(settlement, "openRegion", [word, opening]);
    calls.report(`${region.region} is open from epoch ${fromEpoch} on, reported by ${operator}`);
  }
  const books = (await calls.read(settlement, "regionOf", [word])) as {
    windowSlots: number;
    epochSlots: number;
  };
  if (books.windowSlots !== windowSlots || books.epochSlots !== epochSlots)
    throw new DeployRefused(
      `${region.region} is open with windows of ${books.windowSlots} and epochs of ${books.epochSlots} slots, which are for life`,
    );
}

async function takeUpParameters(
  calls: DeployCalls,
  addresses: Addresses,
  { region, terms, parameters }: DeployedRegion,
  word: Hex,
): Promise<void> {
  const contract = contractOf(addresses, "rewardParameters");
  if ((await calls.read(contract, "versionCount", [word])) !== 0n) return;
  await calls.sendAsOwner(contract, "open", [word, governedWords({ ...terms, ...parameters })]);
  calls.report(`the values of ${region} are the vote's to change`);
}

async function appointInstallers(
  calls: DeployCalls,
  addresses: Addresses,
  region: DeployedRegion,
  word: Hex,
): Promise<void> {
  const registry = contractOf(addresses, "meterRegistry");
  const [events] = (await calls.read(registry, "countsOf", [word])) as [bigint];
  if (events !== 0n || region.installers.length === 0) return;
  const installers = region.installers.toSorted();
  await calls.sendAsOwner(registry, "appointInstallers", [word, installers]);
  calls.report(`${region.region} has ${installers.length} installers`);
}

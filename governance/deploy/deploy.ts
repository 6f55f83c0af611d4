// Owns how the contracts get onto a chain: made once, wired, their regions opened, and handed to the vote. It refuses to
// change what is there already, and to call a deployment done before all of it was read back.

import type { Hex } from "viem";
import { NO_ADDRESS } from "../../protocol/fields.ts";
import type { ContractSender } from "../calls/contract-call.ts";
import { allowCalls } from "./allowed-calls.ts";
import { ContractCreation } from "./contract-creation.ts";
import { type Addresses, contractOf, makeContracts, type Plan } from "./contracts.ts";
import { DeployCalls, isSame } from "./deploy-calls.ts";
import type { DeployFile } from "./deploy-file.ts";
import type { ContractName, Deployment, DeploymentStore, Progress } from "./deployment.ts";
import { openRegion } from "./governed-regions.ts";
import { handOver, requireHandedOver } from "./handover.ts";
import { DeployRefused, requireDeployable } from "./refusals.ts";

/** What a deployment needs besides its file. */
export interface DeployOptions extends ContractSender {
  readonly store: DeploymentStore;
  /** Told of each step that was done. */
  readonly report: (message: string) => void;
}

/**
 * Deploys what a file says, or what of it is missing. Running it again changes nothing.
 * @throws DeployRefused where it must not be, or where what is there is something else; Error where a transaction fails.
 */
export async function deploy(file: DeployFile, options: DeployOptions): Promise<Deployment> {
  const { client, wallet, store, report } = options;
  const deployer = wallet.account.address.toLowerCase() as Hex;
  await requireDeployable(file, deployer, client);
  const plan: Plan = { ...file, guardian: file.guardian ?? deployer };
  const done = store.read(plan.chainId);
  if (done !== null) requireSame(plan, done);
  const progress = done === null ? await progressOf(plan, deployer, options) : null;
  const deployment = done ?? (await makeAll(plan, progress as Progress, options));
  const calls = new DeployCalls(options, report);
  await requireWired(plan, deployment, calls);
  if (progress !== null) await wire(deployment, calls);
  for (const region of plan.regions) await openRegion(calls, deployment, region);
  if (progress !== null) {
    await allowCalls(calls, deployment);
    await handOver(calls, deployment);
  }
  await requireHandedOver(calls, deployment, deployment.deployedAtBlock);
  if (progress !== null) {
    store.write(deployment);
    store.dropProgress(plan.chainId);
  }
  return deployment;
}

/** The file must not ask for another deployment than the one that is there. */
function requireSame(plan: Plan, { guardian, quote }: Deployment): void {
  const differs = (what: string, here: string, there: string) =>
    new DeployRefused(`chain ${plan.chainId} has a deployment whose ${what} is ${there}, and not ${here}`);
  if (plan.guardian !== guardian) throw differs("guardian", plan.guardian, guardian);
  if (plan.quote !== "test" && plan.quote !== quote) throw differs("quote asset", plan.quote, quote);
}

async function progressOf(plan: Plan, deployer: Hex, { client, store }: DeployOptions): Promise<Progress> {
  const { chainId } = plan;
  const begun = store.readProgress(chainId);
  if (begun === null) {
    const sinceBlock = Number(await client.getBlockNumber({ cacheTime: 0 }));
    return { chainId, deployer, sinceBlock, contracts: {} };
  }
  if (begun.deployer !== deployer)
    throw new DeployRefused(`${begun.deployer} has begun this deployment: go on with its key`);
  return begun;
}

/** Makes the contracts. Whoever deploys owns them until all is done. */
async function makeAll(plan: Plan, progress: Progress, options: DeployOptions): Promise<Deployment> {
  const { client, store, report } = options;
  const creation = new ContractCreation(options, store, progress);
  const addresses = await makeContracts(plan, progress.deployer, creation, report);
  const deployedAtBlock = progress.sinceBlock + 1;
  const { timestamp } = await client.getBlock({ blockNumber: BigInt(deployedAtBlock) });
  const { chainId, guardian } = plan;
  return { chainId, ...addresses, deployedAtBlock, deployedAtS: Number(timestamp), guardian };
}

/** Which contract says of which other that it is its own, or of itself what no vote can change. */
function wiringOf({ vote, stake }: Plan, addresses: Addresses): [ContractName, string, string | bigint][] {
  return [
    ["settlement", "quote", addresses.quote],
    ["meterRegistry", "regions", addresses.settlement],
    ["token", "settlement", addresses.settlement],
    ["token", "cap", BigInt(vote.cap)],
    ["token", "mostPerDay", BigInt(vote.mostPerDay)],
    ["governor", "token", addresses.token],
    ["governor", "timelock", addresses.timelock],
    ["governor", "callList", addresses.callList],
    ["rewardParameters", "settlement", addresses.settlement],
    ["providerStake", "quote", addresses.quote],
    ["providerStake", "regions", addresses.settlement],
    ["providerStake", "parameters", addresses.rewardParameters],
    ["providerStake", "slashReceiver", addresses.timelock],
    ["providerStake", "auditSeconds", BigInt(stake.auditSeconds)],
    ["providerStake", "slashDelaySeconds", BigInt(stake.slashDelaySeconds)],
  ];
}

/** @throws DeployRefused where the contracts are not those of a deployment: a chain begun anew, a file of another one. */
async function requireWired(plan: Plan, addresses: Addresses, calls: DeployCalls): Promise<void> {
  for (const [name, functionName, wanted] of wiringOf(plan, addresses)) {
    const contract = contractOf(addresses, name);
    const found = await calls.read(contract, functionName).catch((cause: unknown) => {
      throw new DeployRefused(`there is no ${name} at ${contract.address}`, { cause });
    });
    const isWanted = typeof wanted === "string" ? isSame(found, wanted) : found === wanted;
    if (!isWanted)
      throw new DeployRefused(
        `${functionName} of ${name} at ${contract.address} is ${found}, and not ${wanted}`,
      );
  }
}

/** Names what Settlement learns once: the token it mints, and who alone schedules its terms. */
async function wire(addresses: Addresses, calls: DeployCalls): Promise<void> {
  const settlement = contractOf(addresses, "settlement");
  const named = [
    ["rewardToken", "setRewardToken", addresses.token, "rewards are minted in"],
    ["termsKeeper", "setTermsKeeper", addresses.rewardParameters, "terms are kept by"],
  ] as const;
  for (const [getter, setter, wanted, words] of named) {
    const found = await calls.read(settlement, getter);
    if (isSame(found, wanted)) continue;
    if (!isSame(found, NO_ADDRESS))
      throw new DeployRefused(`${getter} of Settlement is ${found}, and not ${wanted}`);
    await calls.sendAsOwner(settlement, setter, [wanted]);
    calls.report(`${words} ${wanted}`);
  }
}

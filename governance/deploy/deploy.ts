// Owns how the contracts get onto a chain: made once, wired, their regions opened, and handed to their owner. It refuses to
// change what is there already, and to call a deployment done before all of it was read back.

import type { Abi, Hex } from "viem";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { NO_ADDRESS } from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { type ContractSender, sendCall } from "../calls/contract-call.ts";
import { meterRegistryAbi, settlementAbi, testQuoteAbi, testRewardTokenAbi } from "../generated/abi.ts";
import {
  meterRegistryBytecode,
  settlementBytecode,
  testQuoteBytecode,
  testRewardTokenBytecode,
} from "../generated/bytecode.ts";
import { ContractCreation } from "./contract-creation.ts";
import type { DeployedRegion, DeployFile } from "./deploy-file.ts";
import type { Deployment, DeploymentStore, Progress } from "./deployment.ts";
import { DeployRefused, requireDeployable } from "./refusals.ts";

/** What a deployment needs besides its file. */
export interface DeployOptions extends ContractSender {
  readonly store: DeploymentStore;
  /** Told of each step that was done. */
  readonly report: (message: string) => void;
}

type Contracts = Pick<Deployment, "settlement" | "meterRegistry" | "quote" | "rewardToken">;
/** A deploy file with what it leaves open on the local chain. */
type Plan = DeployFile & { readonly owner: Hex; readonly guardian: Hex };

/**
 * Deploys what a file says, or what of it is missing. Running it again changes nothing.
 * @throws DeployRefused where it must not be, or where what is there is something else; Error where a transaction fails.
 */
export async function deploy(file: DeployFile, options: DeployOptions): Promise<Deployment> {
  const { client, wallet, store } = options;
  const deployer = wallet.account.address.toLowerCase() as Hex;
  await requireDeployable(file, deployer, client);
  const plan: Plan = { ...file, owner: file.owner ?? deployer, guardian: file.guardian ?? deployer };
  const done = store.read(plan.chainId);
  if (done !== null) requireSame(plan, done);
  const progress = done === null ? await progressOf(plan, deployer, options) : null;
  const deployment = done ?? (await createAll(plan, progress as Progress, options));
  const deploying = new Deploying(plan, deployment, options);
  await deploying.requireWired();
  if (progress !== null && deployment.rewardToken !== NO_ADDRESS) await deploying.nameRewardToken();
  for (const region of plan.regions) await deploying.openRegion(region);
  await deploying.handOver();
  if (progress !== null) {
    store.write(deployment);
    store.dropProgress(plan.chainId);
  }
  return deployment;
}

/** The file must not ask for another deployment than the one that is there. */
function requireSame(plan: Plan, { owner, guardian, quote }: Deployment): void {
  const differs = (what: string, here: string, there: string) =>
    new DeployRefused(`chain ${plan.chainId} has a deployment whose ${what} is ${there}, and not ${here}`);
  if (plan.owner !== owner) throw differs("owner", plan.owner, owner);
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
async function createAll(plan: Plan, progress: Progress, options: DeployOptions): Promise<Deployment> {
  const { client, report } = options;
  const isLocal = plan.chainId === LOCAL_CHAIN_ID;
  const creation = new ContractCreation(options, options.store, progress);
  const create = async (
    name: Parameters<typeof creation.create>[0],
    contract: Parameters<typeof creation.create>[1],
  ): Promise<Hex> => {
    const { address, isNew } = await creation.create(name, contract);
    report(`${name} ${isNew ? "is" : "was"} made at ${address}`);
    return address;
  };
  const quote =
    plan.quote === "test"
      ? await create("quote", { abi: testQuoteAbi, bytecode: testQuoteBytecode, args: [] })
      : plan.quote;
  const settlement = await create("settlement", {
    abi: settlementAbi,
    bytecode: settlementBytecode,
    args: [quote, progress.deployer, plan.guardian],
  });
  const rewardToken = isLocal
    ? await create("rewardToken", {
        abi: testRewardTokenAbi,
        bytecode: testRewardTokenBytecode,
        args: [settlement],
      })
    : NO_ADDRESS;
  const meterRegistry = await create("meterRegistry", {
    abi: meterRegistryAbi,
    bytecode: meterRegistryBytecode,
    args: [settlement, progress.deployer],
  });
  const deployedAtBlock = progress.sinceBlock + 1;
  const { timestamp } = await client.getBlock({ blockNumber: BigInt(deployedAtBlock) });
  const { chainId, owner, guardian } = plan;
  return {
    chainId,
    settlement,
    meterRegistry,
    quote,
    rewardToken,
    deployedAtBlock,
    deployedAtS: Number(timestamp),
    owner,
    guardian,
  };
}

/** Contracts that are there, brought to what the file says of them. */
class Deploying {
  readonly #plan: Plan;
  readonly #contracts: Contracts;
  readonly #options: DeployOptions;

  constructor(plan: Plan, contracts: Contracts, options: DeployOptions) {
    this.#plan = plan;
    this.#contracts = contracts;
    this.#options = options;
  }

  /** @throws DeployRefused where the contracts are not those of a deployment: a chain begun anew, a file of another one. */
  async requireWired(): Promise<void> {
    const { settlement, meterRegistry, quote } = this.#contracts;
    const [heldQuote, regions] = await Promise.all([
      this.#read(settlement, settlementAbi, "quote"),
      this.#read(meterRegistry, meterRegistryAbi, "regions"),
    ]).catch((cause: unknown) => {
      throw new DeployRefused(
        `there is no Settlement at ${settlement}, or no MeterRegistry at ${meterRegistry}`,
        { cause },
      );
    });
    if (!isSame(heldQuote, quote)) throw new DeployRefused(`Settlement holds ${heldQuote}, and not ${quote}`);
    if (!isSame(regions, settlement))
      throw new DeployRefused(`the register of meters is of ${regions}, and not of ${settlement}`);
  }

  async nameRewardToken(): Promise<void> {
    const { settlement, rewardToken } = this.#contracts;
    const named = await this.#read(settlement, settlementAbi, "rewardToken");
    if (isSame(named, rewardToken)) return;
    await this.#send(settlement, settlementAbi, "setRewardToken", [rewardToken]);
    this.#options.report(`rewards are minted in ${rewardToken}`);
  }

  /** Opens a region and appoints its installers, as far as nobody has. Its first epoch is the running one. */
  async openRegion(region: DeployedRegion): Promise<void> {
    const { settlement, meterRegistry } = this.#contracts;
    const word = regionWord(region.region);
    const { operator, windowSlots, epochSlots, terms } = region;
    if ((await this.#read(settlement, settlementAbi, "windowSlotsOf", [word])) === 0n) {
      const { timestamp } = await this.#options.client.getBlock();
      const fromEpoch = BigInt(region.firstEpoch ?? timestamp / BigInt(epochSlots * SLOT_SECONDS));
      const opening = { operator, windowSlots, epochSlots, terms: { fromEpoch, ...terms } };
      await this.#send(settlement, settlementAbi, "openRegion", [word, opening]);
      this.#options.report(`${region.region} is open from epoch ${fromEpoch} on, reported by ${operator}`);
    }
    await this.#requireOpen(region, word);
    const [events] = (await this.#read(meterRegistry, meterRegistryAbi, "countsOf", [word])) as [bigint];
    if (events !== 0n || region.installers.length === 0) return;
    const installers = region.installers.toSorted();
    await this.#send(meterRegistry, meterRegistryAbi, "appointInstallers", [word, installers]);
    this.#options.report(`${region.region} has ${installers.length} installers`);
  }

  async #requireOpen({ region, windowSlots, epochSlots }: DeployedRegion, word: Hex): Promise<void> {
    const { settlement } = this.#contracts;
    const books = (await this.#read(settlement, settlementAbi, "regionOf", [word])) as {
      windowSlots: number;
      epochSlots: number;
    };
    if (books.windowSlots !== windowSlots || books.epochSlots !== epochSlots)
      throw new DeployRefused(
        `${region} is open with windows of ${books.windowSlots} and epochs of ${books.epochSlots} slots, which are for life`,
      );
  }

  /** Gives both contracts to their owner. @throws DeployRefused where they are somebody else's */
  async handOver(): Promise<void> {
    const { settlement, meterRegistry } = this.#contracts;
    const { owner } = this.#plan;
    const contracts = [
      ["Settlement", settlement, settlementAbi],
      ["MeterRegistry", meterRegistry, meterRegistryAbi],
    ] as const;
    for (const [name, address, abi] of contracts) {
      if (!isSame(await this.#read(address, abi, "owner"), owner)) {
        await this.#send(address, abi, "transferOwnership", [owner]);
        this.#options.report(`${name} belongs to ${owner}`);
      }
      const found = await this.#read(address, abi, "owner");
      if (!isSame(found, owner)) throw new DeployRefused(`${name} belongs to ${found}, and not to ${owner}`);
    }
  }

  #read(address: Hex, abi: Abi, functionName: string, args: readonly unknown[] = []): Promise<unknown> {
    return this.#options.client.readContract({ address, abi, functionName, args });
  }

  /** @throws DeployRefused where the owner alone may, and whoever deploys is not the owner any more */
  async #send(address: Hex, abi: Abi, functionName: string, args: readonly unknown[]): Promise<void> {
    const { account } = this.#options.wallet;
    const owner = await this.#read(address, abi, "owner");
    if (!isSame(owner, account.address))
      throw new DeployRefused(`${functionName} is for the owner, ${owner}, and not for ${account.address}`);
    await sendCall(this.#options, { address, abi, functionName, args });
  }
}

function isSame(found: unknown, wanted: string): boolean {
  return typeof found === "string" && found.toLowerCase() === wanted.toLowerCase();
}

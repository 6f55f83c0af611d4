// Owns a neighbourhood's money and meters on the local chain: the contracts, the region's opening there, deposits for the homes
// and their meters' enrolments. It refuses nothing that is there already: running it again changes nothing.

import { join } from "node:path";
import type { Hex } from "viem";
import type { LocalAccount } from "viem/accounts";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { gatewayIdOf } from "../../evidence/gateway-window.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import { type ContractSender, sendCall } from "../../governance/calls/contract-call.ts";
import { deploy } from "../../governance/deploy/deploy.ts";
import type { Deployment } from "../../governance/deploy/deployment.ts";
import { meterRegistryAbi, providerStakeAbi, testQuoteAbi } from "../../governance/generated/abi.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { walletOn } from "../chain/chain-connection.ts";
import { deploymentFiles } from "../chain/deployment-files.ts";
import { SettlementClient } from "../chain/settlement-client.ts";
import { SettlementWallet } from "../chain/settlement-wallet.ts";
import {
  type EnrolmentRequest,
  enrolmentOf,
  requestEnrolment,
  WIDEST_LIMITS,
} from "../household/enrolment-request.ts";
import { stakeFor } from "../provider/stake.ts";
import { type LocalPlan, localDeployFile } from "./deploy-plan.ts";
import { type LocalChain, startLocalChain } from "./local-chain.ts";
import {
  derivedKey,
  type Enrolment,
  householdKeys,
  installerWallet,
  mirrorWallet,
  operatorWallet,
  relayWallet,
} from "./neighbourhood.ts";

/** Wall seconds between two looks at the chain. */
const POLL_SECONDS = "0.5";

/** What a provider puts at stake, bound to the key that signs its results. Micros. */
export interface Stake {
  readonly name: string;
  readonly amountMicros: bigint;
}

/** A region as it is brought onto the chain. */
export interface SettledRegion extends LocalPlan {
  readonly folder: string;
  readonly homes: readonly Enrolment[];
  /** Accounts with a deposit and no meter. */
  readonly traders?: readonly Enrolment[];
  /** Providers, and what each has at stake. */
  readonly stakes?: readonly Stake[];
  /** Others who will call the contracts, and need ether for that. */
  readonly payees?: readonly LocalAccount[];
}

/** A chain with a region on it, and the variables and the secret by which a stack follows it. */
export interface SettledChain {
  readonly chain: LocalChain;
  readonly deployment: Deployment;
  readonly vars: Readonly<Record<string, string>>;
}

/** Starts a folder's chain and brings the region onto it. @param port a free one where it is 0 or taken */
export async function startSettledChain(region: SettledRegion, port: number): Promise<SettledChain> {
  const chain = await startLocalChain({
    folder: region.folder,
    port,
    marketS: () => region.marketS,
    report: (message) => console.error(message),
  });
  try {
    const deployment = await settleOnChain(chain, region);
    return { chain, deployment, vars: chainVars(chain, deployment, region.seed) };
  } catch (error) {
    await chain.stop();
    throw error;
  }
}

/** Deploys, opens the region, deposits and enrols, as far as nobody has; all of it is final when this returns. */
async function settleOnChain(chain: LocalChain, region: SettledRegion): Promise<Deployment> {
  const { seed, folder, homes, traders = [], stakes = [], payees = [] } = region;
  const operator = operatorWallet(seed);
  const wallets = [
    operator,
    installerWallet(seed),
    mirrorWallet(seed),
    relayWallet(seed),
    ...payees,
    ...[...homes, ...traders, ...stakes].map(({ name }) => householdKeys(seed, name).wallet),
  ];
  await chain.fund(wallets.map(({ address }) => address));
  const deployment = await deploy(localDeployFile(region), {
    ...senderOf(chain, operator),
    store: deploymentFiles(join(folder, "chain")),
    report: () => {},
  });
  await depositFor([...homes, ...traders], chain, region, deployment);
  await enrolHomes(chain, region, deployment);
  for (const stake of stakes) await stakeOnce(chain, region, deployment, stake);
  await chain.finalise();
  return deployment;
}

function chainVars(chain: LocalChain, deployment: Deployment, seed: string): Record<string, string> {
  return {
    SETTLEMENT: deployment.settlement,
    METER_REGISTRY: deployment.meterRegistry,
    REWARD_PARAMETERS: deployment.rewardParameters,
    PROVIDER_STAKE: deployment.providerStake,
    GOVERNOR: deployment.governor,
    CHAIN_RPC: chain.url,
    CHAIN_DEPLOYED_AT: String(deployment.deployedAtBlock),
    CHAIN_POLL_SECONDS: POLL_SECONDS,
    MIRROR_KEY: derivedKey(seed, "mirror").slice(2),
    RELAY_KEY: derivedKey(seed, "relay").slice(2),
  };
}

/** Play money for each account, half of it deposited: the rest is for whoever tries a deposit. */
async function depositFor(
  accounts: readonly Enrolment[],
  chain: LocalChain,
  region: SettledRegion,
  deployment: Deployment,
): Promise<void> {
  const operator = operatorWallet(region.seed);
  const sender = senderOf(chain, operator);
  const settlement = await SettlementClient.open(
    chain.connection,
    deployment.settlement,
    region.terms.profile.region,
  );
  const wallet = new SettlementWallet(settlement, operator);
  const { deposits } = await settlement.books();
  for (const { name, creditMicros } of accounts) {
    const { account } = householdKeys(region.seed, name);
    if ((await settlement.depositsAbove(0, account, deposits)).length > 0) continue;
    const amount = BigInt(creditMicros);
    for (const receiver of [account, lower(operator)]) await mint(sender, deployment, receiver, amount);
    await wallet.deposit(account, amount);
  }
}

function mint(sender: ContractSender, { quote }: Deployment, receiver: Hex, amount: bigint) {
  const call = { functionName: "mint", args: [receiver, amount] };
  return sendCall(sender, { address: quote, abi: testQuoteAbi, ...call });
}

async function stakeOnce(
  chain: LocalChain,
  { seed, terms }: SettledRegion,
  deployment: Deployment,
  { name, amountMicros }: Stake,
): Promise<void> {
  const { wallet, account, sessionSeed } = householdKeys(seed, name);
  const region = terms.profile.region;
  const { bondedMicros } = await chain.connection.client.readContract({
    address: deployment.providerStake,
    abi: providerStakeAbi,
    functionName: "stakeOf",
    args: [regionWord(region), account],
  });
  if (bondedMicros > 0n) return;
  await mint(senderOf(chain, operatorWallet(seed)), deployment, account, amountMicros);
  const nodeKey = sessionKeyOf(sessionSeed);
  await stakeFor(chain.connection, deployment.providerStake, wallet, { region, nodeKey, amountMicros });
}

async function enrolHomes(chain: LocalChain, region: SettledRegion, deployment: Deployment): Promise<void> {
  const sender = senderOf(chain, installerWallet(region.seed));
  const { seed, terms, homes } = region;
  const { settlement, meterRegistry } = deployment;
  const regionId = terms.profile.region;
  const context = { chainId: LOCAL_CHAIN_ID, settlement, regionId, windowSlots: terms.windowSlots };
  for (const { name, limits = WIDEST_LIMITS } of homes) {
    const { gatewaySeed, secret } = householdKeys(seed, name);
    const request = requestEnrolment(context, gatewaySeed, secret, limits);
    const standing = await sender.client.readContract({
      address: meterRegistry,
      abi: meterRegistryAbi,
      functionName: "gatewayOf",
      args: [gatewayIdOf(request.gateway)],
    });
    if (BigInt(standing.region) !== 0n) continue;
    await sendCall(sender, {
      address: meterRegistry,
      abi: meterRegistryAbi,
      functionName: "enrol",
      args: enrolmentArguments(request, derivedKey(seed, `${name}/connection`)),
    });
  }
}

/** What `MeterRegistry.enrol` takes of a household's request. */
function enrolmentArguments(request: EnrolmentRequest, connection: Hex): readonly [object, object] {
  const { context, limits, consent } = request;
  const { type: _type, windowSlots: _slots, ...enrolment } = enrolmentOf(request, { connection, limits });
  const { r8, s } = consent.signature;
  return [
    { ...enrolment, region: regionWord(context.regionId) },
    { r8X: r8[0], r8Y: r8[1], s },
  ];
}

function senderOf({ connection }: LocalChain, account: LocalAccount): ContractSender {
  return { client: connection.client, wallet: walletOn(connection, account) };
}

function lower({ address }: LocalAccount): Hex {
  return address.toLowerCase() as Hex;
}

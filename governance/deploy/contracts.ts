// Owns which contracts a deployment makes, of what, and in which order. It refuses to wire or to hand over any of them; whoever
// deploys owns them until all is done.

import type { Hex } from "viem";
import { NO_ADDRESS } from "../../protocol/fields.ts";
import {
  callListAbi,
  meterRegistryAbi,
  polderGovernorAbi,
  polderTokenAbi,
  providerStakeAbi,
  rewardParametersAbi,
  settlementAbi,
  testQuoteAbi,
  timelockControllerAbi,
} from "../generated/abi.ts";
import {
  callListBytecode,
  meterRegistryBytecode,
  polderGovernorBytecode,
  polderTokenBytecode,
  providerStakeBytecode,
  rewardParametersBytecode,
  settlementBytecode,
  testQuoteBytecode,
  timelockControllerBytecode,
} from "../generated/bytecode.ts";
import type { ContractCreation } from "./contract-creation.ts";
import type { DeployedContract } from "./deploy-calls.ts";
import type { DeployFile } from "./deploy-file.ts";
import { CONTRACT_NAMES, type ContractName, type Deployment } from "./deployment.ts";
import type { VoteFile } from "./vote-file.ts";

const CODE = {
  quote: { abi: testQuoteAbi, bytecode: testQuoteBytecode },
  settlement: { abi: settlementAbi, bytecode: settlementBytecode },
  meterRegistry: { abi: meterRegistryAbi, bytecode: meterRegistryBytecode },
  timelock: { abi: timelockControllerAbi, bytecode: timelockControllerBytecode },
  token: { abi: polderTokenAbi, bytecode: polderTokenBytecode },
  callList: { abi: callListAbi, bytecode: callListBytecode },
  governor: { abi: polderGovernorAbi, bytecode: polderGovernorBytecode },
  rewardParameters: { abi: rewardParametersAbi, bytecode: rewardParametersBytecode },
  providerStake: { abi: providerStakeAbi, bytecode: providerStakeBytecode },
} as const;

/** Addresses by contract. */
export type Addresses = Pick<Deployment, ContractName>;
/** A deploy file with what it leaves open on the local chain. */
export type Plan = DeployFile & { readonly guardian: Hex };

/** One of a deployment's contracts, to be read or called. */
export function contractOf(addresses: Addresses, name: ContractName): DeployedContract {
  return { address: addresses[name], abi: CODE[name].abi };
}

/** Makes the contracts that no earlier run has made. @throws Error where a transaction fails */
export async function makeContracts(
  plan: Plan,
  deployer: Hex,
  creation: ContractCreation,
  report: (message: string) => void,
): Promise<Addresses> {
  const made: Partial<Record<ContractName, Hex>> = plan.quote === "test" ? {} : { quote: plan.quote };
  for (const name of CONTRACT_NAMES) {
    if (made[name] !== undefined) continue;
    const args = argumentsOf(plan, deployer, made as Addresses)[name]();
    const { address, isNew } = await creation.create(name, { ...CODE[name], args });
    report(`${name} ${isNew ? "is" : "was"} made at ${address}`);
    made[name] = address;
  }
  return made as Addresses;
}

/** What each constructor takes, of what was made before it. */
function argumentsOf(
  { guardian, vote, stake }: Plan,
  deployer: Hex,
  made: Addresses,
): Readonly<Record<ContractName, () => readonly unknown[]>> {
  return {
    quote: () => [],
    settlement: () => [made.quote, deployer, guardian],
    meterRegistry: () => [made.settlement, deployer],
    // Its roles are given when the governor is there.
    timelock: () => [BigInt(vote.timelockDelaySeconds), [], [], deployer],
    token: () => [
      made.settlement,
      made.timelock,
      BigInt(vote.treasuryAmount),
      vote.members.map(({ account, amount }) => ({ account, amount: BigInt(amount) })),
      BigInt(vote.cap),
      BigInt(vote.mostPerDay),
    ],
    callList: () => [deployer],
    governor: () => [made.token, made.timelock, made.callList, settingsOf(vote)],
    rewardParameters: () => [made.settlement, deployer],
    // What is slashed is the treasury's, whoever reports it.
    providerStake: () => [
      made.quote,
      made.settlement,
      made.rewardParameters,
      deployer,
      made.timelock,
      BigInt(stake.auditSeconds),
      BigInt(stake.slashDelaySeconds),
    ],
  };
}

function settingsOf(vote: VoteFile): object {
  return {
    votingDelaySeconds: vote.votingDelaySeconds,
    votingPeriodSeconds: vote.votingPeriodSeconds,
    lateQuorumSeconds: vote.lateQuorumSeconds,
    quorumPercent: BigInt(vote.quorumPercent),
    proposalThreshold: BigInt(vote.proposalThreshold),
    guardian: vote.guardian ?? NO_ADDRESS,
  };
}

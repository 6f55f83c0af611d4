// Owns which contracts a vote is made of, found from two of them: the governor and Settlement name all others. It refuses
// contracts that do not belong together.

import type { Abi } from "viem";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
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
import type { ChainView } from "./chain-view.ts";
import { readOf } from "./contract-reads.ts";

/** Where a vote's contracts are. Lower case. */
export interface VoteContracts {
  readonly governor: Hex;
  readonly timelock: Hex;
  readonly token: Hex;
  readonly callList: Hex;
  readonly rewardParameters: Hex;
  readonly settlement: Hex;
  /** The zero address where there is none. */
  readonly meterRegistry: Hex;
  /** The zero address where there is none. */
  readonly providerStake: Hex;
  readonly quote: Hex;
}
export type VoteContractName = keyof VoteContracts;

/** The quote asset is any ERC20; the test's has what all of them have. */
export const ABI_OF: Readonly<Record<VoteContractName, Abi>> = {
  governor: polderGovernorAbi,
  timelock: timelockControllerAbi,
  token: polderTokenAbi,
  callList: callListAbi,
  rewardParameters: rewardParametersAbi,
  settlement: settlementAbi,
  meterRegistry: meterRegistryAbi,
  providerStake: providerStakeAbi,
  quote: testQuoteAbi,
};

/** What finding the others begins with. */
export interface VoteRoots {
  readonly governor: Hex;
  readonly settlement: Hex;
  readonly meterRegistry: Hex;
  readonly providerStake: Hex;
}

/** Thrown for contracts that are none, or not each other's. */
export class VoteMismatch extends Error {
  override readonly name = "VoteMismatch";
}

/** Finds a vote's contracts. @throws VoteMismatch where Settlement is not the governor's; Error where the chain does not answer */
export async function findVoteContracts(view: ChainView, roots: VoteRoots): Promise<VoteContracts> {
  const { governor, settlement, meterRegistry, providerStake } = roots;
  const found = await view.read<readonly Hex[]>([
    readOf(governor, polderGovernorAbi, "timelock"),
    readOf(governor, polderGovernorAbi, "token"),
    readOf(governor, polderGovernorAbi, "callList"),
    readOf(settlement, settlementAbi, "owner"),
    readOf(settlement, settlementAbi, "termsKeeper"),
    readOf(settlement, settlementAbi, "quote"),
  ]);
  const [timelock, token, callList, owner, rewardParameters, quote] = found.map(
    (address) => address.toLowerCase() as Hex,
  ) as [Hex, Hex, Hex, Hex, Hex, Hex];
  if (owner !== timelock)
    throw new VoteMismatch(
      `Settlement ${settlement} belongs to ${owner}, and not to the timelock of ${governor}`,
    );
  if (rewardParameters === NO_ADDRESS)
    throw new VoteMismatch(`Settlement ${settlement} has no governed values`);
  return {
    governor,
    timelock,
    token,
    callList,
    rewardParameters,
    settlement,
    meterRegistry,
    providerStake,
    quote,
  };
}

/** Which of the contracts an address is. */
export function contractNameOf(contracts: VoteContracts, address: Hex): VoteContractName | null {
  const wanted = address.toLowerCase();
  const found = Object.entries(contracts).find(([, at]) => at === wanted && at !== NO_ADDRESS);
  return (found?.[0] as VoteContractName | undefined) ?? null;
}

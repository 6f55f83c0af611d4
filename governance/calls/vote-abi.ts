// Owns the governor as clients call it: with every error that a proposal, a vote or an execution may come back with, whichever
// contract behind it refused. It refuses to leave a refusal without its name.

import type { Abi } from "viem";
import {
  callListAbi,
  meterRegistryAbi,
  polderGovernorAbi,
  polderTokenAbi,
  providerStakeAbi,
  rewardParametersAbi,
  settlementAbi,
  timelockControllerAbi,
} from "../generated/abi.ts";

const errorsOf = (abi: Abi) => abi.filter((item) => item.type === "error");

const BEHIND = [
  callListAbi,
  timelockControllerAbi,
  rewardParametersAbi,
  settlementAbi,
  meterRegistryAbi,
  polderTokenAbi,
  providerStakeAbi,
] as const;

/** The governor's functions and events, and the errors of all contracts that it calls. */
export const voteAbi = [...polderGovernorAbi, ...BEHIND.flatMap((abi) => errorsOf(abi as Abi))];
/** The governed values' functions, and the errors of Settlement, which may refuse them too. */
export const parametersAbi = [...rewardParametersAbi, ...errorsOf(settlementAbi as Abi)];

/** A description whose proposal nobody else can make: it names who proposes. */
export function describedBy(description: string, proposer: string): string {
  return `${description}\n#proposer=${proposer.toLowerCase()}`;
}

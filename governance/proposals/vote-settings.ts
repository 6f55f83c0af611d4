// Owns what votes are made of as a chain has it now: settings, the token, the treasury. It refuses to remember any of it.

import type { Hex } from "../../protocol/fields.ts";
import type { GovernanceAnswer, SettingsAnswer, TreasuryAnswer } from "../../protocol/vote-answer.ts";
import { polderGovernorAbi, polderTokenAbi, testQuoteAbi, timelockControllerAbi } from "../generated/abi.ts";
import type { ChainView, ContractRead } from "./chain-view.ts";
import { readOf } from "./contract-reads.ts";
import type { VoteContracts } from "./vote-contracts.ts";

/** Where every chain's own money can be asked for by a call: no contract of ours says what an account has of it. */
export interface WeiRead {
  weiOf(account: Hex): Promise<bigint>;
}

/** The vote's own settings. */
export async function readSettings(view: ChainView, contracts: VoteContracts): Promise<SettingsAnswer> {
  const governor = (name: GovernorNumber) => readOf(contracts.governor, polderGovernorAbi, name);
  const [delayS, periodS, lateS, numerator, denominator, threshold, guardian, timelockS] = await view.read<
    [bigint, bigint, number, bigint, bigint, bigint, Hex, bigint]
  >([
    governor("votingDelay") as ContractRead<bigint>,
    governor("votingPeriod") as ContractRead<bigint>,
    governor("lateQuorumVoteExtension") as ContractRead<number>,
    governor("quorumNumerator") as ContractRead<bigint>,
    governor("quorumDenominator") as ContractRead<bigint>,
    governor("proposalThreshold") as ContractRead<bigint>,
    readOf(contracts.governor, polderGovernorAbi, "proposalGuardian"),
    readOf(contracts.timelock, timelockControllerAbi, "getMinDelay"),
  ]);
  return {
    votingDelaySeconds: Number(delayS),
    votingPeriodSeconds: Number(periodS),
    lateQuorumSeconds: lateS,
    timelockDelaySeconds: Number(timelockS),
    quorumPercent: Number((numerator * 100n) / denominator),
    proposalThreshold: threshold.toString(),
    guardian: guardian.toLowerCase() as Hex,
  };
}

type GovernorNumber =
  | "votingDelay"
  | "votingPeriod"
  | "lateQuorumVoteExtension"
  | "quorumNumerator"
  | "quorumDenominator"
  | "proposalThreshold";

/** The token that votes. */
export async function readToken(
  view: ChainView,
  { token }: VoteContracts,
): Promise<GovernanceAnswer["token"]> {
  const [name, symbol, decimals, supply, cap, minted] = await view.read<
    [string, string, number, bigint, bigint, bigint]
  >([
    readOf(token, polderTokenAbi, "name"),
    readOf(token, polderTokenAbi, "symbol"),
    readOf(token, polderTokenAbi, "decimals"),
    readOf(token, polderTokenAbi, "totalSupply"),
    readOf(token, polderTokenAbi, "cap"),
    readOf(token, polderTokenAbi, "mintedRewards"),
  ]);
  return {
    ...{ name, symbol, decimals },
    supply: supply.toString(),
    cap: cap.toString(),
    mintedRewards: minted.toString(),
  };
}

/** What the timelock has. */
export async function readTreasury(
  view: ChainView & WeiRead,
  { timelock, quote, token }: VoteContracts,
): Promise<TreasuryAnswer> {
  const [quoteMicros, tokens] = await view.read<[bigint, bigint]>([
    readOf(quote, testQuoteAbi, "balanceOf", [timelock]),
    readOf(token, polderTokenAbi, "balanceOf", [timelock]),
  ]);
  const wei = await view.weiOf(timelock);
  return {
    account: timelock,
    quoteMicros: quoteMicros.toString(),
    tokens: tokens.toString(),
    wei: wei.toString(),
  };
}

// Owns a chain with the contracts on it and no region: for tests that open their own. Its first account owns everything and has
// play money. It refuses to credit anybody else.

import {
  meterRegistryAbi,
  polderTokenAbi,
  providerStakeAbi,
  rewardParametersAbi,
  settlementAbi,
  testQuoteAbi,
} from "../../governance/generated/abi.ts";
import {
  meterRegistryBytecode,
  polderTokenBytecode,
  providerStakeBytecode,
  rewardParametersBytecode,
  settlementBytecode,
  testQuoteBytecode,
} from "../../governance/generated/bytecode.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type Contract, type LocalChain, startChain } from "./local-chain.ts";

export interface ChainContracts {
  readonly chain: LocalChain;
  readonly quote: Contract;
  readonly settlement: Contract;
  readonly rewardToken: Contract;
  readonly registry: Contract;
  readonly rewardParameters: Contract;
  readonly providerStake: Contract;
}

/** Is paid what is slashed. */
export const TREASURY: Hex = `0x${"7e".repeat(20)}`;
/** What the first account has, and the settlement contract may take of it. */
const MICROS = 1_000_000_000_000n;
/** Cap of the token, and what may be minted in a day. */
const TOKENS = 10n ** 24n;

/** How long stakes are reachable after a wrong, and how long a slash waits. Seconds. */
export const STAKE_TIMES = { auditSeconds: 3 * 86_400, slashDelaySeconds: 7 * 86_400 };

/** Starts a chain at a moment and deploys everything. */
export async function deployContracts(startS: number): Promise<ChainContracts> {
  const chain = await startChain(startS);
  const owner = chain.accounts[0] as Hex;
  const quote = await chain.deploy(testQuoteAbi, testQuoteBytecode, []);
  const settlement = await chain.deploy(settlementAbi, settlementBytecode, [quote.address, owner, owner]);
  // Nobody holds it in the beginning.
  const beginning = [owner, 0n, []];
  const token = [settlement.address, ...beginning, TOKENS, TOKENS];
  const rewardToken = await chain.deploy(polderTokenAbi, polderTokenBytecode, token);
  const registry = await chain.deploy(meterRegistryAbi, meterRegistryBytecode, [settlement.address, owner]);
  const governed = [settlement.address, owner];
  const rewardParameters = await chain.deploy(rewardParametersAbi, rewardParametersBytecode, governed);
  const { auditSeconds, slashDelaySeconds } = STAKE_TIMES;
  const providerStake = await chain.deploy(providerStakeAbi, providerStakeBytecode, [
    ...[quote.address, settlement.address, rewardParameters.address, owner, TREASURY],
    ...[auditSeconds, slashDelaySeconds],
  ]);
  await chain.send(quote, "mint", [owner, MICROS]);
  await chain.send(quote, "approve", [settlement.address, MICROS]);
  await chain.send(quote, "approve", [providerStake.address, MICROS]);
  return { chain, quote, settlement, rewardToken, registry, rewardParameters, providerStake };
}

// Owns what the votes of a new deployment may call. It refuses roles and delay of the timelock, ownership of anything, and the
// governor's relay: those take two votes, one to list them and one to call them.

import { type Abi, type AbiFunction, type Hex, toFunctionSelector } from "viem";
import { type Addresses, contractOf } from "./contracts.ts";
import type { DeployCalls } from "./deploy-calls.ts";
import type { ContractName } from "./deployment.ts";

const UNLISTED = `0x${"00".repeat(32)}`;

const ALLOWED: Readonly<Partial<Record<ContractName, readonly string[]>>> = {
  settlement: ["openRegion", "setOperator", "setGuardian", "release", "uphold"],
  meterRegistry: ["appointInstallers"],
  rewardParameters: ["open", "change"],
  providerStake: ["cancelSlashes"],
  callList: ["allow", "forbid"],
  // What the treasury spends.
  quote: ["transfer"],
  token: ["transfer"],
  governor: [
    "setVotingDelay",
    "setVotingPeriod",
    "setProposalThreshold",
    "updateQuorumNumerator",
    "setLateQuorumVoteExtension",
    "setProposalGuardian",
  ],
};

/** Puts the calls on the list, unless all of them are. */
export async function allowCalls(calls: DeployCalls, addresses: Addresses): Promise<void> {
  const list = contractOf(addresses, "callList");
  const missing = [];
  for (const [name, functions] of Object.entries(ALLOWED) as [ContractName, readonly string[]][]) {
    const { address: target, abi } = contractOf(addresses, name);
    for (const functionName of functions) {
      const selector = selectorOf(abi, functionName);
      if ((await calls.read(list, "codeHashOf", [target, selector])) === UNLISTED)
        missing.push({ target, selector });
    }
  }
  if (missing.length === 0) return;
  await calls.sendAsOwner(list, "allow", [missing]);
  calls.report(`votes may call ${missing.length} functions`);
}

function selectorOf(abi: Abi, functionName: string): Hex {
  const found = abi.filter((item) => item.type === "function" && item.name === functionName);
  if (found.length !== 1) throw new Error(`there is not one function ${functionName}`);
  return toFunctionSelector(found[0] as AbiFunction);
}

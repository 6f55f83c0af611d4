// Owns the calls and questions about slashes of providers' stakes, and the contract's words for why it refuses one. It refuses to
// judge what was wrong.

import { decodeErrorResult, decodeFunctionResult, encodeFunctionData } from "viem";
import type { Hex } from "../../protocol/fields.ts";
import { providerStakeAbi } from "../generated/abi.ts";
import type { StakeQuestion } from "./stake-reads.ts";

/** What a provider did wrong, as the contract's struct has it but for its numbers. */
export interface ReportedWrong {
  /** The region's name as contracts have it. */
  readonly region: Hex;
  readonly account: Hex;
  readonly nodeKey: Hex;
  readonly jobDigest: Hex;
  readonly outputHash: Hex;
  /** The journal's entry that has the referee's result. */
  readonly entry: number;
  /** When the result was given. Unix seconds. */
  readonly atS: number;
}

/** A slash as the contract keeps it. */
export interface KeptSlash {
  readonly account: Hex;
  readonly amountMicros: bigint;
  readonly stage: "none" | "queued" | "executed" | "cancelled";
  /** From when anybody may execute it. Unix seconds. */
  readonly dueAtS: number;
}

const STAGES = ["none", "queued", "executed", "cancelled"] as const;
const abi = providerStakeAbi;

/** The data of the call that queues a slash. */
export function queueSlashCall(wrong: ReportedWrong, amountMicros: bigint): Hex {
  const args = [{ ...wrong, entry: BigInt(wrong.entry) }, amountMicros] as const;
  return encodeFunctionData({ abi, functionName: "queueSlash", args });
}

/** The data of the call that executes one. */
export function executeSlashCall(region: Hex, slash: number): Hex {
  return encodeFunctionData({ abi, functionName: "executeSlash", args: [region, BigInt(slash)] });
}

/** How many slashes were ever queued in a region. */
export function slashCount(region: Hex): StakeQuestion<number> {
  const call = { abi, functionName: "countsOf" } as const;
  return {
    data: encodeFunctionData({ ...call, args: [region] }),
    decode: (data) => Number(decodeFunctionResult({ ...call, data })[1]),
  };
}

/** A slash by its number, from 1. */
export function slashOf(region: Hex, slash: number): StakeQuestion<KeptSlash> {
  const call = { abi, functionName: "slashOf" } as const;
  return {
    data: encodeFunctionData({ ...call, args: [region, BigInt(slash)] }),
    decode: (data) => {
      const { account, amountMicros, stage, dueAtS } = decodeFunctionResult({ ...call, data });
      return {
        ...{ amountMicros, dueAtS: Number(dueAtS) },
        account: account.toLowerCase() as Hex,
        stage: STAGES[stage] as KeptSlash["stage"],
      };
    },
  };
}

/** Whether an account was slashed for a job, be it executed, waiting or cancelled. */
export function isJobSlashed(region: Hex, account: Hex, jobDigest: Hex): StakeQuestion<boolean> {
  const call = { abi, functionName: "isJobSlashed" } as const;
  return {
    data: encodeFunctionData({ ...call, args: [region, account, jobDigest] }),
    decode: (data) => decodeFunctionResult({ ...call, data }),
  };
}

/** The most that a slash for a wrong of some second may be. Micros. */
export function mostSlashMicros(region: Hex, account: Hex, atS: number): StakeQuestion<bigint> {
  const call = { abi, functionName: "mostSlashMicros" } as const;
  return {
    data: encodeFunctionData({ ...call, args: [region, account, BigInt(atS)] }),
    decode: (data) => decodeFunctionResult({ ...call, data }),
  };
}

/** The contract's own word for a refusal; the first bytes of one that is not its. */
export function slashRefusal(data: Hex): string {
  try {
    return decodeErrorResult({ abi, data }).errorName;
  } catch {
    return data.slice(0, 10);
  }
}

// Owns an epoch's report as the contract takes it, and the digest by which it knows it again. It refuses nothing; what a report
// must be is the contract's to say.

import { encodeAbiParameters, encodeFunctionData, getAbiItem, type Hex, keccak256 } from "viem";
import type { EpochReport } from "../../evidence/epoch-report.ts";
import { settlementAbi } from "../generated/abi.ts";

const REPORT_INPUTS = getAbiItem({ abi: settlementAbi, name: "report" }).inputs;

/** A report as the contract's struct. */
export function reportStruct(report: EpochReport) {
  return { ...report, epoch: BigInt(report.epoch) };
}

/** keccak256(abi.encode(region, report)). @param region its name as contracts have it */
export function reportDigest(region: Hex, report: EpochReport): Hex {
  return keccak256(encodeAbiParameters(REPORT_INPUTS, [region, reportStruct(report)]));
}

/** The data of the call that posts a report. */
export function reportCall(region: Hex, report: EpochReport): Hex {
  const args = [region, reportStruct(report)] as const;
  return encodeFunctionData({ abi: settlementAbi, functionName: "report", args });
}

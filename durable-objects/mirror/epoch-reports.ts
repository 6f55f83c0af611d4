// Owns what is reported of an epoch, as the contract takes it: from what the region says of itself, with both roots made here.
// It refuses a report whose sums are not the deposits that it counts.

import { encodeAbiParameters, encodeFunctionData, getAbiItem, keccak256 } from "viem";
import { certificateRoot } from "../../evidence/certificate-tree.ts";
import { EMPTY_REPORT, type EpochReport } from "../../evidence/epoch-report.ts";
import { decodeLeaves, sumRoot } from "../../evidence/sum-tree.ts";
import { settlementAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { AgreedChain, Pin } from "./agreed-chain.ts";
import type { Deposit, SettlementReads } from "./contract-reads.ts";
import { type MirroredRegion, pause } from "./mirrored-region.ts";
import { ChainTrouble } from "./trouble.ts";

/**
 * Makes the report of an epoch.
 * @param firstEpoch the region's: of an epoch before it there is nothing to say, and that is said.
 * @throws ChainTrouble `report_missing`
 */
export async function makeReport(
  region: MirroredRegion,
  epoch: number,
  firstEpoch: number,
): Promise<EpochReport> {
  if (epoch < firstEpoch) return { ...EMPTY_REPORT, epoch };
  const [found, certificates] = await Promise.all([region.epochReport(epoch), region.certificates(epoch)]);
  if (found === null || certificates === null) throw new ChainTrouble("report_missing", { epoch });
  const { stateHash, journalRoot, lastDeposit, depositsHash, leaves } = found;
  const { root, totals } = await sumRoot(decodeLeaves(leaves), pause);
  const certified = await certificateRoot(certificates, pause);
  return {
    epoch,
    stateHash,
    journalRoot,
    lastDeposit,
    depositsHash,
    certificateRoot: certified,
    sumRoot: root,
    totals,
  };
}

/** Holds a report against the deposits of a finalised block. @throws ChainTrouble `report_unbalanced` */
export async function requireBalance(
  { chain, reads }: { readonly chain: AgreedChain; readonly reads: SettlementReads },
  pin: Pin,
  region: Hex,
  { epoch, lastDeposit, depositsHash, totals }: EpochReport,
): Promise<void> {
  const [deposit] = await chain.read<[Deposit]>(pin, [reads.depositOf(region, lastDeposit)]);
  const owedMicros = totals.withdrawalsMicros + totals.heldMicros;
  const isWhole = lastDeposit === 0 || deposit.depositsHash === depositsHash;
  if (isWhole && owedMicros === deposit.depositedMicros) return;
  throw new ChainTrouble("report_unbalanced", {
    epoch,
    lastDeposit,
    owedMicros: owedMicros.toString(),
    depositedMicros: deposit.depositedMicros.toString(),
    depositsHash,
    onChain: deposit.depositsHash,
  });
}

const REPORT_INPUTS = getAbiItem({ abi: settlementAbi, name: "report" }).inputs;

/** A report as viem wants the contract's struct. */
function asStruct(report: EpochReport) {
  return { ...report, epoch: BigInt(report.epoch) };
}

/** keccak256(abi.encode(region, report)): by which the contract knows a report again. */
export function reportDigest(region: Hex, report: EpochReport): Hex {
  return keccak256(encodeAbiParameters(REPORT_INPUTS, [region, asStruct(report)]));
}

/** The call that posts a report. */
export function reportCall(region: Hex, report: EpochReport): Hex {
  return encodeFunctionData({ abi: settlementAbi, functionName: "report", args: [region, asStruct(report)] });
}

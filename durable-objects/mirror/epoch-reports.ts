// Owns what is reported of an epoch, as the contract takes it: from what the region says of itself, with both roots made here.
// It refuses a report whose sums are not the deposits that it counts.

import { encodeAbiParameters, encodeFunctionData, getAbiItem, keccak256 } from "viem";
import { certificateRoot } from "../../evidence/certificate-tree.ts";
import { NO_DEPOSITS } from "../../evidence/deposit-chain.ts";
import { decodeLeaves, type Sums, sumRoot } from "../../evidence/sum-tree.ts";
import { settlementAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { AgreedChain, Pin } from "./agreed-chain.ts";
import type { Deposit, SettlementReads } from "./contract-reads.ts";
import type { MirroredRegion } from "./mirrored-region.ts";
import { ChainTrouble } from "./trouble.ts";

/** A report as the contract takes it; `SettlementTypes.sol` says what each field is. */
export interface Report {
  readonly epoch: bigint;
  readonly stateHash: Hex;
  readonly journalRoot: Hex;
  readonly lastDeposit: number;
  readonly depositsHash: Hex;
  readonly certificateRoot: Hex;
  readonly sumRoot: Hex;
  readonly totals: Sums;
}

/** Lets what waits have its turn: a large region's trees take seconds. */
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

const NOTHING: Hex = `0x${"00".repeat(32)}`;

/**
 * Makes the report of an epoch.
 * @param firstEpoch the region's: of an epoch before it there is nothing to say, and that is said.
 * @throws ChainTrouble `report_missing`
 */
export async function makeReport(region: MirroredRegion, epoch: number, firstEpoch: number): Promise<Report> {
  if (epoch < firstEpoch) return emptyReport(epoch);
  const [found, certificates] = await Promise.all([region.epochReport(epoch), region.certificates(epoch)]);
  if (found === null || certificates === null) throw new ChainTrouble("report_missing", { epoch });
  const { stateHash, journalRoot, lastDeposit, depositsHash, leaves } = found;
  const sums = await sumRoot(decodeLeaves(leaves), pause);
  return {
    epoch: BigInt(epoch),
    stateHash,
    journalRoot,
    lastDeposit,
    depositsHash,
    certificateRoot: await certificateRoot(certificates, pause),
    sumRoot: sums.root,
    totals: sums.totals,
  };
}

async function emptyReport(epoch: number): Promise<Report> {
  const { root, totals } = await sumRoot([], pause);
  return {
    epoch: BigInt(epoch),
    stateHash: NOTHING,
    journalRoot: NOTHING,
    lastDeposit: 0,
    depositsHash: NO_DEPOSITS,
    certificateRoot: await certificateRoot([], pause),
    sumRoot: root,
    totals,
  };
}

/** Holds a report against the deposits of a finalised block. @throws ChainTrouble `report_unbalanced` */
export async function requireBalance(
  { chain, reads }: { readonly chain: AgreedChain; readonly reads: SettlementReads },
  pin: Pin,
  region: Hex,
  { epoch, lastDeposit, depositsHash, totals }: Report,
): Promise<void> {
  const [deposit] = await chain.read<[Deposit]>(pin, [reads.depositOf(region, lastDeposit)]);
  const owedMicros = totals.withdrawalsMicros + totals.heldMicros;
  const isWhole = lastDeposit === 0 || deposit.depositsHash === depositsHash;
  if (isWhole && owedMicros === deposit.depositedMicros) return;
  throw new ChainTrouble("report_unbalanced", {
    epoch: Number(epoch),
    lastDeposit,
    owedMicros: owedMicros.toString(),
    depositedMicros: deposit.depositedMicros.toString(),
    depositsHash,
    onChain: deposit.depositsHash,
  });
}

const REPORT_INPUTS = getAbiItem({ abi: settlementAbi, name: "report" }).inputs;

/** keccak256(abi.encode(region, report)): by which the contract knows a report again. */
export function reportDigest(region: Hex, report: Report): Hex {
  return keccak256(encodeAbiParameters(REPORT_INPUTS, [region, report]));
}

/** The call that posts a report. */
export function reportCall(region: Hex, report: Report): Hex {
  return encodeFunctionData({ abi: settlementAbi, functionName: "report", args: [region, report] });
}

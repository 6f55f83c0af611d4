// Owns what is reported of an epoch: from what the region says of itself, with both roots made here.
// It refuses a report whose sums are not the deposits that it counts.

import { certificateRoot } from "../../evidence/certificate-tree.ts";
import { EMPTY_REPORT, type EpochReport } from "../../evidence/epoch-report.ts";
import { decodeLeaves, sumRoot } from "../../evidence/sum-tree.ts";
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

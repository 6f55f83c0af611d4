// Owns what an account takes from a region on a chain: what it asked out and earned against the last final report, or, when
// the region is over, all it has. It refuses to send a call for nothing.

import type { Hash } from "viem";
import type { SumClaim } from "../../evidence/sum-claim.ts";
import { ContractRefusal } from "../../governance/calls/contract-refusal.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { PolderClient } from "../sdk/client.ts";
import { findLeaf, keptLeaf } from "./account-leaf.ts";
import type { KeptLeaf } from "./kept-leaf.ts";
import type { SettlementClient } from "./settlement-client.ts";
import type { EpochLeaf, Moved, SettlementWallet } from "./settlement-wallet.ts";

/** One payment. */
export interface Payment {
  readonly what: "withdrawal" | "rewards" | "exit" | "deposit";
  /** Micros; of rewards base units of the token. */
  readonly amount: bigint;
  readonly hash: Hash;
  /** Of a deposit that is paid back. */
  readonly index?: number;
}

/** Where an account takes from, and what is known of its leaves. */
export interface Claiming {
  readonly settlement: SettlementClient;
  readonly wallet: SettlementWallet;
  readonly account: Hex;
  readonly kept: readonly KeptLeaf[];
}

/**
 * Claims what the last final report owes the account.
 * @param client asked for the leaf where none is kept.
 * @returns the payments, none where nothing is due; and the report's epoch.
 * @throws ContractRefusal where no report is final, or the region is over
 */
export async function claimAll(
  claiming: Claiming,
  client: PolderClient,
): Promise<{ readonly epoch: number; readonly payments: readonly Payment[] }> {
  const { settlement, account, kept } = claiming;
  const books = await settlement.books();
  const epoch = books.finalEpoch;
  if (books.stage === "exiting") throw new ContractRefusal("Settlement_LeaveByExit", { epoch });
  const report = await settlement.report(epoch);
  if (report === null) throw new ContractRefusal("Settlement_EpochNotFinal", { epoch: books.firstEpoch });
  const leaf = await findLeaf({ settlement, account, epoch, report }, client, kept);
  if (leaf === null) return { epoch, payments: [] };
  const paid = await settlement.paid(account);
  const { withdrawalsMicros } = leaf.leaf.sums;
  const payments: Payment[] = [];
  if (withdrawalsMicros > paid.micros)
    payments.push(paymentOf("withdrawal", await claiming.wallet.withdraw(leaf)));
  return { epoch, payments: [...payments, ...(await claimRewards(claiming, leaf, paid.rewards))] };
}

/**
 * Leaves a region that is over, by the kept leaf of its last final report: all that the account has, its rewards, and its
 * deposits that no report counted. Nobody but the chain is asked.
 * @returns also why there may be more, where the report's leaf was not kept and only deposits were paid back.
 * @throws ContractRefusal where the region is not over; Error where nothing can be taken without a leaf that was not kept
 */
export async function exitAll(claiming: Claiming): Promise<{
  readonly epoch: number;
  readonly payments: readonly Payment[];
  readonly missing: string | null;
}> {
  const { settlement, wallet, account, kept } = claiming;
  const books = await settlement.books();
  if (!books.isExitOpen) throw new ContractRefusal("Settlement_ExitNotOpen", { region: settlement.region });
  const epoch = books.finalEpoch;
  const report = await settlement.report(epoch);
  const leaf = report === null ? null : keptLeaf({ settlement, account, epoch, report }, kept);
  const missing = report === null || leaf !== null ? null : leafMissing(claiming, epoch);
  const open = await settlement.depositsAbove(report?.lastDeposit ?? 0, account, books.deposits);
  if (missing !== null && open.length === 0) throw new Error(missing);
  const payments: Payment[] = leaf === null ? [] : await leaveBy(claiming, leaf);
  for (const { index } of open)
    payments.push({ ...paymentOf("deposit", await wallet.refundDeposit(epoch, index)), index });
  return { epoch, payments, missing };
}

async function leaveBy(claiming: Claiming, leaf: SumClaim): Promise<Payment[]> {
  const paid = await claiming.settlement.paid(claiming.account);
  const { withdrawalsMicros, heldMicros } = leaf.leaf.sums;
  const payments: Payment[] = [];
  if (withdrawalsMicros + heldMicros > paid.micros)
    payments.push(paymentOf("exit", await claiming.wallet.exit(leaf)));
  return [...payments, ...(await claimRewards(claiming, leaf, paid.rewards))];
}

async function claimRewards(
  { settlement, wallet }: Claiming,
  leaf: EpochLeaf,
  paid: bigint,
): Promise<Payment[]> {
  if (leaf.leaf.sums.rewards <= paid || !(await settlement.hasRewardToken())) return [];
  return [paymentOf("rewards", await wallet.claimRewards(leaf))];
}

function leafMissing({ kept, account }: Claiming, epoch: number): string {
  const own = kept.filter(({ claim }) => claim.leaf.account === account).map(({ claim }) => claim.epoch);
  const has = own.length === 0 ? "none of this account is kept" : `those of ${own.join(", ")} are kept`;
  return `everybody leaves by the report of epoch ${epoch}, and its leaf is not in the file: ${has}. It can be made again from the journal`;
}

function paymentOf(what: Payment["what"], { hash, amount }: Moved): Payment {
  return { what, hash, amount };
}

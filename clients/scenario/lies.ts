// Owns the lies that an operator can tell a chain about its region, each with how it is told. It refuses to say what becomes of
// one: that is measured.

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { EpochReport } from "../../evidence/epoch-report.ts";
import { type Receipt, verifyReceipt } from "../../evidence/receipt.ts";
import type { SumLeaf, Sums } from "../../evidence/sum-tree.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { EpochLeaf } from "../chain/settlement-wallet.ts";
import { walletSigner } from "../sdk/signer.ts";
import { HONEST_EPOCH } from "./honest-epochs.ts";
import { type LyingOperator, withLeaves } from "./lying-operator.ts";
import type { Home, SettledMarket } from "./settled-market.ts";
import { REGION } from "./trust-scene.ts";

/** The epoch that is lied about. */
export const LIED_EPOCH = HONEST_EPOCH + 1;
const MORE_MICROS = 1_000_000n;
const FORKED_MICROS = 3_000_000;
const UNTOUCHED: Sums = { withdrawalsMicros: 0n, heldMicros: 0n, rewards: 0n };
/** Epochs after which a deposit that is left out must have been missed. */
const MOST_EPOCHS = 6;

/** Where a lie is told. */
export interface Scene {
  readonly folder: string;
  readonly market: SettledMarket;
  readonly operator: LyingOperator;
  /** Index of the deposit that a home has just made: final on the chain, and not credited. */
  readonly deposit: number;
}

/** What came of the telling: the contract took the report, or refused it, or nothing was said. */
export interface Told {
  readonly outcome: "posted" | "refused" | "silent";
  /** A leaf that the operator would be paid by. */
  readonly leaf: EpochLeaf | null;
}

/** A lie. */
export interface Lie {
  readonly name: string;
  readonly told: string;
  readonly tell: (scene: Scene) => Promise<Told>;
}

export const LIES: readonly Lie[] = [
  { name: "wrong-sum", told: "it reports that it holds more than was deposited, for itself", tell: wrongSum },
  {
    name: "pays-itself",
    told: "it gives itself what is another's; the sums stay the same",
    tell: paysItself,
  },
  {
    name: "above-cap",
    told: "it asks out, for itself, a micro more than may leave in an epoch",
    tell: aboveCap,
  },
  {
    name: "deposit-left-out",
    told: "it never credits a deposit, and reports as if there were none",
    tell: leftOut,
  },
  {
    name: "deposit-to-another",
    told: "it credits a home's deposit to itself, and reports the chain's hash of it",
    tell: toAnother,
  },
  {
    name: "forked-entry",
    told: "it answers a home with an entry, goes back, and publishes another entry in its place",
    tell: forkedEntry,
  },
  { name: "silence", told: "it falls silent: no report, no answer", tell: silence },
];

async function wrongSum({ market, operator, deposit }: Scene): Promise<Told> {
  await operator.credit(deposit);
  await market.close(LIED_EPOCH);
  const { leaves, report } = await operator.truth(LIED_EPOCH);
  const own = { account: operator.account, sums: { ...UNTOUCHED, heldMicros: MORE_MICROS } };
  return reportLeaves(operator, "a sum above the deposits", report, [...leaves, own]);
}

async function paysItself({ market, operator, deposit }: Scene): Promise<Told> {
  await operator.credit(deposit);
  await market.close(LIED_EPOCH);
  const { leaves, report } = await operator.truth(LIED_EPOCH);
  const { account } = market.home("ada");
  const { heldMicros } = sumsOf(leaves, account);
  const taken = changed(leaves, account, { heldMicros: 0n });
  const own = { account: operator.account, sums: { ...UNTOUCHED, heldMicros } };
  return reportLeaves(operator, "another's money as its own", report, [...taken, own]);
}

async function aboveCap({ market, operator, deposit }: Scene): Promise<Told> {
  await operator.credit(deposit);
  await market.close(LIED_EPOCH);
  const { leaves, report } = await operator.truth(LIED_EPOCH);
  const { settlement } = market;
  const [cap] = await settlement.read("allowanceOf", [settlement.word, BigInt(report.lastDeposit)]);
  const { account } = market.home("cleo");
  const { heldMicros } = sumsOf(leaves, account);
  const taken = changed(leaves, account, { heldMicros: heldMicros - cap - 1n });
  const own = { account: operator.account, sums: { ...UNTOUCHED, withdrawalsMicros: cap + 1n } };
  return reportLeaves(operator, "withdrawals of a micro above the cap", report, [...taken, own]);
}

/** Reports what its journal gives, epoch after epoch, as long as the contract takes it. */
async function leftOut({ market, operator }: Scene): Promise<Told> {
  for (let epoch = LIED_EPOCH; epoch < LIED_EPOCH + MOST_EPOCHS; epoch += 1) {
    await market.close(epoch);
    const { report } = await operator.truth(epoch);
    const isTaken = await operator.report(`epoch ${epoch} without the deposit`, report);
    if (!isTaken) return { outcome: "refused", leaf: null };
  }
  return { outcome: "posted", leaf: null };
}

async function toAnother({ market, operator, deposit }: Scene): Promise<Told> {
  await operator.credit(deposit, operator.account);
  await market.close(LIED_EPOCH);
  const { report, leaves } = await operator.truth(LIED_EPOCH);
  const { tree } = withLeaves(report, leaves);
  const leaf = {
    epoch: LIED_EPOCH,
    ...(tree.claimOf(operator.account) as NonNullable<ReturnType<typeof tree.claimOf>>),
  };
  if (await operator.report("its journal's own hash of the deposits", report))
    return { outcome: "posted", leaf };
  const { settlement } = market;
  const [, , depositsHash] = await settlement.read("depositOf", [settlement.word, BigInt(deposit)]);
  const isTaken = await operator.report("the chain's hash of the deposits", { ...report, depositsHash });
  return { outcome: isTaken ? "posted" : "refused", leaf };
}

async function forkedEntry({ folder, market, operator, deposit }: Scene): Promise<Told> {
  const [state, before] = [join(folder, "state"), join(folder, "state-before")];
  await market.goBack(() => cpSync(state, before, { recursive: true }));
  const answered = await withdrawBy(market.home("ben"), market);
  await market.goBack(() => {
    rmSync(state, { recursive: true });
    cpSync(before, state, { recursive: true });
  });
  const published = await operator.credit(deposit);
  await requireFork(market, answered, published.receipt);
  await market.close(LIED_EPOCH);
  const { report } = await operator.truth(LIED_EPOCH);
  const isTaken = await operator.report("what the published journal gives", report);
  return { outcome: isTaken ? "posted" : "refused", leaf: null };
}

async function silence({ market }: Scene): Promise<Told> {
  await market.leave();
  return { outcome: "silent", leaf: null };
}

async function withdrawBy(home: Home, market: SettledMarket): Promise<Receipt> {
  const draft = { type: "withdraw", amountMicros: FORKED_MICROS } as const;
  const { receipt } = await market.client.submit(REGION, walletSigner(home.wallet), draft);
  home.memory.rememberReceipt(receipt);
  return receipt;
}

/** Two answers, both signed by the region, for one entry: the evidence. @throws Error where there is no fork */
async function requireFork({ client }: SettledMarket, one: Receipt, other: Receipt): Promise<void> {
  const { receiptKey } = await client.deployment();
  const verdicts = await Promise.all([one, other].map((receipt) => verifyReceipt(receipt, receiptKey)));
  const isFork = one.entry === other.entry && one.entryHash !== other.entryHash;
  if (!isFork || verdicts.some(({ ok }) => !ok)) throw new Error("the entry was not forked");
}

/** Reports the true report with other leaves. */
async function reportLeaves(
  operator: LyingOperator,
  what: string,
  truth: EpochReport,
  leaves: readonly SumLeaf[],
): Promise<Told> {
  const { tree, report } = withLeaves(truth, leaves);
  const claim = tree.claimOf(operator.account);
  const isTaken = await operator.report(what, report);
  return {
    outcome: isTaken ? "posted" : "refused",
    leaf: claim === null ? null : { epoch: LIED_EPOCH, ...claim },
  };
}

function sumsOf(leaves: readonly SumLeaf[], account: Hex): Sums {
  return leaves.find((leaf) => leaf.account === account)?.sums ?? UNTOUCHED;
}

function changed(leaves: readonly SumLeaf[], account: Hex, sums: Partial<Sums>): SumLeaf[] {
  return leaves.map((leaf) =>
    leaf.account === account ? { account, sums: { ...leaf.sums, ...sums } } : leaf,
  );
}

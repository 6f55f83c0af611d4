// Owns everybody's leaving of a region that is over: what each account is due by the journal, and how its balance grows. It
// refuses to take a payment's word for it; the token's balances are asked.

import { readClaim, textOfClaim } from "../../evidence/sum-claim.ts";
import { type SumLeaf, SumTree } from "../../evidence/sum-tree.ts";
import type { Hex } from "../../protocol/fields.ts";
import { exitAll } from "../chain/claims.ts";
import type { KeptLeaf } from "../chain/kept-leaf.ts";
import { accountOf } from "../local/neighbourhood.ts";
import { balanceOf } from "./lying-operator.ts";
import type { ReplayedEpochs } from "./replayed-epochs.ts";
import type { SettledMarket } from "./settled-market.ts";
import type { Settled } from "./trust-result.ts";
import { REGION, SEED } from "./trust-scene.ts";

interface Leaver {
  readonly name: string;
  readonly account: Hex;
  readonly role: Settled["role"];
  readonly kept: readonly KeptLeaf[];
}

/**
 * Lets every account leave.
 * @param replayed what the journal says of each epoch.
 * @param dueEpoch by whose close everybody is due: the last that is final and true.
 */
export async function leaveAll(
  market: SettledMarket,
  replayed: ReplayedEpochs,
  dueEpoch: number,
): Promise<Settled[]> {
  const leaves = replayed.get(dueEpoch) as readonly SumLeaf[];
  const settled: Settled[] = [];
  for (const leaver of leaversOf(market, leaves, dueEpoch))
    settled.push(await leave(market, leaver, leaves, dueEpoch));
  return settled;
}

async function leave(
  market: SettledMarket,
  { name, account, role, kept }: Leaver,
  leaves: readonly SumLeaf[],
  dueEpoch: number,
): Promise<Settled> {
  const { settlement } = market;
  const dueMicros = await dueOf(market, account, leaves, dueEpoch);
  const before = await balanceOf(market, account);
  // Anybody may send it; it pays the account in the leaf.
  const wallet = market.wallet(market.home(role === "household" ? (name as "ada") : "cleo"));
  let refused: string | null = null;
  try {
    const { missing } = await exitAll({ settlement, wallet, account, kept });
    refused = missing;
  } catch (error) {
    refused = (error as Error).message;
  }
  const gotBackMicros = Number((await balanceOf(market, account)) - before);
  return {
    ...{ name, account, role, dueMicros, gotBackMicros },
    differenceMicros: gotBackMicros - dueMicros,
    refused,
  };
}

/** What the journal owes it, less what the chain has paid; and its deposits that the journal had not counted by then. */
async function dueOf(
  { settlement }: SettledMarket,
  account: Hex,
  leaves: readonly SumLeaf[],
  dueEpoch: number,
): Promise<number> {
  const [{ deposits }, report, paid] = await Promise.all([
    settlement.books(),
    settlement.report(dueEpoch),
    settlement.paid(account),
  ]);
  const sums = leaves.find((leaf) => leaf.account === account)?.sums;
  const owed = sums === undefined ? 0n : sums.withdrawalsMicros + sums.heldMicros;
  const uncounted = await settlement.depositsAbove(report?.lastDeposit ?? 0, account, deposits);
  const deposited = uncounted.reduce((sum, { amountMicros }) => sum + amountMicros, 0n);
  return Number(owed - paid.micros + deposited);
}

/** The homes, by what their agents kept; and whom fees go to, by leaves made from the journal. */
function leaversOf(market: SettledMarket, leaves: readonly SumLeaf[], epoch: number): Leaver[] {
  const homes = market.homes.map(({ name, account, leaves: keptBy }) => ({
    ...{ name, account, role: "household" as const },
    kept: keptBy(),
  }));
  const fees = ["treasury", "grid operator"].map((name) => {
    const account = accountOf(SEED, name);
    return { name, account, role: "fees" as const, kept: made(market, leaves, account, epoch) };
  });
  const leavers = [...homes, ...fees];
  const forgotten = leaves.find(({ account }) => !leavers.some((leaver) => leaver.account === account));
  if (forgotten !== undefined) throw new Error(`nobody leaves for ${forgotten.account}`);
  return leavers;
}

function made(
  { settlement }: SettledMarket,
  leaves: readonly SumLeaf[],
  account: Hex,
  epoch: number,
): KeptLeaf[] {
  const tree = new SumTree(leaves);
  const claim = tree.claimOf(account);
  if (claim === null) return [];
  const { chain } = settlement.connection;
  const text = textOfClaim({ epoch, sumRoot: tree.root, totals: tree.totals, ...claim });
  return [{ chainId: chain.id, settlement: settlement.settlement, region: REGION, claim: readClaim(text) }];
}

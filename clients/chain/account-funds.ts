// Owns where all of an account's money is: in the region, asked for, payable, paid, on its way in; and how far the chain is
// behind the region. It refuses to add up what the two do not say of the same moment.

import type { Hex } from "../../protocol/fields.ts";
import type { Account, Market, PolderClient } from "../sdk/client.ts";
import { PolderProblem } from "../sdk/problem.ts";
import { findLeaf } from "./account-leaf.ts";
import type { KeptLeaf } from "./kept-leaf.ts";
import type { OpenDeposit, RegionBooks, SettlementClient } from "./settlement-client.ts";

/** An account's money, in micros, and its rewards in base units. */
export interface AccountFunds {
  readonly account: Hex;
  /** In the region, to trade with and to ask for. */
  readonly freeMicros: number;
  readonly escrowMicros: number;
  /** Asked out of the region since it began. */
  readonly askedMicros: number;
  /** Of that, what the last final report shows and was not paid: `polder claim` takes it now. */
  readonly payableMicros: bigint;
  /** Of that, what no final report shows yet. */
  readonly waitingMicros: bigint;
  readonly paidMicros: bigint;
  /** On the chain, and not yet credited in the region. */
  readonly depositing: readonly OpenDeposit[];
  readonly rewards: { readonly earned: bigint; readonly claimable: bigint; readonly claimed: bigint };
  readonly chain: ChainLag;
}

/** How far the chain is behind the region. */
export interface ChainLag {
  readonly stage: RegionBooks["stage"];
  readonly isExitOpen: boolean;
  readonly exitOpensAtS: number;
  /** The last epoch that the region has closed, that was reported, and that is final; null where there is none. */
  readonly closedEpoch: number | null;
  readonly reportedEpoch: number | null;
  readonly finalEpoch: number | null;
  /** Time of the last block, and what the region's clock shows. */
  readonly blockAtS: number;
  readonly marketAtS: number;
}

/** @throws PolderProblem, TransportFault, ContractRefusal */
export async function fundsOf(
  client: PolderClient,
  settlement: SettlementClient,
  account: Hex,
  kept: readonly KeptLeaf[],
): Promise<AccountFunds> {
  const { region } = settlement;
  const [market, own, books, paid] = await Promise.all([
    client.market(region),
    accountOrNone(client, region, account),
    settlement.books(),
    settlement.paid(account),
  ]);
  const report = await settlement.report(books.finalEpoch);
  const wanted = { settlement, account, epoch: books.finalEpoch };
  const [leaf, above] = await Promise.all([
    report === null ? null : findLeaf({ ...wanted, report }, client, kept),
    settlement.depositsAbove(report?.lastDeposit ?? 0, account, books.deposits),
  ]);
  const sums = leaf?.leaf.sums ?? { withdrawalsMicros: 0n, rewards: 0n };
  const asked = own?.withdrawnMicros ?? 0;
  const final = sums.withdrawalsMicros;
  return {
    account,
    freeMicros: own?.freeMicros ?? 0,
    escrowMicros: own?.escrowMicros ?? 0,
    askedMicros: asked,
    payableMicros: atLeastNone(final - paid.micros),
    waitingMicros: atLeastNone(BigInt(asked) - final),
    paidMicros: paid.micros,
    depositing: above.filter(({ totalMicros }) => totalMicros > BigInt(market.depositedMicros)),
    rewards: {
      earned: BigInt(own?.rewards ?? 0),
      claimable: atLeastNone(sums.rewards - paid.rewards),
      claimed: paid.rewards,
    },
    chain: lagOf(books, market),
  };
}

/** The last epoch that a region has closed, or null. */
export function lastClosedEpoch({ firstSlot, windowFirstSlot, epochSlots }: Market): number | null {
  const closed = Math.floor(windowFirstSlot / epochSlots) - 1;
  return closed < Math.floor(firstSlot / epochSlots) ? null : closed;
}

function lagOf(books: RegionBooks, market: Market): ChainLag {
  const { stage, isExitOpen, exitOpensAtS, firstEpoch, reportedEpoch, finalEpoch, atS } = books;
  const since = (epoch: number) => (epoch < firstEpoch ? null : epoch);
  return {
    stage,
    isExitOpen,
    exitOpensAtS,
    closedEpoch: lastClosedEpoch(market),
    reportedEpoch: since(reportedEpoch),
    finalEpoch: since(finalEpoch),
    blockAtS: atS,
    marketAtS: market.atS,
  };
}

/** Before its first deposit was credited an account is not there, and has all the same something to look at. */
function accountOrNone(client: PolderClient, region: string, account: Hex): Promise<Account | null> {
  return client.account(region, account).catch((error: unknown) => {
    if (error instanceof PolderProblem && error.code === "account_not_found") return null;
    throw error;
  });
}

function atLeastNone(amount: bigint): bigint {
  return amount > 0n ? amount : 0n;
}

// Owns the end of a scenario whose money is a chain's: everybody takes all of it out, over as many epochs as the cap asks for. It
// refuses to believe a ledger: what counts is what the quote asset says that each wallet got.

import type { LocalAccount } from "viem/accounts";
import { testQuoteAbi } from "../../governance/generated/abi.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotStartS } from "../../protocol/units.ts";
import { claimAll } from "../chain/claims.ts";
import { SettlementClient } from "../chain/settlement-client.ts";
import { SettlementWallet } from "../chain/settlement-wallet.ts";
import { sleep } from "../household/runner.ts";
import type { SettledChain } from "../local/settled-money.ts";
import { walletSigner } from "../sdk/signer.ts";
import type { MarketStage } from "./stage.ts";

/** What came of it, in micros. */
export interface WithdrawalResult {
  readonly depositedMicros: number;
  /** What all wallets together got back, as the quote asset counts it. */
  readonly withdrawnMicros: number;
  /** What the contract still holds; of an emptied region nothing. */
  readonly chainDriftMicros: number;
  /** Epochs that it took, because only so much may leave in one. */
  readonly epochs: number;
}

/** A region that is to be emptied. */
export interface Emptying {
  readonly stage: MarketStage;
  readonly settled: SettledChain;
  readonly region: string;
  /** Wallets of all accounts: households, grid operator, treasury. */
  readonly wallets: readonly LocalAccount[];
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const POLL_MS = 100;
const REPORTED_WITHIN_MS = 60_000;
/** Whatever the cap: a region that is not empty by then never will be. */
const MOST_EPOCHS = 400;

/** Takes everything out. @throws Error where an epoch is not reported within a minute, or the money does not run out */
export async function emptyRegion(emptying: Emptying): Promise<WithdrawalResult> {
  const { stage, settled, region, progress } = emptying;
  const { connection } = settled.chain;
  const settlement = await SettlementClient.open(connection, settled.vars.SETTLEMENT as Hex, region);
  const before = await balancesOf(settlement, emptying);
  let epochs = 0;
  for (; (await askedOut(emptying)) > 0; epochs += 1) {
    if (epochs === MOST_EPOCHS) throw new Error(`after ${epochs} epochs the region is not empty`);
    await closeEpoch(emptying, settlement);
  }
  // The last report is final an epoch later; all of it is claimed against that one.
  await closeEpoch(emptying, settlement);
  for (const wallet of emptying.wallets) {
    const account = wallet.address.toLowerCase() as Hex;
    const claiming = { settlement, wallet: new SettlementWallet(settlement, wallet), account, kept: [] };
    await claimAll(claiming, stage.client);
  }
  const after = await balancesOf(settlement, emptying);
  const { depositedMicros } = await stage.client.market(region);
  const { holdingsMicros } = await settlement.books();
  progress(`withdrawn on chain over ${epochs} epochs; the contract holds ${holdingsMicros} micros`);
  return {
    depositedMicros,
    withdrawnMicros: Number(after - before),
    chainDriftMicros: Number(holdingsMicros),
    epochs,
  };
}

/** Everybody asks for as much as may still leave; answers how much is still in the region before that. */
async function askedOut({ stage, region, wallets }: Emptying): Promise<number> {
  const { client } = stage;
  let heldMicros = 0;
  for (const wallet of wallets) {
    const account = wallet.address.toLowerCase() as Hex;
    const { freeMicros } = await client.account(region, account);
    heldMicros += freeMicros;
    const { outflow } = await client.market(region);
    const amountMicros = Math.min(freeMicros, outflow?.leftMicros ?? 0);
    if (amountMicros > 0)
      await client.submit(region, walletSigner(wallet), { type: "withdraw", amountMicros });
  }
  return heldMicros;
}

/** Goes to where the running epoch has closed, and waits until the chain has its report. */
async function closeEpoch(emptying: Emptying, settlement: SettlementClient): Promise<void> {
  const { stage, settled, region, signal } = emptying;
  const { windowFirstSlot, windowSlots, epochSlots, parameters } = await stage.client.market(region);
  const epoch = Math.floor(windowFirstSlot / epochSlots);
  const endSlot = (epoch + 1) * epochSlots;
  await stage.goTo(slotStartS(endSlot) + parameters.proofDelaySeconds + 1);
  await stage.openFrom(Math.min(endSlot, windowFirstSlot + windowSlots));
  for (const endMs = Date.now() + REPORTED_WITHIN_MS; ; ) {
    // The mirror's transaction waits for a block; this chain makes one when it is asked.
    await settled.chain.finalise();
    if ((await settlement.books()).reportedEpoch >= epoch) return;
    if (Date.now() > endMs)
      throw new Error(`epoch ${epoch} was not reported: ${JSON.stringify(await stage.client.chain())}`);
    await sleep(POLL_MS, signal);
    signal.throwIfAborted();
  }
}

/** What the wallets have of the quote asset together. */
async function balancesOf(settlement: SettlementClient, { wallets }: Emptying): Promise<bigint> {
  const address = await settlement.quote();
  const { client } = settlement.connection;
  const held = await Promise.all(
    wallets.map((wallet) =>
      client.readContract({ address, abi: testQuoteAbi, functionName: "balanceOf", args: [wallet.address] }),
    ),
  );
  return held.reduce((sum, one) => sum + one, 0n);
}

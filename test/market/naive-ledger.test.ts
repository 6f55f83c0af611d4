// Owns the region's money against a ledger that any reader can check by eye: after every entry of random regions both
// hold the same, and each trade costs and pays what price, fees and rounding say. It refuses a difference of a micro.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rewardOf } from "../../market/evolve.ts";
import { applyEntry, type Entry } from "../../market/journal.ts";
import { parametersOf } from "../../market/parameters.ts";
import { createState, type RegionState } from "../../market/state.ts";
import type { Parameters } from "../../protocol/commands.ts";
import type { MarketEvent, SlotCleared } from "../../protocol/events.ts";
import { action, runActions, type Tally } from "../support/market-actions.ts";
import { NaiveLedger } from "../support/naive-ledger.ts";

const ceil = (a: bigint, b: bigint): bigint => (a > 0n ? (a + b - 1n) / b : a / b);
const floor = (a: bigint, b: bigint): bigint => 0n - ceil(0n - a, b);

/** What each account sold for and paid to the network since the last epoch closed. */
class NaiveEpoch {
  sales = new Map<number, bigint>();
  network = new Map<number, bigint>();

  take(event: MarketEvent): void {
    if (event.type === "epoch_closed") [this.sales, this.network] = [new Map(), new Map()];
    if (event.type !== "slot_cleared") return;
    for (const [index, account] of event.accounts.entries()) {
      const wh = BigInt(event.filledWh[index] as number);
      const sale = floor(wh * BigInt(event.priceMicrosPerKwh as number), 1_000n);
      const [sums, amount] =
        wh > 0n
          ? [this.sales, sale > 0n ? sale : 0n]
          : [this.network, BigInt(event.chargeMicros[index] as number)];
      sums.set(account, (sums.get(account) ?? 0n) + amount);
    }
  }

  expectSame({ tables: { accounts } }: RegionState): void {
    for (let row = 0; row < accounts.rows; row += 1) {
      const { epochSalesMicros, epochNetworkMicros } = accounts.columns;
      expect([epochSalesMicros[row], epochNetworkMicros[row]].map((sum) => BigInt(sum as number))).toEqual([
        this.sales.get(row) ?? 0n,
        this.network.get(row) ?? 0n,
      ]);
    }
  }
}

function expectSame(state: RegionState, ledger: NaiveLedger): void {
  const { header, tables } = state;
  const held = [...tables.accounts.columns.freeMicros.subarray(0, tables.accounts.rows)].map(BigInt);
  const naive = Array.from({ length: ledger.balances.size }, (_, account) => ledger.balances.get(account));
  expect(held).toEqual(naive);
  const escrows = [...tables.accounts.columns.escrowMicros.subarray(0, tables.accounts.rows)].map(BigInt);
  expect(escrows).toEqual(held.map((_, account) => ledger.escrows.get(account) ?? 0n));
  expect(BigInt(header.depositedMicros - header.withdrawnMicros)).toBe(ledger.deposited);
  expect(ledger.held()).toBe(ledger.deposited);
  if (header.opened === null) return;
  expect(header.treasuryAccount).toBe(ledger.treasury);
  expect(header.gridOperatorAccount).toBe(ledger.gridOperator);
}

/** What a slot's event must say under its parameters, computed again in bigint from what was filled and the price. */
function expectPriced(event: SlotCleared, { networkFeeMicrosPerKwh, takeRateBps }: Parameters): void {
  const { priceMicrosPerKwh, accounts, filledWh, amountMicros, chargeMicros } = event;
  if (priceMicrosPerKwh === null) {
    expect([accounts, event.tradedWh, event.feeMicros, event.networkMicros, event.dustMicros]).toEqual([
      [],
      0,
      0,
      0,
      0,
    ]);
    return;
  }
  const price = BigInt(priceMicrosPerKwh);
  const fee = BigInt(networkFeeMicrosPerKwh);
  let sold = 0n;
  let bought = 0n;
  let fees = 0n;
  let network = 0n;
  let left = 0n;
  for (const index of accounts.keys()) {
    const wh = BigInt(filledWh[index] as number);
    const amount = BigInt(amountMicros[index] as number);
    const charge = BigInt(chargeMicros[index] as number);
    if (wh > 0n) {
      const sale = floor(wh * price, 1_000n);
      expect(charge).toBe(sale > 0n ? ceil(sale * BigInt(takeRateBps), 10_000n) : 0n);
      expect(amount).toBe(sale - charge);
      sold += wh;
      fees += charge;
    } else {
      expect(amount).toBe(0n - ceil(0n - wh * (price + fee), 1_000n));
      expect(charge).toBe(floor(0n - wh * fee, 1_000n));
      bought -= wh;
      network += charge;
    }
    left -= amount;
  }
  expect([sold, bought]).toEqual([BigInt(event.tradedWh), BigInt(event.tradedWh)]);
  expect([fees, network]).toEqual([BigInt(event.feeMicros), BigInt(event.networkMicros)]);
  expect(left - fees - network).toBe(BigInt(event.dustMicros));
  // A micro a trader for its own rounding, and one for its network share's.
  expect(event.dustMicros).toBeGreaterThanOrEqual(0);
  expect(event.dustMicros).toBeLessThanOrEqual(2 * accounts.length);
}

describe("the ledger against a naive one", () => {
  test("property: after every entry balances, treasury, grid operator and deposits are the naive ledger's", () => {
    const tally: Tally = { accepted: 0, refused: 0, tradedWh: 0 };
    let slots = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 40, maxLength: 100, size: "max" }), (actions) => {
        const market = runActions(actions, tally);
        const state = createState();
        const ledger = new NaiveLedger();
        const epoch = new NaiveEpoch();
        const versions = new Map<number, Parameters>();
        let rewards = 0n;
        for (const entry of market.entries as readonly Entry[]) {
          applyEntry(state, entry);
          for (const event of entry.events) {
            ledger.take(event);
            epoch.take(event);
            if (event.type === "region_opened") versions.set(1, parametersOf(event.parameters));
            if (event.type === "parameters_set") versions.set(event.version, parametersOf(event.parameters));
            if (event.type === "epoch_closed")
              rewards += [event, ...(event.resources ?? [])]
                .flatMap((part) => part.rewards)
                .reduce((sum, one) => sum + BigInt(one), 0n);
            if (event.type !== "slot_cleared") continue;
            expectPriced(event, versions.get(event.parametersVersion) as Parameters);
            if (event.accounts.length > 0) slots += 1;
          }
          expectSame(state, ledger);
          epoch.expectSame(state);
        }
        expectSame(market.state, ledger);
        const granted = Array.from({ length: state.tables.accounts.rows }, (_, row) => rewardOf(state, row));
        expect(granted.reduce((sum, one) => sum + one, 0n)).toBe(rewards);
      }),
      { numRuns: 150 },
    );
    expect(Math.min(tally.accepted, tally.refused, slots)).toBeGreaterThan(50);
  });
});

// Owns a model of trades of compute that any reader can check by eye, in bigint: who owes what, what is in escrow, paid, returned
// and counted against a key. It refuses a difference of a micro.

import { expect } from "vitest";
import { applyEntry, type Entry } from "../../market/journal.ts";
import { createState, type RegionState } from "../../market/state.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import { PRODUCTS, type ProductName } from "../../protocol/products.ts";
import type { Market } from "./market.ts";
import { NaiveJobs } from "./naive-jobs.ts";

const up = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;
const cost = (worth: bigint): bigint => up(worth, 1_000_000n);

interface Order {
  readonly placed: EventOf<"resource_order_placed">;
  resting: bigint;
  /** Of a buy order: worth of deliveries settled, and of trades that are open. */
  settled: bigint;
  open: bigint;
}

interface Trade {
  readonly buy: Order;
  readonly sell: Order;
  readonly price: bigint;
  readonly quantity: bigint;
  readonly product: ProductName;
  readonly takeRate: bigint;
  readonly deadlineS: number;
  delivered: bigint;
  paid: bigint;
  fees: bigint;
}

/** Orders and trades as plain lists. */
class NaiveTrades {
  readonly orders = new Map<number, Order>();
  readonly trades = new Map<number, Trade>();
  readonly spent = new Map<number, bigint>();
  readonly failures = new Map<number, number>();
  readonly counts = {
    trades: 0,
    payments: 0,
    lapses: 0,
    cancels: 0,
    expiries: 0,
    revocations: 0,
    bySession: 0,
  };
  nextTrade = 1;

  /** @param sender account that sent the entry's command, −1 where none did */
  take(event: MarketEvent, atS: number, sender: number): void {
    if (event.type === "resource_order_placed") this.#place(event, atS);
    else if (event.type === "resource_traded") this.#trade(event);
    else if (event.type === "resource_order_ended") this.#end(event, atS);
    else if (event.type === "obligation_settled") this.#settle(event, atS, sender);
    else if (event.type === "obligations_lapsed") {
      for (const [index, id] of event.obligations.entries()) {
        // naive-jobs.ts knows when, and whose fault it is.
        this.#close(id, BigInt(event.releasedMicros[index] as number), event.failures[index] === 1);
        this.counts.lapses += 1;
      }
    } else if (event.type === "session_authorised") this.spent.set(event.session, 0n);
    else if (event.type === "slot_cleared")
      event.sessions.forEach((session, index) => {
        this.spent.set(
          session,
          (this.spent.get(session) ?? 0n) + BigInt(event.sessionMicros[index] as number),
        );
      });
  }

  /** What a buy order must have in escrow: its whole, rounded up once, less what it has paid. */
  escrow({ placed, resting, settled, open }: Order): bigint {
    if (placed.side === "sell") return 0n;
    return cost(settled + open + resting * BigInt(placed.priceMicrosPerTera)) - cost(settled);
  }

  #place(placed: EventOf<"resource_order_placed">, atS: number): void {
    expect(placed.goodTillS === 0 || placed.goodTillS > atS).toBe(true);
    const order = { placed, resting: BigInt(placed.restingMega), settled: 0n, open: 0n };
    this.orders.set(placed.order, order);
    if (placed.session !== 0) this.counts.bySession += 1;
    this.#spend(order, BigInt(placed.heldMicros));
  }

  #trade(event: EventOf<"resource_traded">): void {
    expect(event.firstObligation).toBe(this.nextTrade);
    const came = this.#order(event.order);
    let filled = 0n;
    for (const [index, id] of event.orders.entries()) {
      const rested = this.#order(id);
      const quantity = BigInt(event.quantityMega[index] as number);
      const price = BigInt(event.priceMicrosPerTera[index] as number);
      expect(price).toBe(BigInt(rested.placed.priceMicrosPerTera));
      const [buy, sell] = event.side === "buy" ? [came, rested] : [rested, came];
      expect(BigInt(buy.placed.priceMicrosPerTera)).toBeGreaterThanOrEqual(price);
      expect(BigInt(sell.placed.priceMicrosPerTera)).toBeLessThanOrEqual(price);
      expect(buy.placed.account).not.toBe(sell.placed.account);
      expect([buy.placed.product, sell.placed.product]).toEqual([event.product, event.product]);
      rested.resting -= quantity;
      expect(rested.resting).toBeGreaterThanOrEqual(0n);
      buy.open += quantity * price;
      filled += quantity;
      const { product, deadlineS } = event;
      const takeRate = BigInt(event.takeRateBps);
      const none = { delivered: 0n, paid: 0n, fees: 0n };
      this.trades.set(this.nextTrade, { buy, sell, price, quantity, product, takeRate, deadlineS, ...none });
      this.nextTrade += 1;
      this.counts.trades += 1;
    }
    expect(filled).toBe(BigInt(came.placed.filledMega));
    // What was held covers the trades and the rest exactly.
    if (event.side === "buy") expect(BigInt(came.placed.heldMicros)).toBe(this.escrow(came));
  }

  #end(event: EventOf<"resource_order_ended">, atS: number): void {
    const order = this.#order(event.order);
    const { reason, unfilledMega, releasedMicros } = event;
    if (reason === "unmatched" || reason === "self_trade" || reason === "sweep_limit") {
      const { filledMega, restingMega, quantityMega } = order.placed;
      expect([restingMega, releasedMicros]).toEqual([0, 0]);
      expect(filledMega + unfilledMega).toBe(quantityMega);
      return;
    }
    if (reason === "expired") expect(atS).toBe(order.placed.goodTillS);
    const before = this.escrow(order);
    expect(BigInt(unfilledMega)).toBe(order.resting);
    order.resting = 0n;
    expect(BigInt(releasedMicros)).toBe(before - this.escrow(order));
    this.#spend(order, 0n - BigInt(releasedMicros));
    const name = reason === "cancelled" ? "cancels" : reason === "expired" ? "expiries" : "revocations";
    this.counts[name] += 1;
  }

  #settle(event: EventOf<"obligation_settled">, atS: number, sender: number): void {
    const trade = this.#open(event.obligation);
    // What was reported of a job may wait past its deadline; naive-jobs.ts knows until when.
    if (event.verdict === undefined) expect(atS).toBeLessThan(trade.deadlineS);
    const added = BigInt(event.deliveredMega);
    const worth = added * trade.price;
    const paid = cost(trade.buy.settled + worth) - cost(trade.buy.settled);
    expect(BigInt(event.paidMicros)).toBe(paid);
    if (paid > 0n) expect(event.means).toBe(event.verdict === undefined ? "voucher" : "job_result");
    const fee = up((trade.paid + paid) * trade.takeRate, 10_000n) - trade.fees;
    expect(BigInt(event.feeMicros)).toBe(fee);
    expect(fee).toBeLessThanOrEqual(paid);
    trade.buy.settled += worth;
    trade.buy.open -= worth;
    trade.delivered += added;
    trade.paid += paid;
    trade.fees += fee;
    expect(trade.delivered).toBeLessThanOrEqual(trade.quantity);
    if (paid > 0n) this.counts.payments += 1;
    if (event.isClosed) {
      const isGivenUp = event.verdict === undefined && trade.delivered === 0n;
      const hasFailed =
        event.verdict === "audit_failed" || (isGivenUp && sender === trade.sell.placed.account);
      expect(event.isFailure).toBe(hasFailed && !PRODUCTS[trade.product].isLease);
      this.#close(event.obligation, BigInt(event.releasedMicros), event.isFailure);
    } else expect([event.releasedMicros, event.isFailure]).toEqual([0, false]);
  }

  #close(id: number, released: bigint, isFailure: boolean): void {
    const trade = this.#open(id);
    const before = this.escrow(trade.buy);
    trade.buy.open -= (trade.quantity - trade.delivered) * trade.price;
    expect(released).toBe(before - this.escrow(trade.buy));
    this.#spend(trade.buy, 0n - released);
    const { account } = trade.sell.placed;
    if (isFailure) this.failures.set(account, (this.failures.get(account) ?? 0) + 1);
    this.trades.delete(id);
  }

  #spend({ placed }: Order, micros: bigint): void {
    if (placed.session === 0) return;
    this.spent.set(placed.session, (this.spent.get(placed.session) ?? 0n) + micros);
  }

  #order(id: number): Order {
    return this.orders.get(id) as Order;
  }

  #open(id: number): Trade {
    const trade = this.trades.get(id);
    if (trade === undefined) throw new Error(`trade ${id} is not open`);
    return trade;
  }
}

function expectSame(state: RegionState, naive: NaiveTrades): void {
  const { accounts, sessions, providers } = state.tables;
  const escrows = new Array<bigint>(accounts.rows).fill(0n);
  let resting = 0;
  for (const order of naive.orders.values()) {
    const { account } = order.placed;
    escrows[account] = (escrows[account] as bigint) + naive.escrow(order);
    if (order.resting > 0n) resting += 1;
  }
  expect([...accounts.columns.escrowMicros.subarray(0, accounts.rows)].map(BigInt)).toEqual(escrows);
  expect(state.indexes.book.size).toBe(resting);
  expect(state.indexes.obligations.size).toBe(naive.trades.size);
  for (let row = 0; row < sessions.rows; row += 1) {
    const id = sessions.columns.id[row] as number;
    expect(BigInt(sessions.columns.spentMicros[row] as number)).toBe(naive.spent.get(id));
  }
  for (let row = 0; row < providers.rows; row += 1) {
    const account = providers.columns.account[row] as number;
    expect(providers.columns.failures[row]).toBe(naive.failures.get(account) ?? 0);
  }
}

function senderOf({ indexes }: RegionState, { command }: Entry): number {
  const address = command !== undefined && "account" in command ? command.account : null;
  return address === null ? -1 : (indexes.accountByAddress.get(address) ?? -1);
}

/** Replays a region's entries beside the model. */
export function follow(market: Market): {
  readonly trades: Record<string, number>;
  readonly jobs: Record<string, number>;
} {
  const state = createState();
  const naive = new NaiveTrades();
  const jobs = new NaiveJobs();
  for (const entry of market.entries) {
    applyEntry(state, entry);
    const sender = senderOf(state, entry);
    for (const event of entry.events) naive.take(event, entry.atS, sender);
    jobs.take(entry);
    expectSame(state, naive);
  }
  return { trades: naive.counts, jobs: jobs.counts };
}

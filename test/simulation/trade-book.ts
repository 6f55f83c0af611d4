// Owns an account of compute trades that the region does not keep: who let what rest, who owes whom how much until when, what
// is in escrow. It refuses to use the market's own arithmetic, and a payment that no buyer vouched for and no job's result earned.

import type { Entry } from "../../market/journal.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import { PRODUCTS } from "../../protocol/products.ts";
import { JobBook } from "./job-book.ts";

/** What trades do to money that is kept elsewhere. */
export interface Purse {
  /** Moves free micros of an account by its number. */
  readonly move: (account: number, micros: bigint) => void;
  readonly toTreasury: (micros: bigint) => void;
  /** Counts against a session key; answers what is wrong with that. */
  readonly spend: (session: number, micros: bigint) => string | null;
  /** Whether the buyer signed that so much of a trade was delivered. */
  readonly vouched: (obligation: number, deliveredMega: number, buyer: number) => boolean;
}

interface Resting {
  readonly placed: EventOf<"resource_order_placed">;
  left: number;
}

interface Trade {
  readonly buyOrder: number;
  readonly buyer: number;
  readonly seller: number;
  readonly session: number;
  readonly price: bigint;
  readonly quantity: number;
  readonly isLease: boolean;
  readonly deadlineS: number;
  delivered: number;
}

/** Follows the events of promised resources. */
export class TradeBook {
  readonly jobs = new JobBook();
  readonly #purse: Purse;
  readonly #orders = new Map<number, Resting>();
  readonly #trades = new Map<number, Trade>();
  /** Micros in escrow, and worth settled in millionths, of each buy order. */
  readonly #escrow = new Map<number, bigint>();
  readonly #settled = new Map<number, bigint>();
  /** Micros in escrow of each account. */
  readonly escrows = new Map<number, bigint>();
  readonly counts = { trades: 0, payments: 0, lapses: 0, endings: 0 };

  constructor(purse: Purse) {
    this.#purse = purse;
  }

  /** Everything that is open, for whoever wants to do something with it: obligation, seller and buyer by number, what is left. */
  get open(): readonly { readonly obligation: number; readonly trade: Readonly<Trade> }[] {
    return [...this.#trades].map(([obligation, trade]) => ({ obligation, trade }));
  }

  /** When the first order or trade ends by itself, or null. */
  get dueS(): number | null {
    const ends = [...this.#orders.values()]
      .filter(({ left }) => left > 0)
      .map(({ placed }) => placed.goodTillS);
    const deadlines = [...this.#trades].map(([id, { deadlineS }]) => this.jobs.endS(id) ?? deadlineS);
    return ends.length + deadlines.length === 0 ? null : Math.min(...ends, ...deadlines);
  }

  /** Takes in an event of an entry; answers what is wrong with it. */
  take(event: MarketEvent, entry: Entry): string | null {
    switch (event.type) {
      case "resource_order_placed":
        return this.#place(event);
      case "resource_traded":
        return this.#trade(event, entry.atS);
      case "resource_order_ended":
        return this.#end(event, entry);
      case "obligation_settled":
        return this.#settle(event, entry);
      case "obligations_lapsed":
        return event.obligations
          .map((id, index) =>
            this.#lapse(id, event.releasedMicros[index] as number, event.failures[index] === 1, entry),
          )
          .reduce((first, wrong) => first ?? wrong, null);
      case "result_reported":
        return this.jobs.reported(event, entry);
      case "results_awaited":
        this.jobs.awaited(event);
        return null;
      default:
        return null;
    }
  }

  #place(placed: EventOf<"resource_order_placed">): string | null {
    this.#orders.set(placed.order, { placed, left: placed.restingMega });
    this.jobs.bought(placed);
    if (placed.side === "sell")
      return placed.heldMicros === 0 ? null : `a seller's ${placed.heldMicros} were held`;
    const most = BigInt(placed.quantityMega) * BigInt(placed.priceMicrosPerTera);
    if (BigInt(placed.heldMicros) * 1_000_000n > most + 999_999n)
      return `order ${placed.order} holds ${placed.heldMicros} micros, more than its limit is worth`;
    return this.#hold(placed.order, BigInt(placed.heldMicros));
  }

  #trade(event: EventOf<"resource_traded">, atS: number): string | null {
    for (const [index, id] of event.orders.entries()) {
      const resting = this.#orders.get(id) as Resting;
      const came = this.#orders.get(event.order) as Resting;
      const quantity = event.quantityMega[index] as number;
      const price = event.priceMicrosPerTera[index] as number;
      if (resting.left < quantity) return `${quantity} of order ${id} traded, ${resting.left} rested`;
      if (price !== resting.placed.priceMicrosPerTera)
        return `order ${id} traded at another price than its own`;
      if (resting.placed.goodTillS <= atS) return `order ${id} traded after its end`;
      resting.left -= quantity;
      const [buy, sell] =
        event.side === "buy" ? [came.placed, resting.placed] : [resting.placed, came.placed];
      if (
        buy.side !== "buy" ||
        sell.side !== "sell" ||
        buy.product !== sell.product ||
        buy.account === sell.account
      )
        return `orders ${buy.order} and ${sell.order} cannot trade`;
      if (buy.priceMicrosPerTera < sell.priceMicrosPerTera)
        return `orders ${buy.order} and ${sell.order} do not cross`;
      this.counts.trades += 1;
      this.#trades.set(event.firstObligation + index, {
        buyOrder: buy.order,
        buyer: buy.account,
        seller: sell.account,
        session: buy.session,
        price: BigInt(price),
        quantity,
        isLease: PRODUCTS[event.product].isLease,
        deadlineS: event.deadlineS,
        delivered: 0,
      });
    }
    const sellers = event.orders.map((_, index) => this.#trades.get(event.firstObligation + index)?.seller);
    return this.jobs.traded(event, sellers as number[]);
  }

  #end(
    { order: id, reason, unfilledMega, releasedMicros }: EventOf<"resource_order_ended">,
    entry: Entry,
  ): string | null {
    const order = this.#orders.get(id) as Resting;
    if (order.left === 0) return releasedMicros === 0 ? null : `order ${id} never rested and gave money back`;
    if (unfilledMega !== order.left) return `${unfilledMega} of order ${id} ended, ${order.left} rested`;
    if ((reason === "expired") !== (entry.command === undefined)) return `order ${id} ended: ${reason}`;
    if (reason === "expired" && order.placed.goodTillS !== entry.atS)
      return `order ${id} ended at ${entry.atS}`;
    order.left = 0;
    this.counts.endings += 1;
    return this.#hold(id, 0n - BigInt(releasedMicros));
  }

  #settle(event: EventOf<"obligation_settled">, entry: Entry): string | null {
    const trade = this.#trades.get(event.obligation);
    if (trade === undefined) return `trade ${event.obligation} is not open`;
    trade.delivered += event.deliveredMega;
    if (trade.delivered > trade.quantity)
      return `trade ${event.obligation}: ${trade.delivered} of ${trade.quantity} were settled`;
    const unfounded =
      event.verdict === undefined ? this.#unvouched(event, trade, entry) : this.jobs.judged(event);
    if (unfounded !== null) return unfounded;
    const settled = this.#settled.get(trade.buyOrder) ?? 0n;
    const after = settled + BigInt(event.deliveredMega) * trade.price;
    const up = (worth: bigint): bigint => (worth + 999_999n) / 1_000_000n;
    if (BigInt(event.paidMicros) !== up(after) - up(settled))
      return `trade ${event.obligation} cost ${event.paidMicros} micros, not ${up(after) - up(settled)}`;
    this.#settled.set(trade.buyOrder, after);
    const [paid, fee] = [BigInt(event.paidMicros), BigInt(event.feeMicros)];
    if (fee > paid) return `trade ${event.obligation} bore a fee of ${fee} of ${paid}`;
    // What is paid leaves the escrow through the buyer's hand, so that both sides can be read off.
    const wrong = this.#hold(trade.buyOrder, 0n - paid - BigInt(event.releasedMicros), paid);
    this.#purse.move(trade.buyer, 0n - paid);
    this.#purse.move(trade.seller, paid - fee);
    this.#purse.toTreasury(fee);
    if (paid > 0n) this.counts.payments += 1;
    // A result that nobody agreed with is no failure: most can be wrong.
    const hasFailed = event.verdict === undefined && trade.delivered === 0 && !trade.isLease;
    if (event.isFailure !== (event.isClosed && hasFailed))
      return `trade ${event.obligation} counts as a failure, or should`;
    return wrong ?? (event.isClosed ? this.#close(event.obligation) : null);
  }

  /** What is wrong with a settlement that no result of a job brought: its command says it, and its buyer did. */
  #unvouched(
    event: EventOf<"obligation_settled">,
    trade: Trade,
    { command, evidence, atS }: Entry,
  ): string | null {
    const { obligation } = event;
    if (command?.type !== "settle_obligation" || trade.delivered !== command.deliveredMega)
      return `trade ${obligation}: ${trade.delivered} were settled, and nobody said so`;
    if (atS >= trade.deadlineS) return `trade ${obligation} was settled after its deadline`;
    if (this.jobs.endS(obligation) !== null)
      return event.paidMicros === 0 && event.isClosed
        ? this.jobs.out(obligation, "given up")
        : `job run ${obligation} was paid without a result`;
    const isVouched = this.#purse.vouched(obligation, trade.delivered, trade.buyer);
    return event.paidMicros > 0 && (!isVouched || evidence === undefined)
      ? `trade ${obligation} was paid and its buyer never vouched for it`
      : null;
  }

  /** At its deadline, and nobody has failed; or when the region releases the run of a job. */
  #lapse(id: number, releasedMicros: number, isFailure: boolean, { atS, command }: Entry): string | null {
    const trade = this.#trades.get(id);
    const released = command?.type === "release_run" && command.obligationId === id ? command : null;
    const isReleased = released !== null;
    const isInTime = isReleased ? trade !== undefined && atS < trade.deadlineS : trade?.deadlineS === atS;
    if (trade === undefined || !isInTime || isFailure !== (released?.hasFailed ?? false))
      return `trade ${id} lapsed at ${atS}, ${isFailure ? "as a failure" : "at nobody's fault"}`;
    this.counts.lapses += 1;
    return (
      this.jobs.out(id, isReleased ? "released" : "lapsed") ??
      this.#hold(trade.buyOrder, 0n - BigInt(releasedMicros)) ??
      this.#close(id)
    );
  }

  /** A buy order of which nothing is left open holds nothing any more. */
  #close(id: number): string | null {
    const trade = this.#trades.get(id) as Trade;
    this.#trades.delete(id);
    const isOpen = [...this.#trades.values()].some(({ buyOrder }) => buyOrder === trade.buyOrder);
    const rests = (this.#orders.get(trade.buyOrder) as Resting).left > 0;
    const left = this.#escrow.get(trade.buyOrder) ?? 0n;
    return isOpen || rests || left === 0n ? null : `order ${trade.buyOrder} is done and holds ${left} micros`;
  }

  /** Into an order's escrow, or out of it; `paid` of that is spent for good. */
  #hold(order: number, micros: bigint, paid = 0n): string | null {
    const { account, session } = (this.#orders.get(order) as Resting).placed;
    const held = (this.#escrow.get(order) ?? 0n) + micros;
    if (held < 0n) return `order ${order} holds ${held} micros`;
    this.#escrow.set(order, held);
    this.escrows.set(account, (this.escrows.get(account) ?? 0n) + micros);
    this.#purse.move(account, 0n - micros);
    return session === 0 ? null : this.#purse.spend(session, micros + paid);
  }
}

// Owns the simplest ledger there is: a map of balances as bigint, and every event added up from the first on. It refuses
// to know columns, postings or numbers; it is what the region's ledger is held against.

import type { MarketEvent } from "../../protocol/events.ts";

/** Balances by account number, in micros. */
export class NaiveLedger {
  readonly balances = new Map<number, bigint>();
  /** In escrow by account number; what left it is in `balances` again, or somebody else's. */
  readonly escrows = new Map<number, bigint>();
  /** Whose each resource order is, and who owes whom by each trade. */
  readonly #owners = new Map<number, number>();
  readonly #trades = new Map<number, { buyer: number; seller: number }>();
  readonly #addresses = new Map<string, number>();
  deposited = 0n;
  /** What network fees, take-rate fees and rounding brought since the beginning. */
  network = 0n;
  fees = 0n;
  dust = 0n;
  sold = 0n;
  #treasury = "";
  #gridOperator = "";

  take(event: MarketEvent): void {
    if (event.type === "region_opened") {
      this.#treasury = event.treasury;
      this.#gridOperator = event.gridOperator;
    } else if (event.type === "account_opened") {
      this.#addresses.set(event.address, event.account);
      this.balances.set(event.account, 0n);
    } else if (event.type === "quote_credited") {
      this.deposited += BigInt(event.amountMicros);
      this.#add(event.account, BigInt(event.amountMicros));
    } else if (event.type === "slot_cleared") this.#clear(event);
    else this.#takeOfResources(event);
  }

  /** Escrow by plain addition: the amounts are the events', whose sums are held against prices elsewhere. */
  #takeOfResources(event: MarketEvent): void {
    if (event.type === "resource_order_placed") {
      this.#owners.set(event.order, event.account);
      this.#hold(event.account, BigInt(event.heldMicros));
    } else if (event.type === "resource_traded") {
      for (const [index, resting] of event.orders.entries()) {
        const [buy, sell] = event.side === "buy" ? [event.order, resting] : [resting, event.order];
        const [buyer, seller] = [this.#owners.get(buy) as number, this.#owners.get(sell) as number];
        this.#trades.set(event.firstObligation + index, { buyer, seller });
      }
    } else if (event.type === "resource_order_ended")
      this.#hold(this.#owners.get(event.order) as number, 0n - BigInt(event.releasedMicros));
    else if (event.type === "obligations_lapsed") {
      for (const [index, id] of event.obligations.entries())
        this.#hold(this.#trade(id).buyer, 0n - BigInt(event.releasedMicros[index] as number));
    } else if (event.type === "obligation_settled") {
      const { buyer, seller } = this.#trade(event.obligation);
      const paid = BigInt(event.paidMicros);
      this.#hold(buyer, 0n - paid - BigInt(event.releasedMicros));
      this.#add(buyer, 0n - paid);
      this.#add(seller, paid - BigInt(event.feeMicros));
      this.#add(this.treasury, BigInt(event.feeMicros));
      this.fees += BigInt(event.feeMicros);
    }
  }

  #trade(id: number): { buyer: number; seller: number } {
    return this.#trades.get(id) as { buyer: number; seller: number };
  }

  #hold(account: number, amount: bigint): void {
    this.escrows.set(account, (this.escrows.get(account) ?? 0n) + amount);
    this.#add(account, 0n - amount);
  }

  /** The sum of everything, free and in escrow. */
  held(): bigint {
    const all = [...this.balances.values(), ...this.escrows.values()];
    return all.reduce((sum, micros) => sum + micros, 0n);
  }

  get treasury(): number {
    return this.#addresses.get(this.#treasury) as number;
  }

  get gridOperator(): number {
    return this.#addresses.get(this.#gridOperator) as number;
  }

  #clear(event: Extract<MarketEvent, { type: "slot_cleared" }>): void {
    this.network += BigInt(event.networkMicros);
    this.fees += BigInt(event.feeMicros);
    this.dust += BigInt(event.dustMicros);
    this.#add(this.gridOperator, BigInt(event.networkMicros));
    this.#add(this.treasury, BigInt(event.feeMicros) + BigInt(event.dustMicros));
    for (const [index, account] of event.accounts.entries()) {
      this.#add(account, BigInt(event.amountMicros[index] as number));
      const wh = event.filledWh[index] as number;
      if (wh > 0) this.sold += BigInt(wh);
    }
  }

  #add(account: number, amount: bigint): void {
    this.balances.set(account, (this.balances.get(account) as bigint) + amount);
  }
}

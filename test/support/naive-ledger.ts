// Owns the simplest ledger there is: a map of balances as bigint, and every event added up from the first on. It refuses
// to know columns, postings or numbers; it is what the region's ledger is held against.

import type { MarketEvent } from "../../protocol/events.ts";

/** Balances by account number, in micros. */
export class NaiveLedger {
  readonly balances = new Map<number, bigint>();
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
  }

  /** The sum of everything. */
  held(): bigint {
    return [...this.balances.values()].reduce((sum, balance) => sum + balance, 0n);
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

// Owns a book as a drawing: asks above, bids below, best next to the middle, each order as quantity and name. It refuses
// orders that a scenario has not named.

import {
  type BookOrder,
  type BookSide,
  BUY,
  type ContinuousBook,
  type Outcome,
  place,
  SELL,
} from "../../market/continuous/book.ts";
import type { TimeInForce } from "../../protocol/resource-commands.ts";

export const PRODUCT = 0;

/** What a scenario says of an order beyond its name, side, quantity and price. */
export interface OrderTerms {
  readonly account?: number;
  readonly timeInForce?: TimeInForce;
  readonly goodTillS?: number;
  readonly placedAtS?: number;
  readonly rank?: number;
  readonly product?: number;
}

/** A book whose orders have names; every step checks the book's inside before and after. */
export class DrawnBook {
  readonly book: ContinuousBook;
  readonly #names = new Map<number, string>();
  readonly #ids = new Map<string, number>();
  #nextId = 1;

  constructor(book: ContinuousBook) {
    this.book = book;
  }

  /** An order asks: `name` sells `quantity` at `price`, by an account of its own unless told otherwise. */
  ask(name: string, quantity: number, price: number, terms: OrderTerms = {}): Outcome {
    return this.#place(name, SELL, quantity, price, terms);
  }

  bid(name: string, quantity: number, price: number, terms: OrderTerms = {}): Outcome {
    return this.#place(name, BUY, quantity, price, terms);
  }

  id(name: string): number {
    const id = this.#ids.get(name);
    if (id === undefined) throw new Error(`no order is called ${name}`);
    return id;
  }

  cancel(name: string): void {
    this.sound();
    this.book.remove(this.id(name));
    this.sound();
  }

  /** Names of what an outcome traded with, each with quantity and price. */
  fills({ orders, quantityMega, priceMicrosPerTera }: Outcome): string[] {
    return orders.map(
      (id, index) => `${quantityMega[index]} ${this.#names.get(id)} @ ${priceMicrosPerTera[index]}`,
    );
  }

  /** The book as lines: a price, and what waits there in the order in which it will trade. */
  draw(product = PRODUCT): string[] {
    return [...this.#side(product, SELL).reverse(), "---", ...this.#side(product, BUY)];
  }

  /** Asserts that nothing is wrong inside. */
  sound(): void {
    const problem = this.book.check();
    if (problem !== null) throw new Error(problem);
  }

  #side(product: number, side: BookSide): string[] {
    const lines: [number, string[]][] = [];
    for (const { id, restingMega, priceMicrosPerTera } of this.book.orders(product, side)) {
      const line = lines.at(-1);
      const order = `${restingMega} ${this.#names.get(id)}`;
      if (line?.[0] === priceMicrosPerTera) line[1].push(order);
      else lines.push([priceMicrosPerTera, [order]]);
    }
    return lines.map(([price, orders]) => `${price}: ${orders.join(", ")}`);
  }

  #place(
    name: string,
    side: BookSide,
    quantityMega: number,
    priceMicrosPerTera: number,
    terms: OrderTerms,
  ): Outcome {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#names.set(id, name);
    this.#ids.set(name, id);
    const order: BookOrder = {
      id,
      account: id + 1_000,
      session: 0,
      product: PRODUCT,
      side,
      quantityMega,
      priceMicrosPerTera,
      timeInForce: "good_till_time",
      goodTillS: 1_000_000,
      placedAtS: id,
      rank: 0,
      ...terms,
    };
    this.sound();
    const outcome = place(this.book, order);
    this.sound();
    return outcome;
  }
}

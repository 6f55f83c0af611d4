// Owns what holds for every mix of orders: the real book answers as the naive one does and holds the same orders, and both
// keep the market's rules. It refuses hand-made cases, which are in continuous-book.test.ts.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addedCostMicros,
  addedFeeMicros,
  costMicros,
  feeMicros,
  worth,
} from "../../market/continuous/amounts.ts";
import {
  type BookOrder,
  type BookSide,
  BUY,
  bookText,
  type ContinuousBook,
  isRefused,
  type Outcome,
  place,
  SELL,
} from "../../market/continuous/book.ts";
import { ColumnBook } from "../../market/continuous/column-book.ts";
import { NaiveBook } from "../../market/continuous/naive-book.ts";
import { createRestingOrders, type RestingOrders } from "../../market/continuous/resting-orders.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`continuous properties: SEED=${seed}`);

const PRODUCTS = [0, 1, 2];

const step = fc.record({
  /** Whether it cancels, lets time pass or places. */
  kind: fc.constantFrom(
    "cancel",
    "cancel",
    "cancel",
    "time",
    "place",
    "place",
    "place",
    "place",
    "place",
    "place",
  ),
  side: fc.constantFrom<BookSide>(SELL, BUY),
  product: fc.constantFrom(0, 0, 0, 0, 1, 2),
  account: fc.integer({ min: 0, max: 6 }),
  quantityMega: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 200 })),
  price: fc.oneof(
    fc.integer({ min: 95, max: 105 }),
    fc.integer({ min: 1, max: 200 }),
    fc.constantFrom(2 ** 40),
  ),
  timeInForce: fc.constantFrom<BookOrder["timeInForce"]>(
    "good_till_time",
    "good_till_time",
    "good_till_time",
    "good_till_time",
    "immediate_or_cancel",
    "fill_or_kill",
    "post_only",
  ),
  lifeS: fc.integer({ min: 1, max: 40 }),
  rank: fc.constantFrom(0, 0, 0, 1, 2),
  pick: fc.nat({ max: 1_000_000 }),
  seconds: fc.integer({ min: 0, max: 5 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const hashOf = (book: ContinuousBook): string =>
  createHash("sha256").update(bookText(book, PRODUCTS)).digest("hex");

/** A book over a copy of the rows, as recovery makes it. */
function recovered(table: RestingOrders): ColumnBook {
  const copy = createRestingOrders();
  copy.reset(table.rows);
  for (const name of table.names()) copy.load(name, 0, table.bytesOf(name).slice());
  return new ColumnBook(() => copy);
}

/** What every outcome must be, whatever the book. */
function expectLawful(book: ContinuousBook, order: BookOrder, outcome: Outcome): void {
  const { orders, quantityMega, priceMicrosPerTera, filledMega, restingMega, unfilledMega, shortfall } =
    outcome;
  expect(filledMega + restingMega + unfilledMega).toBe(order.quantityMega);
  expect(quantityMega.reduce((sum, one) => sum + one, 0)).toBe(filledMega);
  expect(unfilledMega > 0).toBe(shortfall !== null);
  expect(new Set(orders).size).toBe(orders.length);
  orders.forEach((id, index) => {
    const met = book.find(id);
    expect(met).not.toBe(null);
    expect(met?.account).not.toBe(order.account);
    expect(met?.product).toBe(order.product);
    expect(met?.side).toBe(1 - order.side);
    expect(met?.priceMicrosPerTera).toBe(priceMicrosPerTera[index]);
    const gain = order.priceMicrosPerTera - (priceMicrosPerTera[index] as number);
    expect(order.side === BUY ? gain : -gain).toBeGreaterThanOrEqual(0);
  });
  const rests = order.timeInForce === "good_till_time" || order.timeInForce === "post_only";
  if (!rests) expect(restingMega).toBe(0);
  if (order.timeInForce === "fill_or_kill") expect([0, order.quantityMega]).toContain(filledMega);
  if (order.timeInForce === "post_only") expect(filledMega).toBe(0);
}

/** No bid is at or above an ask of another account: what could trade has traded. */
function expectUncrossed(book: ContinuousBook): void {
  for (const product of PRODUCTS) {
    const [ask] = book.orders(product, SELL);
    const [bid] = book.orders(product, BUY);
    if (ask !== undefined && bid !== undefined)
      expect(ask.priceMicrosPerTera).toBeGreaterThan(bid.priceMicrosPerTera);
  }
}

/** Both books through the same steps; the atS of steps ascends. */
class Pair {
  readonly naive = new NaiveBook();
  readonly table = createRestingOrders();
  readonly real = new ColumnBook(() => this.table);
  readonly seen = { trades: 0, refusals: 0, cancels: 0, expiries: 0 };
  #live: number[] = [];
  #nextId = 1;
  #atS = 1_000;

  take(action: Step): void {
    if (action.kind === "cancel") this.#cancel(action.pick);
    else if (action.kind === "time") this.#pass(action.seconds);
    else this.#place(action);
    expect(this.naive.check()).toBe(null);
    expect(this.real.check()).toBe(null);
    expect(this.real.size).toBe(this.naive.size);
    expect(this.real.nextExpiryS()).toBe(this.naive.nextExpiryS());
    expect(hashOf(this.real)).toBe(hashOf(this.naive));
    expectUncrossed(this.real);
  }

  #place({ product, side, account, quantityMega, price, timeInForce, lifeS, rank }: Step): void {
    const order: BookOrder = {
      id: this.#nextId,
      account,
      session: account % 3,
      product,
      side,
      quantityMega,
      priceMicrosPerTera: price,
      timeInForce,
      goodTillS: this.#atS + lifeS,
      placedAtS: this.#atS,
      rank,
    };
    this.#nextId += 1 + (quantityMega % 3);
    const before = hashOf(this.real);
    const expected = this.naive.match(order);
    expectLawful(this.naive, order, expected);
    expect(this.real.match(order)).toEqual(expected);
    expect(hashOf(this.real)).toBe(before);
    place(this.naive, order);
    expect(place(this.real, order)).toEqual(expected);
    if (isRefused(expected)) expect(hashOf(this.real)).toBe(before);
    if (isRefused(expected)) this.seen.refusals += 1;
    this.seen.trades += expected.orders.length;
    if (expected.restingMega > 0) this.#live.push(order.id);
  }

  #cancel(pick: number): void {
    this.#live = this.#live.filter((id) => this.naive.find(id) !== null);
    const id = this.#live[pick % Math.max(1, this.#live.length)];
    if (id === undefined) return;
    expect(this.real.find(id)).toEqual(this.naive.find(id));
    this.naive.remove(id);
    this.real.remove(id);
    this.seen.cancels += 1;
  }

  #pass(seconds: number): void {
    this.#atS += seconds;
    for (;;) {
      const expected = this.naive.expired(this.#atS, 3);
      expect(this.real.expired(this.#atS, 3)).toEqual(expected);
      if (expected.length === 0) return;
      for (const id of expected) {
        this.naive.remove(id);
        this.real.remove(id);
        this.seen.expiries += 1;
      }
    }
  }
}

describe("random mixes", () => {
  test("property: the real book is the naive book, order by order, and so is one made again from its rows", () => {
    const seen = { trades: 0, refusals: 0, cancels: 0, expiries: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150, size: "max" }), (steps) => {
        const pair = new Pair();
        for (const action of steps) pair.take(action);
        const again = recovered(pair.table);
        expect(again.check()).toBe(null);
        expect(hashOf(again)).toBe(hashOf(pair.real));
        expect(again.nextExpiryS()).toBe(pair.real.nextExpiryS());
        for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += pair.seen[name];
      }),
      { numRuns: 150, seed },
    );
    // A mix in which nothing trades, ends or is refused would prove nothing.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });

  test("property: a long run drops its dead rows and stays the naive book", () => {
    let state = seed % 2 ** 31;
    const next = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const naive = new NaiveBook();
    const table = createRestingOrders();
    const real = new ColumnBook(() => table);
    let most = 0;
    let drops = 0;
    for (let id = 1; id <= 20_000; id += 1) {
      const side: BookSide = next() < 0.5 ? SELL : BUY;
      const order: BookOrder = {
        id,
        account: Math.floor(next() * 50),
        session: 0,
        product: 0,
        side,
        quantityMega: 1 + Math.floor(next() * 20),
        priceMicrosPerTera: 1_000 + (side === SELL ? 1 : -1) * Math.floor(next() * 40 - 8),
        timeInForce: "good_till_time",
        goodTillS: 100_000 + Math.floor(next() * 1_000),
        placedAtS: Math.floor(id / 7),
        rank: Math.floor(next() * 3),
      };
      const before = table.rows;
      expect(place(real, order)).toEqual(place(naive, order));
      // A book of some fifty orders, so that thousands of dead rows have come and gone.
      while (naive.size > 50) {
        const [worst] = [...naive.orders(0, id % 2 === 0 ? SELL : BUY)].slice(-1);
        if (worst === undefined) break;
        naive.remove(worst.id);
        real.remove(worst.id);
      }
      if (table.rows < before) drops += 1;
      most = Math.max(most, table.rows);
      if (id % 500 === 0) expect([real.check(), hashOf(real)]).toEqual([null, hashOf(naive)]);
    }
    expect(drops).toBeGreaterThan(3);
    expect(most).toBeLessThan(2_000);
  });
});

describe("what quantities cost", () => {
  const price = fc.oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 4_000_000_000 }));
  const up = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

  test("property: however an order is cut into pieces, they cost what the whole would", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), price), { maxLength: 40 }),
        (pieces) => {
          let settled = 0;
          let paid = 0;
          let exact = 0n;
          for (const [mega, micros] of pieces) {
            const added = worth(mega, micros);
            paid += addedCostMicros(settled, added);
            settled += added;
            exact += BigInt(mega) * BigInt(micros);
          }
          expect(BigInt(settled)).toBe(exact);
          expect(BigInt(paid)).toBe(up(exact, 1_000_000n));
          expect(paid).toBe(costMicros(settled));
        },
      ),
      { seed },
    );
  });

  test("property: a fee is exact for every sale up to all money of a region, and in pieces too", () => {
    const sale = fc.oneof(
      fc.integer({ min: 0, max: 100_000 }),
      fc.integer({ min: 0, max: 4_000_000_000_000_000 }),
    );
    const rate = fc.integer({ min: 0, max: 2_000 });
    fc.assert(
      fc.property(sale, sale, rate, (first, second, bps) => {
        const exact = up(BigInt(first) * BigInt(bps), 10_000n);
        expect(BigInt(feeMicros(first, bps))).toBe(exact);
        const both = BigInt(first) + BigInt(second);
        if (both > 4_000_000_000_000_000n) return;
        const pieces = feeMicros(first, bps) + addedFeeMicros(first, second, bps);
        expect(BigInt(pieces)).toBe(up(both * BigInt(bps), 10_000n));
      }),
      { seed },
    );
  });
});

// Owns the contract of every continuous book: refusals, then scenarios told with a drawn book. It refuses random mixes,
// which are in continuous-properties.test.ts.

import { describe, expect, test } from "vitest";
import {
  type BookOrder,
  BUY,
  bookText,
  type ContinuousBook,
  isRefused,
  SELL,
} from "../../market/continuous/book.ts";
import { ColumnBook } from "../../market/continuous/column-book.ts";
import { NaiveBook } from "../../market/continuous/naive-book.ts";
import { createRestingOrders } from "../../market/continuous/resting-orders.ts";
import { MAX_ORDER_FILLS } from "../../protocol/limits.ts";
import { DrawnBook, PRODUCT } from "../support/book-drawing.ts";

const BOOKS: [string, () => ContinuousBook][] = [
  ["naive", () => new NaiveBook()],
  [
    "real",
    () => {
      const table = createRestingOrders();
      return new ColumnBook(() => table);
    },
  ],
];

const GOOD: BookOrder = {
  id: 7,
  account: 1,
  session: 0,
  product: PRODUCT,
  side: SELL,
  quantityMega: 10,
  priceMicrosPerTera: 100,
  timeInForce: "good_till_time",
  goodTillS: 100,
  placedAtS: 50,
  rank: 0,
};

const textOf = (book: ContinuousBook): string => bookText(book, [PRODUCT, PRODUCT + 1]);

describe.each(BOOKS)("what the %s book refuses", (_name, make) => {
  const spoilt: [string, Partial<BookOrder>][] = [
    ["nothing", { quantityMega: 0 }],
    ["less than nothing", { quantityMega: -1 }],
    ["a fraction", { quantityMega: 1.5 }],
    ["a price of nothing", { priceMicrosPerTera: 0 }],
    ["a price that is no number", { priceMicrosPerTera: Number.NaN }],
    ["more than all money of a region", { quantityMega: 2_000_000_001, priceMicrosPerTera: 2_000_000 }],
    ["an end that is no number", { goodTillS: Number.NaN }],
    ["a number that is none", { id: 0 }],
  ];
  test.each(spoilt)("rejects: by throwing, an order for %s, and stays as it was", (_case, fault) => {
    const drawn = new DrawnBook(make());
    drawn.ask("a", 10, 100);
    const before = textOf(drawn.book);
    expect(() => drawn.book.match({ ...GOOD, ...fault })).toThrow(RangeError);
    expect(() => drawn.book.rest({ ...GOOD, ...fault }, 1)).toThrow(RangeError);
    expect(textOf(drawn.book)).toBe(before);
    drawn.sound();
  });

  test("rejects: by throwing, to rest what has ended, what is not there, or what is older than another", () => {
    const { book } = new DrawnBook(make());
    book.rest(GOOD, 10);
    const before = textOf(book);
    expect(() => book.rest({ ...GOOD, id: 8, goodTillS: 50 }, 10)).toThrow(RangeError);
    expect(() => book.rest({ ...GOOD, id: 8 }, 11)).toThrow(RangeError);
    expect(() => book.rest({ ...GOOD, id: 8 }, 0)).toThrow(RangeError);
    expect(() => book.rest(GOOD, 10)).toThrow(RangeError);
    expect(() => book.rest({ ...GOOD, id: 6 }, 10)).toThrow(RangeError);
    expect(textOf(book)).toBe(before);
  });

  test("rejects: by throwing, a fill above what rests and whatever has gone", () => {
    const { book } = new DrawnBook(make());
    book.rest(GOOD, 10);
    expect(() => book.fill(7, 11)).toThrow(RangeError);
    expect(() => book.fill(7, 0)).toThrow(RangeError);
    expect(() => book.fill(6, 1)).toThrow(RangeError);
    expect(() => book.remove(8)).toThrow(RangeError);
    expect(book.find(7)?.restingMega).toBe(10);
    book.fill(7, 10);
    expect(() => book.fill(7, 1)).toThrow(RangeError);
    expect(() => book.remove(7)).toThrow(RangeError);
    expect(book.find(7)).toBe(null);
  });

  test("rejects: an order that takes at once and finds nothing at its price", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("dear", 10, 101);
    const outcome = drawn.bid("b", 5, 100, { timeInForce: "immediate_or_cancel" });
    expect(isRefused(outcome)).toBe(true);
    expect(outcome).toMatchObject({ shortfall: "unmatched", unfilledMega: 5, reachedMega: 0 });
    expect(drawn.draw()).toEqual(["101: 10 dear", "---"]);
  });

  test("rejects: a fill-or-kill for more than there is, and says how much there is", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("a", 10, 100);
    drawn.ask("b", 10, 101);
    drawn.ask("dear", 10, 102);
    const outcome = drawn.bid("all", 21, 101, { timeInForce: "fill_or_kill" });
    expect(isRefused(outcome)).toBe(true);
    expect(outcome).toMatchObject({ shortfall: "fill_or_kill", unfilledMega: 21, reachedMega: 20 });
    expect(drawn.draw()).toEqual(["102: 10 dear", "101: 10 b", "100: 10 a", "---"]);
  });

  test("rejects: a post-only ask or bid that would trade at once", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("a", 10, 100);
    drawn.bid("b", 10, 90);
    for (const outcome of [
      drawn.bid("c", 5, 100, { timeInForce: "post_only" }),
      drawn.ask("d", 50, 90, { timeInForce: "post_only" }),
    ]) {
      expect(isRefused(outcome)).toBe(true);
      expect(outcome.shortfall).toBe("post_only");
    }
    expect(drawn.draw()).toEqual(["100: 10 a", "---", "90: 10 b"]);
    expect(drawn.bid("e", 5, 99, { timeInForce: "post_only" }).restingMega).toBe(5);
    expect(drawn.draw()).toEqual(["100: 10 a", "---", "99: 5 e", "90: 10 b"]);
  });

  test("rejects: an order that would trade with its own account's: the newer gives way", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("mine", 10, 100, { account: 1 });
    const outcome = drawn.bid("too", 10, 100, { account: 1 });
    expect(isRefused(outcome)).toBe(true);
    expect(outcome).toMatchObject({ shortfall: "self_trade", unfilledMega: 10, restingMega: 0 });
    expect(drawn.draw()).toEqual(["100: 10 mine", "---"]);
  });
});

describe.each(BOOKS)("scenarios of the %s book", (_name, make) => {
  test("behavior: a buy sweeps several asks, each at its own price, and the rest waits", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("c", 10, 120);
    drawn.ask("a", 10, 100);
    drawn.ask("b", 10, 110);
    drawn.bid("x", 5, 90);
    expect(drawn.draw()).toEqual(["120: 10 c", "110: 10 b", "100: 10 a", "---", "90: 5 x"]);
    const outcome = drawn.bid("sweep", 30, 115);
    expect(drawn.fills(outcome)).toEqual(["10 a @ 100", "10 b @ 110"]);
    expect(outcome).toMatchObject({ filledMega: 20, restingMega: 10, unfilledMega: 0, shortfall: null });
    expect(drawn.draw()).toEqual(["120: 10 c", "---", "115: 10 sweep", "90: 5 x"]);
    expect(drawn.fills(drawn.ask("hit", 12, 80))).toEqual(["10 sweep @ 115", "2 x @ 90"]);
    expect(drawn.draw()).toEqual(["120: 10 c", "---", "90: 3 x"]);
  });

  test("behavior: an order that is filled in part keeps its turn", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("old", 10, 100);
    drawn.ask("young", 10, 100);
    expect(drawn.fills(drawn.bid("x", 4, 100))).toEqual(["4 old @ 100"]);
    expect(drawn.draw()).toEqual(["100: 6 old, 10 young", "---"]);
    expect(drawn.fills(drawn.bid("y", 8, 100))).toEqual(["6 old @ 100", "2 young @ 100"]);
    expect(drawn.draw()).toEqual(["100: 8 young", "---"]);
  });

  test("behavior: what is bought at once is bought as far as it goes, and the rest says why not", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("a", 10, 100);
    const outcome = drawn.bid("x", 25, 100, { timeInForce: "immediate_or_cancel" });
    expect(drawn.fills(outcome)).toEqual(["10 a @ 100"]);
    expect(outcome).toMatchObject({
      filledMega: 10,
      restingMega: 0,
      unfilledMega: 15,
      shortfall: "unmatched",
    });
    expect(drawn.draw()).toEqual(["---"]);
  });

  test("behavior: a fill-or-kill that finds the whole takes it", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("a", 10, 100);
    drawn.ask("b", 10, 101);
    const outcome = drawn.bid("all", 20, 101, { timeInForce: "fill_or_kill" });
    expect(drawn.fills(outcome)).toEqual(["10 a @ 100", "10 b @ 101"]);
    expect(outcome.shortfall).toBe(null);
  });

  test("behavior: a sweep stops at the account's own order, keeps what it has and does not rest across it", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("a", 10, 100);
    drawn.ask("mine", 10, 101, { account: 1 });
    drawn.ask("b", 10, 102);
    const outcome = drawn.bid("x", 30, 102, { account: 1 });
    expect(drawn.fills(outcome)).toEqual(["10 a @ 100"]);
    expect(outcome).toMatchObject({ unfilledMega: 20, restingMega: 0, shortfall: "self_trade" });
    expect(drawn.draw()).toEqual(["102: 10 b", "101: 10 mine", "---"]);
    const killed = drawn.bid("y", 15, 102, { account: 1, timeInForce: "fill_or_kill" });
    expect(killed).toMatchObject({ unfilledMega: 15, shortfall: "self_trade", reachedMega: 0 });
    expect(drawn.bid("below", 5, 100, { account: 1 }).restingMega).toBe(5);
  });

  test("behavior: equal prices trade by time, equal seconds by rank, equal ranks by number", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("late", 1, 100, { placedAtS: 20, rank: 0 });
    const { book } = drawn;
    expect(book.size).toBe(1);
    drawn.ask("worst", 1, 100, { placedAtS: 21, rank: 9 });
    drawn.ask("middle", 1, 100, { placedAtS: 21, rank: 5 });
    drawn.ask("best", 1, 100, { placedAtS: 21, rank: 0 });
    drawn.ask("best too", 1, 100, { placedAtS: 21, rank: 0 });
    drawn.ask("middle too", 1, 100, { placedAtS: 21, rank: 5 });
    drawn.ask("next second", 1, 100, { placedAtS: 22, rank: 0 });
    expect(drawn.draw()).toEqual([
      "100: 1 late, 1 best, 1 best too, 1 middle, 1 middle too, 1 worst, 1 next second",
      "---",
    ]);
    drawn.cancel("best");
    expect(drawn.fills(drawn.bid("x", 3, 100))).toEqual([
      "1 late @ 100",
      "1 best too @ 100",
      "1 middle @ 100",
    ]);
  });

  test("behavior: an order is cancelled by its number, from the middle of its queue too", () => {
    const drawn = new DrawnBook(make());
    for (const name of ["a", "b", "c", "d"]) drawn.ask(name, 1, 100);
    drawn.ask("e", 1, 101);
    drawn.cancel("b");
    expect(drawn.draw()).toEqual(["101: 1 e", "100: 1 a, 1 c, 1 d", "---"]);
    drawn.cancel("a");
    drawn.cancel("d");
    expect(drawn.draw()).toEqual(["101: 1 e", "100: 1 c", "---"]);
    drawn.cancel("c");
    expect(drawn.draw()).toEqual(["101: 1 e", "---"]);
    expect(drawn.fills(drawn.bid("x", 5, 101))).toEqual(["1 e @ 101"]);
  });

  test("behavior: orders end by their time, first to end first, and only so many at once", () => {
    const drawn = new DrawnBook(make());
    const { book } = drawn;
    expect(book.nextExpiryS()).toBe(null);
    drawn.ask("c", 1, 100, { goodTillS: 300 });
    drawn.ask("a", 1, 101, { goodTillS: 100 });
    drawn.bid("b", 1, 90, { goodTillS: 100 });
    drawn.ask("d", 1, 102, { goodTillS: 101 });
    expect(book.nextExpiryS()).toBe(100);
    expect(book.expired(99, 10)).toEqual([]);
    expect(book.expired(101, 10)).toEqual(["a", "b", "d"].map((name) => drawn.id(name)));
    expect(book.expired(1_000, 2)).toEqual(["a", "b"].map((name) => drawn.id(name)));
    drawn.cancel("a");
    expect(book.expired(100, 10)).toEqual([drawn.id("b")]);
    drawn.cancel("b");
    expect(book.nextExpiryS()).toBe(101);
    drawn.sound();
  });

  test("behavior: an order meets so many others at most, and its rest does not wait across the next", () => {
    const drawn = new DrawnBook(make());
    for (let index = 0; index < MAX_ORDER_FILLS + 1; index += 1) drawn.ask(`a${index}`, 1, 100);
    const whole = drawn.bid("kill", MAX_ORDER_FILLS + 1, 100, { timeInForce: "fill_or_kill" });
    expect(whole).toMatchObject({ shortfall: "sweep_limit", reachedMega: MAX_ORDER_FILLS, filledMega: 0 });
    const outcome = drawn.bid("x", MAX_ORDER_FILLS + 5, 100);
    expect(outcome).toMatchObject({ filledMega: MAX_ORDER_FILLS, unfilledMega: 5, shortfall: "sweep_limit" });
    expect(drawn.draw()).toEqual([`100: 1 a${MAX_ORDER_FILLS}`, "---"]);
  });

  test("behavior: products have books of their own", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("a", 1, 100);
    drawn.ask("other", 1, 90, { product: PRODUCT + 1 });
    expect(drawn.fills(drawn.bid("x", 2, 100))).toEqual(["1 a @ 100"]);
    expect(drawn.draw(PRODUCT + 1)).toEqual(["90: 1 other", "---"]);
    expect([...drawn.book.orders(PRODUCT, BUY)].map(({ id }) => id)).toEqual([drawn.id("x")]);
  });

  test("behavior: quantity times price may be all the money of a region, and prices need not be small", () => {
    const drawn = new DrawnBook(make());
    drawn.ask("dear", 1, 4_000_000_000_000_000);
    drawn.ask("much", 4_000_000_000_000_000, 1);
    expect(drawn.fills(drawn.bid("x", 4_000_000_000_000_000, 1))).toEqual(["4000000000000000 much @ 1"]);
    expect(drawn.fills(drawn.bid("y", 1, 4_000_000_000_000_000))).toEqual(["1 dear @ 4000000000000000"]);
  });
});

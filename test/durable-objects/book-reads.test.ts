// Owns the promise that a book of many orders is not gone through for everybody who asks, and that a small one is always told as
// it is. It refuses a clock: the time is said.

import { expect, test } from "vitest";
import { BookReads } from "../../durable-objects/resource-reads.ts";
import { address, credit, openMarket } from "../support/market.ts";
import { order } from "../support/resource-drafts.ts";

const PRODUCT = "compute-job";

test("behavior: a small book is told as it is; a large one again for a second, with the entry that it is of", () => {
  const market = openMarket();
  const reads = new BookReads();
  const sold = (): unknown => reads.book(market.state, PRODUCT, 0).asks;
  const sellers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => address(number));
  for (const seller of sellers) market.accept(credit(seller, 1_000));
  const rest = (count: number) => {
    for (let made = 0; made < count; made += 1)
      market.accept(
        order(market, sellers[made % sellers.length] as (typeof sellers)[number], "sell", 1, 100),
      );
  };
  rest(2);
  expect(sold()).toEqual([{ priceMicrosPerTera: 100, restingMega: "2", orders: 2 }]);
  rest(1_998);
  expect(sold()).toMatchObject([{ orders: 2_000 }]);
  rest(1);
  expect(sold()).toMatchObject([{ orders: 2_001 }]);
  const { entry } = market.state.header;
  rest(1);
  expect(reads.book(market.state, PRODUCT, 999)).toMatchObject({ entry, asks: [{ orders: 2_001 }] });
  expect(reads.book(market.state, PRODUCT, 1_000)).toMatchObject({
    entry: entry + 1,
    asks: [{ orders: 2_002 }],
  });
  expect(reads.book(market.state, "compute-lease-day", 1_000)).toMatchObject({ asks: [], entry: entry + 1 });
});

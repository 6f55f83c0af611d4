// Owns the promises of reads that must stay right and cheap in an old region. It refuses answers with holes.

import { describe, expect, test } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import { address, place } from "../support/market.ts";
import { deadlineS, FIRST_SLOT, goTo, openedRegion, proof, useMarketTime } from "./region-under-test.ts";

useMarketTime();

describe("reads", () => {
  test("regression: a bill has its prices however far apart the proved windows are", async () => {
    const { region } = await openedRegion(2);
    await region.accept(place(address(1), "sell", [[100_000, 500]]));
    await region.accept(place(address(2), "buy", [[300_000, 500]]));
    // The second window begins further from the first than two pages of slots.
    const windows = [FIRST_SLOT, FIRST_SLOT + 4_400];
    for (const firstSlot of windows) {
      goTo((firstSlot + 4) * 900);
      await region.accept(proof(1, firstSlot, [400]));
      await region.accept(proof(2, firstSlot, [-400]));
      goTo(deadlineS(firstSlot));
      await region.ring();
    }
    const bill = await region.stub.bill(address(1) as Hex, 0, FIRST_SLOT + 9_000);
    const traded = (bill ?? []).filter(({ tradedWh }) => tradedWh > 0);
    expect(traded.map(({ slot }) => slot)).toEqual(windows);
    expect(traded.map(({ priceMicrosPerKwh }) => priceMicrosPerKwh)).toEqual([200_000, 200_000]);
  });

  test("regression: a journal of many rows is read by its key: twice the rows take about twice the time", async () => {
    const { region } = await openedRegion();
    const read = await region.inside((object, { storage }) => {
      const { sql } = storage;
      const { last } = sql.exec<{ last: number }>("SELECT MAX(last) AS last FROM journal").one();
      const fill = (until: number): void => {
        storage.transactionSync(() => {
          const { from } = sql.exec<{ from: number }>('SELECT MAX(last) + 1 AS "from" FROM journal').one();
          for (let entry = from; entry <= until; entry += 1)
            sql.exec("INSERT INTO journal VALUES (?, ?, 0, 'x')", entry, entry);
        });
      };
      // What SQLite reads is counted, not timed: the machine may be busy.
      const rowsRead = (): number => {
        let total = 0;
        const prototype = Object.getPrototypeOf(sql) as SqlStorage;
        const exec = prototype.exec;
        prototype.exec = function (this: SqlStorage, ...parts: Parameters<typeof exec>) {
          const cursor = exec.apply(this, parts);
          const toArray = cursor.toArray.bind(cursor);
          cursor.toArray = () => {
            const rows = toArray();
            total += cursor.rowsRead;
            return rows;
          };
          return cursor;
        } as typeof exec;
        try {
          object.journalPage(1);
        } finally {
          prototype.exec = exec;
        }
        return total;
      };
      fill(last + 1_000);
      const first = rowsRead();
      fill(last + 2_000);
      const second = rowsRead();
      sql.exec("DELETE FROM journal WHERE first > ?", last);
      return { first, second };
    });
    expect(read.first).toBeGreaterThan(999);
    expect(read.second).toBeLessThan(2.5 * read.first);
  });
});

// Owns the promise that recovery only evolves: what was acknowledged stays, whatever the rules are by then.

import { describe, expect, test } from "vitest";
import { rejected } from "../../protocol/errors.ts";
import { address, place } from "../support/market.ts";
import {
  acceptedOf,
  deadlineS,
  FIRST_SLOT,
  goTo,
  OPENED_AT_S,
  openedRegion,
  proof,
  type RegionUnderTest,
  useMarketTime,
  useQuietConsole,
} from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

/** Changes stored journal text behind the region's back and starts it anew. */
async function tamper(region: RegionUnderTest, query: string, ...values: string[]): Promise<void> {
  await region.inside((_region, { storage }) => void storage.sql.exec(query, ...values));
  await region.evict();
}

describe("a stored journal that contradicts itself", () => {
  const TAMPERINGS: Record<string, [string, ...string[]]> = {
    "one changed amount": [
      "UPDATE journal SET text = replace(text, ?, ?)",
      '"amountMicros":1000000000',
      '"amountMicros":1000000001',
    ],
    "a missing row": [
      "DELETE FROM journal WHERE first = (SELECT MAX(first) FROM journal WHERE first < (SELECT MAX(first) FROM journal))",
    ],
    "a line that is none": [
      "UPDATE journal SET text = 'nothing' || char(10) WHERE first = (SELECT MAX(first) FROM journal)",
    ],
    "a forged chain hash": [
      "UPDATE journal SET text = replace(text, substr(text, 10, 8), 'ffffffff') WHERE first = (SELECT MAX(first) FROM journal)",
    ],
  };

  for (const [what, statement] of Object.entries(TAMPERINGS)) {
    test(`rejects: ${what}, when the region starts`, async () => {
      const { region } = await openedRegion(2);
      await region.accept(place(address(1), "sell", [[1, 1]]));
      await region.accept(place(address(2), "sell", [[1, 1]]));
      await tamper(region, ...statement);
      for (const _try of [1, 2]) {
        await expect(region.inside(() => "it started")).rejects.toThrow(/broken at entry \d+/);
      }
    });
  }

  test("rejects: a database of a later release", async () => {
    const { region } = await openedRegion(0);
    await tamper(region, "INSERT INTO migrations VALUES (99)");
    await expect(region.inside(() => "it started")).rejects.toThrow("migrations ahead");
  });
});

describe("recovery after a change of rules", () => {
  test("behavior: keeps what was acknowledged under the old ones", async () => {
    const { region } = await openedRegion(2);
    const submission = region.submission(place(address(1), "sell", [[100_000, 500]]), {
      expiresAtS: OPENED_AT_S + 86_400,
    });
    const order = acceptedOf(await region.submit(submission));
    await region.accept(place(address(2), "buy", [[300_000, 500]]));
    goTo((FIRST_SLOT + 4) * 900);
    await region.accept(proof(1, FIRST_SLOT, [400]));
    await region.accept(proof(2, FIRST_SLOT, [-400]));
    goTo(deadlineS(FIRST_SLOT));
    await region.ring();
    const before = await region.stateHash();
    await region.evict();
    // The new rules would refuse everything there was, and clear nothing.
    await region.inside(({ engine }) => {
      engine.rules = {
        execute: () => ({ rejection: rejected("order_span_empty") }),
        executeDue: () => {
          throw new Error("nothing is due under these rules");
        },
      };
    });
    expect(await region.stateHash()).toEqual(before);
    expect(await region.stub.order(order.entry)).toMatchObject({ orderId: order.entry, isLive: true });
    expect(acceptedOf(await region.submit(submission))).toEqual(order);
    await region.refuse(place(address(1), "sell", [[1, 1]]), "order_span_empty");
    expect((await region.stub.bill(address(1), FIRST_SLOT, FIRST_SLOT + 1))?.[0]).toMatchObject({
      tradedWh: 400,
    });
  });
});

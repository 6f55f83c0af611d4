// Owns the promise that memory is a cache: corrupted or evicted, storage wins and the answers are the same.

import { describe, expect, test } from "vitest";
import { violations } from "../../market/invariants.ts";
import { address, cancel, place } from "../support/market.ts";
import {
  acceptedOf,
  deadlineS,
  FIRST_SLOT,
  goTo,
  openedRegion,
  proof,
  type RegionUnderTest,
  rest,
  useMarketTime,
} from "./region-under-test.ts";

useMarketTime();

/** A region with a cleared window behind it and another one half proved. */
async function busyRegion(): Promise<RegionUnderTest> {
  const { region } = await openedRegion(3);
  await region.accept(place(address(1), "sell", [[100_000, 500]]));
  await region.accept(place(address(2), "buy", [[300_000, 500]]));
  for (const firstSlot of [FIRST_SLOT, FIRST_SLOT + 4]) {
    goTo((firstSlot + 4) * 900);
    await region.accept(proof(1, firstSlot, [400, 300, 200, 100]));
    await region.accept(proof(2, firstSlot, [-100, -200, -300, -400]));
    if (firstSlot === FIRST_SLOT) goTo(deadlineS(firstSlot));
    await region.ring();
  }
  return region;
}

/** All that can be read of a region. */
async function answersOf({ stub }: RegionUnderTest): Promise<unknown> {
  return {
    hash: await stub.stateHash(),
    head: await stub.head(),
    market: await stub.market(),
    accounts: await Promise.all([1, 2, 3, 9].map((home) => stub.account(address(home)))),
    orders: await Promise.all([1, 2, 3].map((home) => stub.orders(address(home)))),
    bill: await stub.bill(address(1), 0, FIRST_SLOT + 99),
    slots: await stub.slots(0, FIRST_SLOT + 99),
    receipts: await Promise.all([1, 2, 5, 99].map((entry) => stub.answer(entry))),
    journal: await stub.journalPage(1),
    terms: await stub.terms(),
    parameters: await stub.parameters(),
    health: await stub.health(),
  };
}

describe("an evicted region", () => {
  test("behavior: answers everything as before", async () => {
    const region = await busyRegion();
    const before = await answersOf(region);
    expect(before).toMatchObject({ health: { violations: [] }, slots: { length: 4 } });
    await region.evict();
    expect(await answersOf(region)).toEqual(before);
  });

  test("behavior: with corrupted memory, storage wins", async () => {
    const region = await busyRegion();
    const before = await answersOf(region);
    await region.inside(({ engine }) => {
      const { tables, header } = engine.state;
      tables.accounts.columns.freeMicros[2] = 77;
      tables.orders.columns.price.fill(1);
      engine.state.indexes.commands.clear();
      header.depositedMicros += 5;
      header.nextSlot += 1;
      expect(violations(engine.state)).not.toEqual([]);
    });
    await region.evict();
    expect(await answersOf(region)).toEqual(before);
  });

  test("behavior: goes on where it stopped: same clearing, same journal as one that was never evicted", async () => {
    const journals = [];
    for (const isEvicted of [true, false]) {
      const { region } = await openedRegion(2, `twin-of-evictions-${isEvicted}`);
      const step = async (work: Promise<unknown>): Promise<void> => {
        await work;
        if (isEvicted) await region.evict();
      };
      goTo((FIRST_SLOT - 1) * 900);
      await step(region.accept(place(address(1), "sell", [[100_000, 500]])));
      await step(region.accept(place(address(2), "buy", [[300_000, 500]])));
      goTo((FIRST_SLOT + 4) * 900);
      await step(region.accept(proof(1, FIRST_SLOT, [400, 300])));
      await step(region.accept(proof(2, FIRST_SLOT, [-400, -300])));
      goTo(deadlineS(FIRST_SLOT));
      await step(region.ring());
      const { entry } = await region.accept(place(address(1), "sell", [[1, 1]]));
      await step(region.accept(cancel(address(1), entry)));
      journals.push((await region.journal()).map((line) => bare(line)));
      goTo((FIRST_SLOT - 2) * 900);
    }
    expect(journals[0]).toEqual(journals[1]);
  });

  test("behavior: between acceptance and answer loses nothing and repeats nothing", async () => {
    const { region } = await openedRegion(1);
    const submission = region.submission(place(address(1), "sell", [[1, 1]]));
    const first = acceptedOf(await region.submit(submission));
    await region.evict();
    expect(acceptedOf(await region.submit(submission))).toEqual(first);
    expect((await region.stateHash()).entry).toBe(first.entry);
    expect(await region.stub.answer(first.commandId)).toEqual({ answer: first });
  });

  test("behavior: arms its alarm again, and does at once what became due meanwhile", async () => {
    const { region } = await openedRegion(1);
    const due = deadlineS(FIRST_SLOT) * 1000;
    expect(await region.alarm()).toBe(due);
    await region.inside((_region, ctx) => ctx.storage.deleteAlarm());
    await region.evict();
    expect(await region.alarm()).toBe(due);
    await region.inside((_region, ctx) => ctx.storage.deleteAlarm());
    await region.evict();
    goTo(deadlineS(FIRST_SLOT) + 100);
    // Whoever asks first need not wait for it, and nobody for an alarm.
    expect((await region.stub.market())?.nextSlot).toBe(FIRST_SLOT);
    await rest();
    expect((await region.stub.market())?.nextSlot).toBe(FIRST_SLOT + 4);
    expect(await region.alarm()).toBe(deadlineS(FIRST_SLOT + 4) * 1000);
  });
});

/** A journal line without what the region's name makes different. */
function bare(line: string): unknown {
  const { entry } = JSON.parse(line) as {
    entry: { command?: unknown; commandId?: unknown; events: unknown[] };
  };
  const { command: _command, commandId: _id, ...rest } = entry;
  return { ...rest, events: rest.events.map((event) => ({ ...(event as object), region: "" })) };
}

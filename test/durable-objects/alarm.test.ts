// Owns the promise that no alarm shows in the journal: early, late, twice or never, what is due is done as it was due.

import { describe, expect, test } from "vitest";
import {
  address,
  admit,
  appoint,
  credit,
  type Draft,
  enrol,
  INSTALLER,
  Market,
  open,
  place,
} from "../support/market.ts";
import {
  deadlineS,
  FIRST_SLOT,
  goTo,
  OPENED_AT_S,
  proof,
  RegionUnderTest,
  useMarketTime,
} from "./region-under-test.ts";

useMarketTime();

const OPENING = [
  open(),
  appoint([INSTALLER]),
  admit(address(1)),
  enrol(1),
  enrol(2),
  credit(address(2), 1_000_000),
];

/** The same life of a region, told with its moments; `ring` says how alarms behave around the first deadline. */
async function live(
  region: RegionUnderTest,
  ring: (region: RegionUnderTest) => Promise<void>,
): Promise<string[]> {
  const at = async (atS: number, ...drafts: Draft[]): Promise<void> => {
    goTo(atS);
    for (const draft of drafts) await region.accept(draft);
  };
  await at(OPENED_AT_S, ...OPENING);
  await at(
    OPENED_AT_S + 60,
    place(address(1), "sell", [[100_000, 500]]),
    place(address(2), "buy", [[300_000, 500]]),
  );
  await at((FIRST_SLOT + 4) * 900, proof(1, FIRST_SLOT, [400]), proof(2, FIRST_SLOT, [-400]));
  await ring(region);
  await at(deadlineS(FIRST_SLOT) + 1_000, place(address(1), "sell", [[5, 5]]));
  return region.journal();
}

/** Names differ, and with them ids, hashes and the nothing they are signed with. */
const bare = (lines: readonly string[]): unknown[] =>
  lines.map((line) => {
    const { number, atS, events } = (
      JSON.parse(line) as { entry: { number: number; atS: number; events: object[] } }
    ).entry;
    return { number, atS, events: events.map((event) => ({ ...event, region: "" })) };
  });

describe("the alarm", () => {
  const WAYS: Record<string, (region: RegionUnderTest) => Promise<void>> = {
    "on time": async (region) => {
      goTo(deadlineS(FIRST_SLOT));
      expect(await region.ring()).toBe(true);
    },
    late: async (region) => {
      goTo(deadlineS(FIRST_SLOT) + 777);
      expect(await region.ring()).toBe(true);
    },
    twice: async (region) => {
      goTo(deadlineS(FIRST_SLOT));
      expect(await region.ring()).toBe(true);
      await region.inside((object) => {
        object.alarm();
        object.alarm();
      });
    },
    "early and again on time": async (region) => {
      goTo(deadlineS(FIRST_SLOT) - 1);
      expect(await region.ring()).toBe(true);
      goTo(deadlineS(FIRST_SLOT));
      expect(await region.ring()).toBe(true);
    },
    never: async () => {},
    "never, and evicted": (region) => region.evict(),
  };

  for (const [way, ring] of Object.entries(WAYS)) {
    test(`behavior: one that fires ${way} leaves the journal that follows from state and time alone`, async () => {
      const region = new RegionUnderTest();
      const lines = bare(await live(region, ring));
      const model = new Market(OPENED_AT_S, region.name);
      const told = (atS: number, ...drafts: Draft[]): void => {
        model.to(atS);
        for (const draft of drafts) model.accept(draft);
      };
      told(OPENED_AT_S, ...OPENING);
      told(
        OPENED_AT_S + 60,
        place(address(1), "sell", [[100_000, 500]]),
        place(address(2), "buy", [[300_000, 500]]),
      );
      told((FIRST_SLOT + 4) * 900, proof(1, FIRST_SLOT, [400]), proof(2, FIRST_SLOT, [-400]));
      told(deadlineS(FIRST_SLOT) + 1_000, place(address(1), "sell", [[5, 5]]));
      expect(lines).toEqual(bare(model.lines));
      expect(await region.stub.health()).toMatchObject({ violations: [] });
    });
  }

  test("behavior: a command that comes after a deadline is decided after what was due, in one flush", async () => {
    const region = new RegionUnderTest();
    const lines = await live(region, async () => {});
    const kinds = bare(lines).flatMap((entry) =>
      (entry as { events: { type: string }[] }).events.map(({ type }) => type),
    );
    expect(kinds.slice(-6)).toEqual([
      "slot_cleared",
      "slot_cleared",
      "slot_cleared",
      "slot_cleared",
      "window_closed",
      "order_placed",
    ]);
    expect((await region.rows()).at(-1)).toEqual({ first: lines.length - 5, last: lines.length });
  });

  test("behavior: after each deadline it is set for the next one", async () => {
    const region = new RegionUnderTest();
    await live(region, async () => {});
    expect(await region.alarm()).toBe(deadlineS(FIRST_SLOT + 4) * 1000);
    goTo(deadlineS(FIRST_SLOT + 4));
    expect(await region.ring()).toBe(true);
    expect(await region.alarm()).toBe(deadlineS(FIRST_SLOT + 8) * 1000);
  });

  test("behavior: a region left alone for long catches up by itself, in flushes that never do all at once", async () => {
    const region = new RegionUnderTest();
    await live(region, async () => {});
    const before = (await region.rows()).length;
    goTo((FIRST_SLOT + 404) * 900);
    expect(await region.ring()).toBe(true);
    for (
      let turns = 0;
      turns < 100 && (await region.stub.market())?.nextSlot !== FIRST_SLOT + 400;
      turns += 1
    ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await region.stub.market())?.nextSlot).toBe(FIRST_SLOT + 400);
    expect((await region.rows()).length).toBeGreaterThan(before + 1);
    expect(await region.stub.health()).toMatchObject({ violations: [] });
    expect(await region.storedHash()).toEqual(await region.stateHash());
  });

  test("regression: one that fired before its time is set again", async () => {
    const region = new RegionUnderTest();
    await live(region, async () => {});
    const due = await region.alarm();
    expect(await region.ring()).toBe(true);
    expect(await region.alarm()).toBe(due);
  });
});

// Owns the promise that a snapshot shows one instant while commands go on, and counts only when it is whole.

import { describe, expect, test } from "vitest";
import { address, place } from "../support/market.ts";
import {
  deadlineS,
  FIRST_SLOT,
  goTo,
  openedRegion,
  proof,
  type RegionUnderTest,
  rest,
  useMarketTime,
  useQuietConsole,
} from "./region-under-test.ts";

useMarketTime();
const log = useQuietConsole();

interface Stored {
  readonly snapshots: number[];
  readonly sections: number;
  readonly generations: number[];
}

function stored(region: RegionUnderTest): Promise<Stored> {
  return region.inside((_region, { storage: { sql } }) => ({
    snapshots: sql
      .exec<{ entry: number }>("SELECT entry FROM snapshots")
      .toArray()
      .map(({ entry }) => entry),
    sections: sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM sections").one().n,
    generations: sql
      .exec<{ generation: number }>("SELECT DISTINCT generation FROM sections ORDER BY 1")
      .toArray()
      .map(({ generation }) => generation),
  }));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 400; turns += 1) {
    if (await condition()) return;
    await rest(2);
  }
  throw new Error("it never came to that");
}

async function snapshot(region: RegionUnderTest): Promise<void> {
  const before = (await stored(region)).snapshots[0] ?? -1;
  await region.inside(({ engine }) => engine.snapshot());
  await until(async () => ((await stored(region)).snapshots[0] ?? -1) > before);
}

describe("snapshots", () => {
  test("behavior: recovery from a snapshot and the tail after it gives the same state", async () => {
    const { region } = await openedRegion(3);
    await region.accept(place(address(1), "sell", [[100_000, 500]]));
    await snapshot(region);
    expect((await stored(region)).snapshots).toEqual([(await region.stateHash()).entry]);
    const atSnapshot = await region.stateHash();
    expect(await region.storedHash()).toEqual(atSnapshot);
    await region.accept(place(address(2), "buy", [[300_000, 500]]));
    goTo((FIRST_SLOT + 4) * 900);
    await region.accept(proof(1, FIRST_SLOT, [400]));
    await region.accept(proof(2, FIRST_SLOT, [-400]));
    goTo(deadlineS(FIRST_SLOT));
    await region.ring();
    const after = await region.stateHash();
    const head = await region.stub.head();
    expect(await region.storedHash()).toEqual(after);
    expect(await region.stub.head()).toEqual(head);
  });

  test("behavior: commands go on while one is stored, and it holds the state of its beginning", async () => {
    const { region } = await openedRegion(2);
    const { entry } = await region.stateHash();
    await region.inside(({ engine }) => engine.snapshot());
    expect((await stored(region)).snapshots).toEqual([]);
    for (let count = 0; count < 12; count += 1) await region.accept(place(address(1), "sell", [[count, 1]]));
    await until(async () => (await stored(region)).snapshots.length === 1);
    const { snapshots } = await stored(region);
    expect(snapshots).toEqual([entry]);
    const after = await region.stateHash();
    expect(after.entry).toBe(entry + 12);
    expect(await region.storedHash()).toEqual(after);
  });

  test("behavior: one that was never finished is dropped, and the one before it still counts", async () => {
    const { region } = await openedRegion(2);
    await snapshot(region);
    const finished = await stored(region);
    await region.accept(place(address(1), "sell", [[1, 1]]));
    const now = await region.stateHash();
    await region.inside((_region, { storage: { sql } }) => {
      sql.exec(
        "INSERT INTO sections SELECT generation + 1, number, tbl, col, off, bytes FROM sections WHERE number < 3",
      );
    });
    expect((await stored(region)).generations.length).toBe(2);
    expect(await region.storedHash()).toEqual(now);
    expect(await stored(region)).toEqual(finished);
  });

  test("behavior: begins by itself once the tail is long, and once more only when it is long again", async () => {
    const { region } = await openedRegion(1);
    await region.inside((object) => {
      object.snapshotPolicy = { entries: 8, characters: 1e9 };
    });
    for (let count = 0; count < 9; count += 1) await region.accept(place(address(1), "sell", [[count, 1]]));
    await until(async () => (await stored(region)).snapshots.length === 1);
    const [first] = (await stored(region)).snapshots as [number];
    for (let count = 0; count < 10; count += 1) await region.accept(place(address(1), "sell", [[count, 1]]));
    await until(async () => ((await stored(region)).snapshots[0] as number) > first);
    expect(await region.storedHash()).toEqual(await region.stateHash());
  });

  test("behavior: a fault in a flush gives up the running one; the next is sound", async () => {
    const { region } = await openedRegion(1);
    const poison = region.submission(place(address(1), "sell", [[1, 1]]));
    await region.inside(async ({ engine }) => {
      engine.snapshot();
      const sound = engine.rules;
      engine.rules = {
        ...sound,
        execute(state, ...rest) {
          state.header.depositedMicros += 1;
          throw new Error(`a fault made by a test ${rest.length}`);
        },
      };
      expect(await engine.submit(poison)).toMatchObject({ rejection: { code: "internal_fault" } });
      engine.rules = sound;
    });
    await rest(50);
    expect((await stored(region)).snapshots).toEqual([]);
    await snapshot(region);
    expect((await stored(region)).generations.length).toBe(1);
    expect(await region.storedHash()).toEqual(await region.stateHash());
  });

  test("rejects: a snapshot that lacks a section, when the region starts, instead of making zeroes of it", async () => {
    const { region } = await openedRegion(2);
    await snapshot(region);
    await region.inside((_region, { storage: { sql } }) => {
      sql.exec("UPDATE sections SET bytes = zeroblob(1) WHERE col = 'freeMicros'");
    });
    await region.evict();
    await expect(region.inside(() => "it started")).rejects.toThrow("lacks");
  });

  test("behavior: a snapshot that cannot be stored is given up and the tail stands", async () => {
    const { region } = await openedRegion(1);
    await region.inside(({ engine }, { storage: { sql } }) => {
      sql.exec("ALTER TABLE sections RENAME TO elsewhere");
      engine.snapshot();
    });
    await rest(20);
    expect(log.lines().join()).toContain("given up");
    await region.inside((_region, { storage: { sql } }) =>
      sql.exec("ALTER TABLE elsewhere RENAME TO sections"),
    );
    await region.accept(place(address(1), "sell", [[1, 1]]));
    expect(await region.storedHash()).toEqual(await region.stateHash());
    await snapshot(region);
  });
});

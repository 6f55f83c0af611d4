// Owns the promise that a fault of ours hurts only the command that met it.

import { describe, expect, test } from "vitest";
import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Region } from "../../durable-objects/region.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { address, place } from "../support/market.ts";
import {
  deadlineS,
  FIRST_SLOT,
  goTo,
  openedRegion,
  proof,
  type RegionUnderTest,
  useMarketTime,
  useQuietConsole,
} from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

/** Makes the rules throw for one command, before or after they have changed the state. */
function breakFor(
  { engine }: Region,
  poison: Submission,
  when: "before" | "after",
  faults = Number.POSITIVE_INFINITY,
): () => void {
  const sound = engine.rules;
  let left = faults;
  engine.rules = {
    ...sound,
    execute(state, request, ...rest) {
      const isPoison = request.commandId === poison.commandId && left > 0;
      if (isPoison && when === "before") {
        left -= 1;
        throw new Error("a fault made by a test");
      }
      const result = sound.execute(state, request, ...rest);
      if (!isPoison) return result;
      left -= 1;
      state.header.depositedMicros += 1;
      throw new Error("a fault made by a test");
    },
  };
  return () => {
    engine.rules = sound;
  };
}

const codeOf = (outcome: Outcome): string => ("rejection" in outcome ? outcome.rejection.code : "accepted");

describe("a fault inside a flush", () => {
  for (const when of ["before", "after"] as const) {
    test(`rejects: only the command that throws ${when} it changed the state, with internal_fault`, async () => {
      const { region } = await openedRegion(1);
      const commands = Array.from({ length: 9 }, (_, index) =>
        region.submission(place(address(1), "sell", [[index, 1]])),
      );
      const poison = commands[4] as Submission;
      const outcomes = await region.inside(async (object) => {
        const mend = breakFor(object, poison, when);
        const settled = await Promise.all(commands.map((command) => object.engine.submit(command)));
        mend();
        return settled;
      });
      expect(outcomes.map(codeOf)).toEqual(
        commands.map((command) => (command === poison ? "internal_fault" : "accepted")),
      );
      const health = await region.stub.health();
      expect(health).toMatchObject({ violations: [], queued: 0 });
      expect(await region.storedHash()).toEqual(await region.stateHash());
      // It was not accepted, so it may be sent again, and then it is.
      expect(codeOf(await region.submit(poison))).toBe("accepted");
    });
  }

  test("behavior: a fault that passes costs nobody an answer", async () => {
    const { region } = await openedRegion(1);
    const commands = Array.from({ length: 5 }, (_, index) =>
      region.submission(place(address(1), "sell", [[index, 1]])),
    );
    const outcomes = await region.inside((object) => {
      breakFor(object, commands[2] as Submission, "after", 1);
      return Promise.all(commands.map((command) => object.engine.submit(command)));
    });
    expect(outcomes.map(codeOf)).toEqual(commands.map(() => "accepted"));
    expect(await region.storedHash()).toEqual(await region.stateHash());
  });

  test("behavior: a fault where something is due refuses what waits, changes nothing, and the region goes on later", async () => {
    const { region } = await openedRegion(2);
    goTo((FIRST_SLOT + 4) * 900);
    await region.accept(proof(1, FIRST_SLOT, [100]));
    const before = await region.stateHash();
    goTo(deadlineS(FIRST_SLOT));
    const command = region.submission(place(address(1), "sell", [[1, 1]]));
    const outcome = await region.inside(async ({ engine }) => {
      const sound = engine.rules;
      engine.rules = {
        ...sound,
        executeDue(state, ...rest) {
          sound.executeDue(state, ...rest);
          throw new Error("a fault made by a test");
        },
      };
      const refused = await engine.submit(command);
      engine.rules = sound;
      return refused;
    });
    expect(codeOf(outcome)).toBe("internal_fault");
    expect(await region.stateHash()).toEqual(before);
    expect(await region.alarm()).toBe(Date.now() + 5_000);
    goTo(deadlineS(FIRST_SLOT) + 5);
    expect(await region.ring()).toBe(true);
    expect((await region.stub.market())?.nextSlot).toBe(FIRST_SLOT + 4);
    expect(codeOf(await region.submit(command))).toBe("accepted");
    expect(await region.storedHash()).toEqual(await region.stateHash());
  });

  test("regression: commands that wait for what is due keep their order through a fault", async () => {
    const { region } = await openedRegion(1);
    // A year unattended: far more is due than one flush does.
    goTo(OPEN_FOR_LONG_S);
    const commands = Array.from({ length: 6 }, (_, index) =>
      region.submission(place(address(1), "sell", [[index, 1]])),
    );
    const outcomes = await region.inside((object) => {
      const { engine } = object;
      const sound = engine.rules;
      let faults = 1;
      engine.rules = {
        ...sound,
        executeDue(state, ...rest) {
          if (faults > 0) {
            faults -= 1;
            throw new Error("a fault made by a test");
          }
          return sound.executeDue(state, ...rest);
        },
      };
      return Promise.all(commands.map((command) => engine.submit(command)));
    });
    const entries = outcomes.map((outcome) => ("answer" in outcome ? outcome.answer.entry : Number.NaN));
    expect(entries).toEqual(entries.map((_, index) => (entries[0] as number) + index));
  });

  test("regression: memory that cannot be made again after a fault is given up, not written", async () => {
    const { region } = await openedRegion(1);
    const before = await region.stateHash();
    const poison = region.submission(place(address(1), "sell", [[1, 1]]));
    const lost = loseMemory(region, poison, "FROM snapshots");
    await expect(lost).rejects.toThrow();
    expect(await region.stateHash()).toEqual(before);
    expect((await region.stub.health()).violations).toEqual([]);
  });

  test("regression: a disk that also fails while memory is made again leaves nobody waiting for an answer", async () => {
    const { region } = await openedRegion(1);
    const before = await region.stateHash();
    const poison = region.submission(place(address(1), "sell", [[1, 1]]));
    const lost = loseMemory(region, poison, "DELETE FROM sections");
    await expect(lost).rejects.toThrow();
    expect(await region.stateHash()).toEqual(before);
    expect(codeOf(await region.submit(poison))).toBe("accepted");
  });
});

/** Sends a command that throws, on a disk that fails once more at a query, while memory is made again. */
function loseMemory(region: RegionUnderTest, poison: Submission, query: string): Promise<unknown> {
  return region.inside((object, ctx) => {
    breakFor(object, poison, "after");
    const sql = Object.getPrototypeOf(ctx.storage.sql) as SqlStorage;
    const exec = sql.exec;
    sql.exec = function (this: SqlStorage, asked: string, ...values: never[]) {
      if (!asked.includes(query)) return exec.call(this, asked, ...values);
      // Whatever ends the instance ends this function too, so it mends the disk first.
      sql.exec = exec;
      throw new Error("a disk made to fail by a test");
    } as typeof exec;
    return object.engine.submit(poison);
  });
}

const OPEN_FOR_LONG_S = (FIRST_SLOT + 400) * 900;

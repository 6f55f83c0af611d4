// Owns the promise that the simulated platform keeps an object's storage as the real one does: one turn, one
// transaction, durable later, and a crash loses exactly what is not.

import { beforeEach, describe, expect, test } from "vitest";
import { DiskFailed, ObjectDied, SimulatedStorage, type Turn } from "./simulated-storage.ts";

let storage: SimulatedStorage;

beforeEach(() => {
  storage = new SimulatedStorage();
  storage.sql.exec("CREATE TABLE things (name TEXT)");
  storage.makeDurable(storage.endTurn() as Turn);
});

const put = (name: string): unknown => storage.sql.exec("INSERT INTO things (name) VALUES (?)", name);
const names = (): unknown[] =>
  storage.sql
    .exec("SELECT name FROM things ORDER BY rowid")
    .toArray()
    .map(({ name }) => name);

/** Writes in a turn of its own, which is not durable yet. */
function turnOf(...written: string[]): Turn {
  for (const name of written) put(name);
  return storage.endTurn() as Turn;
}

describe("a simulated storage", () => {
  test("rejects: every call of an object that has died, until its crash is cleared up", () => {
    storage.kill();
    expect(() => put("a")).toThrow(ObjectDied);
    expect(() => names()).toThrow(ObjectDied);
    expect(() => storage.transactionSync(() => 1)).toThrow(ObjectDied);
    storage.crash();
    expect(names()).toEqual([]);
  });

  test("rejects: a query for one row that finds none or two", () => {
    turnOf("a", "b");
    expect(() => storage.sql.exec("SELECT name FROM things").one()).toThrow(/exactly one row and got 2/);
    expect(() => storage.sql.exec("SELECT name FROM things WHERE name = 'c'").one()).toThrow(/got 0/);
  });

  test("rejects: a write by a reader", () => {
    const { sql } = storage.reader();
    expect(() => sql.exec("DELETE FROM things")).toThrow(/a reader writes/);
    expect(sql.exec("SELECT * FROM things").toArray()).toEqual([]);
  });

  test("behavior: a throw undoes a transaction, and an inner one alone where it is caught", () => {
    storage.transactionSync(() => {
      put("kept");
      expect(() =>
        storage.transactionSync(() => {
          put("undone");
          throw new Error("inner");
        }),
      ).toThrow("inner");
    });
    expect(names()).toEqual(["kept"]);
    expect(() =>
      storage.transactionSync(() => {
        put("also undone");
        throw new Error("outer");
      }),
    ).toThrow("outer");
    expect(names()).toEqual(["kept"]);
  });

  test("behavior: a crash keeps the turns that were durable, loses the later ones and the one under way", async () => {
    const first = turnOf("first");
    await storage.setAlarm(1);
    const second = turnOf("second");
    await storage.setAlarm(2);
    turnOf("third");
    put("under way");
    expect(storage.makeDurable(first)).toEqual([]);
    expect(storage.makeDurable(second)).toEqual([]);
    storage.crash();
    expect(names()).toEqual(["first", "second"]);
    expect(storage.durableAlarmMs).toBe(1);
    expect(storage.isSettled).toBe(true);
    turnOf("after it");
    storage.crash();
    expect(names()).toEqual(["first", "second"]);
  });

  test("behavior: a turn that a crash took does not become durable any more", () => {
    const lost = turnOf("lost");
    storage.crash();
    expect(storage.makeDurable(lost)).toBeNull();
    expect(names()).toEqual([]);
  });

  test("behavior: nothing leaves before what was written before it is durable, and nothing after a crash", () => {
    const left: string[] = [];
    storage.leave(() => left.push("at once"));
    expect(left).toEqual(["at once"]);
    put("a");
    storage.leave(() => left.push("with the turn"));
    const turn = storage.endTurn() as Turn;
    storage.leave(() => left.push("behind the turn"));
    expect(left).toEqual(["at once"]);
    for (const send of storage.makeDurable(turn) ?? []) send();
    expect(left).toEqual(["at once", "with the turn", "behind the turn"]);
    put("b");
    storage.leave(() => left.push("never"));
    storage.crash();
    expect(left).toHaveLength(3);
  });

  test("behavior: an alarm that was spent comes back with a crash", async () => {
    await storage.setAlarm(5);
    storage.makeDurable(storage.endTurn() as Turn);
    storage.spendAlarm();
    storage.endTurn();
    storage.crash();
    expect(storage.durableAlarmMs).toBe(5);
  });

  test("behavior: a disk fails the write it was told to, as often as it was told to", () => {
    storage.accident = { kind: "fail", table: "things", after: 1, times: 2 };
    put("a");
    expect(() => put("b")).toThrow(DiskFailed);
    expect(() => put("c")).toThrow(DiskFailed);
    put("d");
    expect(names()).toEqual(["a", "d"]);
    expect(storage.accidents).toEqual({ fail: 2, die: 0 });
  });

  test("behavior: an object dies with the write it was told to, in the middle of a transaction", () => {
    storage.accident = { kind: "die", table: null, after: 1, times: 1 };
    expect(() =>
      storage.transactionSync(() => {
        put("a");
        put("b");
      }),
    ).toThrow(ObjectDied);
    expect(storage.isDead).toBe(true);
    storage.crash();
    expect(names()).toEqual([]);
  });

  test("behavior: bytes come back as buffers, as on the platform", () => {
    storage.sql.exec("CREATE TABLE blobs (bytes BLOB)");
    storage.sql.exec("INSERT INTO blobs VALUES (?)", Uint8Array.of(1, 2, 3).buffer);
    const { bytes } = storage.sql.exec("SELECT bytes FROM blobs").one();
    expect(bytes).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(bytes as ArrayBuffer)]).toEqual([1, 2, 3]);
    expect(storage.sql.databaseSize).toBeGreaterThan(4_000);
  });
});

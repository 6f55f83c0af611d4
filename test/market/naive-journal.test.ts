// Owns the journal against the simplest one there is: an array of entries, a chain computed in a loop of its own, and a
// state made by events alone. It refuses a recovery, from whatever cut, that gives another byte.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRemembered } from "../../market/decide.ts";
import { evolve } from "../../market/evolve.ts";
import { applyEntry, decodeLine, type Entry, encodeLine } from "../../market/journal.ts";
import { freeze, type Section, thaw } from "../../market/snapshot.ts";
import { createState, type RegionState } from "../../market/state.ts";
import type { Hex } from "../../protocol/fields.ts";
import { mutatedText } from "../support/fuzz.ts";
import { type Market, openMarket, settle, sha256 } from "../support/market.ts";
import { action, runActions, type Tally } from "../support/market-actions.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const tally: Tally = { accepted: 0, refused: 0, tradedWh: 0 };
const region = fc
  .array(action, { minLength: 20, maxLength: 70, size: "max" })
  .map((actions) => runActions(actions, tally));

/** A state that only events made: no memory of commands, which is told apart. */
function evolved(entries: readonly Entry[]): RegionState {
  const state = createState();
  for (const { number, atS, events } of entries) {
    state.header.entry = number;
    state.header.atS = atS;
    for (const event of events) evolve(state, event);
  }
  return state;
}

/** Commands that a region must remember after its entries: accepted, and not expired when a window's step was last due. */
function remembered(entries: readonly Entry[]): Map<Hex, { entry: number; expiresAtS: number }> {
  const memory = new Map<Hex, { entry: number; expiresAtS: number }>();
  for (const { number, atS, command, commandId, events } of entries) {
    if (command !== undefined)
      memory.set(commandId as Hex, { entry: number, expiresAtS: command.expiresAtS });
    else if (events.some(({ type }) => type === "slot_cleared" || type === "window_closed"))
      for (const [id, { expiresAtS }] of memory) if (expiresAtS <= atS) memory.delete(id);
  }
  return memory;
}

/** Bytes of every table but the one of commands, and of accounts without their count of commands. */
function tablesOf({ tables }: RegionState): Record<string, string> {
  const parts: Record<string, string> = {};
  for (const [name, table] of Object.entries(tables)) {
    if (name === "commands") continue;
    for (const column of table.names() as string[]) {
      if (column === "commands") continue;
      const bytes = (table as { bytesOf(column: string): Uint8Array }).bytesOf(column);
      parts[`${name} ${column}`] = Buffer.from(bytes).toString("base64");
    }
  }
  return parts;
}

/** Sections cut anew into pieces of a few bytes, in another order. */
function scattered(sections: readonly Section[], pieceBytes: number, turn: number): Section[] {
  const pieces = sections.flatMap(({ table, column, offset, bytes }) => {
    const count = Math.max(1, Math.ceil(bytes.length / pieceBytes));
    return Array.from({ length: count }, (_, index) => ({
      table,
      column,
      offset: offset + index * pieceBytes,
      bytes: bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
    }));
  });
  const at = turn % pieces.length;
  return [...pieces.slice(at), ...pieces.slice(0, at)].reverse();
}

describe("the chain", () => {
  test("property: every hash is that of a loop written apart, and a line is taken apart to its bytes", () => {
    fc.assert(
      fc.property(region, (market) => {
        let previous = "0000000000000000000000000000000000000000000000000000000000000000";
        for (const [index, line] of market.lines.entries()) {
          const body = JSON.stringify(market.entries[index]);
          const hash = createHash("sha256")
            .update(Buffer.from(`${previous}\n${body}`, "utf8"))
            .digest("hex");
          expect(line).toBe(`{"hash":"${hash}","entry":${body}}`);
          expect(decodeLine(line)).toEqual({ hash, body });
          previous = hash;
        }
        expect(market.hash).toBe(previous);
      }),
      { numRuns: 15 },
    );
  });

  test("property: any text is no line, or one that is put together again to the same text", () => {
    const valid = fc
      .tuple(fc.string({ unit: "binary" }), fc.json())
      .map(([seed, body]) => encodeLine(sha256(seed), body));
    fc.assert(
      fc.property(fc.oneof(mutatedText(valid), fc.string({ unit: "binary" })), (text) => {
        const decoded = decodeLine(text);
        if (decoded !== null) expect(encodeLine(decoded.hash, decoded.body)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("recovery", () => {
  test("property: events alone give every table; the memory of commands is what was accepted and has not expired", () => {
    fc.assert(
      fc.property(region, ({ state, entries }) => {
        const naive = evolved(entries);
        expect(tablesOf(naive)).toEqual(tablesOf(state));
        expect(naive.header).toEqual(state.header);
        const memory = remembered(entries);
        const { columns, rows } = state.tables.commands;
        expect([...columns.entry.subarray(0, rows)]).toEqual([...memory.values()].map(({ entry }) => entry));
        expect([...columns.expiresAtS.subarray(0, rows)]).toEqual(
          [...memory.values()].map(({ expiresAtS }) => expiresAtS),
        );
        for (const { commandId } of entries)
          if (commandId !== undefined) expect(isRemembered(state, commandId)).toBe(memory.has(commandId));
      }),
      { numRuns: 30 },
    );
  });

  test("property: a snapshot at any entry, in pieces of any size and order, plus the tail gives the live state", () => {
    fc.assert(
      fc.property(
        region,
        fc.nat(),
        fc.integer({ min: 1, max: 999 }),
        fc.nat(),
        (market, at, pieceBytes, turn) => {
          const cut = at % (market.entries.length + 1);
          const before = createState();
          for (const entry of market.entries.slice(0, cut)) applyEntry(before, entry);
          const { head, sections } = freeze(before);
          const pieces = scattered(sections, pieceBytes, turn);
          const state = thaw(JSON.parse(JSON.stringify(head)) as typeof head, pieces);
          expect(bytesOf(state).equals(bytesOf(before))).toBe(true);
          expect(indexesOf(state)).toEqual(indexesOf(before));
          for (const line of market.lines.slice(cut))
            applyEntry(state, (JSON.parse(line) as { entry: Entry }).entry);
          expect(bytesOf(state).equals(bytesOf(market.state)), `cut after ${cut}`).toBe(true);
          expect(indexesOf(state)).toEqual(indexesOf(market.state));
        },
      ),
      { numRuns: 40 },
    );
    expect(Math.min(tally.accepted, tally.refused)).toBeGreaterThan(100);
  });
});

describe("snapshots that are not whole", () => {
  const market: Market = openMarket();
  settle(market, 12);
  const { head, sections } = freeze(market.state);
  const of = (table: string, column: string) =>
    sections.find((section) => section.table === table && section.column === column) as Section;

  test("regression: a section that stands twice does not hide one that is lost, which would be zeroes", () => {
    const money = of("accounts", "freeMicros");
    const half = money.bytes.length / 2;
    const first = { ...money, bytes: money.bytes.subarray(0, half) };
    const rest = sections.filter((section) => section !== money);
    expect(() => thaw(head, [...rest, first, first])).toThrow("too many bytes for accounts freeMicros");
    expect(() => thaw(head, [...rest, first])).toThrow("lacks");
    expect(() => thaw(head, [...rest, { ...money, offset: 8 }])).toThrow("too many");
    expect(() => thaw(head, [...rest, { ...money, offset: -8 }])).toThrow("too many");
    const second = { ...money, offset: half, bytes: money.bytes.subarray(half) };
    expect(bytesOf(thaw(head, [...rest, second, first])).equals(bytesOf(market.state))).toBe(true);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53, "3", null])("rejects: a table of %s rows, by throwing", (rows) => {
    const spoiled = { ...head, rows: { ...head.rows, orders: rows as number } };
    expect(() => thaw(spoiled, sections)).toThrow("orders has");
  });

  test("property: a piece lost, moved or doubled is always noticed", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(2), fc.integer({ min: 1, max: 40 }), (at, what, by) => {
        const filled = sections.filter(({ bytes }) => bytes.length > 0);
        const spoiled = filled[at % filled.length] as Section;
        const rest = sections.filter((section) => section !== spoiled);
        const moved = { ...spoiled, offset: spoiled.offset + by };
        const put = what === 0 ? [] : what === 1 ? [moved] : [spoiled, moved];
        expect(() => thaw(head, [...rest, ...put])).toThrow(/snapshot/);
      }),
      { numRuns: 100 },
    );
  });
});

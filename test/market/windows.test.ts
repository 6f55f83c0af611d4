// Owns what happens when windows close: what is purged, what is remembered and for how long. It refuses to forget
// anything that can still matter.

import { describe, expect, test } from "vitest";
import { isRemembered } from "../../market/decide.ts";
import { leavesOfWindow, rootOfWindow } from "../../market/registry.ts";
import type { Hex } from "../../protocol/fields.ts";
import { EMPTY_ROOTS, nodeHex } from "../../protocol/quad-tree.ts";
import {
  address,
  authorise,
  cancel,
  credit,
  deadlineS,
  enrol,
  FIRST_SLOT,
  leafOf,
  Market,
  MIDNIGHT_S,
  OPENED_AT_S,
  open,
  openMarket,
  place,
  readings,
  revoke,
  session,
  settle,
  unenrol,
  word,
} from "../support/market.ts";

describe("the first window", () => {
  test("behavior: trading begins with the first whole window after the region opened", () => {
    for (const [openedAtS, firstSlot] of [
      [MIDNIGHT_S - 1, FIRST_SLOT],
      [MIDNIGHT_S, FIRST_SLOT + 4],
      [MIDNIGHT_S + 1, FIRST_SLOT + 4],
    ] as const) {
      const market = new Market(openedAtS);
      market.accept(open());
      expect(market.state.header.nextSlot).toBe(firstSlot);
    }
    const daily = new Market(OPENED_AT_S);
    daily.accept(open({ windowSlots: 96, epochSlots: 96 }));
    expect(daily.state.header.nextSlot).toBe(FIRST_SLOT);
  });

  test("behavior: a meter measures from the next window on, never inside the one that runs", () => {
    const market = openMarket();
    market.accept(enrol(1));
    market.to(MIDNIGHT_S + 10);
    market.accept(enrol(2));
    expect(market.events("meter_enrolled").map(({ fromSlot }) => fromSlot)).toEqual([
      FIRST_SLOT,
      FIRST_SLOT + 4,
    ]);
  });
});

describe("a window closes", () => {
  test("behavior: its slots clear in order at its deadline, an entry each, then readings and proofs of it are gone", () => {
    const market = openMarket();
    const [ann] = settle(market, 1) as [Hex];
    market.to(MIDNIGHT_S + 3_600);
    market.accept(readings(ann, 1, FIRST_SLOT, [1, 2, 3, 4]));
    expect(market.state.tables.window.rows).toBe(1);
    expect(market.to(deadlineS(FIRST_SLOT) - 1)).toEqual([]);
    const done = market.to(deadlineS(FIRST_SLOT));
    expect(done.map(({ atS }) => atS)).toEqual([1, 2, 3, 4, 5].map(() => deadlineS(FIRST_SLOT)));
    expect(done.flatMap(({ events }) => events.map(({ type }) => type))).toEqual([
      ...new Array<string>(4).fill("slot_cleared"),
      "window_closed",
    ]);
    const { window, nullifiers, sides } = market.state.tables;
    expect([window.rows, nullifiers.rows, sides.rows, sides.columns.surplusWh[3]]).toEqual([0, 0, 1, 0]);
  });

  test("behavior: orders that have ended leave the book, those that may still apply stay", () => {
    const market = openMarket();
    const [ann] = settle(market, 1) as [Hex];
    const place1 = (more = {}): number => market.accept(place(ann, "sell", [[1, 1]], more)).number;
    place1({ validUntilS: MIDNIGHT_S + 3_600 });
    const beyond = place1({ validUntilS: MIDNIGHT_S + 3_601 });
    const future = place1({ validFromS: MIDNIGHT_S + 5 * 86_400 });
    const dead = place1({ validFromS: MIDNIGHT_S + 86_400 });
    const running = place1();
    market.accept(cancel(ann, dead));
    market.to(MIDNIGHT_S + 3_600 + 10);
    market.accept(cancel(ann, running));
    market.to(deadlineS(FIRST_SLOT));
    const { orders } = market.state.tables;
    expect([...orders.columns.id.subarray(0, orders.rows)]).toEqual([beyond, future, running]);
    market.to(deadlineS(FIRST_SLOT + 4));
    expect([...orders.columns.id.subarray(0, orders.rows)]).toEqual([future]);
  });

  test("behavior: session keys leave when they expired or were revoked and no order of theirs can still trade", () => {
    const market = openMarket();
    const [ann] = settle(market, 1) as [Hex];
    market.accept(authorise(ann, word(7), { sessionExpiresAtS: MIDNIGHT_S + 600 }));
    for (const key of [8, 9]) market.accept(authorise(ann, word(key)));
    market.accept(place(ann, "sell", [[1, 1]], {}, session(word(8))));
    market.to(MIDNIGHT_S + 3_600 + 10);
    market.accept(revoke(ann, word(8)));
    market.to(deadlineS(FIRST_SLOT));
    expect([...market.state.indexes.sessionByKey.keys()]).toEqual([word(8), word(9)]);
    market.to(deadlineS(FIRST_SLOT + 4));
    expect([...market.state.indexes.sessionByKey.keys()]).toEqual([word(9)]);
    market.accept(authorise(ann, word(8)));
    expect(market.events("session_authorised").map(({ session: number }) => number)).toEqual([1, 2, 3, 4]);
  });

  test("behavior: a revoked meter still proves the window it measured, and then its key and connection are free", () => {
    const market = openMarket();
    const [ann] = settle(market, 2) as [Hex, Hex];
    const before = rootOfWindow(market.state, FIRST_SLOT);
    market.to(MIDNIGHT_S + 10);
    market.accept(unenrol(1));
    market.accept(enrol(51, { connection: word(1) }));
    expect(rootOfWindow(market.state, FIRST_SLOT)).toBe(before);
    market.to(MIDNIGHT_S + 3_600);
    market.accept(readings(ann, 1, FIRST_SLOT, [5]));
    market.to(deadlineS(FIRST_SLOT));
    expect(market.state.indexes.meterByGateway.has(word(1))).toBe(false);
    market.accept(enrol(1, { connection: word(50) }));
    expect(leavesOfWindow(market.state, FIRST_SLOT + 4)).toEqual([word(0), leafOf(2), leafOf(51)]);
    expect(leavesOfWindow(market.state, FIRST_SLOT + 8)).toEqual([leafOf(1), leafOf(2), leafOf(51)]);
  });

  test("behavior: a meter revoked before it ever measured never does", () => {
    const market = openMarket();
    settle(market, 1);
    market.accept(unenrol(1));
    expect(leavesOfWindow(market.state, FIRST_SLOT)).toEqual([]);
    expect(rootOfWindow(market.state, FIRST_SLOT)).toBe(nodeHex(EMPTY_ROOTS.at(-1) as bigint));
  });
});

describe("remembered commands", () => {
  test("behavior: an accepted command is remembered until it expires, and then refused for that", () => {
    const market = openMarket();
    settle(market, 1);
    const request = market.request(credit(address(1), 5), { expiresAtS: MIDNIGHT_S + 3_600 + 900 });
    market.execute(request);
    expect(isRemembered(market.state, request.commandId)).toBe(true);
    market.to(MIDNIGHT_S + 3_600 + 899);
    expect(isRemembered(market.state, request.commandId)).toBe(true);
    market.to(MIDNIGHT_S + 3_600 + 900);
    expect(isRemembered(market.state, request.commandId)).toBe(false);
    const again = market.execute(request);
    expect(again).toMatchObject({ rejection: { code: "command_expired" } });
  });

  test("behavior: a refused command is not remembered and may be sent again", () => {
    const market = openMarket();
    const [ann] = settle(market, 1) as [Hex];
    market.to(MIDNIGHT_S + 3_599);
    const request = market.request(readings(ann, 1, FIRST_SLOT, [5]));
    expect(market.execute(request)).toMatchObject({ rejection: { code: "window_not_over" } });
    expect(isRemembered(market.state, request.commandId)).toBe(false);
    market.to(MIDNIGHT_S + 3_600);
    expect("entry" in market.execute(request)).toBe(true);
  });
});

// Owns the book of standing orders and the session keys against plain lists kept from the events: what lives, what was
// spent, what is counted against an account's limits. It refuses an order lost or kept by compaction.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countOrders } from "../../market/decisions/orders.ts";
import { applyEntry, type Entry } from "../../market/journal.ts";
import { createState, type RegionState } from "../../market/state.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import { address, cancel, FIRST_SLOT, type Market, openMarket, place, settle } from "../support/market.ts";
import { action, runActions, type Tally } from "../support/market-actions.ts";

interface NaiveSession {
  readonly id: number;
  readonly account: number;
  revokedFromSlot: number;
  spentMicros: number;
  readonly whByDay: Map<number, number>;
}

/** Orders and keys as lists. */
class NaiveBook {
  orders: (EventOf<"order_placed"> & { untilSlot: number })[] = [];
  sessions: NaiveSession[] = [];
  /** The key that placed each resource order, and the buy order of each trade. */
  readonly #keyOf = new Map<number, number>();
  readonly #buyOf = new Map<number, number>();

  take(event: MarketEvent): void {
    if (event.type === "order_placed") this.orders.push({ ...event });
    else if (event.type === "order_ended") {
      const order = this.orders.find((one) => one.order === event.order);
      if (order === undefined) throw new Error(`order ${event.order} ended and was never placed`);
      order.untilSlot = event.untilSlot;
    } else if (event.type === "session_authorised") {
      const { session: id, account } = event;
      this.sessions.push({ id, account, revokedFromSlot: 0, spentMicros: 0, whByDay: new Map() });
    } else if (event.type === "session_revoked")
      this.#session(event.session).revokedFromSlot = event.fromSlot;
    else if (event.type === "window_closed") {
      this.orders = this.orders.filter(({ order }) => !event.endedOrders.includes(order));
      this.sessions = this.sessions.filter(({ id }) => !event.endedSessions.includes(id));
    } else if (event.type === "slot_cleared") {
      const day = Math.floor(event.slot / 96);
      for (const [index, id] of event.sessions.entries()) {
        const key = this.#session(id);
        key.spentMicros += event.sessionMicros[index] as number;
        key.whByDay.set(day, (key.whByDay.get(day) ?? 0) + (event.sessionWh[index] as number));
      }
    } else this.#takeOfResources(event);
  }

  /** Escrow of a key's orders counts as spent until it comes back. */
  #takeOfResources(event: MarketEvent): void {
    if (event.type === "resource_order_placed") {
      this.#keyOf.set(event.order, event.session);
      this.#spend(event.order, event.heldMicros);
    } else if (event.type === "resource_traded") {
      event.orders.forEach((resting, index) => {
        this.#buyOf.set(event.firstObligation + index, event.side === "buy" ? event.order : resting);
      });
    } else if (event.type === "resource_order_ended") this.#spend(event.order, 0 - event.releasedMicros);
    else if (event.type === "obligation_settled")
      this.#spend(this.#buyOf.get(event.obligation) as number, 0 - event.releasedMicros);
    else if (event.type === "obligations_lapsed")
      event.obligations.forEach((id, index) => {
        this.#spend(this.#buyOf.get(id) as number, 0 - (event.releasedMicros[index] as number));
      });
  }

  #spend(order: number, micros: number): void {
    const key = this.sessions.find(({ id }) => id === this.#keyOf.get(order));
    if (key !== undefined) key.spentMicros += micros;
  }

  /** Those that apply to some slot. */
  alive() {
    return this.orders.filter(({ fromSlot, untilSlot }) => untilSlot > fromSlot);
  }

  #session(id: number): NaiveSession {
    return this.sessions.find((one) => one.id === id) as NaiveSession;
  }
}

function ordersIn({ tables: { orders } }: RegionState) {
  const { columns, rows, schema } = orders;
  const rowsInUse = Array.from({ length: rows }, (_, row) => row).filter(
    (row) => (columns.untilSlot[row] as number) > (columns.fromSlot[row] as number),
  );
  return rowsInUse.map((row) => ({
    type: "order_placed",
    order: columns.id[row],
    account: columns.account[row],
    session: columns.session[row],
    side: columns.side[row] === 1 ? "buy" : "sell",
    steps: Array.from({ length: columns.steps[row] as number }, (_, step) => ({
      limitPriceMicrosPerKwh: columns.price[row * schema.price.width + step],
      capWhPerSlot: columns.cap[row * schema.cap.width + step],
    })),
    fromSlot: columns.fromSlot[row],
    untilSlot: columns.untilSlot[row],
    hours: columns.hours[row],
  }));
}

function expectSame(state: RegionState, book: NaiveBook): void {
  expect(ordersIn(state)).toEqual(book.alive());
  const { nextSlot } = state.header;
  for (let account = 0; account < state.tables.accounts.rows; account += 1) {
    const own = book.alive().filter((order) => order.account === account);
    expect(countOrders(state, account, nextSlot)).toEqual({
      live: own.filter(({ untilSlot }) => untilSlot > nextSlot).length,
      inWindow: own.length,
    });
  }
  const { columns, rows } = state.tables.sessions;
  expect(
    Array.from({ length: rows }, (_, row) => [
      columns.id[row],
      columns.account[row],
      columns.revokedFromSlot[row],
      columns.spentMicros[row],
    ]),
  ).toEqual(book.sessions.map((key) => [key.id, key.account, key.revokedFromSlot, key.spentMicros]));
  for (const [row, { whByDay }] of book.sessions.entries())
    if (whByDay.size > 0) expect(columns.dayWh[row]).toBe(whByDay.get(columns.day[row] as number));
}

/** Answers how often the book dropped orders in bulk, outside a window's close. */
function expectSameThroughout(entries: readonly Entry[]): number {
  const state = createState();
  const book = new NaiveBook();
  let drops = 0;
  for (const entry of entries) {
    const before = state.tables.orders.rows;
    applyEntry(state, entry);
    if (entry.command !== undefined && state.tables.orders.rows < before) drops += 1;
    for (const event of entry.events) book.take(event);
    expectSame(state, book);
  }
  return drops;
}

/** Homes that place, replace and cancel all the time, often orders that have not begun to apply. */
const haste = fc.array(
  fc.record({
    home: fc.integer({ min: 1, max: 3 }),
    what: fc.integer({ min: 0, max: 9 }),
    which: fc.nat(),
    laterS: fc.nat(200).map((turn) => (turn === 0 ? 4_000 : turn === 1 ? 300 : 0)),
  }),
  { minLength: 200, maxLength: 260, size: "max" },
);

function hasty(steps: typeof haste extends fc.Arbitrary<infer S> ? S : never): Market {
  const market = openMarket();
  settle(market, 3);
  market.to(FIRST_SLOT * 900);
  const placed: number[][] = [[], [], [], []];
  for (const { home, what, which, laterS } of steps) {
    const own = placed[home] as number[];
    const order = own[which % Math.max(1, own.length)] ?? 0;
    const fromS = which % 3 === 0 ? market.atS + 5_000 : 0;
    const draft =
      what === 0
        ? cancel(address(home), Math.max(1, order))
        : place(address(home), which % 2 === 0 ? "sell" : "buy", [[which % 900, 5]], {
            validFromS: fromS,
            replaces: what < 4 ? 0 : order,
          });
    const result = market.execute(market.request(draft));
    if ("entry" in result && what > 0) own.push(result.entry.number);
    market.to(market.atS + laterS);
  }
  return market;
}

describe("orders and keys against plain lists", () => {
  test("property: after every entry of a random region the tables hold what the lists hold", () => {
    const tally: Tally = { accepted: 0, refused: 0, tradedWh: 0 };
    fc.assert(
      fc.property(fc.array(action, { minLength: 40, maxLength: 100, size: "max" }), (actions) => {
        expectSameThroughout(runActions(actions, tally).entries);
      }),
      { numRuns: 40 },
    );
    expect(Math.min(tally.accepted, tally.refused, tally.tradedWh)).toBeGreaterThan(100);
  });

  test("property: also where so many orders end before they apply that the book drops them in bulk", () => {
    let drops = 0;
    fc.assert(
      fc.property(haste, (steps) => {
        drops += expectSameThroughout(hasty(steps).entries);
      }),
      { numRuns: 12 },
    );
    expect(drops).toBeGreaterThan(0);
  });
});

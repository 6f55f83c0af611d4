// Owns the rules of the day's picture: nothing is lost, nothing is guessed.

import { describe, expect, test } from "vitest";
import type { BillLine, ClearedSlot } from "../../clients/sdk/client.ts";
import * as days from "../../web/figures/day.ts";
import { stairsOf } from "../../web/figures/stairs.ts";

const DAY = { first: 100, until: 104 };

const cleared = (slot: number, values: Partial<ClearedSlot>): ClearedSlot => ({
  slot,
  parametersVersion: 1,
  voteVersion: 0,
  priceMicrosPerKwh: null,
  surplusWh: 0,
  needWh: 0,
  offeredWh: 0,
  askedWh: 0,
  tradedWh: 0,
  networkMicros: 0,
  feeMicros: 0,
  dustMicros: 0,
  entry: 1,
  traders: 0,
  settledMicros: 0,
  curve: { bids: { priceMicros: [], cumulativeWh: [] }, asks: { priceMicros: [], cumulativeWh: [] } },
  ...values,
});

const line = (slot: number, meteredWh: number, tradedWh: number): BillLine => ({
  slot,
  startS: slot * 900,
  meteredWh,
  tradedWh,
  priceMicrosPerKwh: 150_000,
  amountMicros: 0,
  feeMicros: 0,
  networkMicros: 0,
  reward: null,
  evidence: 7,
  wasCut: false,
  restMicros: 0,
  tariffMicros: 0,
  gainMicros: 0,
});

describe("day", () => {
  test("rejects: own use where no home tells it, and a split of what is not settled", () => {
    const homes = days.behindMeters([[{ slot: 101, generationWh: 900, loadWh: 200 }]]);
    const rows = days.householdRows(DAY, [line(100, -300, -100)], homes, 101);
    expect(rows[0]).toMatchObject({ state: "settled", ownWh: null, boughtWh: 100, fromGridWh: 200 });
    expect(rows[1]).toMatchObject({
      state: "open",
      ownWh: 200,
      openExportWh: 700,
      openImportWh: 0,
      soldWh: 0,
      toGridWh: 0,
    });
    expect(rows[2]).toMatchObject({ state: "none", ownWh: null });
  });

  test("rejects: a home's figures of a time that the market has passed by", () => {
    const homes = days.behindMeters([[{ slot: 101, generationWh: 900, loadWh: 200 }]]);
    expect(days.neighbourhoodRows(DAY, [], homes, 102)[1]).toMatchObject({ state: "none", ownWh: null });
  });

  test("behavior: own use is the smaller of both per home, not of the sums", () => {
    const sums = days.behindMeters([
      [{ slot: 100, generationWh: 900, loadWh: 200 }],
      [{ slot: 100, generationWh: 0, loadWh: 600 }],
    ]);
    expect(sums.get(100)).toEqual({ ownWh: 200, importWh: 600, exportWh: 700 });
  });

  test("invariant: what a household used and gave away adds up to what was generated and used", () => {
    const homes = days.behindMeters([[{ slot: 100, generationWh: 900, loadWh: 200 }]]);
    const [row] = days.householdRows(DAY, [line(100, 700, 450)], homes, 101);
    expect(row).toMatchObject({ ownWh: 200, soldWh: 450, toGridWh: 250, boughtWh: 0, fromGridWh: 0 });
    expect((row?.ownWh ?? 0) + (row?.soldWh ?? 0) + (row?.toGridWh ?? 0)).toBe(900);
  });

  test("invariant: the neighbourhood buys what it sells", () => {
    const slots = [cleared(101, { surplusWh: 700, needWh: 900, tradedWh: 680, priceMicrosPerKwh: 180_000 })];
    const rows = days.neighbourhoodRows(DAY, slots, new Map(), 102);
    expect(rows.map(({ state }) => state)).toEqual(["none", "settled", "none", "none"]);
    expect(rows[1]).toMatchObject({
      soldWh: 680,
      boughtWh: 680,
      toGridWh: 20,
      fromGridWh: 220,
      priceMicros: 180_000,
    });
    expect(days.totalsOf(rows)).toMatchObject({
      ownWh: null,
      soldWh: 680,
      fromGridWh: 220,
      settledSlots: 1,
      openSlots: 0,
    });
  });

  test("behavior: matchable is summed per slot and the mean price is by energy, rounded down below zero too", () => {
    const figures = days.figuresOf([
      cleared(100, { surplusWh: 10, needWh: 30, tradedWh: 10, priceMicrosPerKwh: -100 }),
      cleared(101, { surplusWh: 50, needWh: 20, tradedWh: 20, priceMicrosPerKwh: 1 }),
      cleared(102, { surplusWh: 0, needWh: 40 }),
    ]);
    expect(figures).toEqual({
      slots: 3,
      surplusWh: 60,
      needWh: 90,
      matchableWh: 30,
      tradedWh: 30,
      priceMicros: -33,
    });
    expect(days.figuresOf([]).priceMicros).toBeNull();
  });

  test("behavior: the day shown first holds the middle of the last settled window", () => {
    expect(days.latestSettledSlot(96, 96, 96)).toBeNull();
    expect(days.latestSettledSlot(192, 96, 96)).toBe(143);
    expect(days.latestSettledSlot(100, 96, 4)).toBe(97);
  });

  test("behavior: staircases hold each price up to its energy, and end where a side ends", () => {
    const stairs = stairsOf(
      { priceMicros: [300, 250], reach: [1000, 1500] },
      { priceMicros: [100, 200], reach: [700, 1000] },
    );
    expect(stairs).toEqual({
      reach: [0, 700, 1000, 1500],
      bids: [300, 300, 300, 250],
      asks: [100, 100, 200, null],
    });
  });
});

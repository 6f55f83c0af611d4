// Owns the checks of the estimate: it is the default order, the auction and the bill of the project, summed by month, and
// every tariff that it can read.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLimits } from "../../clients/household/default-orders.ts";
import { readOffer, readWholesale } from "../../clients/household/retail-offers.ts";
import { retailAt, type Tariff } from "../../clients/household/tariff.ts";
import { type EstimateTerms, estimate } from "../../clients/meter/estimate.ts";
import { fixedShare, measuredShare } from "../../clients/meter/market-share.ts";
import { parseClock } from "../../clients/meter/meter-clock.ts";
import type { HouseholdSlots } from "../../clients/meter/meter-slots.ts";
import { PolderClient } from "../../clients/sdk/client.ts";

const DATA = process.env.POLDER_DATA ?? join(import.meta.dirname, "../../../shared/data");
const OFFERS = join(DATA, "prices/au-tariffs/AllTariffs_Retail.json");
const AEMO = join(DATA, "prices/aemo/aemo_price_demand_202501_NSW.csv");
const slotOf = (iso: string) => Date.parse(iso) / 900_000;

const flat: Tariff = {
  name: "flat",
  currency: "EUR",
  feedInMicrosPerKwh: 80_000,
  retail: { kind: "flat", microsPerKwh: 300_000 },
};
const terms = (more: Partial<EstimateTerms> = {}): EstimateTerms => ({
  tariff: flat,
  counterpart: flat,
  networkFeeMicrosPerKwh: 20_000,
  takeRateBps: 100,
  clearingPriceK: 5_000,
  share: fixedShare(1),
  clock: parseClock("Europe/Amsterdam"),
  ...more,
});
const household = (first: string, ...netWh: number[]): HouseholdSlots => {
  const firstSlot = slotOf(first);
  return {
    meter: "1",
    slots: netWh.map((_, i) => firstSlot + i),
    read: (slot) => ({ netWh: netWh[slot - firstSlot] ?? 0, generationWh: null, loadWh: null }),
    losses: { coarseIntervals: 0, coarseMicroWh: 0, partSlots: 0, oversizedSlots: 0, leftAside: null },
  };
};

describe("estimate", () => {
  test("rejects: shares that are none, and terms beyond the market's", () => {
    for (const part of [-0.1, 1.1, Number.NaN]) expect(() => fixedShare(part)).toThrow(RangeError);
    expect(() => estimate(household("2024-01-01T00:00Z", 5), terms({ takeRateBps: 9_999 }))).toThrow(
      /take rate/,
    );
  });
  test("behavior: a kWh sold and a kWh bought, by hand", () => {
    // A quarter of the gap of 0.20 is 0.05. Ask: 0.13 / 0.99 rounded up; bid: 0.25 − 0.02; price: in the middle.
    const price = 131_314 + Math.floor((230_000 - 131_314) / 2);
    const { total } = estimate(household("2024-01-01T00:00Z", 1_000, -1_000), terms());
    const sale = price - Math.ceil(price / 100);
    expect(total).toEqual({
      month: "all",
      slots: 2,
      surplusWh: 1_000,
      needWh: 1_000,
      soldWh: 1_000,
      boughtWh: 1_000,
      tariffMicros: -80_000 + 300_000,
      marketMicros: -sale + price + 20_000,
      gainMicros: 220_000 - 20_000 - (price - sale),
    });
  });
  test("behavior: months are local, shares add up over time, and nothing trades where the tariff leaves no gap", () => {
    const result = estimate(household("2024-03-31T21:45Z", 3, 3, 3, -3), terms({ share: fixedShare(0.5) }));
    expect(
      result.months.map(({ month, slots, soldWh, boughtWh }) => [month, slots, soldWh, boughtWh]),
    ).toEqual([
      ["2024-03", 1, 1, 0],
      ["2024-04", 3, 3, 1],
    ]);
    const narrow: Tariff = { ...flat, retail: { kind: "flat", microsPerKwh: 100_000 } };
    expect(
      defaultLimits({
        retailMicrosPerKwh: 100_000,
        feedInMicrosPerKwh: 80_000,
        networkFeeMicrosPerKwh: 20_000,
        takeRateBps: 100,
      }),
    ).toBeNull();
    const none = estimate(
      household("2024-01-01T00:00Z", 100, -100, 0),
      terms({ tariff: narrow, counterpart: narrow }),
    );
    expect(none).toMatchObject({
      tradelessSlots: 2,
      total: { soldWh: 0, gainMicros: 0, tariffMicros: 2_000 },
    });
  });
  test("behavior: quarter-hours that a series has no price for are counted and in no figure", () => {
    const series: Tariff = {
      ...flat,
      retail: {
        kind: "series",
        startSlot: slotOf("2024-01-01T00:15Z"),
        slotsPerValue: 1,
        microsPerKwh: [300_000],
      },
    };
    const result = estimate(household("2024-01-01T00:00Z", 100, 100, 100), terms({ tariff: series }));
    expect(result).toMatchObject({ unpricedSlots: 2, total: { slots: 1, surplusWh: 100 } });
  });
  test("behavior: a region's share is what it traded of what was metered, hour by hour", async () => {
    const first = slotOf("2024-01-01T00:00Z");
    const slots = [
      { slot: first, surplusWh: 100, needWh: 50, tradedWh: 50 },
      { slot: first + 1, surplusWh: 100, needWh: 50, tradedWh: 0 },
      { slot: first + 4, surplusWh: 0, needWh: 80, tradedWh: 0 },
    ];
    const client = (cleared: object[]) =>
      new PolderClient("http://127.0.0.1:1", {
        fetch: (async (url: string) =>
          Response.json(
            url.includes("/market")
              ? { firstSlot: first, nextSlot: first + 8 }
              : { slots: cleared, next: null },
          )) as typeof fetch,
      });
    const share = await measuredShare(client(slots), "here");
    expect([
      share.ofSurplus(first + 3),
      share.ofNeed(first + 2),
      share.ofSurplus(first + 5),
      share.ofNeed(first + 90),
    ]).toEqual([0.25, 0.5, 0, 0]);
    expect(share.description).toContain("last 3 cleared");
    await expect(measuredShare(client([]), "here")).rejects.toThrow(/cleared no slot yet/);
  });
});

describe("tariffs of others", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "polder-offers-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const span = { fromSlot: slotOf("2024-03-02T00:00+11:00"), untilSlot: slotOf("2024-03-05T00:00+11:00") };
  const price = (Value: number) => ({ Value, Unit: "$/kWh" });
  const always = { Month: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], Weekday: true, Weekend: true };
  const tou = {
    Peak: { ...price(0.5), ...always, Weekend: false, TimeIntervals: { T1: ["16:00", "20:00"] } },
    Night: { ...price(0.2), ...always, TimeIntervals: { T1: ["22:00", "07:00"] } },
    Day: { ...price(0.3), ...always, TimeIntervals: { T1: ["07:00", "22:00"] } },
  };
  const offer = (name: string, parameters: object) => ({
    "Tariff ID": name,
    Name: name,
    State: "NSW",
    Parameters: parameters,
  });
  const list = (...offers: object[]) => write("offers.json", JSON.stringify([{ Tariffs: offers }]));

  test("rejects: files, names and offers that cannot be, by name", () => {
    expect(() => readOffer(join(folder, "none.json"), "a", span)).toThrow(/none\.json: cannot be read/);
    expect(() => readOffer(write("x.json", "{}"), "a", span)).toThrow("x.json: is no list of tariffs");
    const path = list(
      offer("twice", {}),
      offer("twice", {}),
      offer("empty", {}),
      offer("dear", { FlatRate: price(11) }),
      offer("changing", { FlatRate: price(0.3), FiT_TOU: {} }),
      offer("holes", { TOU: { Peak: tou.Peak } }),
    );
    expect(() => readOffer(path, "gone", span)).toThrow("offers.json: has 0 tariffs called gone, not one");
    expect(() => readOffer(path, "twice", span)).toThrow("has 2 tariffs called twice");
    expect(() => readOffer(path, "empty", span)).toThrow("empty: has no price of energy");
    expect(() => readOffer(path, "dear", span)).toThrow(/dear: .*Too big/s);
    expect(() => readOffer(path, "changing", span)).toThrow("changing: its feed-in changes over the day");
    expect(() => readOffer(path, "holes", span)).toThrow("holes: has no price for some hours of the span");
    const bad = write("p.csv", "SETTLEMENTDATE,RRP\n2025/13/01 00:05:00,1\n");
    expect(() => readWholesale(bad, { adderMicrosPerKwh: 0, feedInMicrosPerKwh: 0 })).toThrow(
      /p\.csv, line 2, column SETTLEMENTDATE/,
    );
  });
  test("behavior: flat, by blocks, and by times of use on weekdays and weekends", () => {
    const path = list(
      offer("flat", { FlatRate: price(0.24097499999999997), FiT: price(0.1) }),
      offer("blocks", { BlockDaily: { First: price(0.32), Second: price(0.3) } }),
      offer("times", { TOU: tou }),
    );
    expect(readOffer(path, "flat", span).tariff).toEqual({
      name: "flat",
      currency: "AUD",
      feedInMicrosPerKwh: 100_000,
      retail: { kind: "flat", microsPerKwh: 240_975 },
    });
    const blocks = readOffer(path, "blocks", span);
    expect(blocks.tariff.retail).toEqual({ kind: "flat", microsPerKwh: 320_000 });
    expect(blocks.assumptions.join()).toMatch(/export earns nothing.*first block's price/);
    const { tariff } = readOffer(path, "times", span);
    const at = (iso: string) => retailAt(tariff, slotOf(iso));
    // 2 March 2024 is a Saturday.
    expect([
      at("2024-03-02T17:00+11:00"),
      at("2024-03-04T17:00+11:00"),
      at("2024-03-04T06:45+11:00"),
    ]).toEqual([300_000, 500_000, 200_000]);
    expect(() => at("2024-03-05T00:00+11:00")).toThrow(/has no price/);
  });
  test("behavior: wholesale prices are means of three, by their end, plus what is added", () => {
    const rows = ["00:05", "00:10", "00:15", "00:20", "00:30", "00:35", "00:40", "00:45"].map(
      (time, i) => `2025/01/01 ${time}:00,${i < 5 ? 100 + i : 17_500}`,
    );
    const path = write("p.csv", ["SETTLEMENTDATE,RRP", ...rows].join("\n"));
    const { tariff, assumptions } = readWholesale(path, {
      adderMicrosPerKwh: 50_000,
      feedInMicrosPerKwh: 40_000,
    });
    const first = slotOf("2025-01-01T00:00+10:00");
    expect(retailAt(tariff, first)).toBe(151_000);
    // Two prices of three are none, and 17.5 a kWh is beyond the market.
    for (const slot of [first - 1, first + 1, first + 2])
      expect(() => retailAt(tariff, slot)).toThrow(/has no price/);
    expect(assumptions.join()).toContain("1 quarter-hours cost more");
  });
  test.skipIf(!existsSync(OFFERS))(
    "behavior: all but one offer of a real list are priced for a year (skipped without prices/au-tariffs)",
    async () => {
      const { default: content } = await import(OFFERS, { with: { type: "json" } });
      const year = { fromSlot: slotOf("2023-07-01T00:00Z"), untilSlot: slotOf("2024-07-01T00:00Z") };
      const refused: string[] = [];
      for (const { "Tariff ID": id } of content[0].Tariffs) {
        try {
          const { tariff } = readOffer(OFFERS, id, year);
          expect(retailAt(tariff, year.untilSlot - 1)).toBeGreaterThan(100_000);
        } catch (error) {
          refused.push((error as Error).message);
        }
      }
      expect(refused).toEqual([expect.stringContaining("its feed-in changes over the day")]);
    },
  );
  test.skipIf(!existsSync(AEMO))("behavior: a real month of prices (skipped without prices/aemo)", () => {
    const { tariff } = readWholesale(AEMO, { adderMicrosPerKwh: 0, feedInMicrosPerKwh: 0 });
    expect(retailAt(tariff, slotOf("2025-01-01T00:00+10:00"))).toBeGreaterThan(0);
    expect(() => retailAt(tariff, slotOf("2025-03-01T00:00+10:00"))).toThrow(/has no price/);
  });
});

// Owns the checks of the comparison of claims with readings: honest claims are never in excess, injected ones are found to
// the µWh, and of coarse readings exactly what no honest day explains. It refuses rounding that leans to a side.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Claim, compare } from "../../clients/reconcile/comparison.ts";
import { fairShare } from "../../clients/reconcile/fair-share.ts";
import type { UtilityCell } from "../../clients/reconcile/utility-readings.ts";

const MICRO = 1_000_000;
const PRICE = 120_000;

/** A claim that was traded whole at one price, or a part of it. */
const claim = (slot: number, meteredWh: number, tradedWh = meteredWh): Claim => ({
  slot,
  meteredWh,
  tradedWh,
  priceMicrosPerKwh: PRICE,
  amountMicros: (tradedWh * PRICE) / 1_000,
});

/** A cell as a meter with two registers tells it, Wh. */
function twoWay(fromSlot: number, slots: number, exportWh: number, importWh: number): UtilityCell {
  const netMicroWh = (exportWh - importWh) * MICRO;
  const [out, into] =
    slots === 1 ? [Math.max(0, netMicroWh), Math.max(0, -netMicroWh)] : [exportWh * MICRO, importWh * MICRO];
  const reading = { exportMicroWh: out, importMicroWh: into, netMicroWh, isMeasured: true };
  return { fromSlot, untilSlot: fromSlot + slots, reading, fault: null };
}

/** A cell as a meter with one net register tells it, Wh. */
function oneNet(fromSlot: number, slots: number, netWh: number): UtilityCell {
  if (slots === 1) return twoWay(fromSlot, 1, Math.max(0, netWh), Math.max(0, -netWh));
  const reading = {
    exportMicroWh: null,
    importMicroWh: null,
    netMicroWh: netWh * MICRO,
    isMeasured: true,
  };
  return { fromSlot, untilSlot: fromSlot + slots, reading, fault: null };
}

const untold = (fromSlot: number, slots: number, fault = "no file tells of it"): UtilityCell => ({
  fromSlot,
  untilSlot: fromSlot + slots,
  reading: null,
  fault,
});

describe("a claim", () => {
  test("rejects: a sale above the export, a purchase above the import, and either the wrong way", () => {
    const cells = [twoWay(0, 1, 400, 0), twoWay(1, 1, 0, 300), twoWay(2, 1, 0, 200), twoWay(3, 1, 500, 90)];
    const claims = [claim(0, 500), claim(1, -350), claim(2, 100), claim(3, -10)];
    const { excesses, sale, purchase } = compare(claims, cells, 2);
    expect(excesses).toMatchObject([
      { fromSlot: 0, direction: "sale", claimedWh: 500, readMicroWh: 400e6, excessMicroWh: 100e6 },
      { fromSlot: 1, direction: "purchase", claimedWh: 350, readMicroWh: 300e6, excessMicroWh: 50e6 },
      { fromSlot: 2, direction: "sale", readMicroWh: 0, oppositeMicroWh: 200e6, excessMicroWh: 100e6 },
      { fromSlot: 3, direction: "purchase", readMicroWh: 0, oppositeMicroWh: 410e6, excessMicroWh: 10e6 },
    ]);
    expect(excesses.map(({ amountMicros }) => amountMicros)).toEqual([12_000, -6_000, 12_000, -1_200]);
    expect(sale).toMatchObject({
      claimedWh: 600,
      reconciledWh: 600,
      readMicroWh: 810e6,
      excessMicroWh: 200e6,
    });
    expect(purchase).toMatchObject({ claimedWh: 360, excessMicroWh: 60e6, amountMicros: -7_200 });
  });
  test("rejects: to call in excess what the tolerance covers, and to take it off what is beyond", () => {
    const cells = [twoWay(0, 1, 400, 0), twoWay(1, 1, 400, 0)];
    const { excesses } = compare([claim(0, 402), claim(1, 403)], cells, 2);
    expect(excesses).toMatchObject([{ fromSlot: 1, excessMicroWh: 3e6 }]);
    expect(compare([claim(0, 401)], cells, 0).excesses).toMatchObject([{ excessMicroWh: 1e6 }]);
  });
  test("rejects: to judge what no file tells; it is named, neighbours of one reason together", () => {
    const cells = [untold(0, 1), untold(1, 1), untold(2, 1), untold(3, 1, "another"), twoWay(4, 1, 9, 0)];
    const { unreconciled, excesses, sale, purchase } = compare(
      [claim(0, 100), claim(1, -40), claim(3, 7), claim(4, 9)],
      cells,
      0,
    );
    expect(excesses).toEqual([]);
    expect(unreconciled).toEqual([
      { fromSlot: 0, untilSlot: 2, slots: 2, soldWh: 100, boughtWh: 40, reason: "no file tells of it" },
      { fromSlot: 3, untilSlot: 4, slots: 1, soldWh: 7, boughtWh: 0, reason: "another" },
    ]);
    expect([sale.claimedWh, sale.reconciledWh, purchase.claimedWh, purchase.reconciledWh]).toEqual([
      116, 9, 40, 0,
    ]);
  });
  test("behavior: less than was read, or nothing, is fine; what is not claimed is only counted", () => {
    const cells = [twoWay(0, 1, 437, 0), twoWay(1, 1, 437, 0), twoWay(2, 1, 0, 60)];
    const found = compare([claim(0, 400), claim(2, 0)], cells, 0);
    expect(found.excesses).toEqual([]);
    expect(found.unreconciled).toEqual([]);
    expect(found.unclaimed).toEqual({ slots: 2, exportMicroWh: 437e6, importMicroWh: 60e6 });
  });
  test("behavior: money is that of the part that was traded beyond what was read", () => {
    const cells = [twoWay(0, 1, 400, 0), twoWay(1, 1, 400, 0), twoWay(2, 1, 400, 0)];
    const { excesses } = compare([claim(0, 500, 300), claim(1, 500, 450), claim(2, 500, 0)], cells, 0);
    expect(excesses.map(({ paidMicroWh, amountMicros }) => [paidMicroWh, amountMicros])).toEqual([
      [0, 0],
      [50e6, 6_000],
      [0, 0],
    ]);
  });
  test("behavior: what the utility estimated is said to be no measurement", () => {
    const cell = twoWay(0, 1, 400, 0);
    const guessed = { ...cell, reading: { ...cell.reading, isMeasured: false } } as UtilityCell;
    expect(compare([claim(0, 500)], [guessed], 0).excesses).toMatchObject([{ isMeasured: false }]);
  });
});

describe("a coarse reading", () => {
  test("rejects: claims of an hour above its reading, at the hour and not by the quarter", () => {
    const claims = [claim(0, 300), claim(1, 300), claim(2, 0), claim(3, -100)];
    expect(compare(claims, [twoWay(0, 4, 600, 100)], 0).excesses).toEqual([]);
    expect(compare(claims, [twoWay(0, 4, 550, 90)], 0).excesses).toMatchObject([
      {
        fromSlot: 0,
        untilSlot: 4,
        direction: "sale",
        claimedWh: 600,
        excessMicroWh: 50e6,
        amountMicros: 6_000,
      },
      { fromSlot: 0, untilSlot: 4, direction: "purchase", claimedWh: 100, excessMicroWh: 10e6 },
    ]);
  });
  test("rejects: claims of every slot one way above the net, because none of them went the other way", () => {
    const claims = [0, 1, 2, 3].map((slot) => claim(slot, 150));
    expect(compare(claims, [twoWay(0, 4, 600, 100)], 0).excesses).toMatchObject([
      { readMicroWh: 500e6, excessMicroWh: 100e6 },
    ]);
    expect(compare(claims, [oneNet(0, 4, 590)], 0).excesses).toMatchObject([{ excessMicroWh: 10e6 }]);
    expect(compare(claims, [oneNet(0, 4, -590)], 0).excesses).toMatchObject([
      { excessMicroWh: 600e6, oppositeMicroWh: 590e6 },
    ]);
  });
  test("rejects: to judge by the net of several slots that are not all claimed one way", () => {
    const claims = [claim(0, 300), claim(1, 300), claim(2, 300)];
    const { excesses, unreconciled } = compare(claims, [oneNet(0, 4, 100)], 0);
    expect(excesses).toEqual([]);
    expect(unreconciled).toMatchObject([
      { slots: 3, soldWh: 900, reason: expect.stringMatching(/^only the net/) },
    ]);
  });
  test("behavior: the tolerance is that of each claimed slot, and a price is named where there is one", () => {
    const claims = [claim(0, 300), { ...claim(1, 302), priceMicrosPerKwh: 1 }];
    expect(compare(claims, [twoWay(0, 4, 600, 0)], 1).excesses).toEqual([]);
    expect(compare(claims, [twoWay(0, 4, 600, 0)], 0).excesses).toMatchObject([{ priceMicrosPerKwh: null }]);
    expect(compare([claim(0, 700)], [twoWay(0, 4, 600, 0)], 0).excesses).toMatchObject([
      { priceMicrosPerKwh: PRICE },
    ]);
  });
});

describe("over random days", () => {
  const flow = fc.record({
    outWh: fc.integer({ min: 0, max: 900 }),
    intoWh: fc.integer({ min: 0, max: 900 }),
  });
  const slotsACell = fc.constantFrom(1, 2, 4, 8);
  /** Quarter-hours as they were, and the part of each that is claimed. */
  const day = fc.array(fc.tuple(flow, fc.double({ min: 0, max: 1, noNaN: true })), {
    minLength: 8,
    maxLength: 32,
  });
  type Day = readonly (readonly [{ readonly outWh: number; readonly intoWh: number }, number])[];
  const whole = (slots: Day) => slots.slice(0, slots.length - (slots.length % 8));
  const netOf = ([{ outWh, intoWh }]: Day[number]) => outWh - intoWh;
  const claimsOf = (slots: Day) =>
    slots.map((slot, index) => claim(index, Math.trunc(netOf(slot) * slot[1])));
  const cellsOf = (slots: Day, width: number, isNet: boolean) =>
    Array.from({ length: slots.length / width }, (_, index) => {
      const own = slots.slice(index * width, (index + 1) * width);
      const sum = (pick: (slot: Day[number]) => number) => own.reduce((total, slot) => total + pick(slot), 0);
      return isNet
        ? oneNet(index * width, width, sum(netOf))
        : twoWay(
            index * width,
            width,
            sum(([{ outWh }]) => outWh),
            sum(([{ intoWh }]) => intoWh),
          );
    });

  test("property: who claims at most what was metered is never in excess, however coarse the file is", () => {
    fc.assert(
      fc.property(day, slotsACell, fc.boolean(), (drawn, width, isNet) => {
        const slots = whole(drawn);
        const cells = cellsOf(slots, width, isNet);
        const found = compare(claimsOf(slots), cells, 0);
        expect(found.excesses).toEqual([]);
        const missed = found.unreconciled.reduce((sum, { soldWh, boughtWh }) => sum + soldWh + boughtWh, 0);
        const claimedWh = found.sale.claimedWh + found.purchase.claimedWh;
        expect(found.sale.reconciledWh + found.purchase.reconciledWh + missed).toBe(claimedWh);
        if (!isNet || width === 1) expect(missed).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
  test("property: of quarter-hours, exactly what was injected is found, and to the Wh", () => {
    const injections = fc.dictionary(
      fc.integer({ min: 0, max: 31 }).map(String),
      fc.integer({ min: 3, max: 500 }),
    );
    fc.assert(
      fc.property(day, injections, (slots, injected) => {
        const claims = slots.map((slot, index) => {
          const net = netOf(slot);
          const more = injected[index] ?? 0;
          return claim(index, more === 0 ? Math.trunc(net * slot[1]) : net < 0 ? net - more : net + more);
        });
        const found = compare(claims, cellsOf(slots, 1, false), 2).excesses;
        const expected = Object.entries(injected).filter(([slot]) => Number(slot) < slots.length);
        expect(found.map(({ fromSlot, excessMicroWh }) => [fromSlot, excessMicroWh])).toEqual(
          expected.map(([slot, more]) => [Number(slot), more * MICRO]).sort(([a = 0], [b = 0]) => a - b),
        );
      }),
      { numRuns: 300 },
    );
  });
  test("property: a coarse cell is in excess exactly where no quarter-hours explain it", () => {
    const small = fc.integer({ min: 0, max: 3 });
    const claimed = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(claimed, small, small, (netWh, outWh, intoWh) => {
        const claims = netWh.map((wh, slot) => claim(slot, wh));
        const found = compare(claims, [twoWay(0, netWh.length, outWh, intoWh)], 0);
        expect(found.unreconciled).toEqual([]);
        expect(found.excesses.length === 0).toBe(isExplained(netWh, outWh, intoWh));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Whether some quarter-hours with these registers would allow the claims: all of them are tried. */
function isExplained(claimedWh: readonly number[], outWh: number, intoWh: number): boolean {
  const [first, ...rest] = claimedWh;
  if (first === undefined) return outWh === 0 && intoWh === 0;
  for (let out = 0; out <= outWh; out += 1) {
    for (let into = 0; into <= intoWh; into += 1) {
      const net = out - into;
      const isAllowed = first > 0 ? net >= first : first < 0 ? net <= first : true;
      if (isAllowed && isExplained(rest, outWh - out, intoWh - into)) return true;
    }
  }
  return false;
}

describe("a share of money", () => {
  test("rejects: parts that are none", () => {
    for (const [part, whole] of [
      [2, 1],
      [-1, 1],
      [0, 0],
      [Number.NaN, 1],
    ] as const)
      expect(() => fairShare(10, part, whole)).toThrow(RangeError);
  });
  test("behavior: to the nearest micro, halves to the even one, alike for what was paid and received", () => {
    expect([1, 3, 5].map((amount) => fairShare(amount, 1, 2))).toEqual([0, 2, 2]);
    expect([-1, -3, -5].map((amount) => fairShare(amount, 1, 2))).toEqual([0, -2, -2]);
    expect([fairShare(10, 1, 3), fairShare(20, 1, 3), fairShare(7, 5, 5)]).toEqual([3, 7, 7]);
  });
  test("property: off by at most half a micro, also where the product passes 2⁵³", () => {
    const big = fc.integer({ min: 1, max: 10 ** 12 });
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 10), max: 10 ** 10 }), big, big, (amount, a, b) => {
        const [part, whole] = [Math.min(a, b), Math.max(a, b)];
        const rest = BigInt(fairShare(amount, part, whole)) * BigInt(whole) - BigInt(amount) * BigInt(part);
        expect((rest < 0n ? -rest : rest) * 2n <= BigInt(whole)).toBe(true);
      }),
    );
  });
});

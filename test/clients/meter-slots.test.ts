// Owns what a live meter's readings may become in slots: whole Wh without loss, and nothing for a slot whose boundary
// nobody saw. It refuses energy that is squeezed into the slot after a gap.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BoundaryStore,
  fileBoundaries,
  volatileBoundaries,
} from "../../clients/meter/slot-boundaries.ts";
import { SlotRegisters } from "../../clients/meter/slot-registers.ts";
import { SLOT_SECONDS, slotStartS } from "../../protocol/units.ts";

const FIRST = 2_000_000;
const WH = 1_000_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-meter-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function meterOf(boundaries: BoundaryStore = volatileBoundaries()) {
  const reports: string[] = [];
  const slots = new SlotRegisters({ boundaries, report: (message) => reports.push(message) });
  /** A reading some seconds after the first slot began. */
  const at = (seconds: number, importWh: number, exportWh = 0, meter: string | null = "M1"): void =>
    slots.add({
      atS: slotStartS(FIRST) + seconds,
      importMicroWh: Math.round(importWh * WH),
      exportMicroWh: Math.round(exportWh * WH),
      meter,
    });
  const netWh = (...offsets: number[]) => offsets.map((offset) => slots.read(FIRST + offset)?.netWh ?? null);
  return { slots, reports, at, netWh };
}

describe("readings of a live meter", () => {
  test("rejects: registers and times that are no safe integers from 0 on; nothing has changed then", () => {
    const { slots, at, netWh } = meterOf();
    at(0, 100);
    const good = { atS: slotStartS(FIRST) + 9, importMicroWh: 1, exportMicroWh: 1, meter: null };
    for (const bad of [{ importMicroWh: -1 }, { exportMicroWh: 0.5 }, { atS: Number.NaN }])
      expect(() => slots.add({ ...good, ...bad })).toThrow(RangeError);
    at(900, 150);
    expect(netWh(0)).toEqual([-50]);
  });

  test("behavior: import and export are netted within a slot; before its end a slot is unknown", () => {
    const { slots, at, netWh, reports } = meterOf();
    at(3, 1_000, 500);
    at(450, 1_030, 700);
    expect(netWh(-1, 0)).toEqual([null, null]);
    expect(slots.knownUntilSlot()).toBe(FIRST);
    at(905, 1_050, 800);
    expect(netWh(-1, 0, 1)).toEqual([null, 250, null]);
    expect(slots.knownUntilSlot()).toBe(FIRST + 1);
    expect(slots.registersAt(FIRST + 1)).toMatchObject({
      importMicroWh: 1_050 * WH,
      exportMicroWh: 800 * WH,
    });
    expect(reports).toEqual([]);
  });

  test("behavior: a gap over a boundary leaves both slots unknown and names the energy; one within a slot loses nothing", () => {
    const { at, netWh, reports } = meterOf();
    at(0, 0);
    at(900, 100);
    at(1_750, 180);
    at(1_840, 190);
    at(2_700, 300);
    at(3_605, 420);
    expect(netWh(0, 1, 2, 3)).toEqual([-100, null, null, -120]);
    expect(reports).toEqual([
      "no boundary was seen over 2 slots before 2027-01-15T08:45:00.000Z: 200 Wh of import and 0 Wh of export are left out",
    ]);
    at(3_700, 430);
    at(4_450, 500);
    at(4_500, 510);
    expect(netWh(4)).toEqual([-90]);
  });

  test("behavior: a register that falls is named and counted anew; a single stray state is not", () => {
    const { at, netWh, reports } = meterOf();
    at(0, 90_000);
    at(450, 0);
    at(451, 90_010);
    at(900, 90_020);
    expect(netWh(0)).toEqual([-20]);
    at(1_200, 5);
    at(1_201, 6);
    at(1_800, 50);
    at(2_700, 90);
    expect(netWh(1, 2)).toEqual([null, -40]);
    expect(reports.map((message) => message.replace(/of \S+Z/, "of …"))).toEqual([
      "import: the register's reading of … is a single state that the readings around it contradict",
      "import: the register's reading of … began anew near zero; the time across is left out",
    ]);
  });

  test("behavior: another meter, and a clock set back by days, are counted from their first reading on", () => {
    const { at, netWh, reports } = meterOf();
    at(0, 100);
    at(900, 130, 0, "M2");
    at(1_800, 150, 0, "M2");
    expect(netWh(0, 1)).toEqual([null, -20]);
    at(-200_000 * 3, 160, 0, "M2");
    at(1_801, 170, 0, "M2");
    expect(reports).toEqual([
      "another meter speaks; it is counted from its first reading on",
      "the meter's clock was set back by more than a day",
    ]);
  });

  test("behavior: more than a home's connection carries in a slot is left out and named", () => {
    const { at, netWh, reports } = meterOf();
    at(0, 0);
    at(900, 15_001);
    at(1_800, 15_020);
    expect(netWh(0, 1)).toEqual([null, -19]);
    expect(reports).toEqual([
      "more than the connection carries in the slot before 2027-01-15T08:15:00.000Z: 15001 Wh of import and 0 Wh of export are left out",
    ]);
  });

  test("behavior: what is wrong in every telegram is told once a slot", () => {
    const { at, reports } = meterOf();
    at(100, 50);
    for (let seconds = 10; seconds < 90; seconds += 10) at(seconds, 50);
    expect(reports, "once for each register").toHaveLength(2);
  });

  test("property: with every boundary seen, slots add up to the registers' difference, in whole Wh, without loss", () => {
    const step = fc.tuple(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 11_600 * WH }),
      fc.integer({ min: 0, max: 11_600 * WH }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 40 }), (steps) => {
        const { slots, reports } = meterOf();
        let [importMicroWh, exportMicroWh] = [7, 11];
        const first = { importMicroWh, exportMicroWh };
        steps.forEach(([late, imported, exported], index) => {
          importMicroWh += index === 0 ? 0 : imported;
          exportMicroWh += index === 0 ? 0 : exported;
          const atS = slotStartS(FIRST + index) + late;
          slots.add({ atS, importMicroWh, exportMicroWh, meter: null });
        });
        let sum = 0;
        for (let slot = FIRST; slot < FIRST + steps.length - 1; slot += 1)
          sum += slots.read(slot)?.netWh ?? Number.NaN;
        const whole = (microWh: number, from: number) => Math.floor(microWh / WH) - Math.floor(from / WH);
        expect(sum).toBe(
          whole(exportMicroWh, first.exportMicroWh) - whole(importMicroWh, first.importMicroWh),
        );
        expect(reports).toEqual([]);
      }),
    );
  });

  test("property: whatever comes, a slot is a whole number within what a home's connection carries, or unknown", () => {
    const reading = fc.record({
      atS: fc.integer({ min: slotStartS(FIRST), max: slotStartS(FIRST + 6) }),
      importMicroWh: fc.nat(10 ** 12),
      exportMicroWh: fc.oneof(fc.nat(10 ** 12), fc.nat(20)),
      meter: fc.constantFrom(null, "M1", "M1", "M2"),
    });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 60 }), fc.boolean(), (readings, isSorted) => {
        const { slots } = meterOf();
        if (isSorted) readings.sort((a, b) => a.atS - b.atS);
        for (const one of readings) slots.add(one);
        for (let slot = FIRST - 1; slot <= FIRST + 6; slot += 1) {
          const netWh = slots.read(slot)?.netWh ?? 0;
          expect(Number.isSafeInteger(netWh)).toBe(true);
          expect(Math.abs(netWh)).toBeLessThanOrEqual((60_000 * (SLOT_SECONDS + 30)) / 3600 + 1);
        }
      }),
    );
  });
});

describe("boundaries in a file", () => {
  test("rejects: a line that is no boundary", () => {
    const file = join(folder, "broken");
    appendFileSync(file, '{"slot":1,"atS":900,"importMicroWh":-5,"exportMicroWh":0,"run":0,"meter":null}\n');
    expect(() => fileBoundaries(file)).toThrow("importMicroWh");
  });

  test("behavior: slots measured before a restart still count, and a fall during it is noticed", () => {
    const file = join(folder, "restart");
    const before = meterOf(fileBoundaries(file));
    before.at(0, 9_000);
    before.at(900, 9_100);
    before.at(1_800, 9_250);
    // The kill came while a line was written.
    appendFileSync(file, '{"slot":20000');
    const after = meterOf(fileBoundaries(file));
    expect(after.netWh(0, 1)).toEqual([-100, -150]);
    after.at(2_701, 9_300);
    expect(after.netWh(2), "over the restart").toEqual([-50]);
    const again = meterOf(fileBoundaries(file));
    again.at(3_599, 3);
    again.at(3_601, 4);
    again.at(4_500, 64);
    expect(again.netWh(2, 3, 4)).toEqual([-50, null, -60]);
    expect(again.reports[0]).toContain("began anew near zero");
    const other = meterOf(fileBoundaries(file));
    other.at(5_400, 70, 0, "M2");
    expect(other.reports[0], "the meter was exchanged").toContain("another meter");
    expect(readFileSync(file, "utf8"), "a meter's number is nobody's business").not.toContain("M1");
  });

  test("invariant: the file is bounded, and what is kept survives its rewriting", () => {
    const file = join(folder, "bounded");
    const store = fileBoundaries(file);
    const boundary = (slot: number) => ({
      slot,
      atS: slotStartS(slot),
      importMicroWh: slot,
      exportMicroWh: 0,
      run: 0,
      meter: null,
    });
    for (let slot = 1; slot <= 1_600; slot += 1) store.add(boundary(slot));
    const lines = readFileSync(file, "utf8").split("\n").length - 1;
    expect(lines).toBeLessThanOrEqual(2 * 768);
    expect(existsSync(`${file}.new`)).toBe(false);
    for (const kept of [store, fileBoundaries(file)]) {
      expect(kept.newest()).toEqual(boundary(1_600));
      expect(kept.at(1_600 - 767)).toEqual(boundary(1_600 - 767));
      expect(kept.at(1_600 - 768)).toBeUndefined();
    }
  });
});

// Owns what a file of recorded telegrams becomes: the differences of its registers, and a note for everything else. It
// refuses an interval from a single telegram.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Batch, ChannelBook, type Interval, type Note } from "../../clients/meter/interval.ts";
import type { Member } from "../../clients/meter/meter-file.ts";
import { p1Intervals } from "../../clients/meter/p1-recording.ts";
import { MeterReading } from "../../clients/meter/read-meter.ts";
import { sealed, written } from "../support/p1-telegrams.ts";

const AT_S = Date.UTC(2026, 6, 3, 10, 0, 0) / 1000;
const METER = "4E4F424F44592753";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-recorded-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const member = (text: string, length = 1_000): Member => ({
  name: "telegrams.txt",
  async *open() {
    const bytes = Buffer.from(text, "latin1");
    for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length);
  },
});

async function all(batches: AsyncIterable<Batch>): Promise<{ intervals: Interval[]; notes: Note[] }> {
  const result = { intervals: [] as Interval[], notes: [] as Note[] };
  for await (const { intervals, notes } of batches) {
    result.intervals.push(...intervals);
    result.notes.push(...notes);
  }
  return result;
}

const read = (text: string, length?: number) => all(p1Intervals(member(text, length), new ChannelBook()));
const at = (seconds: number, importWh: number, exportWh = 0, meter = METER): string =>
  written({ atS: AT_S + seconds, importWh, exportWh, meter });
const shown = ({ flow, startS, durationS, microWh }: Interval) => [
  flow,
  startS - AT_S,
  durationS,
  microWh / 1e6,
];

describe("recorded telegrams", () => {
  test("rejects: a file without a telegram of an electricity meter", async () => {
    const heat = sealed(["/NOB-WARMTH", "", "1-3:0.2.8(50)", "0-1:24.2.1(260215200523W)(240.860*GJ)"]);
    for (const text of ["", "/", at(0, 5).slice(50), at(0, 5).replace(/!..../, "!0000"), heat])
      await expect(read(text)).rejects.toThrow(
        "telegrams.txt: has no whole P1 telegram of an electricity meter",
      );
  });

  test("behavior: what flowed between two telegrams, each way; a meter's number is not told", async () => {
    const { intervals, notes } = await read(at(0, 1_000, 50) + at(10, 1_003, 50) + at(7_200, 2_000, 70));
    expect(intervals.map(shown)).toEqual([
      ["import", 0, 10, 3],
      ["export", 0, 10, 0],
      ["import", 10, 7_190, 997],
      ["export", 10, 7_190, 20],
    ]);
    expect(notes).toEqual([]);
    expect(JSON.stringify(intervals)).not.toContain(METER);
    expect(intervals.map(({ line }) => line)).toEqual([19, 19, 37, 37]);
  });

  test("behavior: one telegram tells its registers and no interval, and says so", async () => {
    const { intervals, notes } = await read(at(0, 1_234, 50));
    expect(intervals).toEqual([]);
    expect(notes).toEqual([
      {
        isLoss: false,
        file: "telegrams.txt",
        line: 0,
        field: "telegram",
        reason: "tells its registers (1.234 kWh import, 0.05 kWh export), and without another no interval",
      },
    ]);
  });

  test("behavior: what is cut off, damaged, without a stamp, or of a register that fell is noted by its line", async () => {
    const old = "/OLD5\\X\r\n\r\n1-0:1.8.1(00001.000*kWh)\r\n!\r\n";
    const { intervals, notes } = await read(
      [
        at(0, 9_000).slice(100),
        at(0, 9_000),
        at(10, 9_001).replace("000009.001", "000009.901"),
        at(20, 9_010).slice(0, 90),
        old,
        at(30, 9_020),
        at(40, 3),
        at(50, 4),
        at(50, 4),
      ].join(""),
    );
    expect(intervals.map(shown)).toEqual([
      ["import", 0, 30, 20],
      ["export", 0, 30, 0],
      ["export", 30, 10, 0],
      ["import", 40, 10, 1],
      ["export", 40, 10, 0],
    ]);
    expect(
      notes.map(({ isLoss, field, reason }) => `${isLoss ? "loss" : "note"}: ${field} ${reason}`),
    ).toEqual([
      "loss: telegram was dropped: its checksum is wrong",
      "loss: telegram has no stamp, so nobody knows when it was sent",
      "loss: register 1-0:1.8 began anew near zero; the time across is left out",
      "note: register 1-0:1.8 stands twice",
      "note: register 1-0:2.8 stands twice",
      "loss: telegram is cut off",
    ]);
    expect(notes[0]?.line).toBeGreaterThan(19);
  });

  test("behavior: a file is known by its content, also from the middle of a telegram on, and two meters are two", async () => {
    const file = join(folder, "serial.log");
    writeFileSync(
      file,
      at(0, 1).slice(200) +
        at(10, 100) +
        at(10, 7, 0, "4F54484552") +
        at(20, 101) +
        at(20, 9, 0, "4F54484552"),
    );
    const { intervals } = await all(new MeterReading().read([file]));
    const sums = new Map<string, number>();
    for (const { channel, microWh } of intervals)
      sums.set(channel.meter, (sums.get(channel.meter) ?? 0) + microWh / 1e6);
    expect([...sums.values()]).toEqual([1, 2]);
  });

  test("property: telegrams of a register that never falls add up to its difference, in any chunks", async () => {
    const rises = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.nat(400), fc.nat(400)), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(rises, fc.integer({ min: 1, max: 5_000 }), async (steps, length) => {
        let [seconds, importWh, exportWh] = [0, 0, 0];
        let text = at(0, 0, 0);
        for (const [after, imported, exported] of steps) {
          [seconds, importWh, exportWh] = [seconds + after, importWh + imported, exportWh + exported];
          text += at(seconds, importWh, exportWh);
        }
        const { intervals, notes } = await read(text, length);
        const sum = (flow: string) =>
          intervals.filter((one) => one.flow === flow).reduce((total, { microWh }) => total + microWh, 0);
        expect([sum("import"), sum("export"), notes]).toEqual([importWh * 1e6, exportWh * 1e6, []]);
      }),
      { numRuns: 40 },
    );
  });
});

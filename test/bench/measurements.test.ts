// Owns a light check that the measurements measure: small sizes, every row whole. It refuses to judge a figure.

import { describe, expect, test } from "vitest";
import { parseReply } from "../../bench/http-connection.ts";
import { hottest } from "../../bench/inspector.ts";
import { median, percentile } from "../../bench/median.ts";
import { compared, limited, type Row, tableOf } from "../../bench/row.ts";
import { measureDurable } from "../../bench/rows/durable.ts";
import { measureFeed } from "../../bench/rows/feed.ts";
import { measureMemory } from "../../bench/rows/memory.ts";
import { measureMetering } from "../../bench/rows/metering.ts";
import { measureSimulate } from "../../bench/rows/simulate.ts";
import { MEASUREMENTS, runBench } from "../../bench/run.ts";

const quiet = (): void => {};

/** A row as bench/results.json wants it: a ratio with a peer, a limit without. */
function expectWhole(row: Row): void {
  expect(row.ours).toBeGreaterThan(0);
  expect(typeof row.unit).toBe("string");
  expect(typeof row.higherIsBetter).toBe("boolean");
  if (row.peer === null) {
    expect(row.ratio).toBeNull();
    expect(row.limit).toBeTruthy();
  } else expect(row.ratio).toBeCloseTo(row.ours / row.peer, 1);
}

describe("what the figures are made of", () => {
  test("rejects: the middle of nothing", () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  test("rejects: a measurement that does not exist", async () => {
    expect(await runBench(["durable", "speed"])).toBe(2);
  });

  test("behavior: medians and percentiles of small samples", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), percentile([1, 2, 3, 4], 0.99)]).toEqual([2, 2.5, 4]);
  });

  test("behavior: replies of a declared length and in chunks, whole or not yet", () => {
    const declared = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
    expect(parseReply(Buffer.from(declared))).toEqual({ status: 200, body: "abcd" });
    expect(parseReply(Buffer.from(declared.slice(0, -1)))).toBeNull();
    const chunked =
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    expect(parseReply(Buffer.from(chunked))).toEqual({ status: 404, body: "abc" });
    expect(parseReply(Buffer.from(chunked.slice(0, -6)))).toBeNull();
  });

  test("behavior: a profile's time by function, a recursive one counted once", () => {
    const frame = (functionName: string) => ({ functionName, url: "worker.js", lineNumber: 1 });
    const nodes = [
      { id: 1, callFrame: frame("(root)"), children: [2] },
      { id: 2, callFrame: frame("walk"), children: [3] },
      { id: 3, callFrame: frame("walk") },
    ];
    const profile = {
      nodes,
      startTime: 0,
      endTime: 3_000,
      samples: [2, 3, 3],
      timeDeltas: [1_000, 1_000, 1_000],
    };
    expect(hottest(profile)[0]).toEqual({ name: "walk worker.js:1", own: 3, whole: 3 });
  });

  test("behavior: rows with and without a peer, as numbers and as a table", () => {
    const common = { name: "x", ours: 3, unit: "a/s", higherIsBetter: true };
    const rows = [
      compared({ ...common, peer: 2 }),
      limited({ ...common, limit: "at least 1", isWithinLimit: true }),
    ];
    rows.forEach(expectWhole);
    expect(rows[0]?.ratio).toBe(1.5);
    expect(tableOf(rows)).toContain("at least 1");
  });
});

describe("the measurements themselves, small", () => {
  test("behavior: every named measurement has a file that measures", async () => {
    for (const name of MEASUREMENTS) {
      const { measure } = (await import(`../../bench/rows/${name}.ts`)) as { measure: unknown };
      expect(typeof measure, name).toBe("function");
    }
  });

  test("behavior: the whole command path against its peer", { timeout: 60_000 }, async () => {
    const rows = await measureDurable(quiet, { members: 8, perMember: 4, rounds: 1 });
    rows.forEach(expectWhole);
  });

  test("behavior: a small region's memory, snapshot and clearing", { timeout: 90_000 }, async () => {
    const rows = await measureMemory(quiet, { homes: 20, steps: 2, snapshots: 1 });
    expect(rows.map(({ name }) => name)).toHaveLength(4);
    for (const row of rows) expect(row.limit).toBeTruthy();
  });

  test("behavior: small jobs, counted and not", { timeout: 60_000 }, async () => {
    const sizes = { pictureSide: 20, inferences: 1, readings: 50, checksumSide: 5, rounds: 1, runs: 1 };
    const [row] = await measureMetering(quiet, sizes);
    expectWhole(row as Row);
    expect(row?.note).toContain("checksum (text)");
  });

  test("behavior: a short simulation in a process of its own", { timeout: 60_000 }, async () => {
    const [row] = await measureSimulate(quiet, 1, 40);
    expectWhole(row as Row);
    expect(row?.note).toMatch(/[1-9]\d* invariants checked/);
  });

  test("behavior: a few listeners hear every entry", { timeout: 60_000 }, async () => {
    const [row] = await measureFeed(quiet, { listeners: 3, perSecond: 40, seconds: 1 });
    expectWhole(row as Row);
    expect(row?.note).toContain("0 gaps, 0 closed, 0 behind, 0 refused");
  });
});

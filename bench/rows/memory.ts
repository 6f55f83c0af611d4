// Owns the rows of `memory`: what a large region holds at rest and during a snapshot, and how long a request waits for
// a snapshot and for the clearing of a day. It refuses to count what an empty deployment holds already.

import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { Inspector, totalOf } from "../inspector.ts";
import { median } from "../median.ts";
import {
  creditSubmission,
  FIRST_SLOT,
  homeSubmissions,
  MIDNIGHT_S,
  openingSubmissions,
  readingsSubmission,
  SLOTS,
} from "../neighbourhood.ts";
import type { Probe, ProbeOrder } from "../probe.ts";
import { limited, type Measurement, type Row } from "../row.ts";
import { SecondProcess } from "../second-process.ts";

const MEGABYTE = 1e6;
const REST_LIMIT_MB = 48;
const SNAPSHOT_LIMIT_MB = 96;
const WAIT_LIMIT_MS = 50;
const OPENS_S = MIDNIGHT_S - 12 * 3_600;
const DAY_OVER_S = MIDNIGHT_S + 86_400 + 60;
const CLEARS_S = MIDNIGHT_S + 86_400 + 3_600;

export interface MemoryOptions {
  readonly homes?: number;
  readonly steps?: number;
  readonly snapshots?: number;
}

interface Progress {
  readonly windowFirstSlot: number;
  readonly generation: number;
  readonly archived: number;
}

/** Measures the rows. */
export const measure: Measurement = (say) => measureMemory(say);

/** Measures the rows with other sizes than the usual ones. */
export async function measureMemory(
  say: (line: string) => void,
  options: MemoryOptions = {},
): Promise<Row[]> {
  const { homes = 5_000, steps = 8, snapshots = 7 } = options;
  const inspectorPort = await freePort();
  const stack = await startStack({ entryFile: "bench/memory-worker.js", inspectorPort });
  const inspector = await Inspector.open(inspectorPort);
  const probe = new SecondProcess<ProbeOrder, readonly Probe[]>("probe");
  try {
    await submit(stack, openingSubmissions(OPENS_S), OPENS_S);
    const emptyBytes = await inspector.bytesAtRest();
    const emptyRss = rssOf(stack.workerdPid);
    say(`an empty deployment holds ${megabytes(emptyBytes)} MB, its process ${megabytes(emptyRss)} MB`);
    await load(stack, homes, steps, say);
    const restMb = megabytes((await inspector.bytesAtRest()) - emptyBytes);
    say(`${homes} homes with ladders and a day of readings hold ${restMb} MB more`);
    await probe.ask({ port: stack.port, lists: probeLists(homes) });
    // The first answers pay for what is compiled then.
    await during(probe, () => pause(500));
    const calm = await during(probe, () => pause(3_000));
    say(`calm: ${describe(calm)}`);
    const peaks: number[] = [];
    const waits: number[] = [];
    for (let round = 1; round <= snapshots; round += 1) {
      await inspector.bytesAtRest();
      let peak = 0;
      const probes = await during(probe, async () => {
        peak = await takeSnapshot(stack, inspector);
      });
      peaks.push(megabytes(peak - emptyBytes));
      waits.push(longest(probes));
      say(`snapshot ${round}: at most ${peaks.at(-1)} MB, ${describe(probes)}`);
    }
    const clearing = await during(probe, () => clear(stack));
    say(`clearing ${SLOTS} slots: ${describe(clearing)}`);
    const about = `${homes} accounts, ${steps} steps a side, ${SLOTS} readings each`;
    const rss = `process grew by ${megabytes(rssOf(stack.workerdPid) - emptyRss)} MB`;
    return rowsOf({ about, rss, restMb, peaks, waits, calm, clearing });
  } finally {
    probe.stop();
    inspector.close();
    await stack.stop();
  }
}

interface Findings {
  readonly about: string;
  readonly rss: string;
  readonly restMb: number;
  readonly peaks: readonly number[];
  readonly waits: readonly number[];
  readonly calm: readonly Probe[];
  readonly clearing: readonly Probe[];
}

function rowsOf({ about, rss, restMb, peaks, waits, calm, clearing }: Findings): Row[] {
  const peak = Math.max(...peaks);
  const wait = Math.max(...waits);
  const most = (limit: number, value: number, unit: string) => ({
    ours: value,
    unit,
    higherIsBetter: false,
    limit: `at most ${limit} ${unit}`,
    isWithinLimit: value <= limit,
  });
  return [
    limited({
      name: "memory at rest",
      ...most(REST_LIMIT_MB, restMb, "MB"),
      note: `${about}; heap and array buffers of the isolate after collection, less an empty deployment; ${rss}`,
    }),
    limited({
      name: "memory during a snapshot",
      ...most(SNAPSHOT_LIMIT_MB, peak, "MB"),
      note: `highest of ${peaks.length} snapshots, garbage included; less an empty deployment`,
    }),
    limited({
      name: "memory: wait for a snapshot",
      ...most(WAIT_LIMIT_MS, wait, "ms"),
      note: `the longest request of ${waits.length} snapshots (${waits.map((ms) => ms.toFixed(0)).join(", ")}; median ${median(waits).toFixed(0)}); without one ${longest(calm).toFixed(0)}`,
    }),
    limited({
      name: "memory: wait for a day's clearing",
      ours: longest(clearing),
      unit: "ms",
      higherIsBetter: false,
      limit: "reported, none set",
      note: `longest request while ${SLOTS} slots cleared and their window closed; ${describe(clearing)}`,
    }),
  ];
}

async function load(stack: Stack, homes: number, steps: number, say: (line: string) => void): Promise<void> {
  for (let home = 0; home < homes; home += 100) {
    const some = Array.from({ length: Math.min(100, homes - home) }, (_, index) => home + index);
    await submit(
      stack,
      some.flatMap((number) => homeSubmissions(number, OPENS_S, steps)),
      OPENS_S,
    );
  }
  say("accounts, meters, keys and ladders are in");
  await post(stack, "go-to", DAY_OVER_S);
  for (let home = 0; home < homes; home += 100) {
    const some = Array.from({ length: Math.min(100, homes - home) }, (_, index) => home + index);
    await submit(
      stack,
      some.map((number) => readingsSubmission(number, DAY_OVER_S)),
      DAY_OVER_S,
    );
  }
  await settled(stack);
}

async function submit(stack: Stack, submissions: readonly Submission[], atS: number): Promise<void> {
  await post(stack, "go-to", atS);
  const refusals = (await post(stack, "submit", submissions)) as string[];
  if (refusals.length > 0) throw new Error(`refused: ${[...new Set(refusals)].join(", ")}`);
}

async function post(stack: Stack, method: string, body: unknown = null): Promise<unknown> {
  const response = await fetch(`${stack.url}/v1/${method}`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
  return response.json();
}

const progressOf = (stack: Stack) => post(stack, "progress") as Promise<Progress>;

/** Waits until no snapshot and no archival has happened for a second. */
async function settled(stack: Stack): Promise<void> {
  for (let before = ""; ; ) {
    const now = JSON.stringify(await progressOf(stack));
    if (now === before) return;
    before = now;
    await pause(1_000);
  }
}

/** Takes a snapshot; answers the most that the isolate held meanwhile, in bytes. */
async function takeSnapshot(stack: Stack, inspector: Inspector): Promise<number> {
  const { generation } = await progressOf(stack);
  await post(stack, "snapshot");
  let peak = 0;
  for (let turn = 0; ; turn += 1) {
    peak = Math.max(peak, totalOf(await inspector.heap()));
    if (turn % 4 === 3 && (await progressOf(stack)).generation > generation) break;
    await pause(2);
  }
  // What follows a snapshot, the archive, is part of what requests wait for.
  await pause(500);
  return peak;
}

async function clear(stack: Stack): Promise<void> {
  await post(stack, "go-to", CLEARS_S);
  while ((await progressOf(stack)).windowFirstSlot === FIRST_SLOT) await pause(20);
  await pause(500);
}

/** A list of reads and a list of commands, each command new for minutes of probing. */
function probeLists(homes: number) {
  const read = [{ method: "GET", path: "/v1/head", body: "" }];
  const writes = Array.from({ length: 20_000 }, (_, index) => ({
    method: "POST",
    path: "/v1/submit",
    body: JSON.stringify([creditSubmission(index % homes, CLEARS_S - 600)]),
  }));
  return [read, writes];
}

/** What the probes noted while `work` ran. */
async function during(
  probe: SecondProcess<ProbeOrder, readonly Probe[]>,
  work: () => Promise<unknown>,
): Promise<readonly Probe[]> {
  await probe.ask("begin");
  await work();
  return probe.ask("end");
}

const longest = (probes: readonly Probe[]): number => Math.max(...probes.map(({ tookMs }) => tookMs));

function describe(probes: readonly Probe[]): string {
  const sides = ["reads", "commands"].map((name, list) => {
    const took = probes.filter((probe) => probe.list === list).map(({ tookMs }) => tookMs);
    return `${name} at most ${Math.max(...took).toFixed(0)} ms of ${took.length} (median ${median(took).toFixed(1)})`;
  });
  return sides.join(", ");
}

const megabytes = (bytes: number): number => Math.round(bytes / (MEGABYTE / 10)) / 10;

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A port that nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

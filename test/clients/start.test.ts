// Owns what somebody sees who types `npm start` and nothing else: a page, an API, a day that settles, an end when asked
// for, and a market that goes on where it stood, also after a kill. It refuses an orphan.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { fileMemory } from "../../clients/household/agent-memory.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { JobClient } from "../../clients/sdk/jobs.ts";
import { assemble } from "../../tools/job-sources.ts";
import { type Running, runToEnd, start } from "../support/client-process.ts";
import { eventually, isAlive } from "../support/client-region.ts";

const EXAMPLE = join(import.meta.dirname, "../../docs/examples/jobs/base64.wat");

/** A slot a second: the three windows of the first day have a quarter of a minute to be proved in. */
const RATE = 900;
const HOUSEHOLDS = 3;
const PATIENCE_MS = 60_000;
const TIMEOUT_MS = 180_000;

let folder: string;
let running: Running | undefined;

beforeAll(() => {
  folder = join(mkdtempSync(join(tmpdir(), "polder-start-")), "state of a market");
});
afterEach(() => {
  running?.process.kill("SIGKILL");
});
afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

function launch(...more: string[]): Running {
  const paced = ["--rate", String(RATE), "--households", String(HOUSEHOLDS)];
  const args = ["--state", folder, "--port", "0", ...paced, ...more];
  running = start("local/start.ts", args);
  return running;
}

/** The address that was printed once the market is shown. */
async function addressOf(started: Running): Promise<{ url: string; page: string }> {
  const page = () => /^page {2}(http:\/\/\S+)$/m.exec(started.stdout())?.[1];
  const isUp = await eventually(() => page() !== undefined, PATIENCE_MS);
  expect(isUp, `a page; stderr: ${started.stderr()}`).toBe(true);
  const address = page() as string;
  return { page: address, url: new URL(address).origin };
}

/** Processes of workerd whose state is ours, by their command lines or environment. */
function workerds(): number[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(join(folder, ".."));
      } catch {
        return false;
      }
    })
    .map(Number)
    .filter((pid) => pid !== process.pid && pid !== running?.process.pid);
}

interface Known {
  readonly accounts: readonly string[];
  /** What the region's clock shows. */
  readonly marketS: number;
  /** Market time of the last journal entry: this much is durable. */
  readonly headS: number;
  readonly entries: number;
}

async function look(url: string): Promise<Known> {
  const client = new PolderClient(url);
  const [market, head] = await Promise.all([client.market("polder-one"), client.head("polder-one")]);
  const homes = JSON.parse(readFileSync(join(folder, "households.json"), "utf8")) as { account: string }[];
  return {
    accounts: homes.map(({ account }) => account),
    marketS: market.atS,
    headS: head.atS,
    entries: market.entries,
  };
}

let known: Known;

/** What the machines of the neighbourhood make of a few words, asked for with the key that was printed. */
async function encodedByNeighbours(url: string, printed: string): Promise<string> {
  const key = /POLDER_API_KEY=(polder_[0-9a-f]+)/.exec(printed)?.[1] as string;
  const jobs = new JobClient(new PolderClient(url), "polder-one", key);
  const { stdout, job } = await jobs.run({
    module: assemble(readFileSync(EXAMPLE, "utf8")),
    input: new TextEncoder().encode("a neighbour's machine"),
    mostMicros: 1_000_000,
    replicas: 3,
    patienceSeconds: 30,
  });
  expect(new Set(job.runs.map(({ provider }) => provider)).size).toBeGreaterThanOrEqual(3);
  return new TextDecoder().decode(stdout).trim();
}

/** It is the same market, and it has gone on. */
async function expectGoesOn(url: string, time: "marketS" | "headS" = "marketS"): Promise<void> {
  const before = known;
  known = await look(url);
  expect(known.accounts).toEqual(before.accounts);
  expect(known[time]).toBeGreaterThanOrEqual(before[time]);
  expect(known.entries).toBeGreaterThanOrEqual(before.entries);
  const client = new PolderClient(url);
  const receipts = known.accounts.flatMap((account) => [
    ...fileMemory(join(folder, "agents", `${account}.ndjson`)).receipts(),
  ]);
  const report = await audit(await client.deployment(), client.journal("polder-one"), { receipts });
  expect(report.failure).toBeNull();
  expect(report.receipts).toBe(receipts.length);
}

/** What a run complained of; that a home missed a window on a busy machine is said and no fault. */
function complaintsOf(stderr: string): string {
  return stderr.replaceAll(/^.* was missed: .*\n/gm, "");
}

describe("npm start", () => {
  test("rejects: options that cannot be, and a state it cannot read", async () => {
    const cases: [string[], RegExp][] = [
      [["--port", "99999"], /whole number from 0 to 65535/],
      [["--rate", "1"], /whole number from 2 to 86400/],
      [["--households", "1"], /whole number from 2 to 200/],
      [["--days", "0"], /whole number from 1 to 10000/],
    ];
    for (const [args, reason] of cases) {
      const { status, stdout, stderr } = await runToEnd("local/start.ts", ["--state", folder, ...args]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(reason);
    }
    expect(existsSync(folder), "nothing is left behind").toBe(false);
  });

  test(
    "behavior: a fresh start shows the page and the API, settles a day, and ends by itself with its sums",
    async () => {
      const started = launch("--days", "1");
      const { url, page } = await addressOf(started);
      const [shown, docs, openapi, bill] = await Promise.all([
        fetch(page),
        fetch(`${url}/docs`),
        fetch(`${url}/openapi.json`),
        look(url).then(({ accounts }) => fetch(`${url}/v1/regions/polder-one/accounts/${accounts[0]}/bill`)),
      ]);
      expect(shown.status).toBe(200);
      expect(shown.headers.get("content-type")).toContain("text/html");
      expect([docs.status, openapi.status, bill.status]).toEqual([200, 200, 200]);
      expect(await openapi.json()).toMatchObject({ openapi: expect.stringMatching(/^3\./) });
      const home = new URL(page).searchParams.get("home") as string;
      expect(await (await fetch(`${home}/households`)).json()).toMatchObject({
        households: expect.any(Array),
      });
      for (const hint of ["npm run polder -- bill 0x", "npm run polder -- audit", "curl -X POST"]) {
        expect(started.stdout()).toContain(hint);
      }
      known = await look(url);
      expect(known.accounts).toHaveLength(HOUSEHOLDS);
      expect(await started.ended, started.stderr()).toBe(0);
      expect(started.stdout()).toMatch(
        /\d+ days settled: \d+\.\d\d kWh traded of \d+\.\d\d kWh matchable \(100\.0 %\), \d+\.\d{3} EUR settled/,
      );
      expect(started.stdout()).toContain("npm start goes on from there");
      expect(started.stdout()).toMatch(/^proofs: 0 made, [123] pending$/m);
      // On a busy machine one of them may come too late.
      expect(started.stdout()).toMatch(/^proofs: [123] made, \d+\.\d s each, [012] pending$/m);
      expect(complaintsOf(started.stderr())).toBe("");
      expect(workerds(), "orphans").toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "behavior: Ctrl-C in the middle of the first start ends it too, and hinders no later start",
    async () => {
      const early = join(folder, "..", "early");
      const args = ["--state", early, "--port", "0", "--households", "2"];
      for (const milliseconds of [0, 700]) {
        const interrupted = start("local/start.ts", args);
        running = interrupted;
        expect(await eventually(() => interrupted.stdout().includes("opening a region"), PATIENCE_MS)).toBe(
          true,
        );
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        interrupted.process.kill("SIGINT");
        expect(await interrupted.ended, interrupted.stderr()).toBe(0);
        expect(complaintsOf(interrupted.stderr())).toBe("");
      }
      expect(workerds(), "orphans").toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "behavior: a second start goes on with the same households, and Ctrl-C ends it within seconds",
    async () => {
      const started = launch();
      const { url } = await addressOf(started);
      await expectGoesOn(url);
      expect(started.stdout(), "no first day is traded again").not.toContain("opening a region");
      expect(await encodedByNeighbours(url, started.stdout())).toBe("YSBuZWlnaGJvdXIncyBtYWNoaW5l");
      const stoppedMs = Date.now();
      started.process.kill("SIGINT");
      expect(await started.ended).toBe(0);
      expect(Date.now() - stoppedMs).toBeLessThan(8_000);
      expect(workerds(), "orphans").toEqual([]);
      await expect(fetch(`${url}/docs`)).rejects.toThrow();
    },
    TIMEOUT_MS,
  );

  test(
    "invariant: after a kill -9 nothing is left running, and the next start goes on",
    async () => {
      const killed = launch();
      const { url } = await addressOf(killed);
      await expectGoesOn(url);
      const left = workerds();
      expect(left.length).toBeGreaterThan(0);
      killed.process.kill("SIGKILL");
      expect(await killed.ended).toBe("SIGKILL");
      expect(await eventually(() => !left.some(isAlive)), "orphans").toBe(true);
      const next = launch();
      // The launcher writes down where its clock stands once a second; what a kill costs is less than that.
      await expectGoesOn((await addressOf(next)).url, "headS");
      next.process.kill("SIGINT");
      expect(await next.ended).toBe(0);
      expect(complaintsOf(next.stderr())).toBe("");
    },
    TIMEOUT_MS,
  );
});

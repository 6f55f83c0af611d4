// Owns kills for real: a deployment under load whose workerd, or whose launcher, is killed at a random moment, again and
// again on the same state, and what is left of every acknowledged command. It refuses to end with a process of its own
// alive.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import {
  agentSigner,
  enrolHousehold,
  openRegion,
  operatorWallet,
  type RegionTerms,
} from "../../clients/local/neighbourhood.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { originFor } from "../../protocol/clock.ts";
import { PARAMETERS } from "../fleet.ts";
import { Load, type Verdict } from "./kill-load.ts";

export interface KillOptions {
  readonly workerdKills: number;
  readonly launcherKills: number;
  /** Draws in [0, 1): which process is killed next, and when. */
  readonly random: () => number;
  readonly say: (line: string) => void;
}

export interface KillReport extends Verdict {
  readonly kills: number;
  /** Commands of the last round that were never answered; `silent` of them had been accepted. */
  readonly unanswered: number;
  /** Codes of refusals that no kill explains. */
  readonly oddRefusals: readonly string[];
  /** Milliseconds from a kill to the first answer after it, the longest. */
  readonly longestAwayMs: number;
}

const REGION = "kills";
const SEED = "kills";
const HOMES = 12;
const SENDERS = 24;
/** A slot a second: the region also clears, and closes windows, while it is killed. */
const RATE = 900;
const MARKET_BEGINS_S = Date.UTC(2026, 3, 1) / 1000;
/** A kill comes at most this long after the load began: often while the region still recovers. */
const LONGEST_LOAD_MS = 700;
const RESTART_LIMIT_MS = 20_000;

/** Two senders of a home may replace the same order, and may ask too often; a restart shortens no limit. */
const ORDINARY: ReadonlySet<string> = new Set(["order_not_found", "rate_limited", "orders_exhausted"]);

/** Kills, restarts, and compares. @throws Error when a start fails, or a killed launcher leaves its workerd behind */
export async function killRounds({
  workerdKills,
  launcherKills,
  random,
  say,
}: KillOptions): Promise<KillReport> {
  const kills = shuffled(
    [...Array<"workerd">(workerdKills).fill("workerd"), ...Array<"launcher">(launcherKills).fill("launcher")],
    random,
  );
  const stateFolder = mkdtempSync(join(tmpdir(), "polder-kills-"));
  const vars = {
    OPERATOR: operatorWallet(SEED).address,
    CLOCK_ORIGIN: originFor(MARKET_BEGINS_S, Date.now(), RATE),
    CLOCK_RATE: String(RATE),
  };
  let launched = await Launched.start(stateFolder, vars);
  let longestAwayMs = 0;
  try {
    const load = await settleIn(launched.url);
    for (const [index, victim] of kills.entries()) {
      const pid = await launched.workerdPid();
      await loadAndKill(load, launched.url, random() * LONGEST_LOAD_MS, () =>
        process.kill(victim === "workerd" ? pid : launched.pid, "SIGKILL"),
      );
      const killedMs = performance.now();
      await gone(pid, victim);
      if (victim === "launcher") launched = await Launched.start(stateFolder, vars);
      await serves(launched.url);
      longestAwayMs = Math.max(longestAwayMs, performance.now() - killedMs);
      // Those of the last round are first looked for in the journal as the kill left it.
      if (index + 1 < kills.length) await load.settle(launched.url);
      if ((index + 1) % 10 === 0)
        say(`${index + 1} of ${kills.length} kills, ${load.acknowledged.size} commands acknowledged`);
    }
    return await reportOf(load, launched.url, kills.length, longestAwayMs);
  } finally {
    await launched.stop();
    rmSync(stateFolder, { recursive: true, force: true });
  }
}

async function settleIn(url: string): Promise<Load> {
  const client = new PolderClient(url);
  const operator = await openRegion(client, SEED, TERMS);
  const households = await Promise.all(
    Array.from({ length: HOMES }, async (_, index) => {
      const keys = await enrolHousehold(client, REGION, SEED, operator, {
        name: `home ${index}`,
        creditMicros: 1_000_000_000,
      });
      return { ...keys, signer: agentSigner(keys) };
    }),
  );
  return new Load(REGION, operator, households);
}

/** Load, a kill in the middle of it, and whatever the senders notice of it. */
async function loadAndKill(load: Load, url: string, afterMs: number, kill: () => void): Promise<void> {
  const over = new AbortController();
  const running = load.run(url, SENDERS, over.signal);
  await sleep(afterMs);
  kill();
  await sleep(50);
  over.abort();
  await running;
}

/** The killed workerd is gone, and so is that of a killed launcher. */
async function gone(pid: number, victim: string): Promise<void> {
  for (const endMs = Date.now() + RESTART_LIMIT_MS; isAlive(pid); await sleep(10))
    if (Date.now() > endMs) throw new Error(`workerd ${pid} outlived the kill of its ${victim}`);
}

async function serves(url: string): Promise<void> {
  const client = new PolderClient(url, { retries: 0 });
  for (const endMs = Date.now() + RESTART_LIMIT_MS; ; await sleep(20)) {
    try {
      await client.head(REGION);
      return;
    } catch (error) {
      if (Date.now() > endMs) throw new Error("it does not serve again", { cause: error });
    }
  }
}

/** What stands in the journal, first as the kills left it, then after everything unanswered was sent again. */
async function reportOf(load: Load, url: string, kills: number, longestAwayMs: number): Promise<KillReport> {
  const unanswered = load.unanswered.size;
  const before = await load.verdict(url);
  await load.settle(url);
  const after = await load.verdict(url);
  return {
    ...after,
    kills,
    unanswered,
    silent: before.silent,
    lost: before.lost + after.lost,
    contradicted: before.contradicted + after.contradicted,
    auditFailure: before.auditFailure ?? after.auditFailure,
    oddRefusals: [...load.refused.values()].filter((code) => !ORDINARY.has(code)),
    longestAwayMs,
  };
}

/** A launcher in a process of its own. */
class Launched {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #lines: Interface;

  private constructor(process: ChildProcess, lines: Interface, url: string) {
    this.#process = process;
    this.#lines = lines;
    this.url = url;
  }

  static async start(stateFolder: string, vars: Record<string, string>): Promise<Launched> {
    const file = join(import.meta.dirname, "kill-launcher.ts");
    const started = spawn(process.execPath, [file, JSON.stringify({ stateFolder, vars })], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface(started.stdout as NonNullable<typeof started.stdout>);
    const line = await Promise.race([
      once(lines, "line"),
      once(started, "exit").then(([code]) => Promise.reject(new Error(`a launcher ended with ${code}`))),
    ]);
    return new Launched(started, lines, (JSON.parse(String(line)) as { url: string }).url);
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** Of the workerd that serves now. */
  async workerdPid(): Promise<number> {
    const answered = once(this.#lines, "line");
    this.#process.stdin?.write("?\n");
    return (JSON.parse(String(await answered)) as { workerdPid: number }).workerdPid;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const pid = await this.workerdPid();
    this.#process.kill("SIGKILL");
    await gone(pid, "launcher");
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function shuffled<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}

const TERMS: RegionTerms = {
  profile: {
    region: REGION,
    name: "Kills",
    place: "A loopback device",
    latitude: 52,
    longitude: 5,
    timeZone: "Europe/Amsterdam",
    jurisdiction: "none",
    terms: "for measurements only",
    currency: "EUR",
    tariffs: [{ name: "standard", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 60_000 }],
    isSimulation: true,
  },
  windowSlots: 4,
  epochSlots: 8,
  parameters: PARAMETERS,
};

// Owns the promise that a kill takes nothing back: not of workerd, not of what started it, in the middle of a load. It
// refuses a lost answer, a command twice, an orphan, and a start that fails.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agentSigner, enrolHousehold, openRegion } from "../../clients/local/neighbourhood.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { Load, type Verdict } from "../support/client-load.ts";
import {
  eventually,
  isAlive,
  operatorSigner,
  REGION,
  SEED,
  termsOf,
  varsOf,
} from "../support/client-region.ts";

const SENDERS = 24;
const WORKERD_ROUNDS = 4;
const LAUNCHER_ROUNDS = 3;
/** A slot a second: the region also clears and closes by itself while it is killed. */
const RATE = 900;

/** Two senders of a home may replace the same order, and may ask too often. */
const ORDINARY: ReadonlySet<string> = new Set(["order_not_found", "rate_limited"]);

let stateFolder: string;
let stack: Stack | undefined;
let launcher: ChildProcess | undefined;

beforeAll(() => {
  stateFolder = mkdtempSync(join(tmpdir(), "polder-kills-"));
});

afterAll(async () => {
  launcher?.kill("SIGKILL");
  await stack?.stop();
  rmSync(stateFolder, { recursive: true, force: true });
});

async function settleIn(url: string): Promise<Load> {
  const client = new PolderClient(url);
  const operator = await openRegion(client, SEED, termsOf());
  const households = await Promise.all(
    ["ann", "bob", "cas", "dee"].map(async (name) => {
      const keys = await enrolHousehold(client, REGION, SEED, operator, {
        name,
        creditMicros: 1_000_000_000,
      });
      return { ...keys, signer: agentSigner(keys) };
    }),
  );
  return new Load(operatorSigner(), households);
}

const answers = (url: string): Promise<boolean> =>
  new PolderClient(url, { retries: 0 }).head(REGION).then(
    () => true,
    () => false,
  );

/** Load, a kill in the middle of it, and whatever the senders notice of it. */
async function loadAndKill(load: Load, url: string, kill: () => void): Promise<void> {
  const over = new AbortController();
  const before = load.acknowledged.size;
  const running = load.run(url, SENDERS, over.signal);
  await sleep(600 + Math.random() * 400);
  expect(await eventually(() => load.acknowledged.size > before), "commands are accepted").toBe(true);
  kill();
  await sleep(150);
  over.abort();
  await running;
}

function expectWhole(name: string, load: Load, verdict: Verdict): void {
  const { acknowledged, lost, duplicated, contradicted, silent, auditFailure } = verdict;
  console.log(
    `${name}: ${acknowledged} acknowledged, ${lost} lost, ${duplicated} duplicated; ${silent} accepted without an answer of ${load.unanswered.size} unanswered`,
  );
  expect({ lost, duplicated, contradicted, auditFailure }).toEqual({
    lost: 0,
    duplicated: 0,
    contradicted: 0,
    auditFailure: null,
  });
  const odd = [...load.refused.values()].filter((code) => !ORDINARY.has(code));
  expect(odd, "refusals").toEqual([]);
}

describe("kill -9 under load", () => {
  test("invariant: of workerd: nothing acknowledged is lost or there twice, and it comes back by itself", async () => {
    stack = await startStack({ stateFolder, vars: varsOf(RATE), logger: () => {} });
    const { url } = stack;
    const load = await settleIn(url);
    for (let round = 1; round <= WORKERD_ROUNDS; round += 1) {
      const pid = stack.workerdPid;
      await loadAndKill(load, url, () => process.kill(pid, "SIGKILL"));
      expect(await eventually(() => answers(url)), "it serves again").toBe(true);
      expect(isAlive(pid), "the killed one is gone").toBe(false);
      expect(stack.workerdPid).not.toBe(pid);
      if (round === WORKERD_ROUNDS)
        expectWhole("workerd, before sending again", load, await load.verdict(url));
      await load.settle(url);
    }
    expectWhole("workerd, after sending again", load, await load.verdict(url));
    const last = stack.workerdPid;
    await stack.stop();
    stack = undefined;
    expect(isAlive(last)).toBe(false);
  }, 120_000);

  test("invariant: of the launcher: nothing acknowledged is lost, workerd dies with it, and the next start succeeds", async () => {
    rmSync(stateFolder, { recursive: true, force: true });
    const vars = varsOf(RATE);
    let load: Load | undefined;
    for (let round = 1; round <= LAUNCHER_ROUNDS; round += 1) {
      const { url, workerdPid, process: started } = await launch(vars);
      load ??= await settleIn(url);
      await load.settle(url);
      await loadAndKill(load, url, () => started.kill("SIGKILL"));
      expect(await eventually(() => !isAlive(workerdPid)), "no orphan").toBe(true);
    }
    const { url, workerdPid, process: started } = await launch(vars);
    const whole = load as Load;
    expectWhole("launcher, before sending again", whole, await whole.verdict(url));
    await whole.settle(url);
    expectWhole("launcher, after sending again", whole, await whole.verdict(url));
    started.kill("SIGKILL");
    expect(await eventually(() => !isAlive(workerdPid)), "no orphan").toBe(true);
  }, 120_000);
});

async function launch(
  vars: Record<string, string>,
): Promise<{ url: string; workerdPid: number; process: ChildProcess }> {
  const file = join(import.meta.dirname, "../support/client-launcher.ts");
  const started = spawn(process.execPath, [file, JSON.stringify({ stateFolder, vars })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  launcher = started;
  const [line] = await once(started.stdout, "data");
  return { ...(JSON.parse(String(line)) as { url: string; workerdPid: number }), process: started };
}

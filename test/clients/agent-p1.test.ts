// Owns a household with a real P1 line: `polder agent start` follows it through bad telegrams, a gap, a reset and a kill,
// and what the region accepted is what the registers say. It refuses exact wall timing: what was sent is what counts.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatApiKey } from "../../evidence/session-signature.ts";
import type { Entry } from "../../market/journal.ts";
import type { Hex } from "../../protocol/fields.ts";
import { slotAt, slotStartS } from "../../protocol/units.ts";
import { meterOf, writeMeter } from "../support/client-meter-file.ts";
import { type Running, start } from "../support/client-process.ts";
import { eventually, type OpenRegion, openRegionAt, REGION } from "../support/client-region.ts";
import { P1Household } from "../support/p1-household.ts";
import { type P1Server, startP1Server } from "../support/p1-server.ts";
import { written } from "../support/p1-telegrams.ts";

/** A slot in two seconds of wall time, a window in eight: the agent's proofs share two cores with what else is tested. */
const RATE = 450;
const PATIENCE_MS = 90_000;

let region: OpenRegion;
let folder: string;
let line: P1Server;
let household: P1Household;
let agent: Running | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polder-p1-"));
  region = await openRegionAt(RATE);
});

afterAll(async () => {
  agent?.process.kill("SIGKILL");
  household?.stop();
  await line?.stop();
  await region.stop();
  rmSync(folder, { recursive: true, force: true });
});

const memory = (): string => join(folder, "agent.ndjson");

async function startAgent(name: string): Promise<Hex> {
  const home = await region.household(name);
  const source = `p1:tcp://127.0.0.1:${line.port}`;
  // Without the gateway's seed: that is in the environment.
  const meterFile = writeMeter(join(folder, "meter.json"), await meterOf(region.client, REGION, home));
  const meter = ["--meter", source, "--meter-file", meterFile, "--claim-step-wh", "1"];
  agent = start("cli/main.ts", ["agent", "start", ...meter, "--memory", memory()], {
    POLDER_URL: region.stack.url,
    POLDER_API_KEY: formatApiKey(home.account, home.sessionSeed),
    POLDER_GATEWAY_SEED: home.gatewaySeed,
  });
  return home.account;
}

/** What an account's windows in the journal say, by slot. */
async function provedBy(account: Hex): Promise<Map<number, number>> {
  const proved = new Map<number, number>();
  for await (const text of region.client.journal(REGION)) {
    const { command } = (JSON.parse(text) as { entry: Entry }).entry;
    if (command?.type !== "submit_readings" || command.account !== account) continue;
    command.netWh.forEach((wh, index) => {
      expect(proved.has(command.firstSlot + index), "proved twice").toBe(false);
      proved.set(command.firstSlot + index, wh);
    });
  }
  return proved;
}

const until = (atS: number) => eventually(() => household.nowS >= atS, PATIENCE_MS);
const isProved = (account: Hex, slot: number) => async () => (await provedBy(account)).has(slot);

test("invariant: windows proved from a live line are the registers' differences, and nothing where nobody looked", async () => {
  // Whoever connects hears the end of a telegram first.
  line = await startP1Server(written({ atS: 0, importWh: 1, exportWh: 1 }).slice(77));
  const account = await startAgent("with a P1 line");
  expect(await eventually(() => line.isHeard(), PATIENCE_MS), agent?.stderr()).toBe(true);
  const { clock } = await region.client.deployment();
  household = new P1Household(line, clock);
  const quiet = Math.ceil((slotAt(household.nowS) + 1) / 4) * 4;
  const [gap, reset, kill] = [quiet + 4, quiet + 8, quiet + 12];

  await until(slotStartS(gap) + 450);
  household.isSilent = true;
  line.hangUp();
  const silentFrom = slotAt(household.nowS);
  await until(slotStartS(gap + 2) + 450);
  household.isSilent = false;
  const silentUntil = slotAt(household.nowS);
  await until(slotStartS(reset + 1) + 450);
  household.reset();
  const resetIn = slotAt(household.nowS);
  const isKept = () => readFileSync(`${memory()}.meter`, "utf8").includes(`"slot":${kill + 1},`);
  expect(await eventually(isKept, PATIENCE_MS), agent?.stderr()).toBe(true);
  // What is being proved when it dies is proved anew, which is another test's matter.
  expect(await eventually(isProved(account, reset), PATIENCE_MS), agent?.stderr()).toBe(true);
  agent?.process.kill("SIGKILL");
  await agent?.ended;
  const told = agent?.stderr() ?? "";
  await startAgent("with a P1 line");
  expect(await eventually(isProved(account, kill), PATIENCE_MS), agent?.stderr()).toBe(true);
  agent?.process.kill("SIGINT");
  expect(await agent?.ended).toBe(0);

  const proved = await provedBy(account);
  for (const [slot, wh] of proved)
    expect(wh, `slot ${slot - quiet} of the test`).toBe(household.netWh(slot) ?? 0);
  for (let slot = quiet; slot < kill + 1; slot += 1)
    expect(proved.has(slot), `slot ${slot - quiet}`).toBe(true);
  const isKnown = (...slots: number[]) => slots.map((slot) => household.netWh(slot) !== null);
  expect(isKnown(quiet, quiet + 1, quiet + 2, quiet + 3), "a quiet window").toEqual([true, true, true, true]);
  const gone = Array.from({ length: silentUntil - silentFrom + 1 }, (_, index) => silentFrom + index);
  expect(gone.length).toBeGreaterThan(2);
  expect(isKnown(...gone), "over the gap").toEqual(gone.map(() => false));
  expect(isKnown(resetIn), "over the reset").toEqual([false]);
  expect(isKnown(kill), "measured before the kill").toEqual([true]);
  expect([...proved.values()].some((wh) => wh > 0) && [...proved.values()].some((wh) => wh < 0)).toBe(true);

  expect(told).toMatch(/no boundary was seen over \d slots before .*Wh of export are left out/);
  expect(told).toMatch(/import: the register's reading of \S+ began anew near zero/);
  expect(told).toMatch(/a telegram was dropped: its checksum is wrong/);
  expect(told).not.toMatch(/clock/);
  expect(readFileSync(`${memory()}.meter`, "utf8")).not.toContain("4D4144452D55502D31");
}, 180_000);

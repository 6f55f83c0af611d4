// Owns a household with Home Assistant: what its agent proves, window after window while the clock runs, is what the
// statistics say. It refuses exact wall timing.

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { HouseholdAgent } from "../../clients/household/agent.ts";
import { volatileMemory } from "../../clients/household/agent-memory.ts";
import type { MeterSource } from "../../clients/household/meter-source.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { runAgent } from "../../clients/household/runner.ts";
import { householdMeter } from "../../clients/local/neighbourhood.ts";
import { HomeAssistantMeter, parseHomeAssistantUrl } from "../../clients/meter/home-assistant-meter.ts";
import { volatileBoundaries } from "../../clients/meter/slot-boundaries.ts";
import type { Entry } from "../../market/journal.ts";
import { type MarketClock, marketTimeS } from "../../protocol/clock.ts";
import type { Hex } from "../../protocol/fields.ts";
import { SLOT_SECONDS, slotStartS } from "../../protocol/units.ts";
import { prover } from "../support/client-proving.ts";
import {
  eventually,
  FEED_IN,
  type OpenRegion,
  openRegionAt,
  REGION,
  RETAIL,
} from "../support/client-region.ts";
import { HomeAssistantServer, TOKEN } from "../support/home-assistant.ts";

/** A window of an hour in six seconds of wall time. */
const RATE = 600;
const WINDOW_S = 4 * SLOT_SECONDS;
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: 2 * PATIENCE_MS });

let region: OpenRegion;
let clock: MarketClock;
const stopping = new AbortController();
const ended: Promise<void>[] = [];

beforeAll(async () => {
  region = await openRegionAt(RATE);
  ({ clock } = await region.client.deployment());
});

afterAll(async () => {
  stopping.abort();
  await Promise.all(ended);
  await region.stop();
});

const nowS = (): number => marketTimeS(clock, Date.now());

async function run(name: string, meter: MeterSource) {
  const home = await region.household(name);
  const reports: string[] = [];
  const agent = new HouseholdAgent({
    name,
    client: region.client,
    region: REGION,
    signer: home.signer,
    meters: [householdMeter(home, meter)],
    claims: {},
    prover,
    registry: new RegionRegistry(region.client, REGION),
    tariff: {
      name: "flat",
      currency: "EUR",
      feedInMicrosPerKwh: FEED_IN,
      retail: { kind: "flat", microsPerKwh: RETAIL },
    },
    memory: volatileMemory(),
    report: (message) => reports.push(message),
  });
  ended.push(runAgent(agent, { clock, signal: stopping.signal }));
  return { agent, reports, account: home.account };
}

/** What an account proved: each window's readings, and how long after its end they came, in market seconds. */
async function provedBy(account: Hex) {
  const proved: { firstSlot: number; netWh: readonly number[]; afterS: number }[] = [];
  for await (const text of region.client.journal(REGION)) {
    const { command, atS } = (JSON.parse(text) as { entry: Entry }).entry;
    if (command?.type !== "submit_readings" || command.account !== account) continue;
    const { firstSlot, netWh } = command;
    proved.push({ firstSlot, netWh, afterS: atS - slotStartS(firstSlot) - WINDOW_S });
  }
  return proved;
}

const hasProved = (account: Hex, windows: number) =>
  eventually(async () => (await provedBy(account)).length >= windows, PATIENCE_MS);

const _exports = (netWh: number) => ({ netWh, generationWh: null, loadWh: null });

test("invariant: windows proved from Home Assistant's statistics are the differences of their sums", async () => {
  const home = await HomeAssistantServer.start();
  const [imported, exported] = ["sensor.import", "sensor.export"];
  home.energySources = [{ type: "grid", stat_energy_from: imported, stat_energy_to: exported }];
  for (const id of [imported, exported]) home.statistics.set(id, { unit: "kWh", sums: new Map() });
  const sumsOf = (id: string) => home.statistics.get(id)?.sums as Map<number, number>;
  let nextS = Math.ceil(nowS() / 300) * 300;
  // Whole Wh in all, though not in each five minutes; floats, as Home Assistant keeps them.
  const importKwh = (atS: number) => 1_000 + Math.round((atS % 1e7) / 7) / 1_000;
  const exportKwh = (atS: number) => 0.1 * (Math.floor(atS / 900) % 1e5) ** 1.1;
  const timer = setInterval(() => {
    for (; nextS + 300 < nowS(); nextS += 300) {
      sumsOf(imported).set(nextS, importKwh(nextS + 300));
      sumsOf(exported).set(nextS, exportKwh(nextS + 300));
      home.compiled(nowS());
    }
  }, 20);
  const reports: string[] = [];
  const meter = new HomeAssistantMeter(
    { url: parseHomeAssistantUrl(home.address), token: TOKEN },
    { clock, openBoundaries: volatileBoundaries, report: (message) => void reports.push(message) },
  );
  try {
    await meter.follow();
    const agent = await run("with Home Assistant", meter);
    expect(await hasProved(agent.account, 2), [...agent.reports, ...reports].join()).toBe(true);
    const wh = (kwh: number): number => Math.floor(Math.round(kwh * 1e9) / 1e6);
    for (const { firstSlot, netWh } of (await provedBy(agent.account)).slice(1)) {
      for (const [index, net] of netWh.entries()) {
        const [fromS, untilS] = [slotStartS(firstSlot + index), slotStartS(firstSlot + index + 1)];
        const importWh = wh(importKwh(untilS)) - wh(importKwh(fromS));
        expect(net).toBe(wh(exportKwh(untilS)) - wh(exportKwh(fromS)) - importWh);
      }
    }
    expect(reports).toEqual([]);
  } finally {
    clearInterval(timer);
    await meter.stop();
    await home.stop();
  }
});

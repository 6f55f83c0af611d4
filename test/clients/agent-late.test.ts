// Owns when an agent signs what a live meter knows: it waits for the last boundary, but not for ever, and not for a clock
// that stays wrong. It refuses to wait for the clock itself: windows pass when the test says so.

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { HouseholdAgent } from "../../clients/household/agent.ts";
import { volatileMemory } from "../../clients/household/agent-memory.ts";
import type { MeterSource } from "../../clients/household/meter-source.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { householdMeter } from "../../clients/local/neighbourhood.ts";
import { prover } from "../support/client-proving.ts";
import { REGION } from "../support/client-region.ts";
import { Windows } from "../support/client-windows.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let windows: Windows;
beforeAll(async () => {
  windows = await Windows.open();
});
afterAll(() => windows.stop());

async function agentWith(name: string, source: MeterSource) {
  const home = await windows.region.household(name);
  const memory = volatileMemory();
  const reports: string[] = [];
  /** As a machine that is looked at now and then: its clock is the deployment's, whatever that shows. */
  const agent = () => {
    const { client } = windows.region;
    return new HouseholdAgent({
      name,
      client,
      region: REGION,
      signer: home.signer,
      meters: [householdMeter(home, source)],
      claims: {},
      orders: [],
      prover,
      registry: new RegionRegistry(client, REGION),
      tariff: { name: "", currency: "", feedInMicrosPerKwh: 0, retail: { kind: "flat", microsPerKwh: 0 } },
      memory,
      report: (message) => reports.push(message),
    });
  };
  const claimed = async () => (await windows.claimedBy(home.account)).map(({ netWh }) => netWh);
  return { agent, claimed, reports };
}

const exported = (netWh: number) => ({ netWh, generationWh: null, loadWh: null });

test("behavior: an agent waits for a meter that is late, signs what a silent one told, and nothing by a wrong clock", async () => {
  let firstSlot = Number.MAX_SAFE_INTEGER;
  let known = 0;
  const from = (slot: number, netWh: number) => exported(slot < firstSlot ? 0 : netWh);
  const late = await agentWith("late", { knownUntilSlot: () => known, read: (slot) => from(slot, 40) });
  const silent = await agentWith("silent", {
    knownUntilSlot: () => 0,
    read: (slot) => (slot % 4 < 2 ? from(slot, 30) : null),
  });
  const { clock } = await windows.region.client.deployment();
  const wrong = await agentWith("wrong clock", {
    clockAheadS: () => 11 * clock.rate,
    read: (slot) => from(slot, 20),
  });
  firstSlot = await windows.next();
  await windows.over(firstSlot);
  for (const { agent } of [late, silent, wrong]) {
    const atS = await windows.region.client.marketTimeS();
    expect((await agent().step(atS)) - atS, "it asks again soon").toBe(18);
  }
  for (const { claimed, reports } of [late, silent, wrong])
    expect([await claimed(), reports]).toEqual([[], []]);
  known = firstSlot + 4;
  await windows.step(late.agent());
  expect(await late.claimed(), "nothing was missing").toEqual([[40, 40, 40, 40]]);
  // Half of the time for evidence.
  await windows.over(firstSlot, 1_800);
  const hasty = wrong.agent();
  await windows.step(silent.agent(), hasty);
  expect(await silent.claimed()).toEqual([[30, 30, 0, 0]]);
  expect(hasty.counts.missed).toBe(1);
  expect(wrong.reports).toEqual([
    `wrong clock: window ${firstSlot} was missed: its gateway did not sign it: the meter's clock is 11 s ahead of this machine's`,
  ]);
  expect(await wrong.claimed()).toEqual([]);
});

// Owns what a household may expect of its agent on a real market: orders that cross, windows signed once, nothing twice
// after a restart, its owner's limits, and a bill that says when its money was short. It refuses exact wall timing.

import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { type AgentOptions, HouseholdAgent } from "../../clients/household/agent.ts";
import { type AgentMemory, fileMemory, volatileMemory } from "../../clients/household/agent-memory.ts";
import { defaultLimits } from "../../clients/household/default-orders.ts";
import { parseLadders } from "../../clients/household/ladder-file.ts";
import type { MeterSource } from "../../clients/household/meter-source.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { runAgent } from "../../clients/household/runner.ts";
import type { Tariff } from "../../clients/household/tariff.ts";
import { type HouseholdKeys, householdMeter } from "../../clients/local/neighbourhood.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { type Signer, sessionSigner, walletSigner } from "../../clients/sdk/signer.ts";
import { gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Entry } from "../../market/journal.ts";
import { type Hex, LAST_INSTANT_S } from "../../protocol/fields.ts";
import { prover } from "../support/client-proving.ts";
import {
  eventually,
  FEED_IN,
  type OpenRegion,
  openRegionAt,
  REGION,
  RETAIL,
  termsOf,
} from "../support/client-region.ts";

/** A window of an hour in four seconds of wall time; evidence may take another four. */
const RATE = 900;
const PATIENCE_MS = 60_000;

const TARIFF: Tariff = {
  name: "flat",
  currency: "EUR",
  feedInMicrosPerKwh: FEED_IN,
  retail: { kind: "flat", microsPerKwh: RETAIL },
};

let region: OpenRegion;
let registry: RegionRegistry;
let folder: string;
let running: { readonly stop: AbortController; readonly ended: Promise<void> }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polder-agents-"));
  region = await openRegionAt(RATE);
  registry = new RegionRegistry(region.client, REGION);
});

afterEach(stopAll);

afterAll(async () => {
  await region.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function stopAll(): Promise<void> {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.map(({ ended }) => ended));
  running = [];
}

const constant = (netWh: number): MeterSource => ({
  read: () => ({ netWh, generationWh: null, loadWh: null }),
});

type Home = HouseholdKeys & { readonly signer: Signer };

function agentOf(home: Home, netWh: number, more: Partial<AgentOptions> = {}): HouseholdAgent {
  return new HouseholdAgent({
    name: "agent",
    client: region.client,
    region: REGION,
    signer: home.signer,
    meters: [householdMeter(home, constant(netWh))],
    claims: {},
    prover,
    registry,
    tariff: TARIFF,
    memory: volatileMemory(),
    ...more,
  });
}

async function run(...agents: HouseholdAgent[]): Promise<void> {
  const { clock } = await region.client.deployment();
  for (const agent of agents) {
    const stop = new AbortController();
    running.push({ stop, ended: runAgent(agent, { clock, signal: stop.signal }) });
  }
}

async function journal(): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const line of region.client.journal(REGION))
    entries.push((JSON.parse(line) as { entry: Entry }).entry);
  return entries;
}

/** First slots of the windows that an account's commands proved, in the journal's order. */
const provedBy = (entries: readonly Entry[], account: Hex): number[] =>
  entries.flatMap(({ command }) =>
    command?.type === "submit_readings" && command.account === account ? [command.firstSlot] : [],
  );
const placedBy = (entries: readonly Entry[], account: Hex) =>
  entries.flatMap(({ command }) =>
    command?.type === "place_order" && command.account === account ? [command] : [],
  );

const liveOrders = async (account: Hex) =>
  (await region.client.orders(REGION, account)).filter(({ isLive }) => isLive);

/** Waits until so many windows that both proved have cleared whole; answers their first slots. */
async function clearedTogether(accounts: readonly Hex[], count: number): Promise<number[]> {
  let both: number[] = [];
  const isThere = await eventually(async () => {
    const entries = await journal();
    const closed = new Set(
      entries.flatMap(({ events }) =>
        events.flatMap((event) => (event.type === "window_closed" ? [event.firstSlot] : [])),
      ),
    );
    const [first = [], ...others] = accounts.map((account) => provedBy(entries, account));
    both = first.filter((slot) => closed.has(slot) && others.every((slots) => slots.includes(slot)));
    return both.length >= count;
  }, PATIENCE_MS);
  expect(isThere, `${count} windows cleared`).toBe(true);
  return both;
}

describe("limits of an agent", () => {
  test("rejects: an order outside its owner's limits is not sent, and said so; the other side stands", async () => {
    const home = await region.household("limited");
    const reports: string[] = [];
    const limits = { leastAskMicrosPerKwh: 200_000, highestBidMicrosPerKwh: 300_000 };
    const agent = agentOf(home, 0, { limits, report: (message) => reports.push(message) });
    await agent.step(await region.client.marketTimeS());
    expect(reports).toEqual(["agent: a sell order is outside its owner's limits and was not sent"]);
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["buy"]);
    const again = agentOf(home, 0, { limits });
    await again.step(await region.client.marketTimeS());
    expect(again.counts.orders, "after a restart").toBe(0);
  });

  test("regression: what a key may not do is reported, and neither the other side nor the windows wait for it", async () => {
    const home = await region.household("seller");
    const seed: Hex = `0x${"5e".repeat(32)}`;
    await region.client.submit(REGION, walletSigner(home.wallet), {
      type: "authorise_session",
      key: sessionKeyOf(seed),
      resources: ["energy"],
      sides: ["sell"],
      leastAskMicrosPerKwh: 0,
      highestBidMicrosPerKwh: 0,
      dailyWh: 1_000_000,
      spendingLimitMicros: 0,
      sessionExpiresAtS: LAST_INSTANT_S,
    });
    const reports: string[] = [];
    const signer = sessionSigner(home.account, seed);
    await run(agentOf(home, 40, { signer, report: (message) => reports.push(message) }));
    expect(
      await eventually(async () => provedBy(await journal(), home.account).length > 0, PATIENCE_MS),
    ).toBe(true);
    expect(reports[0]).toMatch(/a buy order was refused: session_scope/);
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["sell"]);
  });

  test("behavior: windows that closed while nobody asked the agent are counted and reported as missed", async () => {
    const home = await region.household("late");
    const reports: string[] = [];
    const agent = agentOf(home, 40, { report: (message) => reports.push(message) });
    await agent.step(await region.client.marketTimeS());
    const { windowFirstSlot } = await region.client.market(REGION);
    const isGone = async () => (await region.client.market(REGION)).windowFirstSlot > windowFirstSlot + 8;
    expect(await eventually(isGone, PATIENCE_MS)).toBe(true);
    expect(agent.counts.missed).toBe(0);
    await agent.step(await region.client.marketTimeS());
    expect(agent.counts.missed).toBeGreaterThanOrEqual(2);
    expect(reports.filter((message) => message.includes("was missed"))).toHaveLength(agent.counts.missed);
    const empty = agentOf(await region.household("late and empty"), 0);
    await empty.step(await region.client.marketTimeS());
    const from = (await region.client.market(REGION)).windowFirstSlot;
    await eventually(
      async () => (await region.client.market(REGION)).windowFirstSlot > from + 4,
      PATIENCE_MS,
    );
    await empty.step(await region.client.marketTimeS());
    expect(empty.counts, "a window of nothing is no loss").toMatchObject({ windows: 0, missed: 0 });
  });
});

describe("an agent's memory", () => {
  test("regression: half a line that a kill left behind is cut off before the next is written", async () => {
    const file = join(folder, "torn.ndjson");
    const home = await region.household("torn");
    const first = agentOf(home, 0, { memory: fileMemory(file) });
    await first.step(await region.client.marketTimeS());
    appendFileSync(file, '{"receipt":{"region":"pol');
    expect(fileMemory(file).receipts(), "a reader").toEqual(first.receipts);
    expect(readFileSync(file, "utf8"), "changes nothing").toMatch(/"pol$/);
    const memory = fileMemory(file);
    const [receipt] = first.receipts;
    memory.rememberReceipt(receipt as (typeof first.receipts)[0]);
    expect(fileMemory(file).receipts()).toEqual([...first.receipts, receipt]);
  });

  test("invariant: a window signed before a restart is submitted as it was signed, whatever the meter says now", async () => {
    const home = await region.household("signed");
    const file = join(folder, "signed.ndjson");
    // Its first readings are signed and never arrive.
    const deaf: typeof fetch = async (input, init) => {
      if (String(init?.body).includes("submit_readings")) throw new TypeError("the line is dead");
      return fetch(input, init);
    };
    const client = new PolderClient(region.stack.url, { fetch: deaf, retries: 0 });
    const before = agentOf(home, 70, { client, memory: fileMemory(file) });
    const windows = () =>
      [...readFileSync(file, "utf8").matchAll(/"window":\{"firstSlot":(\d+)/g)].map(([, slot]) => slot);
    const { clock } = await client.deployment();
    const stop = new AbortController();
    const ended = runAgent(before, { clock, signal: stop.signal });
    expect(await eventually(() => windows().length > 0, PATIENCE_MS)).toBe(true);
    stop.abort();
    await ended;
    const after = agentOf(home, -5, { memory: fileMemory(file) });
    await run(after);
    expect(await eventually(() => after.counts.windows > 0, PATIENCE_MS)).toBe(true);
    await stopAll();
    const signed = windows();
    expect(new Set(signed).size, "each window is signed once").toBe(signed.length);
    const memory = fileMemory(file).ofGateway(gatewayIdOfSeed(home.gatewaySeed));
    const entries = await journal();
    for (const { command } of entries) {
      if (command?.type !== "submit_readings" || command.account !== home.account) continue;
      expect(command.netWh).toEqual(memory.signedWindow(command.firstSlot)?.netWh);
    }
    expect(after.counts.orders, "orders after the restart").toBe(0);
    expect(placedBy(entries, home.account)).toHaveLength(2);
  });

  test("regression: a start that was cut off between two orders is made good at the next", async () => {
    const home = await region.household("half");
    let orders = 0;
    const cutOff: typeof fetch = async (input, init) => {
      if (String(init?.body).includes("place_order") && ++orders > 1) throw new TypeError("the line is dead");
      return fetch(input, init);
    };
    const client = new PolderClient(region.stack.url, { fetch: cutOff, retries: 0 });
    const before = agentOf(home, 0, { client });
    await expect(before.step(await region.client.marketTimeS())).rejects.toThrow("no answer");
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["sell"]);
    await agentOf(home, 0).step(await region.client.marketTimeS());
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["sell", "buy"]);
  });

  test("regression: ladders of one's own stand until they are cancelled, and a restart adds none", async () => {
    const home = await region.household("ladder");
    const orders = parseLadders([
      { side: "sell", steps: [{ limitPerKwh: "0.12", capWhPerSlot: 300 }, { limitPerKwh: "0.2" }] },
      { side: "buy", steps: [{ limitPerKwh: "0.15" }], hours: [1, 2, 3] },
    ]);
    for (const expected of [2, 0, 0]) {
      const agent = agentOf(home, 0, { orders });
      const nextS = await agent.step(await region.client.marketTimeS());
      expect(agent.counts.orders).toBe(expected);
      expect(nextS).toBeLessThan((await region.client.marketTimeS()) + 3 * 3600);
    }
    const live = await liveOrders(home.account);
    expect(live.map(({ side, steps }) => [side, steps.length])).toEqual([
      ["sell", 2],
      ["buy", 1],
    ]);
    // Another wish replaces them.
    await agentOf(home, 0).step(await region.client.marketTimeS());
    const limits = defaultLimits({
      retailMicrosPerKwh: RETAIL,
      feedInMicrosPerKwh: FEED_IN,
      networkFeeMicrosPerKwh: 20_000,
      takeRateBps: 100,
    });
    const prices = (await liveOrders(home.account)).map(({ steps }) => steps[0]?.limitPriceMicrosPerKwh);
    expect(prices).toEqual([limits?.sellMicrosPerKwh, limits?.buyMicrosPerKwh]);
  });
});

describe("agents on a market", () => {
  test("behavior: default orders cross, everything matchable trades, and each window is proved once", async () => {
    const [ann, bob] = [await region.household("ann"), await region.household("bob")];
    const memories = [ann, bob].map(({ account }) => fileMemory(join(folder, `${account}.ndjson`)));
    const agents = [
      agentOf(ann, 400, { memory: memories[0] as AgentMemory }),
      agentOf(bob, -300, { memory: memories[1] as AgentMemory }),
    ];
    await run(...agents);
    const windows = await clearedTogether([ann.account, bob.account], 2);
    for (const firstSlot of windows) {
      for (let slot = firstSlot; slot < firstSlot + 4; slot += 1) {
        const { surplusWh, needWh, tradedWh, priceMicrosPerKwh } = await region.client.slot(REGION, slot);
        expect(tradedWh).toBe(Math.min(surplusWh, needWh));
        expect(priceMicrosPerKwh).toBeGreaterThan(FEED_IN);
      }
    }
    await stopAll();
    const entries = await journal();
    for (const home of [ann, bob]) {
      const proved = provedBy(entries, home.account);
      expect(new Set(proved).size).toBe(proved.length);
      expect(placedBy(entries, home.account)).toHaveLength(2);
      const { lines } = await region.client.bill(REGION, home.account);
      expect(lines.length).toBeGreaterThan(0);
      for (const { gainMicros, wasCut } of lines) {
        expect(gainMicros).toBeGreaterThanOrEqual(0);
        expect(wasCut).toBe(false);
      }
    }
    const receipts = agents.flatMap((agent) => agent.receipts);
    expect(receipts.length).toBe(agents.reduce((sum, { counts }) => sum + counts.orders + counts.windows, 0));
    const report = await audit(await region.client.deployment(), region.client.journal(REGION), { receipts });
    expect(report.failure).toBeNull();
    expect(report.receipts).toBe(receipts.length);
  });

  test("behavior: an account with little money is cut to it, its bill says so, and it never falls below zero", async () => {
    const [ann, poor] = [await region.household("ann"), await region.household("poor", 90_000)];
    // Its wallet signs, so that no spending limit of a key stands before its money.
    const buyer = agentOf(poor, -300, { signer: walletSigner(poor.wallet) });
    await run(agentOf(ann, 400), buyer);
    await clearedTogether([ann.account, poor.account], 1);
    const wasCut = async () =>
      (await region.client.bill(REGION, poor.account)).lines.some((line) => line.wasCut);
    expect(await eventually(wasCut, PATIENCE_MS), "a cut on the bill").toBe(true);
    await stopAll();
    const { lines } = await region.client.bill(REGION, poor.account);
    expect(lines[0]).toMatchObject({ tradedWh: -300, wasCut: false });
    let leftMicros = 90_000;
    for (const { meteredWh, tradedWh, amountMicros, wasCut: isCut } of lines) {
      leftMicros += amountMicros;
      expect(leftMicros).toBeGreaterThanOrEqual(0);
      if (-tradedWh < -meteredWh) expect(isCut, "bought less than it needed").toBe(true);
    }
    const { freeMicros } = await region.client.account(REGION, poor.account);
    expect(freeMicros).toBe(leftMicros);
  });

  test("behavior: new parameters end the orders of the old ones, also when they came during a restart", async () => {
    const [ann, bob] = [await region.household("ann"), await region.household("bob")];
    const agent = agentOf(ann, 400);
    await agent.step(await region.client.marketTimeS());
    expect(agent.counts.orders, "the orders of the last run stand").toBe(0);
    const { parameters } = termsOf({ networkFeeMicrosPerKwh: 60_000 });
    await region.client.submit(REGION, region.operator, { type: "set_parameters", parameters });
    await run(agent);
    expect(await eventually(() => agent.counts.orders === 2, PATIENCE_MS), "it orders anew").toBe(true);
    const limits = defaultLimits({
      retailMicrosPerKwh: RETAIL,
      feedInMicrosPerKwh: FEED_IN,
      networkFeeMicrosPerKwh: 60_000,
      takeRateBps: 100,
    });
    const wished = [limits?.sellMicrosPerKwh, limits?.buyMicrosPerKwh];
    const prices = async (account: Hex) =>
      (await liveOrders(account)).map(({ steps }) => steps[0]?.limitPriceMicrosPerKwh);
    expect(await prices(ann.account)).toEqual(wished);
    // Nobody ran for this one meanwhile.
    expect(await prices(bob.account)).not.toEqual(wished);
    await agentOf(bob, -300).step(await region.client.marketTimeS());
    expect(await prices(bob.account)).toEqual(wished);
  });
});

// Owns what a household may expect of its agent on a real market: orders that cross, windows signed once, nothing twice
// after a restart, its owner's limits, and a bill that says when its money was short. It refuses exact wall timing.

import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { type AgentOptions, HouseholdAgent } from "../../clients/household/agent.ts";
import { type AgentMemory, fileMemory, volatileMemory } from "../../clients/household/agent-memory.ts";
import { defaultLimits } from "../../clients/household/default-orders.ts";
import { parseLadders } from "../../clients/household/ladder-file.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { runAgent } from "../../clients/household/runner.ts";
import type { Tariff } from "../../clients/household/tariff.ts";
import { type HouseholdKeys, householdMeter } from "../../clients/local/neighbourhood.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { type Signer, sessionSigner, walletSigner } from "../../clients/sdk/signer.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Entry } from "../../market/journal.ts";
import { type Hex, LAST_INSTANT_S } from "../../protocol/fields.ts";
import { prover } from "../support/client-proving.ts";
import { eventually, FEED_IN, type OpenRegion, REGION, RETAIL, termsOf } from "../support/client-region.ts";
import { steadyFrom, Windows } from "../support/client-windows.ts";

const PATIENCE_MS = 40_000;
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const TARIFF: Tariff = {
  name: "flat",
  currency: "EUR",
  feedInMicrosPerKwh: FEED_IN,
  retail: { kind: "flat", microsPerKwh: RETAIL },
};

let windows: Windows;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polder-agents-"));
  windows = await Windows.open();
});

afterAll(async () => {
  await windows.stop();
  rmSync(folder, { recursive: true, force: true });
});

const client = () => windows.region.client;

type Home = HouseholdKeys & { readonly signer: Signer };

/** An agent whose meter measures the same in every slot from one on. */
function agentOf(
  home: Home,
  netWh: number,
  { fromSlot = 0, ...more }: Partial<AgentOptions> & { readonly fromSlot?: number } = {},
): HouseholdAgent {
  return new HouseholdAgent({
    name: "agent",
    client: client(),
    region: REGION,
    signer: home.signer,
    meters: [householdMeter(home, steadyFrom(fromSlot, netWh))],
    claims: {},
    prover,
    registry: new RegionRegistry(client(), REGION),
    tariff: TARIFF,
    memory: volatileMemory(),
    ...more,
  });
}

/** A client whose requests go through a hand that may drop them; nothing is tried again. */
const cutOffBy = (hand: typeof fetch) =>
  new PolderClient(windows.region.stack.url, { fetch: hand, retries: 0 });

const household = (...args: Parameters<OpenRegion["household"]>) => windows.region.household(...args);

const placedBy = (entries: readonly Entry[], account: Hex) =>
  entries.flatMap(({ command }) =>
    command?.type === "place_order" && command.account === account ? [command] : [],
  );

const liveOrders = async (account: Hex) =>
  (await client().orders(REGION, account)).filter(({ isLive }) => isLive);

describe("limits of an agent", () => {
  test("rejects: an order outside its owner's limits is not sent, and said so; the other side stands", async () => {
    const home = await household("limited");
    const reports: string[] = [];
    const limits = { leastAskMicrosPerKwh: 200_000, highestBidMicrosPerKwh: 300_000 };
    const agent = agentOf(home, 0, { limits, report: (message) => reports.push(message) });
    await windows.step(agent);
    expect(reports).toEqual(["agent: a sell order is outside its owner's limits and was not sent"]);
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["buy"]);
    const again = agentOf(home, 0, { limits });
    await windows.step(again);
    expect(again.counts.orders, "after a restart").toBe(0);
  });

  test("regression: what a key may not do is reported, and neither the other side nor the windows wait for it", async () => {
    const home = await household("seller");
    const seed: Hex = `0x${"5e".repeat(32)}`;
    await client().submit(REGION, walletSigner(home.wallet), {
      type: "authorise_session",
      key: sessionKeyOf(seed),
      resources: ["energy"],
      sides: ["sell"],
      leastAskMicrosPerKwh: 0,
      highestBidMicrosPerKwh: 0,
      dailyWh: 1_000_000,
      leastAskMicrosPerTera: 0,
      highestBidMicrosPerTera: 0,
      dailyMega: 0,
      spendingLimitMicros: 0,
      sessionExpiresAtS: LAST_INSTANT_S,
    });
    const reports: string[] = [];
    const report = (message: string) => void reports.push(message);
    const signer = sessionSigner(home.account, seed);
    const firstSlot = await windows.next();
    const more = () => ({ signer, report, fromSlot: firstSlot });
    await windows.step(agentOf(home, 40, more()));
    await windows.over(firstSlot);
    await windows.step(agentOf(home, 40, more()));
    expect(await windows.claimedBy(home.account)).toEqual([{ firstSlot, netWh: [40, 40, 40, 40] }]);
    expect(reports[0]).toMatch(/a buy order was refused: session_scope/);
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["sell"]);
  });

  test("behavior: windows that closed while nobody asked the agent are counted and reported as missed", async () => {
    const homes = [await household("late"), await household("late and empty")] as const;
    const reports: string[] = [];
    const report = (message: string) => void reports.push(message);
    const firstSlot = await windows.next();
    const meters = [householdMeter(homes[0], steadyFrom(firstSlot, 40, firstSlot + 8))];
    const agent = agentOf(homes[0], 0, { meters, report });
    const empty = agentOf(homes[1], 0);
    await windows.step(agent, empty);
    expect([agent.counts.missed, reports]).toEqual([0, []]);
    // Its own client knows nothing of the jump, as a machine that slept.
    await windows.settled(firstSlot + 4);
    const atS = await client().marketTimeS();
    for (const one of [agent, empty]) await one.step(atS);
    expect(agent.counts).toMatchObject({ missed: 2, windows: 0, proofs: 0 });
    expect(reports).toEqual(
      [firstSlot, firstSlot + 4].map(
        (slot) => `agent: window ${slot} was missed: its time for evidence is over`,
      ),
    );
    expect(empty.counts, "a window of nothing is no loss").toMatchObject({
      windows: 0,
      missed: 0,
      proofs: 0,
    });
  });
});

describe("an agent's memory", () => {
  test("regression: half a line that a kill left behind is cut off before the next is written", async () => {
    const file = join(folder, "torn.ndjson");
    const home = await household("torn");
    const first = agentOf(home, 0, { memory: fileMemory(file) });
    await windows.step(first);
    appendFileSync(file, '{"receipt":{"region":"pol');
    expect(fileMemory(file).receipts(), "a reader").toEqual(first.receipts);
    expect(readFileSync(file, "utf8"), "changes nothing").toMatch(/"pol$/);
    const memory = fileMemory(file);
    const [receipt] = first.receipts;
    memory.rememberReceipt(receipt as (typeof first.receipts)[0]);
    expect(fileMemory(file).receipts()).toEqual([...first.receipts, receipt]);
  });

  test("invariant: a window signed before a restart is submitted as it was signed, whatever the meter says now", async () => {
    const home = await household("signed");
    const file = join(folder, "signed.ndjson");
    const firstSlot = await windows.next();
    const more = () => ({ fromSlot: firstSlot, memory: fileMemory(file) });
    await windows.step(agentOf(home, 70, more()));
    await windows.over(firstSlot);
    // It is signed and proved, and never arrives.
    const deaf: typeof fetch = async (input, init) => {
      if (String(init?.body).includes("submit_readings")) throw new TypeError("the line is dead");
      return fetch(input, init);
    };
    const before = agentOf(home, 70, { ...more(), client: cutOffBy(deaf) });
    await expect(windows.step(before)).rejects.toThrow("no answer");
    expect(before.counts).toMatchObject({ proofs: 1, windows: 0 });
    expect(await windows.claimedBy(home.account)).toEqual([]);
    const after = agentOf(home, -5, more());
    await windows.step(after);
    expect(after.counts, "nothing is proved or ordered again").toMatchObject({
      proofs: 0,
      windows: 1,
      orders: 0,
    });
    expect(await windows.claimedBy(home.account)).toEqual([{ firstSlot, netWh: [70, 70, 70, 70] }]);
    await windows.step(after, agentOf(home, -5, more()));
    expect(await windows.claimedBy(home.account), "nor sent again").toHaveLength(1);
    const signed = [...readFileSync(file, "utf8").matchAll(/"window":\{"firstSlot":(\d+)/g)];
    expect(signed.filter(([, slot]) => Number(slot) === firstSlot)).toHaveLength(1);
    expect(placedBy(await windows.journal(), home.account)).toHaveLength(2);
    expect(readFileSync(file, "utf8")).not.toContain(String(home.secret));
  });

  test("regression: a start that was cut off between two orders is made good at the next", async () => {
    const home = await household("half");
    let orders = 0;
    const cutOff: typeof fetch = async (input, init) => {
      if (String(init?.body).includes("place_order") && ++orders > 1) throw new TypeError("the line is dead");
      return fetch(input, init);
    };
    const before = agentOf(home, 0, { client: cutOffBy(cutOff) });
    await expect(windows.step(before)).rejects.toThrow("no answer");
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["sell"]);
    await windows.step(agentOf(home, 0));
    expect((await liveOrders(home.account)).map(({ side }) => side)).toEqual(["sell", "buy"]);
  });

  test("regression: ladders of one's own stand until they are cancelled, and a restart adds none", async () => {
    const home = await household("ladder");
    const orders = parseLadders([
      { side: "sell", steps: [{ limitPerKwh: "0.12", capWhPerSlot: 300 }, { limitPerKwh: "0.2" }] },
      { side: "buy", steps: [{ limitPerKwh: "0.15" }], hours: [1, 2, 3] },
    ]);
    for (const expected of [2, 0, 0]) {
      const agent = agentOf(home, 0, { orders });
      const nextS = await agent.step(await client().marketTimeS());
      expect(agent.counts.orders).toBe(expected);
      expect(nextS).toBeLessThan((await client().marketTimeS()) + 3 * 3600);
    }
    const live = await liveOrders(home.account);
    expect(live.map(({ side, steps }) => [side, steps.length])).toEqual([
      ["sell", 2],
      ["buy", 1],
    ]);
    // Another wish replaces them.
    await windows.step(agentOf(home, 0));
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
    const [ann, annex, bob] = [await household("ann"), await household("annex"), await household("bob")];
    const firstSlot = await windows.next();
    const memories = [ann, bob].map(({ account }) => fileMemory(join(folder, `${account}.ndjson`)));
    const agents = () => [
      // One household with two meters.
      agentOf(ann, 0, {
        meters: [
          householdMeter(ann, steadyFrom(firstSlot, 250)),
          householdMeter(annex, steadyFrom(firstSlot, 150)),
        ],
        memory: memories[0] as AgentMemory,
      }),
      agentOf(bob, -300, { fromSlot: firstSlot, memory: memories[1] as AgentMemory }),
    ];
    const early = agents();
    await windows.step(...early);
    await windows.over(firstSlot);
    const late = agents();
    await windows.step(...late);
    expect(late.map(({ counts }) => counts)).toEqual(
      [2, 1].map((count) => ({ orders: 0, windows: count, missed: 0, proofs: count, pending: 0 })),
    );
    await windows.settled(firstSlot);
    for (let slot = firstSlot; slot < firstSlot + 4; slot += 1) {
      const { surplusWh, needWh, tradedWh, priceMicrosPerKwh } = await client().slot(REGION, slot);
      expect([surplusWh, needWh, tradedWh]).toEqual([400, 300, 300]);
      expect(priceMicrosPerKwh).toBeGreaterThan(FEED_IN);
    }
    const entries = await windows.journal();
    for (const { account } of [ann, bob]) {
      expect(placedBy(entries, account)).toHaveLength(2);
      const { lines } = await client().bill(REGION, account);
      expect(lines.length).toBeGreaterThan(0);
      for (const { gainMicros, wasCut } of lines) {
        expect(gainMicros).toBeGreaterThanOrEqual(0);
        expect(wasCut).toBe(false);
      }
    }
    const receipts = late.flatMap((agent) => agent.receipts);
    expect(receipts.length).toBe(4 + 3);
    const report = await audit(await client().deployment(), client().journal(REGION), { receipts });
    expect(report.failure).toBeNull();
    expect(report.receipts).toBe(receipts.length);
    expect(report.proofs).toBeGreaterThanOrEqual(3);
  });

  test("behavior: an account with little money is cut to it, its bill says so, and it never falls below zero", async () => {
    const [ann, poor] = [await household("ann"), await household("poor", 90_000)];
    const firstSlot = await windows.next();
    // Its wallet signs, so that no spending limit of a key stands before its money.
    const agents = () => [
      agentOf(ann, 400, { fromSlot: firstSlot }),
      agentOf(poor, -300, { fromSlot: firstSlot, signer: walletSigner(poor.wallet) }),
    ];
    await windows.step(...agents());
    await windows.over(firstSlot);
    await windows.step(...agents());
    await windows.settled(firstSlot);
    const { lines } = await client().bill(REGION, poor.account);
    expect(lines.length).toBeGreaterThanOrEqual(4);
    expect(lines.find(({ slot }) => slot === firstSlot)).toMatchObject({ tradedWh: -300, wasCut: false });
    expect(
      lines.some(({ wasCut }) => wasCut),
      "a cut on the bill",
    ).toBe(true);
    let leftMicros = 90_000;
    for (const { meteredWh, tradedWh, amountMicros, wasCut: isCut } of lines) {
      leftMicros += amountMicros;
      expect(leftMicros).toBeGreaterThanOrEqual(0);
      if (-tradedWh < -meteredWh) expect(isCut, "bought less than it needed").toBe(true);
    }
    const { freeMicros } = await client().account(REGION, poor.account);
    expect(freeMicros).toBe(leftMicros);
  });

  test("behavior: new parameters end the orders of the old ones, also when they came during a restart", async () => {
    const [ann, bob] = [await household("ann"), await household("bob")];
    const later = (await windows.next()) + 1_000;
    const agent = () => agentOf(ann, 400, { fromSlot: later });
    const before = agent();
    await windows.step(before);
    expect(before.counts.orders, "the orders of the last run stand").toBe(0);
    const { parameters } = termsOf({ networkFeeMicrosPerKwh: 60_000 });
    await client().submit(REGION, windows.region.operator, { type: "set_parameters", parameters });
    // From the next epoch on, of two windows.
    await windows.next();
    await windows.next();
    const clock = (await client().deployment()).clock;
    const stop = new AbortController();
    const running = agent();
    const ended = runAgent(running, { clock, signal: stop.signal });
    expect(await eventually(() => running.counts.orders === 2, PATIENCE_MS), "it orders anew").toBe(true);
    stop.abort();
    await ended;
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
    await windows.step(agentOf(bob, -300, { fromSlot: later }));
    expect(await prices(bob.account)).toEqual(wished);
  });
});

// Owns what an agent does for a window's proof: how much it claims, against which registry, and what it makes of each
// refusal. It refuses a proof that is made twice without need, and one against a registry nobody can check.

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type AgentOptions, HouseholdAgent } from "../../clients/household/agent.ts";
import { volatileMemory } from "../../clients/household/agent-memory.ts";
import { RegionRegistry } from "../../clients/household/region-registry.ts";
import { type HouseholdKeys, householdMeter, installerWallet } from "../../clients/local/neighbourhood.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { type Signer, walletSigner } from "../../clients/sdk/signer.ts";
import { gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import { type ErrorCode, problemOf, rejected } from "../../protocol/errors.ts";
import { prover } from "../support/client-proving.ts";
import { REGION, SEED } from "../support/client-region.ts";
import { Windows } from "../support/client-windows.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

type Home = HouseholdKeys & { readonly signer: Signer };
type Fetch = typeof fetch;
interface StatedRegistry {
  readonly root: string;
  readonly leaves: readonly string[];
}

/** Every home of the tests measures this from the one window on that all of them are about. */
const NET_WH = [130, -70, 40, -90];
const TARIFF = {
  name: "flat",
  currency: "EUR",
  feedInMicrosPerKwh: 0,
  retail: { kind: "flat", microsPerKwh: 0 },
} as const;

let windows: Windows;
let firstSlot: number;
const homes = new Map<string, Home>();
const homeOf = (name: string): Home => homes.get(name) as Home;
const NAMES = ["stepped", "limited", "lied to", "emergency", "goes", "tried", "lost", "again"];

beforeAll(async () => {
  windows = await Windows.open();
  for (const name of NAMES) homes.set(name, await windows.region.household(name));
  firstSlot = await windows.next();
  await windows.over(firstSlot);
});

afterAll(() => windows.stop());

const source = () => ({
  read: (slot: number) => ({
    netWh: slot < firstSlot ? 0 : (NET_WH[slot % 4] as number),
    generationWh: null,
    loadWh: null,
  }),
});

/** An agent that only proves, and what it says. */
function agentOf(
  home: Home,
  { fetch: hand, ...more }: Partial<AgentOptions> & { readonly fetch?: Fetch } = {},
) {
  const { url } = windows.region.stack;
  const client = new PolderClient(url, hand === undefined ? {} : { fetch: hand, retries: 0 });
  const reports: string[] = [];
  const agent = new HouseholdAgent({
    name: "agent",
    client,
    region: REGION,
    signer: home.signer,
    meters: [householdMeter(home, source())],
    claims: {},
    orders: [],
    prover,
    registry: new RegionRegistry(client, REGION),
    tariff: TARIFF,
    memory: volatileMemory(),
    report: (message) => reports.push(message),
    ...more,
  });
  return { agent, reports };
}

/** A network that answers readings, or the registry, with something else. */
const instead =
  (path: string, answer: (real: () => Promise<Response>) => Promise<Response> | Response): Fetch =>
  (input, init) =>
    String(input).includes(path) || String(init?.body).includes(path)
      ? Promise.resolve(answer(() => fetch(input, init)))
      : fetch(input, init);

const problem = (code: ErrorCode): Response => {
  const said = problemOf(rejected(code));
  return new Response(JSON.stringify(said), { status: said.status });
};

const claimedOf = async ({ account }: Home) => (await windows.claimedBy(account)).map(({ netWh }) => netWh);
const claimedBy = (name: string) => claimedOf(homeOf(name));

describe("what is not claimed", () => {
  test("rejects: a registry whose leaves do not have its root: asked again later, proved against never", async () => {
    const liars: ((registry: StatedRegistry) => object)[] = [
      (registry) => ({ ...registry, root: registry.leaves[0] as string }),
      (registry) => ({ ...registry, leaves: registry.leaves.slice(1) }),
      (registry) => ({ ...registry, leaves: registry.leaves.with(0, `0x${"ff".repeat(32)}`) }),
    ];
    for (const lie of liars) {
      const hand = instead("/registry/", async (real) =>
        Response.json(lie((await (await real()).json()) as StatedRegistry)),
      );
      const { agent, reports } = agentOf(homeOf("lied to"), { fetch: hand });
      const atS = await windows.region.client.marketTimeS();
      const againS = await agent.step(atS);
      expect(againS - atS, "within the time for evidence").toBeLessThan(60);
      expect(againS).toBeGreaterThan(atS);
      expect([agent.counts.proofs, agent.counts.missed, reports]).toEqual([0, 0, []]);
      // When half of that time is over it is late.
      await agent.step(atS + 1_800);
      expect(agent.counts.missed).toBe(1);
      expect(reports[0]).toMatch(/was missed: the leaves of window \d+ have the root .*, and .* states 0x/);
    }
    const odd = instead("/registry/", () => Response.json({ firstSlot, root: "0x", leaves: [] }));
    const { agent } = agentOf(homeOf("lied to"), { fetch: odd });
    await expect(windows.step(agent)).rejects.toThrow("not the registry of this window");
    expect(await claimedBy("lied to")).toEqual([]);
  });

  test("rejects: a meter that is not in the registry, or with other limits, is said and nothing is proved", async () => {
    const home = homeOf("lied to");
    const strangers = [
      { ...householdMeter(home, source()), secret: home.secret + 1n },
      { ...householdMeter(home, source()), gatewaySeed: homeOf("lost").gatewaySeed },
      householdMeter(home, source(), { nameplateWh: 1, connectionWh: 1, saleCapWh: 1, purchaseCapWh: 1 }),
    ];
    for (const meter of strangers) {
      const { agent, reports } = agentOf(home, { meters: [meter] });
      await windows.step(agent);
      expect(agent.counts).toMatchObject({ proofs: 0, missed: 0, windows: 0 });
      expect(reports.at(-1)).toMatch(/is not claimed: 0x[0-9a-f]{64} is not in its registry/);
      expect(reports.join()).not.toContain(String(meter.secret));
    }
  });

  test("rejects: a window of which nothing is claimed is not proved", async () => {
    for (const claims of [{ stepWh: 500 }, { mostWh: 0 }]) {
      const { agent, reports } = agentOf(homeOf("lied to"), { claims });
      await windows.step(agent);
      expect([agent.counts.proofs, agent.counts.missed, reports]).toEqual([0, 0, []]);
    }
  });

  test("rejects: after too many failed proofs the window is given up, and said so", async () => {
    let asked = 0;
    const hand = instead("submit_readings", () => {
      asked += 1;
      return problem("proof_attempts_exhausted");
    });
    const { agent, reports } = agentOf(homeOf("tried"), { fetch: hand });
    await windows.step(agent);
    await windows.step(agent);
    expect(asked).toBe(1);
    expect(agent.counts).toMatchObject({ proofs: 1, missed: 1, windows: 0, pending: 0 });
    expect(reports[0]).toMatch(/was missed: the region looks at no more proofs of this account for it/);
  });
});

describe("what is claimed", () => {
  test("behavior: claims are rounded down by the policy, and an export of which nothing is claimed stays one", async () => {
    const { agent } = agentOf(homeOf("stepped"), { claims: { stepWh: 50, mostWh: 100 } });
    await windows.step(agent);
    expect(await claimedBy("stepped")).toEqual([[100, -50, 0, -50]]);
    const entry = (await windows.journal()).findLast(({ command }) => command?.type === "submit_readings");
    expect(entry?.evidence).toMatchObject({ kind: "meter-proof", heldBack: [2] });
    expect(JSON.stringify(entry), "no key of a meter").not.toContain(
      gatewayIdOfSeed(homeOf("stepped").gatewaySeed).slice(2),
    );
  });

  test("behavior: what an answer that was lost left open is sent again and not proved again", async () => {
    let isLost = true;
    const hand = instead("submit_readings", async (real) => {
      const answer = await real();
      if (isLost) throw new TypeError("the line is dead");
      return answer;
    });
    const { agent, reports } = agentOf(homeOf("lost"), { fetch: hand });
    await expect(windows.step(agent)).rejects.toThrow("no answer");
    isLost = false;
    await windows.step(agent);
    expect(agent.counts).toMatchObject({ proofs: 1, missed: 0, pending: 0 });
    expect(reports).toEqual([]);
    expect(await claimedBy("lost")).toEqual([NET_WH]);
  });

  test("behavior: a root that an emergency took back is proved against anew, once", async () => {
    const deaf = instead("submit_readings", () => Promise.reject(new TypeError("the line is dead")));
    const memory = volatileMemory();
    const before = agentOf(homeOf("emergency"), { fetch: deaf, memory });
    await expect(windows.step(before.agent)).rejects.toThrow("no answer");
    await windows.region.client.submit(REGION, walletSigner(installerWallet(SEED)), {
      type: "revoke_meter",
      gateway: gatewayIdOfSeed(homeOf("goes").gatewaySeed),
      isEmergency: true,
    });
    const after = agentOf(homeOf("emergency"), { memory });
    await windows.step(after.agent);
    expect([before.agent.counts.proofs, after.agent.counts.proofs]).toEqual([1, 1]);
    expect(after.agent.counts).toMatchObject({ windows: 1, missed: 0 });
    expect(await claimedBy("emergency")).toEqual([NET_WH]);
    // Whose meter it was cannot prove the window any more.
    const gone = agentOf(homeOf("goes"));
    await windows.step(gone.agent);
    expect(gone.reports[0]).toMatch(/is not in its registry/);
    // A region that always states another root is not proved against for ever.
    const fickle = instead("submit_readings", () => problem("registry_root_wrong"));
    const last = agentOf(homeOf("again"), { fetch: fickle });
    await windows.step(last.agent);
    expect(last.agent.counts).toMatchObject({ proofs: 2, missed: 1 });
  });

  test("behavior: a meter's limits cut its claims, and its owner is told", async () => {
    const limits = { nameplateWh: 100, connectionWh: 80, saleCapWh: 120, purchaseCapWh: 1_000 };
    const home = await windows.region.household("within limits", undefined, limits);
    const next = await windows.next();
    await windows.over(next);
    const { agent, reports } = agentOf(home, { meters: [householdMeter(home, source(), limits)] });
    await windows.step(agent);
    expect(reports).toEqual([`agent: window ${next} is claimed only up to its meter's limits`]);
    expect(await claimedOf(home)).toEqual([[100, -70, 20, -80]]);
  });
});

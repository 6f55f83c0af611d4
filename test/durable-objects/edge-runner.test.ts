// Owns the promises of the deployment as provider of last resort: its asks rest at the operator's price, and what is bought of them
// is run by the real referee, reported and paid. It refuses a stand-in for region or referee; only the desk is written down.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { ASK_LIFE_S } from "../../durable-objects/edge/edge-asks.ts";
import { edgeSettings, isEdge } from "../../durable-objects/edge/edge-settings.ts";
import type { EdgeRunner } from "../../durable-objects/edge-runner.ts";
import type { RunOrder, RunOutcome, RunResult } from "../../durable-objects/job-calls.ts";
import { keepModule } from "../../durable-objects/module-store.ts";
import type { Hex } from "../../protocol/fields.ts";
import { DEFAULT_START_S, type JobDescription, jobDigestOf } from "../../protocol/jobs.ts";
import {
  MAX_REFEREE_FUEL_MEGA,
  MAX_REFEREE_MEMORY_BYTES,
  RESULT_CHALLENGE_SECONDS,
} from "../../protocol/limits.ts";
import { commitmentOf } from "../../protocol/run-results.ts";
import { DOMAIN, word } from "../support/market.ts";
import { commandOf } from "../support/module-bytes.ts";
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  operator,
  RECEIPT_KEY,
} from "../workers/gateway-under-test.ts";
import { until } from "./provider-under-test.ts";
import { env, goTo, OPENED_AT_S, rest, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
const quiet = useQuietConsole();

const ACCOUNT = addressOf(operator);
const PRICE = 500_000;
const NOTHING = commandOf([]);
const LOOP = commandOf([0x03, 0x40, 0x0c, 0x00, 0x0b]);
const NO_INPUT = new Uint8Array(0);
const nameOf = (bytes: Uint8Array): Hex => `0x${sha256Hex(bytes)}`;

interface Told {
  readonly obligationId: number;
  readonly outcome?: RunOutcome;
  readonly commitment?: Hex;
}

/** A region whose operator sells through the deployment. */
class Edge {
  readonly polder: GatewayUnderTest;
  readonly told: Told[] = [];
  #salt = 0;

  constructor(polder: GatewayUnderTest) {
    this.polder = polder;
  }

  static async furnished(isAuthorised = true): Promise<Edge> {
    const edge = new Edge(await GatewayUnderTest.furnished());
    if (isAuthorised) await edge.authorise();
    await edge.listen();
    return edge;
  }

  async authorise(): Promise<void> {
    const { polder } = this;
    const admission = polder.command("admit_account", { account: ACCOUNT });
    expectAccepted(await polder.post("/commands", await polder.signed(operator, admission)), 200);
    const session = polder.sessionCommand(word(1), {
      account: ACCOUNT,
      key: RECEIPT_KEY,
      resources: ["compute"],
      sides: ["sell"],
      dailyMega: 10_000_000,
      spendingLimitMicros: 0,
      sessionExpiresAtS: OPENED_AT_S + 10 * ASK_LIFE_S,
    });
    expectAccepted(await polder.post("/sessions", await polder.signed(operator, session)), 201);
  }

  get stub(): DurableObjectStub<EdgeRunner> {
    return env.EDGE_RUNNER.getByName(this.polder.name);
  }

  /** Puts a desk that writes down what it is told in the object's place for it; after an eviction again. */
  async listen(): Promise<void> {
    await runInDurableObject(this.stub, (runner) => {
      runner.asker = () => ({
        ran: async (_job, obligationId, outcome) => void this.told.push({ obligationId, outcome }),
        committed: async (_job, obligationId, commitment) =>
          void this.told.push({ obligationId, commitment }),
      });
    });
  }

  /** The object is gone in the middle of whatever it does. */
  async die(): Promise<void> {
    const dying = runInDurableObject(this.stub, (_, ctx) => ctx.abort("a test ends it"));
    await expect(dying).rejects.toThrow("a test ends it");
  }

  async ring(): Promise<void> {
    await runInDurableObject(this.stub, (runner) => runner.alarm());
    await rest();
  }

  async asks(): Promise<
    { orderId: number; restingMega: number; priceMicrosPerTera: number; goodTillS: number }[]
  > {
    return (await this.polder.get(`/accounts/${ACCOUNT}/resource-orders`)).json.orders;
  }

  /** Buys a run as the home's wallet; the run as a desk would give it. */
  async bought(source: Uint8Array, limits: Partial<JobDescription["limits"]> = {}): Promise<RunOrder> {
    const { polder } = this;
    await keepModule(env, nameOf(source), source);
    this.#salt += 1;
    const description: JobDescription = {
      module: nameOf(source),
      args: [],
      env: {},
      inputHash: nameOf(NO_INPUT),
      limits: { fuelMega: 20, memoryBytes: 65_536, outputBytes: 0, wallSeconds: 5, ...limits },
      startS: DEFAULT_START_S,
      salt: word(this.#salt),
    };
    const { fuelMega } = description.limits;
    const jobDigest = jobDigestOf(description);
    const own = { account: polder.account, jobDigest, fuelMega, priceMicrosPerTera: PRICE, replicas: 1 };
    const command = polder.command("buy_job", own);
    expectAccepted(await polder.post("/commands", await polder.signed(polder.home, command)), 200);
    const { obligations } = (await polder.get(`/accounts/${polder.account}/obligations`)).json;
    const { obligationId, deadlineS, seller } = obligations.at(-1);
    expect(seller).toBe(ACCOUNT);
    return {
      region: polder.name,
      obligationId,
      jobDigest,
      desk: `${polder.name}/${polder.account}`,
      description,
      input: NO_INPUT,
      commitFirst: false,
      deadlineS,
      fuelMega,
      priceMicrosPerTera: PRICE,
      buyer: polder.account,
    };
  }

  /** What the desk was told of a run in the end. */
  async outcome({ obligationId }: RunOrder): Promise<RunOutcome> {
    const find = () =>
      this.told.find((one) => one.obligationId === obligationId && one.outcome !== undefined);
    await until(() => find() !== undefined, 2_000);
    return find()?.outcome as RunOutcome;
  }

  /** Decides the whole journal again, byte for byte. */
  async audit(): Promise<void> {
    const lines = await this.polder.region.journal();
    const report = await audit(DOMAIN, lines);
    expect(report.failure).toBeNull();
    expect(report.entries).toBe(lines.length);
  }

  async free(account: Hex): Promise<number> {
    return (await this.polder.get(`/accounts/${account}`)).json.freeMicros;
  }
}

describe("the operator's asks", () => {
  test("rejects: figures that are none, and sells nothing without a price, an amount or an operator", () => {
    const set = { OPERATOR: ACCOUNT, EDGE_PRICE_MICROS_PER_TERA: "5", EDGE_FUEL_MEGA: "7" };
    expect(edgeSettings(set)).toEqual({ account: ACCOUNT, priceMicrosPerTera: 5, asksMega: [7] });
    for (const name of ["EDGE_PRICE_MICROS_PER_TERA", "EDGE_FUEL_MEGA"] as const) {
      expect(edgeSettings({ ...set, [name]: "0" })).toBeNull();
      expect(edgeSettings({ ...set, [name]: "" })).toBeNull();
      for (const figure of ["-1", "1.5", "0x10", "1e3", " 1"])
        expect(() => edgeSettings({ ...set, [name]: figure })).toThrow(name);
    }
    expect(edgeSettings({ ...set, OPERATOR: "" })).toBeNull();
    expect(edgeSettings({ ...set, EDGE_FUEL_MEGA: "999999999999" })?.asksMega).toHaveLength(16);
    expect(isEdge(env, ACCOUNT)).toBe(true);
    expect(isEdge(env, word(1).slice(0, 42) as Hex)).toBe(false);
  });

  test("behavior: rest once its key may sell, none larger than a job that the referee runs, and are not doubled", async () => {
    const edge = await Edge.furnished(false);
    await edge.ring();
    expect(await edge.asks()).toEqual([]);
    await edge.authorise();
    await edge.ring();
    const asks = await edge.asks();
    expect(asks.map(({ restingMega }) => restingMega)).toEqual([
      MAX_REFEREE_FUEL_MEGA,
      MAX_REFEREE_FUEL_MEGA,
      10_000,
    ]);
    expect(new Set(asks.map(({ priceMicrosPerTera }) => priceMicrosPerTera))).toEqual(new Set([PRICE]));
    await edge.ring();
    await evictDurableObject(edge.stub);
    await edge.ring();
    expect(await edge.asks()).toEqual(asks);
  });

  test("behavior: are renewed before they end, and never for longer than their key", async () => {
    const edge = await Edge.furnished();
    await edge.ring();
    const [first] = await edge.asks();
    goTo(OPENED_AT_S + ASK_LIFE_S / 2 + 1);
    await edge.ring();
    const renewed = await edge.asks();
    expect(renewed).toHaveLength(3);
    expect(renewed.every(({ goodTillS }) => goodTillS > (first?.goodTillS as number))).toBe(true);
    goTo(OPENED_AT_S + 9.8 * ASK_LIFE_S);
    await edge.ring();
    const last = await edge.asks();
    expect(last.every(({ goodTillS }) => goodTillS <= OPENED_AT_S + 10 * ASK_LIFE_S)).toBe(true);
  });

  test("behavior: the region's runner has an alarm as soon as the region is open", async () => {
    const polder = new GatewayUnderTest();
    expectAccepted(await polder.open(), 201);
    const stub = env.EDGE_RUNNER.getByName(polder.name);
    await until(() => runInDurableObject(stub, async (_, ctx) => (await ctx.storage.getAlarm()) !== null));
  });
});

describe("a run of the deployment's", () => {
  test("rejects: one of another region", async () => {
    const edge = await Edge.furnished();
    await edge.ring();
    const order = await edge.bought(NOTHING);
    expect(await edge.stub.dispatch({ ...order, region: "elsewhere" })).toBe("away");
  });

  test("rejects: a job beyond the referee's memory: it is given up, the buyer has its money, and the asks leave for a while", async () => {
    const edge = await Edge.furnished();
    await edge.ring();
    const before = await edge.free(edge.polder.account);
    const order = await edge.bought(NOTHING, { memoryBytes: MAX_REFEREE_MEMORY_BYTES + 65_536 });
    expect(await edge.stub.dispatch(order)).toBe("full");
    expect(await edge.stub.dispatch(order)).toBe("full");
    await until(async () => (await edge.asks()).length === 0);
    expect(await edge.free(edge.polder.account)).toBe(before);
    goTo(OPENED_AT_S + 5);
    await edge.ring();
    expect(await edge.asks()).toHaveLength(3);
  });

  test("rejects: a module that is gone, as a run that was given up", async () => {
    const edge = await Edge.furnished();
    await edge.ring();
    const order = await edge.bought(NOTHING);
    await env.MODULES.delete(`modules/${sha256Hex(NOTHING)}`);
    expect(await edge.stub.dispatch(order)).toBe("accepted");
    expect(await edge.outcome(order)).toEqual({ kind: "gave_up", reason: "module_not_found" });
    expect((await edge.polder.get(`/accounts/${edge.polder.account}/obligations`)).json.obligations).toEqual(
      [],
    );
  });

  test("behavior: is run by the referee, reported with the key of the receipts, told once, and paid after its challenge", async () => {
    const edge = await Edge.furnished();
    await edge.ring();
    const order = await edge.bought(LOOP);
    expect(await edge.stub.dispatch(order)).toBe("accepted");
    const outcome = (await edge.outcome(order)) as RunResult;
    expect(outcome).toMatchObject({ kind: "result", end: "out_of_fuel", fuelUsed: 20_000_000 });
    expect(outcome.entry).toEqual(expect.any(Number));
    expect(await edge.stub.dispatch(order)).toBe("accepted");
    await rest(50);
    expect(edge.told.filter(({ obligationId }) => obligationId === order.obligationId)).toHaveLength(1);
    const earned = await edge.free(ACCOUNT);
    goTo(OPENED_AT_S + 2 * RESULT_CHALLENGE_SECONDS + 10);
    await runInDurableObject(edge.polder.region.stub, (region) => region.alarm());
    expect(await edge.free(ACCOUNT)).toBeGreaterThan(earned);
    expect(await edge.stub.keptRun(order.obligationId)).toMatchObject({ description: order.description });
    await edge.audit();
  });

  test("behavior: as one of several is bound first, and shown when it is asked for", async () => {
    const edge = await Edge.furnished();
    await edge.ring();
    const order = { ...(await edge.bought(LOOP)), commitFirst: true };
    expect(await edge.stub.dispatch(order)).toBe("accepted");
    await until(() => edge.told.length === 1, 2_000);
    expect(edge.told[0]).toEqual({ obligationId: order.obligationId, commitment: expect.any(String) });
    await edge.stub.reveal(order.obligationId);
    const outcome = (await edge.outcome(order)) as RunResult;
    expect(edge.told[0]?.commitment).not.toBe(commitmentOf(outcome.outputHash, word(0)));
    expect(outcome.entry).toEqual(expect.any(Number));
  });

  test("behavior: that the object did not outlive is run again, and told once", async () => {
    const edge = await Edge.furnished();
    await edge.ring();
    const order = await edge.bought(LOOP);
    await edge.stub.dispatch(order);
    await edge.die();
    await edge.listen();
    const outcome = (await edge.outcome(order)) as RunResult;
    expect(outcome.end).toBe("out_of_fuel");
    await rest(50);
    expect(edge.told).toHaveLength(1);
    expect(quiet.lines()).toEqual([]);
  });
});

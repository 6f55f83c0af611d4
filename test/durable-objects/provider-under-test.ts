// Owns a provider's object inside workerd for tests: its region, its account's keys, a desk that writes down what it is told, and
// nodes with sockets. It refuses to stand in for the object or the region.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { NodeKey } from "../../clients/provider/node-key.ts";
import type { DispatchAnswer, RunAsker, RunOrder, RunOutcome } from "../../durable-objects/job-calls.ts";
import type { Provider } from "../../durable-objects/provider.ts";
import type { Hex } from "../../protocol/fields.ts";
import { type JobDescription, jobDigestOf } from "../../protocol/jobs.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import { DOMAIN, word } from "../support/market.ts";
import { ScriptedNode } from "../support/scripted-node.ts";
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  ORIGIN,
  operator,
  walletOf,
} from "../workers/gateway-under-test.ts";
import { env, gateway, rest } from "./region-under-test.ts";

export const SELLER = walletOf(0x5e11);
const SELLS_COMPUTE = {
  resources: ["compute"],
  sides: ["sell"],
  leastAskMicrosPerTera: 0,
  dailyMega: 1_000_000_000,
  spendingLimitMicros: 1_000_000,
};

const now = (): number => Math.floor(Date.now() / 1000);

/** What a desk was told. */
export interface Told {
  readonly obligationId: number;
  readonly jobDigest: Hex;
  readonly outcome?: RunOutcome;
  readonly commitment?: Hex;
}

/** Waits until something holds, in real time. */
export async function until(condition: () => boolean | Promise<boolean>, turns = 400): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    if (await condition()) return;
    await rest(5);
  }
  expect(await condition()).toBe(true);
}

/** A provider of a region, with keys. */
export class ProviderUnderTest {
  readonly polder: GatewayUnderTest;
  readonly account = addressOf(SELLER);
  readonly seed = word(0x5eed);
  readonly told: Told[] = [];
  /** How often the desk throws before it takes something in. */
  deskFaults = 0;

  private constructor(polder: GatewayUnderTest) {
    this.polder = polder;
  }

  /** An open region in which the seller's session key may sell compute. */
  static async furnished(opening: Record<string, unknown> = {}): Promise<ProviderUnderTest> {
    const polder = await GatewayUnderTest.furnished(undefined, opening);
    const provider = new ProviderUnderTest(polder);
    const credit = polder.command("credit_test_quote", {
      account: provider.account,
      amountMicros: 1_000_000,
    });
    expectAccepted(await polder.post("/credits", await polder.signed(operator, credit)), 201);
    await provider.authorise(provider.seed);
    await provider.listen();
    return provider;
  }

  async authorise(seed: Hex, more: Record<string, unknown> = {}): Promise<void> {
    const { polder, account } = this;
    const command = polder.sessionCommand(seed, { account, ...SELLS_COMPUTE, ...more });
    expectAccepted(await polder.post("/sessions", await polder.signed(SELLER, command)), 201);
  }

  get path(): string {
    return `${this.polder.path}/providers/${this.account}/socket`;
  }

  get stub(): DurableObjectStub<Provider> {
    return env.PROVIDER.getByName(`${this.polder.name}/${this.account}`);
  }

  inside<R>(work: (provider: Provider, ctx: DurableObjectState) => R | Promise<R>): Promise<R> {
    return runInDurableObject(this.stub, work);
  }

  /** Puts the desk in the object's place for it; after an eviction again. */
  async listen(): Promise<void> {
    const desk: RunAsker = {
      ran: async (jobDigest, obligationId, outcome) => this.#tell({ jobDigest, obligationId, outcome }),
      committed: async (jobDigest, obligationId, commitment) =>
        this.#tell({ jobDigest, obligationId, commitment }),
    };
    await this.inside((provider) => {
      provider.asker = () => desk;
    });
  }

  #tell(told: Told): void {
    if (this.deskFaults > 0) {
      this.deskFaults -= 1;
      throw new Error("the desk is away");
    }
    this.told.push(told);
  }

  keyOf(seed: Hex = this.seed): NodeKey {
    return new NodeKey({ account: this.account, seed, region: this.polder.name, domain: DOMAIN, atS: now });
  }

  /** A node's socket, challenged. */
  async stranger(key = this.keyOf()): Promise<ScriptedNode> {
    const response = await gateway.fetch(`${ORIGIN}${this.path}`, { headers: { upgrade: "websocket" } });
    const { webSocket } = response;
    if (webSocket === null) throw new Error(`no socket but ${response.status} ${await response.text()}`);
    const node = new ScriptedNode(webSocket, key);
    webSocket.accept();
    await until(() => node.of("challenge").length === 1);
    return node;
  }

  /** A node that was let in. */
  async node(holds: readonly number[] = []): Promise<ScriptedNode> {
    const node = await this.stranger();
    node.hello(holds);
    await until(() => node.of("welcome").length === 1);
    return node;
  }

  /** A run for the obligation of a number. */
  order(
    obligationId: number,
    more: Partial<RunOrder> = {},
    limits: Partial<JobDescription["limits"]> = {},
  ): RunOrder {
    const description: JobDescription = {
      module: word(0x30d),
      args: ["one"],
      env: {},
      inputHash: word(1),
      limits: { fuelMega: 100, memoryBytes: 1_048_576, outputBytes: 1_000, wallSeconds: 5, ...limits },
      startS: 1_767_225_600,
      salt: word(obligationId),
    };
    return {
      region: this.polder.name,
      obligationId,
      jobDigest: jobDigestOf(description),
      desk: `${this.polder.name}/${this.polder.account}`,
      description,
      input: new Uint8Array([1, 2, 3]),
      commitFirst: false,
      deadlineS: now() + 3_600,
      fuelMega: 100,
      priceMicrosPerTera: 200_000,
      buyer: this.polder.account,
      ...more,
    };
  }

  dispatch(order: RunOrder): Promise<DispatchAnswer> {
    return this.stub.dispatch(order) as unknown as Promise<DispatchAnswer>;
  }

  /** Gives a node a run that it accepts. */
  async running(node: ScriptedNode, order: RunOrder) {
    const answer = this.dispatch(order);
    await until(() => node.of("run").some(({ obligationId }) => obligationId === order.obligationId));
    node.accept(order.obligationId);
    expect(await answer).toBe("accepted");
    return node.of("run").find(({ obligationId }) => obligationId === order.obligationId) as ReturnType<
      typeof node.of<"run">
    >[number];
  }

  /** An ask that rests; its number. */
  async ask(quantityMega = 1_000): Promise<number> {
    const { polder, account } = this;
    const command = polder.command("place_resource_order", {
      account,
      product: "compute-job",
      side: "sell",
      quantityMega,
      priceMicrosPerTera: 200_000,
      timeInForce: "good_till_time",
      goodTillS: now() + 3_600,
    });
    const { entry } = expectAccepted(
      await polder.post("/resource-orders", await polder.signed(SELLER, command)),
      201,
    );
    return entry as number;
  }

  async resting(): Promise<number[]> {
    const orders = (await this.polder.get(`/accounts/${this.account}/resource-orders`)).json.orders;
    return (orders as { orderId: number }[]).map(({ orderId }) => orderId);
  }

  /** Lets the alarm go off now. */
  async ring(): Promise<void> {
    await runDurableObjectAlarm(this.stub);
    await rest();
  }

  evict(): Promise<void> {
    return evictDurableObject(this.stub);
  }

  outcomes(): RunOutcome[] {
    return this.told.flatMap(({ outcome }) => (outcome === undefined ? [] : [outcome]));
  }
}

/** Seconds after which nobody can doubt a result of now. */
export const DOUBTED_FOR_S = 2 * RESULT_CHALLENGE_SECONDS + 1;

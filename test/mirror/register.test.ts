// Owns the promise that the register's events reach the region once, in their order and none left out, however endpoints give
// their logs. It refuses a region whose tree of meters is not the one that the events make.

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { signConsent } from "../../evidence/enrolment.ts";
import { gatewayIdOfSeed } from "../../evidence/gateway-window.ts";
import { secretCommitment } from "../../evidence/meter-statement.ts";
import { rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { address, word } from "../support/market.ts";
import type { Endpoint } from "./endpoints.ts";
import { MirroredWorld, REGION, UNIT, WORD } from "./mirrored-world.ts";

const LIMITS = { nameplateWh: 1_000, connectionWh: 2_000, saleCapWh: 3_000, purchaseCapWh: 4_000 };
const seedOf = (home: number) => new Uint8Array(32).fill(home);

describe.skipIf(!hasAnvil)("the register (skipped where npm has no anvil for the machine)", () => {
  let world: MirroredWorld;
  let one: Endpoint;
  let two: Endpoint;
  let events = 0;
  beforeAll(async () => {
    world = await MirroredWorld.start();
    [one, two] = world.endpoints as [Endpoint, Endpoint];
    await appoint([world.chain.accounts[0] as Hex]);
  });
  afterEach(() => {
    one.honest();
    two.honest();
    world.reached = world.region;
  });
  afterAll(async () => {
    await world?.stop();
  });

  const send = async (name: string, args: readonly unknown[]) => {
    await world.chain.send(world.registry, name, args);
    events += 1;
  };
  const appoint = (installers: readonly Hex[]) => send("appointInstallers", [WORD, installers]);
  /** @param consenting whose gateway signs; its own where it is honest. */
  const enrol = (home: number, { replaces = word(0), secret = BigInt(home), consenting = home } = {}) => {
    const [gatewayX, gatewayY] = poseidonKeyOf(seedOf(home));
    const context = { ...world.domain, regionId: REGION, windowSlots: 4 } as const;
    const commitment = secretCommitment(secret);
    const { signature } = signConsent(seedOf(consenting), context, commitment);
    const [r8X, r8Y] = signature.r8;
    const connection = word(home);
    const enrolment = { region: WORD, gatewayX, gatewayY, commitment, connection, ...LIMITS, replaces };
    return send("enrol", [enrolment, { r8X, r8Y, s: signature.s }]);
  };
  const revoke = (home: number, isEmergency = false) =>
    send("revoke", [gatewayIdOfSeed(seedOf(home)), isEmergency]);
  const meters = () => world.region.engine.state.tables.meters.rows;

  test("rejects: logs that are not all there, not asked for, removed, or different; nothing is taken", async () => {
    await enrol(1);
    await world.finalise();
    const before = world.region.hash;
    type Log = { topics: string[]; data: string; removed: boolean };
    const LIES: Record<string, (logs: Log[]) => unknown> = {
      registry_incomplete: () => [],
      rpc_malformed: (logs) =>
        logs.map((log) => ({ ...log, topics: [log.topics[0], word(9), log.topics[2]] })),
      "rpc_malformed ": (logs) => logs.map((log) => ({ ...log, removed: true })),
      "rpc_malformed  ": (logs) => [...logs, { ...logs[0], data: `${logs[0]?.data}00` }],
      "rpc_malformed   ": () => "none",
    };
    for (const [code, lie] of Object.entries(LIES)) {
      for (const endpoint of [one, two])
        endpoint.lie = ({ method, answer }) => {
          if (method === "eth_getLogs") answer.result = lie(answer.result as Log[]);
        };
      world.restart();
      expect((await world.poll()).problem?.code).toBe(code.trim());
      expect(world.region.hash).toBe(before);
    }
    two.honest();
    one.lie = ({ method, answer }) => {
      if (method === "eth_getLogs") answer.result = [];
    };
    world.restart();
    expect((await world.poll()).problem).toMatchObject({ code: "rpcs_disagree" });
    expect(world.region.hash).toBe(before);
    // Money goes on meanwhile: no deposit and no report rests on logs.
    await world.deposit(address(1), UNIT);
    await world.finalise();
    expect(await world.poll()).toMatchObject({ depositsMirrored: 1, problem: { code: "rpcs_disagree" } });
  });

  test("behavior: installers, meters, a rotation and a revocation, also when logs come doubled and backwards", async () => {
    await enrol(2);
    await enrol(1, { replaces: gatewayIdOfSeed(seedOf(1)), secret: 11n });
    await revoke(2);
    await world.finalise();
    two.lie = ({ method, answer }) => {
      if (method === "eth_getLogs")
        answer.result = [...(answer.result as unknown[]), ...(answer.result as [])].reverse();
    };
    expect(await world.poll()).toMatchObject({
      registryEventsMirrored: events,
      registryEventsOnChain: events,
      registryEventsPassedOver: {},
      problem: null,
    });
    expect(world.region.engine.state.header.installers).toEqual([world.chain.accounts[0]]);
    expect(meters()).toBe(3);
    const asked = one.asked.filter((method) => method === "eth_getLogs").length;
    await world.poll();
    expect(one.asked.filter((method) => method === "eth_getLogs")).toHaveLength(asked);
  });

  test("behavior: an enrolment without its gateway's consent is passed over and counted, also after a restart", async () => {
    await enrol(3, { consenting: 4 });
    await enrol(5);
    await enrol(6, { consenting: 4 });
    await world.finalise();
    for (let round = 0; round < 2; round += 1) {
      expect(await world.poll()).toMatchObject({
        registryEventsMirrored: events - 1,
        registryEventsPassedOver: { gateway_signature_invalid: 2 },
        problem: null,
      });
      expect(meters()).toBe(4);
      world.restart();
    }
    // Nothing is lost with what was kept: passed over once more, and counted anew.
    world.memory.values.clear();
    expect(await world.poll()).toMatchObject({
      registryEventsMirrored: events - 1,
      registryEventsPassedOver: { gateway_signature_invalid: 1 },
    });
    expect(meters()).toBe(4);
  });

  test("behavior: a region that cannot take an event now is asked again; what it took unheard is not taken twice", async () => {
    await revoke(3, false);
    await enrol(7);
    await world.finalise();
    world.reached = Object.assign(Object.create(world.region), {
      submitAll: async () => [JSON.stringify({ rejection: rejected("overloaded") })],
    });
    expect((await world.poll()).problem).toMatchObject({
      code: "registry_refused",
      facts: { event: events - 1, refusal: "overloaded" },
    });
    world.reached = Object.assign(Object.create(world.region), {
      submitAll: async (all: string) => {
        await world.region.submitAll(all);
        throw new Error("the object was moved");
      },
    });
    // The revocation of what was passed over is refused, unheard; then the enrolment is taken, unheard.
    vi.spyOn(console, "error").mockImplementation(() => {});
    await world.poll();
    world.reached = world.region;
    expect(await world.poll()).toMatchObject({ registryEventsMirrored: events, problem: null });
    expect(meters()).toBe(5);
  });

  test("behavior: an endpoint that searches few blocks, or gives few logs, is asked for less at a time", async () => {
    for (let made = 0; made < 40; made += 1)
      await appoint([address(made + 1), world.chain.accounts[0] as Hex].sort() as Hex[]);
    await world.finalise();
    let refusals = 0;
    two.lie = ({ method, params, answer }) => {
      if (method !== "eth_getLogs") return;
      const { fromBlock, toBlock } = params[0] as { fromBlock: Hex; toBlock: Hex };
      if (Number(toBlock) - Number(fromBlock) < 7) return;
      refusals += 1;
      delete answer.result;
      answer.error = { code: -32005, message: "query returned more than 10000 results" };
    };
    world.memory.values.clear();
    world.restart();
    expect(await world.poll()).toMatchObject({ registryEventsMirrored: events, problem: null });
    expect(refusals).toBeGreaterThan(0);
    expect(refusals).toBeLessThan(12);
  });

  test("behavior: a hint that leads past an event costs a search from the beginning, and no event", async () => {
    await appoint([world.chain.accounts[0] as Hex]);
    await world.finalise();
    const key = `register/${REGION}`;
    const hint = (await world.memory.get<{ number: number; block: number; taken: number }>(key)) as object;
    await world.memory.put(key, { ...hint, block: Number(await world.chain.client.getBlockNumber()) - 1 });
    world.restart();
    expect(await world.poll()).toMatchObject({ registryEventsMirrored: events, problem: null });
    // One of a region that was further on than this one is.
    await world.memory.put(key, { number: events + 5, taken: events + 5, block: 3, passedOver: {} });
    await appoint([world.chain.accounts[0] as Hex]);
    await world.finalise();
    world.restart();
    expect(await world.poll()).toMatchObject({ registryEventsMirrored: events, problem: null });
  });
});

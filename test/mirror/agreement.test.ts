// Owns the promise that endpoints which are away, slow, broken or lying stop the mirror and cost nobody anything. It refuses to
// call a lie found before the region's state was seen unchanged.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MAX_ANSWER_BYTES } from "../../durable-objects/mirror/rpc.ts";
import { chainSettings, hasChain, mirrorOf, SettingsRefused } from "../../durable-objects/mirror/settings.ts";
import { NO_ADDRESS } from "../../protocol/fields.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { address } from "../support/market.ts";
import type { Endpoint } from "./endpoints.ts";
import { MIRROR, MIRROR_KEY, MirroredWorld, UNIT } from "./mirrored-world.ts";

const ENV = {
  CHAIN_ID: "31337",
  SETTLEMENT: address(0x5e),
  METER_REGISTRY: address(0x6e),
  REWARD_PARAMETERS: address(0x7e),
  PROVIDER_STAKE: address(0x7f),
  CHAIN_RPC: "http://one.test",
  CHAIN_DEPLOYED_AT: "17",
  CHAIN_POLL_SECONDS: "0.5",
  MIRROR_KEY: MIRROR_KEY.slice(2),
};

describe("settings", () => {
  const REFUSED: Record<string, Partial<typeof ENV>> = {
    "one endpoint on another chain than the local one": { CHAIN_ID: "1" },
    "one host twice": { CHAIN_RPC: "http://one.test/a http://one.test/b" },
    "an endpoint that is no http address": { CHAIN_RPC: "http://one.test ws://two.test" },
    "an endpoint that is no address": { CHAIN_RPC: "one.test:8545/ http" },
    "no key": { MIRROR_KEY: "" },
    "a key of zero": { MIRROR_KEY: "00".repeat(32) },
    "a key beyond the curve's order": { MIRROR_KEY: "ff".repeat(32) },
    "no contract": { SETTLEMENT: NO_ADDRESS },
    "a register that is no address": { METER_REGISTRY: "0x12" },
    "governed values that are at no address": { REWARD_PARAMETERS: "0x12" },
    "stakes that are at no address": { PROVIDER_STAKE: "0x12" },
    "a block that is no number": { CHAIN_DEPLOYED_AT: "-1" },
    "a pause of nothing": { CHAIN_POLL_SECONDS: "0" },
    "a pause in hex": { CHAIN_POLL_SECONDS: "0x10" },
  };
  for (const [what, change] of Object.entries(REFUSED)) {
    test(`rejects: ${what}, without telling the value`, () => {
      const refuse = () => chainSettings({ ...ENV, ...change });
      expect(refuse).toThrow(SettingsRefused);
      for (const value of Object.values(change).filter((text) => text.length > 3))
        expect(refuse).not.toThrow(value);
    });
  }

  test("behavior: what is left out has a default, and no endpoint means no chain", () => {
    const left = {
      ...ENV,
      METER_REGISTRY: "",
      REWARD_PARAMETERS: "",
      PROVIDER_STAKE: "",
      CHAIN_DEPLOYED_AT: "",
      CHAIN_POLL_SECONDS: "",
    };
    expect(chainSettings(left)).toMatchObject({
      meterRegistry: NO_ADDRESS,
      rewardParameters: NO_ADDRESS,
      providerStake: NO_ADDRESS,
      deployedAtBlock: 0,
      pollMs: 5_000,
    });
    expect(chainSettings(ENV)).toMatchObject({ deployedAtBlock: 17, pollMs: 500, mirror: MIRROR });
    expect(
      chainSettings({ ...ENV, CHAIN_ID: "1", CHAIN_RPC: "https://a.test https://b.test" }).rpcs,
    ).toHaveLength(2);
    expect(hasChain({ CHAIN_RPC: " " })).toBe(false);
    expect(mirrorOf({ ...ENV, CHAIN_RPC: "" })).toBe(NO_ADDRESS);
    expect(mirrorOf({ ...ENV, MIRROR_KEY: "nonsense" })).toBe(NO_ADDRESS);
  });
});

describe.skipIf(!hasAnvil)("endpoints (skipped where npm has no anvil for the machine)", () => {
  let world: MirroredWorld;
  let one: Endpoint;
  let two: Endpoint;
  let deposits = 0;
  beforeAll(async () => {
    world = await MirroredWorld.start();
    [one, two] = world.endpoints as [Endpoint, Endpoint];
  });
  afterEach(() => {
    one.honest();
    two.honest();
  });
  afterAll(async () => {
    await world?.stop();
  });

  const bytes = (size: number) => new Response("[".padEnd(size, " "));
  const replaced = (text: unknown, from: string, to: string) =>
    JSON.parse(JSON.stringify(text).replaceAll(from, to)) as unknown;
  const BROKEN: Record<string, { readonly code: string; readonly spoil: (endpoint: Endpoint) => void }> = {
    "that is away": {
      code: "rpc_away",
      spoil: (endpoint) => {
        endpoint.respond = () => Promise.reject(new TypeError("connection refused"));
      },
    },
    "that never answers": {
      code: "rpc_away",
      spoil: (endpoint) => {
        endpoint.respond = (_calls, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason as Error));
          });
      },
    },
    "that says it is busy": {
      code: "rpc_away",
      spoil: (endpoint) => {
        endpoint.respond = () => new Response("slow down", { status: 429 });
      },
    },
    "that redirects": {
      code: "rpc_away",
      spoil: (endpoint) => {
        endpoint.respond = () =>
          new Response(null, { status: 302, headers: { location: "http://other.test" } });
      },
    },
    "that answers a page": {
      code: "rpc_malformed",
      spoil: (endpoint) => {
        endpoint.respond = () => new Response("<html>welcome</html>");
      },
    },
    "that answers without end": {
      code: "rpc_refused",
      spoil: (endpoint) => {
        endpoint.respond = () => bytes(MAX_ANSWER_BYTES + 1);
      },
    },
    "that leaves answers out": {
      code: "rpc_malformed",
      spoil: (endpoint) => {
        endpoint.respond = () => Response.json([{ id: 0, result: "0x7a69" }]);
      },
    },
    "that answers one call twice": {
      code: "rpc_malformed",
      spoil: (endpoint) => {
        endpoint.respond = (calls) =>
          Response.json(Array.from({ length: calls }, () => ({ id: 0, result: "0x1" })));
      },
    },
    "that takes no batches": {
      code: "rpc_refused",
      spoil: (endpoint) => {
        endpoint.respond = () =>
          Response.json({ error: { code: -32600, message: "batches are for premium users" } });
      },
    },
    "of another chain": {
      code: "wrong_chain",
      spoil: (endpoint) => {
        endpoint.lie = ({ method, answer }) => {
          if (method === "eth_chainId") answer.result = "0x1";
        };
      },
    },
    "that has no finalised block": {
      code: "rpc_malformed",
      spoil: (endpoint) => {
        endpoint.lie = ({ method, params, answer }) => {
          if (method === "eth_getBlockByNumber" && params[0] === "finalized") answer.result = null;
        };
      },
    },
    "on another fork": {
      code: "rpcs_disagree",
      spoil: (endpoint) => {
        endpoint.lie = ({ method, answer }) => {
          if (method === "eth_getBlockByNumber")
            answer.result = { ...(answer.result as object), hash: `0x${"f0".repeat(32)}` };
        };
      },
    },
    "that moves a block's time": {
      code: "rpcs_disagree",
      spoil: (endpoint) => {
        endpoint.lie = ({ method, answer }) => {
          if (method === "eth_getBlockByNumber")
            answer.result = { ...(answer.result as object), timestamp: "0x7fffffff" };
        };
      },
    },
    "that changes what a deposit is worth": {
      code: "rpcs_disagree",
      spoil: (endpoint) => {
        const worth = (5n * UNIT).toString(16).padStart(64, "0");
        endpoint.lie = ({ method, answer }) => {
          if (method === "eth_call")
            answer.result = replaced(answer.result, worth, worth.replace("4c4b40", "ffffff"));
        };
      },
    },
    "that changes whom a deposit is for": {
      code: "rpcs_disagree",
      spoil: (endpoint) => {
        endpoint.lie = ({ method, answer }) => {
          if (method === "eth_call")
            answer.result = replaced(answer.result, address(1).slice(2), address(0xbad).slice(2));
        };
      },
    },
    "that does not know the block any more": {
      code: "rpc_refused",
      spoil: (endpoint) => {
        endpoint.lie = ({ method, answer }) => {
          if (method !== "eth_call") return;
          delete answer.result;
          answer.error = { code: -32000, message: "header not found" };
        };
      },
    },
  };

  for (const [what, { code, spoil }] of Object.entries(BROKEN)) {
    test(`rejects: an endpoint ${what}; nothing is credited, and nothing is lost when it comes back`, async () => {
      await world.deposit(address(1), 5n * UNIT);
      await world.finalise();
      deposits += 1;
      const before = world.region.hash;
      for (const endpoint of [one, two]) {
        spoil(endpoint);
        await world.poller.poll();
        const status = await world.poller.status();
        expect(status.problem).toMatchObject({ code });
        expect(JSON.stringify(status)).not.toContain("a-secret-key");
        expect(world.region.hash).toBe(before);
        endpoint.honest();
      }
      expect(await world.poll()).toMatchObject({ depositsMirrored: deposits, problem: null });
      expect(world.region.freeMicros(address(1))).toBe(deposits * 5_000_000);
    });
  }

  test("rejects: a deposit that all endpoints invent together, by its hash", async () => {
    await world.deposit(address(1), 5n * UNIT);
    await world.finalise();
    const before = world.region.hash;
    for (const endpoint of [one, two]) BROKEN["that changes whom a deposit is for"]?.spoil(endpoint);
    await world.poller.poll();
    expect((await world.poller.status()).problem).toMatchObject({
      code: "rpcs_disagree",
      facts: { deposit: deposits + 1 },
    });
    expect(world.region.hash).toBe(before);
    one.honest();
    two.honest();
    deposits += 1;
    expect(await world.poll()).toMatchObject({ depositsMirrored: deposits });
  });

  test("rejects: an address without a contract", async () => {
    const { settings } = world;
    world.settings = { ...settings, settlement: address(0xe0a) };
    world.restart();
    await world.poller.poll();
    expect((await world.poller.status()).problem).toMatchObject({ code: "contract_missing" });
    world.settings = settings;
    world.restart();
  });

  test("behavior: of two finalised blocks the lower one counts", async () => {
    await world.deposit(address(2), UNIT);
    const behind = await world.chain.client.getBlock({ blockTag: "finalized" });
    await world.finalise();
    two.lie = ({ method, params, answer }) => {
      if (method === "eth_getBlockByNumber" && params[0] === "finalized")
        answer.result = {
          number: `0x${behind.number.toString(16)}`,
          hash: behind.hash,
          timestamp: `0x${behind.timestamp.toString(16)}`,
        };
    };
    world.restart();
    expect(await world.poll()).toMatchObject({ depositsOnChain: deposits, problem: null });
    expect((await world.poller.status()).finalised).toMatchObject({ block: Number(behind.number) });
    two.honest();
    deposits += 1;
    expect(await world.poll()).toMatchObject({ depositsMirrored: deposits, problem: null });
    expect((await world.poller.status()).rpcs).toMatchObject([
      { name: "rpc-1.test", isOk: true },
      { isOk: true },
    ]);
  });

  test("behavior: an endpoint whose words repeat its address tells nothing of it", async () => {
    one.respond = () => Response.json({ error: { code: -32600, message: "invalid project a-secret-key" } });
    await world.poller.poll();
    const status = await world.poller.status();
    expect(status.rpcs[0]).toMatchObject({ isOk: false, lastError: "-32600 invalid project …" });
    expect(JSON.stringify(status)).not.toContain("a-secret-key");
  });
});

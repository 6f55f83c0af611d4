// Owns the promise that the object which follows a chain goes on by itself: whatever a poll meets, the next one is set, and where
// there is no chain none is. It refuses to reach a chain: what it says of one is tested where there is one.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { ChainMirror } from "../../durable-objects/chain-mirror.ts";
import type { Env } from "../../durable-objects/environment.ts";
import { NO_ADDRESS } from "../../protocol/fields.ts";
import { address } from "../support/market.ts";
import { env, gateway, useQuietConsole } from "./region-under-test.ts";

const log = useQuietConsole();

/** Nobody listens there. */
const CHAIN = {
  CHAIN_RPC: "http://127.0.0.1:9",
  CHAIN_POLL_SECONDS: "7",
  SETTLEMENT: address(0x5e),
  MIRROR_KEY: "33".repeat(32),
};

/** An object of a deployment with other variables, on storage of its own. */
function inside<R>(
  name: string,
  vars: Partial<Env>,
  work: (mirror: ChainMirror, ctx: DurableObjectState) => Promise<R>,
): Promise<R> {
  return runInDurableObject(env.CHAIN_MIRROR.getByName(name), (_, ctx) =>
    work(new ChainMirror(ctx, { ...env, ...vars }), ctx),
  );
}

describe("the mirror", () => {
  test("rejects: to begin with settings that must not be used, says why, and sets no alarm", async () => {
    const refused: Partial<Env>[] = [
      { ...CHAIN, MIRROR_KEY: "" },
      { ...CHAIN, CHAIN_ID: "1" },
      { ...CHAIN, SETTLEMENT: NO_ADDRESS },
    ];
    for (const vars of refused)
      await inside("refused", vars, async (mirror, ctx) => {
        await mirror.alarm();
        expect(await ctx.storage.getAlarm()).toBeNull();
        const status = await mirror.status();
        expect(status).toMatchObject({ isMirrored: false, problem: { code: "configuration_refused" } });
        expect(JSON.stringify(status)).not.toContain(CHAIN.MIRROR_KEY);
      });
    expect(log.lines().join()).not.toContain(CHAIN.MIRROR_KEY);
  });

  test("behavior: without a chain it says so and never wakes", async () => {
    await inside("none", {}, async (mirror, ctx) => {
      await mirror.wake();
      await mirror.alarm();
      expect(await ctx.storage.getAlarm()).toBeNull();
      expect(await mirror.status()).toMatchObject({ isMirrored: false, mirror: NO_ADDRESS, problem: null });
    });
    const response = await gateway.fetch("https://polder.example/v1/chain");
    expect(await response.json()).toMatchObject({
      chainId: 31_337,
      isMirrored: false,
      regions: [],
      rpcs: [],
    });
    const posted = await gateway.fetch("https://polder.example/v1/chain", { method: "POST" });
    expect(posted.status).toBe(405);
    const deployment = await gateway.fetch("https://polder.example/v1/deployment");
    expect(await deployment.json()).toMatchObject({ meterRegistry: NO_ADDRESS, mirror: NO_ADDRESS });
  });

  test("behavior: woken once it is set for now; a poll that fails sets the next", async () => {
    await inside("away", CHAIN, async (mirror, ctx) => {
      await mirror.wake();
      const first = await ctx.storage.getAlarm();
      expect(Math.abs((first as number) - Date.now())).toBeLessThan(2_000);
      await mirror.wake();
      expect(await ctx.storage.getAlarm()).toBe(first);
      await ctx.storage.deleteAlarm();
      const beganMs = Date.now();
      await mirror.alarm();
      expect((await ctx.storage.getAlarm()) as number).toBeGreaterThanOrEqual(beganMs + 7_000);
      expect(await mirror.status()).toMatchObject({
        isMirrored: true,
        problem: { code: "rpc_away" },
        rpcs: [{ name: "127.0.0.1:9", isOk: false }],
        finalised: null,
      });
    });
  });

  test("behavior: two alarms at a time are one poll", async () => {
    await inside("twice", CHAIN, async (mirror, ctx) => {
      let asked = 0;
      const list = ctx.storage.setAlarm.bind(ctx.storage);
      ctx.storage.setAlarm = (...args) => {
        asked += 1;
        return list(...args);
      };
      await Promise.all([mirror.alarm(), mirror.alarm(), mirror.alarm()]);
      expect(asked).toBe(1);
    });
  });
});

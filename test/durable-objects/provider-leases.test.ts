// Owns what becomes of leases whose machine does not come back, in the real region and the provider's object. It refuses what is run and
// paid of a lease, which is in test/clients/provider-lease.test.ts.

import { describe, expect, test } from "vitest";
import { GONE_AFTER_MS } from "../../durable-objects/provider.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import { word } from "../support/market.ts";
import { expectAccepted } from "../workers/gateway-under-test.ts";
import { ProviderUnderTest, SELLER, until } from "./provider-under-test.ts";
import { goTo, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

const seconds = (): number => Math.floor(Date.now() / 1000);
const BUYERS = word(0xb0b);
const LIMITS = { fuelMega: 1, memoryBytes: 65_536, outputBytes: 10, wallSeconds: 1 };
const JOB = { module: word(0x30d), args: [], env: {}, limits: LIMITS, startS: 1_767_225_600 };

/** A lease of a week that the home has bought of the provider, by its own key. */
async function leased(provider: ProviderUnderTest): Promise<number> {
  const { polder } = provider;
  const key = polder.sessionCommand(BUYERS, {
    ...{ resources: ["compute"], sides: ["buy"], highestBidMicrosPerTera: 1_000_000 },
    ...{ dailyMega: 1_000_000, spendingLimitMicros: 1_000_000 },
  });
  expectAccepted(await polder.post("/sessions", await polder.signed(polder.home, key)), 201);
  const terms = { product: "compute-lease-week", quantityMega: 1_000, priceMicrosPerTera: 1_000_000 };
  const ask = polder.command("place_resource_order", {
    ...{ account: provider.account, side: "sell", ...terms },
    ...{ timeInForce: "good_till_time", goodTillS: seconds() + 3_600 },
  });
  expectAccepted(await polder.post("/resource-orders", await polder.signed(SELLER, ask)), 201);
  const authorization = `Bearer polder_${polder.account.slice(2)}${BUYERS.slice(2)}`;
  const buy = { side: "buy", ...terms, timeInForce: "immediate_or_cancel" };
  expectAccepted(await polder.post("/resource-orders", buy, { authorization }), 201);
  return (await polder.get(`/accounts/${polder.account}/obligations`)).json.obligations[0].obligationId;
}

describe("a lease whose machine is gone", () => {
  test("behavior: stays while the machine may come back, then ends: the rest is its buyer's again, and its seller has failed", async () => {
    const provider = await ProviderUnderTest.furnished();
    const { polder } = provider;
    const lease = await leased(provider);
    const isOpen = async () => (await polder.get(`/obligations/${lease}`)).status === 200;
    const run = () => provider.stub.runLease(lease, sessionKeyOf(BUYERS), JOB, new Uint8Array(0));
    const away = { rejection: { code: "provider_away" } };
    expect(await run()).toMatchObject(away);
    goTo(seconds() + GONE_AFTER_MS / 2_000);
    await provider.ring();
    // Somebody is there for a moment, so the time begins anew.
    const node = await provider.node();
    node.leave();
    await until(async () => !(await provider.stub.isConnected()));
    goTo(seconds() + GONE_AFTER_MS / 1_000 - 60);
    await provider.ring();
    expect([await isOpen(), (await run()) as unknown]).toMatchObject([true, away]);
    goTo(seconds() + 120);
    await provider.ring();
    await until(async () => !(await isOpen()));
    expect((await polder.get(`/accounts/${polder.account}`)).json.escrowMicros).toBe(0);
    expect((await polder.get(`/providers/${provider.account}`)).json).toMatchObject({
      failures: 1,
      lapses: 1,
    });
    expect(await run()).toMatchObject({ rejection: { code: "obligation_not_found" } });
  });
});

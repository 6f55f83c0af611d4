// Owns the promises of leases, end to end: a buyer's runs go to the provider's own process and back, count the same on both sides,
// and are paid by its vouchers, no more and no less.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProviderNode } from "../../clients/provider/provider-node.ts";
import { Lease, type LeaseRun } from "../../clients/sdk/lease.ts";
import type { ApiKey } from "../../evidence/session-signature.ts";
import { parseApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import type { OpenObligation } from "../../protocol/answers.ts";
import type { Hex } from "../../protocol/fields.ts";
import { assemble } from "../../tools/job-sources.ts";
import { eventually, REGION } from "../support/client-region.ts";
import { word } from "../support/market.ts";
import { ProviderRegion, type Trader } from "../support/provider-region.ts";

const ENDLESS = assemble(`(module (memory (export "memory") 1)
  (func (export "_start") (local $i i32)
    (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $again))))`);
const NOTHING = assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);

const LIMITS = { fuelMega: 1, memoryBytes: 1_048_576, outputBytes: 1_000, wallSeconds: 5 };

let region: ProviderRegion;
let buyer: Trader;
let seller: Trader;
let node: ProviderNode;
let modules: { nothing: Hex; endless: Hex };

async function freeOf(account: Hex): Promise<number> {
  return (await region.client.account(REGION, account)).freeMicros;
}

/** Buys a lease; its number. */
async function bought(quantityMega: number): Promise<number> {
  const before = new Set((await obligations()).map(({ obligationId }) => obligationId));
  await region.client.submit(REGION, buyer.signer, {
    type: "place_resource_order",
    product: "compute-lease-hour",
    side: "buy",
    quantityMega,
    priceMicrosPerTera: 200_000,
    timeInForce: "immediate_or_cancel",
    goodTillS: 0,
  });
  const fresh = (await obligations()).find(({ obligationId }) => !before.has(obligationId));
  return (fresh as OpenObligation).obligationId;
}

async function obligations(): Promise<readonly OpenObligation[]> {
  const path = `/v1/regions/${REGION}/accounts/${buyer.account}/obligations`;
  return (await region.client.get<{ obligations: OpenObligation[] }>(path)).obligations;
}

const open = (obligationId: number, seed = buyer.seed): Promise<Lease> =>
  Lease.open(region.client, { region: REGION, provider: seller.account, obligationId, seed });

const run = (module: Hex, more: Partial<LeaseRun> = {}): LeaseRun => ({ module, limits: LIMITS, ...more });

beforeAll(async () => {
  region = await ProviderRegion.open();
  buyer = await region.trader("buyer", ["buy"]);
  seller = await region.trader("seller", ["sell"]);
  modules = {
    nothing: (await region.upload(NOTHING, buyer.apiKey)).module,
    endless: (await region.upload(ENDLESS, buyer.apiKey)).module,
  };
  node = await ProviderNode.start({
    client: region.client,
    region: REGION,
    key: parseApiKey(seller.apiKey) as ApiKey,
    offers: [{ product: "compute-lease-hour", quantityMega: 1_000_000, priceMicrosPerTera: 200_000 }],
    cores: 1,
    folder: `${region.folder}/modules`,
  });
  expect(await eventually(async () => (await region.asksOf(seller.account)) === 1)).toBe(true);
});

afterAll(async () => {
  await node.kill();
  await region.stop();
});

describe("a lease", () => {
  test("rejects: whoever is not its buyer, a lease that is none, and runs beyond it", async () => {
    const obligation = await bought(20);
    const free = await freeOf(buyer.account);
    // Another of the buyer's keys could be revoked before what it agreed to is paid.
    const second = word(0x2ec0);
    await region.client.submit(REGION, buyer.wallet, {
      type: "authorise_session",
      key: sessionKeyOf(second),
      resources: ["compute"],
      sides: ["buy"],
      ...{ leastAskMicrosPerKwh: 0, highestBidMicrosPerKwh: 0, dailyWh: 0, leastAskMicrosPerTera: 0 },
      ...{ highestBidMicrosPerTera: 10_000_000, dailyMega: 1_000_000, spendingLimitMicros: 1_000_000 },
      sessionExpiresAtS: (await region.client.marketTimeS()) + 86_400,
    });
    const others = await Promise.allSettled([
      open(obligation, seller.seed),
      open(obligation, second),
      open(obligation + 1_000),
    ]);
    expect(others.map((one) => (one as PromiseRejectedResult).reason?.code)).toEqual([
      "obligation_not_owned",
      "obligation_not_owned",
      "obligation_not_found",
    ]);
    const lease = await open(obligation);
    expect(lease.terms).toMatchObject({ quantityMega: 20, creditMega: 2 });
    const large = { ...LIMITS, fuelMega: 21 };
    await expect(lease.run(run(modules.nothing, { limits: large }))).rejects.toMatchObject({
      code: "lease_overdrawn",
      facts: { leftMega: 20 },
    });
    const ahead = { ...LIMITS, fuelMega: 3 };
    await expect(lease.run(run(modules.nothing, { limits: ahead }))).rejects.toMatchObject({
      code: "voucher_due",
    });
    const unknown = run(`0x${"ab".repeat(32)}`);
    await expect(lease.run(unknown)).rejects.toMatchObject({ code: "run_failed" });
    expect(lease.tally.runs).toBe(0);
    expect(await freeOf(buyer.account)).toBe(free);
    lease.close();
  }, 60_000);

  test("behavior: runs are counted to the unit and paid by vouchers, the last of them closes the trade", async () => {
    const before = { buyer: await freeOf(buyer.account), seller: await freeOf(seller.account) };
    const obligation = await bought(10);
    const lease = await open(obligation);
    const none = await lease.run(run(modules.nothing));
    expect(none).toMatchObject({ end: "exited", exitCode: 0 });
    for (let runs = 0; runs < 9; runs += 1)
      expect(await lease.run(run(modules.endless))).toMatchObject({ end: "out_of_fuel" });
    expect(lease.tally.runs).toBe(10);
    expect(lease.tally.fuel).toBe(none.fuelUsed + 9_000_000);
    lease.vouch();
    // 10 megafuel at 0.2 a terafuel: 2 micros, of which the seller has what the take rate leaves.
    expect(
      await eventually(async () => (await obligations()).every((one) => one.obligationId !== obligation)),
    ).toBe(true);
    expect(await freeOf(buyer.account)).toBe(before.buyer - 2);
    expect(await freeOf(seller.account)).toBeGreaterThan(before.seller);
    lease.close();
  }, 60_000);

  test("behavior: over HTTP with an API key, which signs for what it ran; somebody else's key runs nothing", async () => {
    const obligation = await bought(10);
    const post = (apiKey: string, body: object) =>
      fetch(
        `${region.stack.url}/v1/regions/${REGION}/providers/${seller.account}/leases/${obligation}/runs`,
        {
          method: "POST",
          headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
          body: JSON.stringify(body),
        },
      );
    const limits = { ...LIMITS };
    const stolen = await post(seller.apiKey, { module: modules.nothing, limits });
    expect(await stolen.json()).toMatchObject({ code: "obligation_not_owned" });
    const large = await post(buyer.apiKey, { module: modules.nothing, limits: { ...limits, fuelMega: 11 } });
    expect(await large.json()).toMatchObject({ code: "lease_overdrawn" });
    const answers: { readonly deliveredMega: number }[] = [];
    // Each is vouched for, so the credit of one megafuel is enough for all ten.
    for (let runs = 0; runs < 10; runs += 1)
      answers.push(
        (await (await post(buyer.apiKey, { module: modules.endless, limits })).json()) as {
          deliveredMega: number;
        },
      );
    expect(answers.map(({ deliveredMega }) => deliveredMega)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(
      await eventually(async () => (await obligations()).every((one) => one.obligationId !== obligation)),
    ).toBe(true);
  }, 60_000);

  test("behavior: what was run is known after the socket, and after the objects were killed; vouchers already given count", async () => {
    const obligation = await bought(1_000);
    const first = await open(obligation);
    const fuel = (await first.run(run(modules.nothing))).fuelUsed;
    first.vouch();
    await first.run(run(modules.nothing));
    await new Promise((resolve) => setTimeout(resolve, 300));
    first.close();
    region.killObjects();
    expect(await eventually(() => region.isConnected(seller.account))).toBe(true);
    const second = await open(obligation);
    expect(second.tally).toEqual(first.tally);
    await second.run(run(modules.nothing));
    expect(second.tally).toMatchObject({ runs: 3, fuel: 3 * fuel });
    second.close();
  }, 60_000);

  test("behavior: a node that leaves has been paid what was vouched for, and runs say that it is away", async () => {
    const obligation = await bought(100);
    const lease = await open(obligation);
    await lease.run(run(modules.endless));
    lease.vouch();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await node.kill();
    expect(await eventually(async () => !(await region.isConnected(seller.account)))).toBe(true);
    await expect(lease.run(run(modules.nothing))).rejects.toMatchObject({ code: "provider_away" });
    const settled = () =>
      obligations().then((all) => all.find((one) => one.obligationId === obligation)?.deliveredMega);
    expect(await eventually(async () => (await settled()) === 1)).toBe(true);
    lease.close();
  }, 60_000);
});

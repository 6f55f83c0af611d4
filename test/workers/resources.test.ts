// Owns compute over HTTP: orders, the book, trades and their settlement on a voucher, signed by wallets, session keys and API
// keys. It refuses a stand-in for any signature.

import { describe, expect, test } from "vitest";
import { RegionKey } from "../../durable-objects/region-key.ts";
import { attestDelivery } from "../../evidence/delivery-attestation.ts";
import { type VoucherStatement, voucherDigest, voucherTypedData } from "../../evidence/delivery-voucher.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import type { Hex } from "../../protocol/fields.ts";
import { env, goTo, useMarketTime } from "../durable-objects/region-under-test.ts";
import { DOMAIN, word } from "../support/market.ts";
import {
  addressOf,
  expectAccepted,
  GatewayUnderTest,
  operator,
  request as send,
  walletOf,
} from "./gateway-under-test.ts";

useMarketTime();

const seller = walletOf(5);
const JOB = { jobDigest: word(0x10b), outputHash: word(0x0a7) };
const DAY = { product: "compute-lease-day", timeInForce: "good_till_time" };
const goodTillS = (): number => Math.floor(Date.now() / 1000) + 3_600;

/** A region in which somebody sells 1,000 megafuel a lease at 0.2 micros, and the home's API key may buy. */
async function selling(): Promise<GatewayUnderTest> {
  const polder = await GatewayUnderTest.furnished();
  const account = addressOf(seller);
  const credit = polder.command("credit_test_quote", { account, amountMicros: 5 });
  expectAccepted(await polder.post("/credits", await polder.signed(operator, credit)), 201);
  const ask = polder.command("place_resource_order", {
    ...DAY,
    account,
    side: "sell",
    quantityMega: 1_000,
    priceMicrosPerTera: 200_000,
    goodTillS: goodTillS(),
  });
  expectAccepted(await polder.post("/resource-orders", await polder.signed(seller, ask)), 201);
  return polder;
}

async function authorised(): Promise<{
  polder: GatewayUnderTest;
  apiKey: Record<string, string>;
  seed: Hex;
}> {
  const polder = await selling();
  const seed = word(0xc0de);
  const command = polder.sessionCommand(seed, {
    resources: ["compute"],
    highestBidMicrosPerTera: 300_000,
    dailyMega: 10_000,
    spendingLimitMicros: 150,
  });
  expectAccepted(await polder.post("/sessions", await polder.signed(polder.home, command)), 201);
  const apiKey = { authorization: `Bearer polder_${polder.account.slice(2)}${seed.slice(2)}` };
  return { polder, apiKey, seed };
}

const bid = (more: Record<string, unknown> = {}) => ({
  product: "compute-lease-day",
  side: "buy",
  quantityMega: 500,
  priceMicrosPerTera: 300_000,
  timeInForce: "immediate_or_cancel",
  ...more,
});

describe("compute over HTTP", () => {
  test("rejects: what is outside an API key's scope, and what the book refuses", async () => {
    const { polder, apiKey } = await authorised();
    const post = (body: unknown, headers = apiKey) => polder.post("/resource-orders", body, headers);
    // The furnished key is for energy.
    expect(await polder.refuse("session_scope", () => post(bid(), polder.apiKey))).toMatchObject({
      limit: "resources",
    });
    const dear = await polder.refuse("session_scope", () => post(bid({ priceMicrosPerTera: 300_001 })));
    expect(dear).toMatchObject({ limit: "highestBidMicrosPerTera" });
    const much = await polder.refuse("session_scope", () => post(bid({ quantityMega: 800 })));
    expect(much).toMatchObject({ limit: "spendingLimitMicros", leftMicros: 150, asked: 160 });
    await polder.refuse("order_unmatched", () => post(bid({ priceMicrosPerTera: 199_999 })));
    await polder.refuse("malformed_request", () => post(bid({ product: "compute-lease-year" })));
    await polder.refuse("malformed_request", () => post(bid({ quantityMega: 0.5 })));
    const none = await polder.get("/books/compute-lease-year");
    expect(none.status).toBe(400);
  });

  test("behavior: an API key buys, its voucher pays, and what is not delivered comes back with the deadline", async () => {
    const { polder, apiKey, seed } = await authorised();
    const bought = expectAccepted(await polder.post("/resource-orders", bid(), apiKey), 201);
    expect(bought.events.map(({ type }: { type: string }) => type)).toEqual([
      "resource_order_placed",
      "resource_traded",
    ]);
    expect((await polder.get(`/books/compute-lease-day`)).json).toMatchObject({
      asks: [{ priceMicrosPerTera: 200_000, restingMega: "500", orders: 1 }],
      bids: [],
    });
    const owed = (await polder.get(`/accounts/${polder.account}/obligations`)).json.obligations;
    expect(owed).toEqual([
      expect.objectContaining({
        obligationId: 1,
        buyer: polder.account,
        seller: addressOf(seller),
        quantityMega: 500,
      }),
    ]);
    const free = (await polder.get(`/accounts/${polder.account}`)).json;
    expect([free.freeMicros, free.escrowMicros]).toEqual([999_999_900, 100]);

    const statement: VoucherStatement = { region: polder.name, obligationId: 1, deliveredMega: 120, ...JOB };
    const settle = async (evidence: unknown, more: Record<string, unknown> = {}) => {
      const fields = { account: addressOf(seller), ...statement, isFinal: false, ...more };
      const body = await polder.signed(seller, polder.command("settle_obligation", fields), evidence);
      return polder.post("/obligations/1/settlements", body);
    };
    const voucher = {
      kind: "delivery-voucher",
      signature: signSession(seed, voucherDigest(DOMAIN, statement)),
      sessionKey: sessionKeyOf(seed),
    };
    await polder.refuse("evidence_malformed", () => settle(undefined));
    const own = await seller.signTypedData(voucherTypedData(DOMAIN, statement) as never);
    await polder.refuse("delivery_not_agreed", () => settle({ kind: "delivery-voucher", signature: own }));
    await polder.refuse("signature_invalid", () => settle(voucher, { deliveredMega: 500 }));
    const { events } = expectAccepted(await settle(voucher), 201);
    expect(events).toEqual([
      expect.objectContaining({ type: "obligation_settled", paidMicros: 24, means: "voucher" }),
    ]);
    await polder.refuse("obligation_not_found", async () => {
      const fields = { account: addressOf(seller), ...statement, obligationId: 2, isFinal: false };
      const body = await polder.signed(seller, polder.command("settle_obligation", fields));
      return polder.post("/obligations/2/settlements", body);
    });

    goTo(Math.floor(Date.now() / 1000) + 86_400);
    await polder.region.ring();
    const after = (await polder.get(`/accounts/${polder.account}`)).json;
    expect([after.freeMicros, after.escrowMicros]).toEqual([999_999_976, 0]);
    expect((await polder.get(`/accounts/${polder.account}/obligations`)).json.obligations).toEqual([]);
  });

  test("behavior: an order rests, is listed, and is taken out with an API key and no body", async () => {
    const { polder, apiKey } = await authorised();
    const resting = bid({ timeInForce: "post_only", priceMicrosPerTera: 100_000, goodTillS: goodTillS() });
    const { entry } = expectAccepted(await polder.post("/resource-orders", resting, apiKey), 201);
    const { orders } = (await polder.get(`/accounts/${polder.account}/resource-orders`)).json;
    expect(orders).toEqual([expect.objectContaining({ orderId: entry, side: "buy", restingMega: 500 })]);
    const gone = await request(polder, entry, apiKey);
    expect(expectAccepted(gone, 200).events).toEqual([
      expect.objectContaining({ type: "resource_order_ended", reason: "cancelled", releasedMicros: 50 }),
    ]);
    await polder.refuse("order_not_found", () => request(polder, entry, apiKey));
    expect((await polder.get("/market")).json.nextDueS % 900).toBe(0);
  });

  test("behavior: a job's seller reports once, with the region's word that it holds the outputs, and both see what is owed for it", async () => {
    const { polder } = await authorised();
    const ask = polder.command("place_resource_order", {
      ...DAY,
      product: "compute-job",
      account: addressOf(seller),
      side: "sell",
      quantityMega: 1_000,
      priceMicrosPerTera: 200_000,
      goodTillS: goodTillS(),
    });
    expectAccepted(await polder.post("/resource-orders", await polder.signed(seller, ask)), 201);
    const { jobDigest, outputHash } = JOB;
    const bid = { jobDigest, fuelMega: 100, priceMicrosPerTera: 300_000, replicas: 1 };
    const job = { account: polder.account, ...bid };
    const buy = (more: object) => async () =>
      polder.post(
        "/commands",
        await polder.signed(polder.home, polder.command("buy_job", { ...job, ...more })),
      );
    await polder.refuse("sellers_insufficient", buy({ replicas: 2 }));
    await polder.refuse("malformed_request", buy({ replicas: 8 }));
    expectAccepted(await buy({})(), 200);
    const said = { account: addressOf(seller), obligationId: 1, fuelMega: 61, jobDigest, outputHash };
    const submit = async (command: ReturnType<typeof polder.command>, evidence?: unknown) =>
      polder.post("/commands", { ...(await polder.signed(seller, command)), evidence });
    const say = (more: object) => {
      const command = polder.command("report_result", { ...said, ...more });
      return submit(command, new RegionKey(env as never, polder.name).attest(command as never));
    };
    const report = polder.command("report_result", said);
    await polder.refuse("evidence_malformed", () => submit(report));
    const own = attestDelivery(DOMAIN, report as never, word(0x5e1f));
    await polder.refuse("result_not_attested", () => submit(report, own));
    await polder.refuse("result_of_other_job", () => say({ jobDigest: word(1) }));
    const attested = new RegionKey(env as never, polder.name).attest(report as never);
    const accepted = expectAccepted(await submit(report, attested), 200);
    // The same command again is answered as before; another word is refused.
    expect((await submit(report, attested)).json.receipt).toEqual(accepted.receipt);
    await polder.refuse("result_reported_before", () => say({ fuelMega: 62 }));
    await polder.refuse("account_not_found", () => polder.get(`/providers/${polder.account}`));
    const record = (await polder.get(`/providers/${addressOf(seller)}`)).json;
    expect(record).toMatchObject({ account: addressOf(seller), stake: null, reports: 1, deliveredBps: null });
    expect((await polder.get("/providers")).json).toEqual({ providers: [record] });
    const { obligations } = (await polder.get(`/accounts/${polder.account}/obligations`)).json;
    expect(obligations).toMatchObject([
      {
        job: { jobDigest, replicas: 1 },
        result: { fuelMega: 61, outputHash, isDisputed: false },
        deliveredMega: 0,
      },
    ]);
  });
});

function request(polder: GatewayUnderTest, order: number, headers: Record<string, string>) {
  return send("DELETE", `${polder.path}/resource-orders/${order}`, undefined, headers);
}

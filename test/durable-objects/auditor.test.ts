// Owns the promises of a region's auditor: an epoch is bound before it is drawn from, what is drawn is run again by the real
// referee, and a result that was another's costs its seller the payment. It refuses a stand-in for region or referee.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { auditWork } from "../../durable-objects/audits/audit-work.ts";
import { firstAfter } from "../../durable-objects/audits/draw-block.ts";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { keepModule } from "../../durable-objects/module-store.ts";
import { refereeRun } from "../../durable-objects/referee-call.ts";
import { RegionKey } from "../../durable-objects/region-key.ts";
import { revealableFromS } from "../../market/resources/audits.ts";
import type { Hex } from "../../protocol/fields.ts";
import { jobDigestOf } from "../../protocol/jobs.ts";
import { address, credit, DOMAIN, openMarket, PARAMETERS, setParameters, word } from "../support/market.ts";
import { commandOf } from "../support/module-bytes.ts";
import { buyJob, commitAudits, order as resting, result } from "../support/resource-drafts.ts";
import { addressOf, expectAccepted, operator, walletOf } from "../workers/gateway-under-test.ts";
import { ProviderUnderTest, until } from "./provider-under-test.ts";
import { env, goTo, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

const JOB = commandOf([0x41, 7, 0x41, 3, 0x6b, 0x1a]);
const nameOf = (bytes: Uint8Array): Hex => `0x${sha256Hex(bytes)}`;

describe("the block that draws", () => {
  const chain = (times: readonly number[]) => ({
    asked: 0,
    async pin() {
      const number = times.length - 1;
      return { number, hash: hashOf(number), timeS: times[number] as number, head: number };
    },
    async blockAt(number: number) {
      this.asked += 1;
      return { number, hash: hashOf(number), timestamp: times[number] as number };
    },
  });
  const hashOf = (number: number): Hex => `0x${number.toString(16).padStart(64, "0")}`;

  test("behavior: is the first one after the report, found by halves; none while none is final", async () => {
    const times = Array.from({ length: 1_000 }, (_, number) => 100 + 7 * number);
    for (const timeS of [0, 99, 100, 101, 800, 806, 807, 7_085]) {
      const blocks = chain(times);
      const first = times.findIndex((time) => time > timeS);
      expect(await firstAfter(blocks, timeS, 0)).toEqual({ blockNumber: first, blockHash: hashOf(first) });
      expect(blocks.asked).toBeLessThan(12);
    }
    expect(await firstAfter(chain(times), 7_093, 0)).toBeNull();
  });
});

/** A region that runs every result again, with its auditor, and a provider. */
async function audited(auditRateBps: number) {
  const provider = await ProviderUnderTest.furnished({ parameters: { ...PARAMETERS, auditRateBps } });
  await keepModule(env, nameOf(JOB), JOB);
  const auditor = env.AUDITOR.getByName(provider.polder.name);
  // A stub breaks with its object.
  const ring = () =>
    runInDurableObject(env.AUDITOR.getByName(provider.polder.name), (object) => object.alarm());
  return { provider, auditor, ring };
}

describe("an auditor", () => {
  test("behavior: binds the running epoch and the next, once, and nothing where nothing is drawn", async () => {
    const { provider, ring } = await audited(10_000);
    await ring();
    const count = async () =>
      (await provider.polder.region.journal()).filter((line) => line.includes('"commit_audits"')).length;
    expect(await count()).toBe(2);
    await ring();
    expect(await count()).toBe(2);
    const none = await audited(0);
    await none.ring();
    expect((await none.provider.polder.region.journal()).join()).not.toContain("commit_audits");
    expect((await audit(DOMAIN, await provider.polder.region.journal())).failure).toBeNull();
  });

  test.each([
    ["was another's, which is not paid", 1, "audit_failed"],
    ["is the job's own, which is paid at once", 0, "audit_passed"],
  ])("behavior: runs a result again that %s", async (_, lie, verdict) => {
    const under = await audited(10_000);
    await under.ring();
    await reportOne(under, { lie });
    await under.ring();
    const { polder } = under.provider;
    expect(await verdicts(under)).toEqual([verdict]);
    expect((await polder.get(`/accounts/${polder.account}/obligations`)).json.obligations).toEqual([]);
    expect((await audit(DOMAIN, await polder.region.journal())).failure).toBeNull();
  });

  test("rejects: to be missed by whoever vanishes: nobody told it of the result, and it has forgotten everything", async () => {
    const under = await audited(10_000);
    await under.ring();
    await reportOne(under, { lie: 1 });
    await runInDurableObject(under.auditor, (_, ctx) => ctx.storage.deleteAll());
    await die(under);
    await under.ring();
    expect(await verdicts(under)).toEqual(["audit_failed"]);
    await die(under);
    await under.ring();
    expect(await verdicts(under)).toEqual(["audit_failed"]);
  });

  test("behavior: results that differ are decided by one run, whoever's it is that was kept", async () => {
    const under = await audited(10_000);
    await under.ring();
    const other = await sellerBeside(under);
    const { run } = await reportOne(under, { replicas: 2 });
    const { polder } = under.provider;
    const { obligations } = (await polder.get(`/accounts/${addressOf(other)}/obligations`)).json;
    const report = { account: addressOf(other), obligationId: obligations[0].obligationId, fuelMega: 1 };
    const lie = { ...report, jobDigest: run.jobDigest, outputHash: word(0xbad), region: polder.name };
    const said = await polder.signed(other, polder.command("report_result", lie));
    await polder.refuse("evidence_malformed", () => polder.post("/commands", said));
    const evidence = new RegionKey(env as never, polder.name).attest(lie);
    expectAccepted(await polder.post("/commands", { ...said, evidence }), 200);
    await under.ring();
    expect((await verdicts(under)).sort()).toEqual(["audit_failed", "audit_passed"]);
    const { audits, failure } = await audit(DOMAIN, await polder.region.journal());
    expect(failure).toBeNull();
    expect(audits).toMatchObject({ recorded: 1, disputed: 1 });
  });

  test("behavior: a result that nobody looked at within the hour is paid, and the audit names it when the secret is shown", async () => {
    const under = await audited(10_000);
    await under.ring();
    const { run } = await reportOne(under, { lie: 1 });
    const shownAtS = revealableFromS(EPOCH_SLOTS, epochNow());
    goTo(shownAtS - 1);
    await under.ring();
    expect(await verdicts(under)).toEqual(["unchallenged"]);
    const { polder } = under.provider;
    const journal = () => polder.region.journal();
    expect((await journal()).join()).not.toContain("audits_revealed");
    goTo(shownAtS);
    await under.ring();
    await under.ring();
    expect((await journal()).filter((line) => line.includes('"audits_revealed"'))).toHaveLength(1);
    const { audits, failure } = await audit(DOMAIN, await journal());
    expect(failure).toBeNull();
    expect(audits).toMatchObject({ recorded: 0, missed: [run.obligationId], unshown: 0 });
  });

  test("rejects: to sell a job before the epoch is bound, after however long a time; it binds it, and sells", async () => {
    const under = await audited(10_000);
    await under.ring();
    goTo(Math.floor(Date.now() / 1000) + 3 * EPOCH_SLOTS * 900);
    await under.provider.ask();
    const refused = await buy(under, word(0x10b));
    expect(refused.json).toMatchObject({ code: "audits_not_bound" });
    await under.ring();
    expectAccepted(await buy(under, word(0x10b)), 200);
  });

  test("behavior: a result is drawn at the rate of its trade's epoch, whatever holds by then", () => {
    const market = openMarket({ parameters: { auditRateBps: 10_000 } });
    const [ann, cai] = [address(1), address(3)];
    for (const account of [ann, cai]) market.accept(credit(account, 1_000_000));
    market.accept(setParameters({ auditRateBps: 0 }));
    const epoch = Math.floor(market.atS / 7_200) + 1;
    market.to((epoch + 1) * 7_200 - 10);
    market.accept(commitAudits(epoch, word(1)));
    market.accept(resting(market, ann, "sell", 10, 100));
    market.accept(buyJob(cai, 10, 100));
    market.to((epoch + 1) * 7_200 + 10);
    market.accept(result(ann, 1, 5));
    const { results, bind } = auditWork(market.state, { payableAtS: 0, obligationId: 0 }, market.atS) ?? {};
    expect(results).toMatchObject([{ obligationId: 1, epoch, auditRateBps: 10_000, sinceS: market.atS }]);
    expect(bind).toEqual([]);
  });
});

const EPOCH_SLOTS = 8;
const epochNow = () => Math.floor(Date.now() / 1000 / 900 / EPOCH_SLOTS);
type Audited = Awaited<ReturnType<typeof audited>>;

/** The auditor is gone in the middle of whatever it does. */
async function die({ provider }: Audited): Promise<void> {
  const stub = env.AUDITOR.getByName(provider.polder.name);
  const dying = runInDurableObject(stub, (_, ctx) => ctx.abort("a test ends it"));
  await expect(dying).rejects.toThrow("a test ends it");
}

/** Verdicts of the journal, in their order. */
async function verdicts({ provider }: Audited): Promise<string[]> {
  await runInDurableObject(provider.polder.region.stub, (region) => region.alarm());
  const journal = await provider.polder.region.journal();
  return journal.flatMap((line) =>
    [...line.matchAll(/"verdict":"(\w+)"/g)].map(([, verdict]) => verdict as string),
  );
}

async function buy({ provider: { polder } }: Audited, jobDigest: Hex, replicas = 1) {
  const bid = { account: polder.account, jobDigest, fuelMega: 20, priceMicrosPerTera: 500_000, replicas };
  return polder.post("/commands", await polder.signed(polder.home, polder.command("buy_job", bid)));
}

/** Another seller with an ask in the book, which signs with its wallet and has no node. */
async function sellerBeside({ provider: { polder } }: Audited) {
  const wallet = walletOf(0x5e22);
  const account = addressOf(wallet);
  const money = polder.command("credit_test_quote", { account, amountMicros: 1_000_000 });
  expectAccepted(await polder.post("/credits", await polder.signed(operator, money)), 201);
  const ask = polder.command("place_resource_order", {
    ...{ account, product: "compute-job", side: "sell", quantityMega: 1_000, priceMicrosPerTera: 100_000 },
    ...{ timeInForce: "good_till_time", goodTillS: Math.floor(Date.now() / 1000) + 3_600 },
  });
  expectAccepted(await polder.post("/resource-orders", await polder.signed(wallet, ask)), 201);
  return wallet;
}

/** Has the provider's node run a job, and report so much more fuel than it took. */
async function reportOne(under: Audited, { lie = 0, replicas = 1 }: { lie?: number; replicas?: number }) {
  const { provider } = under;
  await provider.ask();
  const order = provider.order(0, {}, { fuelMega: 20, memoryBytes: 65_536, outputBytes: 0 });
  const input = new Uint8Array(0);
  const description = { ...order.description, module: nameOf(JOB), args: [], inputHash: nameOf(input) };
  const jobDigest = jobDigestOf(description);
  expectAccepted(await buy(under, jobDigest, replicas), 200);
  const { obligations } = (await provider.polder.get(`/accounts/${provider.account}/obligations`)).json;
  const { obligationId, deadlineS } = obligations[0];
  const node = await provider.node();
  const run = { ...order, obligationId, deadlineS, description, jobDigest, input, fuelMega: 20 };
  const given = await provider.running(node, run);
  const own = await refereeRun(env, description, input);
  if (own.kind === "refused") throw new Error(own.reason);
  node.sendResult(given, { stdout: "", fuelUsed: own.fuelUsed + lie });
  await until(() => provider.outcomes().length === 1, 1_000);
  return { run };
}

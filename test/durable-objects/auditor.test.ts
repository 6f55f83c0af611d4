// Owns the promises of a region's auditor: an epoch is bound before it is drawn from, what is drawn is run again by the real
// referee, and a result that was another's costs its seller the payment. It refuses a stand-in for region or referee.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { firstAfter } from "../../durable-objects/audits/draw-block.ts";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { keepModule } from "../../durable-objects/module-store.ts";
import { refereeRun } from "../../durable-objects/referee-call.ts";
import type { Hex } from "../../protocol/fields.ts";
import { jobDigestOf } from "../../protocol/jobs.ts";
import { DOMAIN, PARAMETERS } from "../support/market.ts";
import { commandOf } from "../support/module-bytes.ts";
import { expectAccepted } from "../workers/gateway-under-test.ts";
import { ProviderUnderTest, until } from "./provider-under-test.ts";
import { env, useMarketTime } from "./region-under-test.ts";

useMarketTime();

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
  const ring = () => runInDurableObject(auditor, (object) => object.alarm());
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
    const { provider, ring } = await audited(10_000);
    const { polder } = provider;
    await ring();
    const ask = await provider.ask();
    expect(await provider.resting()).toEqual([ask]);
    const order = provider.order(0, {}, { fuelMega: 20, memoryBytes: 65_536, outputBytes: 0 });
    const input = new Uint8Array(0);
    const description = { ...order.description, module: nameOf(JOB), args: [], inputHash: nameOf(input) };
    const jobDigest = jobDigestOf(description);
    const bid = {
      account: polder.account,
      jobDigest,
      fuelMega: 20,
      priceMicrosPerTera: 500_000,
      replicas: 1,
    };
    const buying = await polder.signed(polder.home, polder.command("buy_job", bid));
    expectAccepted(await polder.post("/commands", buying), 200);
    const { obligations } = (await polder.get(`/accounts/${polder.account}/obligations`)).json;
    const { obligationId, deadlineS } = obligations[0];
    const node = await provider.node();
    const run = { ...order, obligationId, deadlineS, description, jobDigest, input, fuelMega: 20 };
    const given = await provider.running(node, run);
    const own = await refereeRun(env, description, input);
    if (own.kind === "refused") throw new Error(own.reason);
    node.sendResult(given, { stdout: "", fuelUsed: own.fuelUsed + lie });
    await until(() => provider.outcomes().length === 1, 1_000);
    await ring();
    const journal = await polder.region.journal();
    expect(journal.filter((line) => line.includes(`"verdict":"${verdict}"`))).toHaveLength(1);
    expect((await polder.get(`/accounts/${polder.account}/obligations`)).json.obligations).toEqual([]);
    expect((await audit(DOMAIN, journal)).failure).toBeNull();
  });
});

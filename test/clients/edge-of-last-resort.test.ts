// Owns the promise that a region with no provider still runs jobs: the deployment itself does, at its operator's price, and is paid
// like anybody; a cheaper machine goes first. It refuses an isolate in the objects' own process.

import { afterAll, beforeAll, expect, test } from "vitest";
import { audit } from "../../clients/audit/audit.ts";
import { operatorWallet } from "../../clients/local/neighbourhood.ts";
import { authoriseEdge } from "../../clients/provider/edge-session.ts";
import { ProviderNode } from "../../clients/provider/provider-node.ts";
import { JobClient } from "../../clients/sdk/jobs.ts";
import { type ApiKey, parseApiKey } from "../../evidence/session-signature.ts";
import { assemble } from "../../tools/job-sources.ts";
import { eventually, REGION, SEED } from "../support/client-region.ts";
import { ProviderRegion, type Trader } from "../support/provider-region.ts";

const PRICE = 2_000_000;
const OPERATOR = operatorWallet(SEED).address.toLowerCase();
const MODULE = assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);
const ASKED = { module: MODULE, mostMicros: 1_000, limits: limitsOf(100) };

function limitsOf(fuelMega: number) {
  return { fuelMega, memoryBytes: 1_048_576, outputBytes: 1_000, wallSeconds: 5 };
}

let region: ProviderRegion;
let app: Trader;
let jobs: JobClient;

beforeAll(async () => {
  region = await ProviderRegion.open({
    hasDesks: true,
    vars: { EDGE_PRICE_MICROS_PER_TERA: String(PRICE) },
  });
  app = await region.trader("app", ["buy"]);
  jobs = new JobClient(region.client, REGION, app.apiKey);
});
afterAll(() => region?.stop());

test("behavior: where nobody sells the deployment does, once its operator lets it; a cheaper machine goes first", async () => {
  await expect(jobs.run(ASKED)).rejects.toMatchObject({ code: "order_unmatched" });
  await authoriseEdge(region.client, REGION, region.operator);
  const { asks } = await bookWithAsks();
  expect(asks).toMatchObject([{ priceMicrosPerTera: PRICE }]);
  const { job } = await jobs.run(ASKED);
  expect(job).toMatchObject({
    status: "done",
    result: { end: "exited", exitCode: 0 },
    runs: [{ provider: OPERATOR, state: "reported", priceMicrosPerTera: PRICE }],
  });
  const seller = await region.trader("seller", ["sell"]);
  const node = await ProviderNode.start({
    client: region.client,
    region: REGION,
    key: parseApiKey(seller.apiKey) as ApiKey,
    offers: [{ product: "compute-job", quantityMega: 1_000, priceMicrosPerTera: PRICE - 1 }],
    cores: 1,
    folder: `${region.folder}/modules`,
  });
  try {
    expect(await eventually(async () => (await region.asksOf(seller.account)) === 1)).toBe(true);
    expect((await jobs.run(ASKED)).job.runs).toMatchObject([{ provider: seller.account }]);
  } finally {
    await node.kill();
  }
  const report = await audit(await region.client.deployment(), region.client.journal(REGION));
  expect(report.failure).toBeNull();
}, 90_000);

/** The book of jobs, when somebody asks. Requests wake the deployment's seller. */
async function bookWithAsks(): Promise<{ readonly asks: readonly object[] }> {
  const read = () =>
    region.client.get<{ asks: readonly object[] }>(`/v1/regions/${REGION}/books/compute-job`);
  expect(await eventually(async () => (await read()).asks.length > 0, 20_000)).toBe(true);
  return read();
}

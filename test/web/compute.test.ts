// Owns the promise that the page says of compute what the region says: offers, records and the ends of jobs in words, and all of it
// before a real browser while machines sell and run. It refuses to pass with an error in the browser's console.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ComputeRegion, openComputeRegion } from "../../clients/local/compute-region.ts";
import { ProviderNode } from "../../clients/provider/provider-node.ts";
import { JobClient } from "../../clients/sdk/jobs.ts";
import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import { MAX_REGION_MICROS } from "../../protocol/limits.ts";
import type { ProviderReputation } from "../../protocol/provider-answers.ts";
import type { ResultVerdict } from "../../protocol/resource-events.ts";
import { CHROMIUM, hasChromium, launchChromium } from "../../tools/chromium.ts";
import { assemble } from "../../tools/job-sources.ts";
import {
  addJobs,
  axisTimeText,
  bookStairs,
  bookWords,
  coreHourText,
  coreTimeText,
  JOBS_SHOWN,
  type JobLine,
  machineRows,
  offerRows,
} from "../../web/figures/compute.ts";
import { eventually, SEED, termsOf } from "../support/client-region.ts";

const WAIT_MS = 30_000;

/** Ends at once. */
const EMPTY = assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);

const offer = (priceMicrosPerTera: number, restingMega: number | string, orders = 1) => ({
  priceMicrosPerTera,
  restingMega: String(restingMega),
  orders,
});

describe("the book in words", () => {
  test("behavior: an hour of a core is some 36 terafuel, and fuel is told as time", () => {
    expect(coreHourText(900_000, "EUR")).toBe("€32.40");
    expect(coreHourText(1, "EUR")).toBe("€0.000036");
    expect(coreTimeText(9_999)).toBe("less than 1 s of a core");
    expect(coreTimeText(100_000_000)).toBe("2 h 46 min of a core");
    expect([0, 90, 450, 10_000].map(axisTimeText)).toEqual(["0 s", "90 s", "7.5 min", "2.7 h"]);
  });

  test("behavior: the cheapest offer is told, and where there is none how to make one", () => {
    const asks = [offer(900_000, 100_000_000), offer(1_000_000, 30_000, 2)];
    expect(bookWords({ asks }, "EUR")).toMatch(/^The cheapest asks €32\.40 .* has 2 h 46 min of a core/);
    expect(offerRows({ asks }, "EUR")[1]).toEqual({
      price: "€1.00",
      hour: "€36.00",
      time: "3 s of a core",
      offers: 2,
    });
    expect(bookWords({ asks: [] }, "EUR")).toMatch(/polder provider start/);
    expect(bookStairs({ bids: [], asks: [] })).toBeNull();
  });

  test("behavior: staircases are over seconds of a core, without what asks far too much", () => {
    const asks = [offer(100, 10_000), offer(500, 20_000), offer(501, 1)];
    expect(bookStairs({ bids: [offer(50, 40_000)], asks })).toEqual({
      reach: [0, 1, 3, 4],
      bids: [50, 50, 50, 50],
      asks: [100, 100, 500, null],
    });
  });

  test("behavior: no offer is so dear or so large that it cannot be shown", () => {
    const asks = [offer(MAX_REGION_MICROS, "9".repeat(30))];
    expect(bookWords({ asks }, "EUR")).toMatch(/asks over €/);
    expect(bookStairs({ bids: [], asks })?.reach).toHaveLength(2);
  });
});

describe("records in words", () => {
  const record: ProviderReputation = {
    ...{ account: `0x${"ab".repeat(20)}`, stake: null, jobs: 3, failures: 1, lapses: 1, reports: 3 },
    ...{ disagreements: 0, auditsPassed: 0, auditsFailed: 0, deliveredBps: 7_500, answeredBps: 7_500 },
    ...{ auditsPassedBps: null, meanSeconds: null, deliveredMega: "3", earnedMicros: "116", rank: 7 },
  };

  test("behavior: what a machine has not done yet is said so, and never a nought that sounds bad", () => {
    expect(machineRows([record], "EUR")).toEqual([
      {
        ...{ account: "0xababab…abab", jobs: "3", failures: "1", audits: "none yet", speed: "nothing yet" },
        ...{ stake: "nothing", earned: "€0.000116" },
      },
    ]);
  });

  test("behavior: wrong results stand beside right ones, and a stake that is leaving says so", () => {
    const stake = { nodeKey: record.account, stakedMicros: 100_000_000, isUnbonding: true };
    const one = { ...record, stake, auditsPassed: 4, auditsFailed: 1, meanSeconds: 492 };
    expect(machineRows([one], "EUR")[0]).toMatchObject({
      audits: "4 right, 1 wrong",
      speed: "8 min 12 s",
      stake: "€100.000000, leaving",
    });
  });
});

describe("jobs in words", () => {
  const tell = (lines: readonly JobLine[], ...events: MarketEvent[]) =>
    addJobs(lines, { atS: 60, events }, "EUR");
  const event = <T extends MarketEvent["type"]>(type: T, fields: Partial<EventOf<T>>) =>
    ({ type, ...fields }) as unknown as EventOf<T>;
  const sold = (firstObligation: number, ...priceMicrosPerTera: number[]) =>
    event("resource_traded", { product: "compute-job", firstObligation, priceMicrosPerTera });
  const settled = (obligation: number, paidMicros: number, verdict?: ResultVerdict) =>
    event("obligation_settled", { obligation, paidMicros, ...(verdict === undefined ? {} : { verdict }) });

  test("behavior: a run is told from its sale to its money, the newest first", () => {
    let lines = tell([], sold(7, 900_000, 1_000_000));
    expect(lines.map(({ obligation }) => obligation)).toEqual([8, 7]);
    lines = tell(lines, event("result_reported", { obligation: 7 }));
    expect(lines[1]?.text).toMatch(/^answered; paid unless/);
    lines = tell(lines, settled(7, 9, "agreed"), event("obligations_lapsed", { obligations: [8] }));
    expect(lines[1]?.text).toBe("€0.000009 paid: other machines gave the same");
    expect(lines[0]?.text).toBe("no answer in time; the buyer has its money back");
  });

  test("behavior: what was not paid says why", () => {
    const lines = tell([], sold(1, 5), sold(2, 5), settled(1, 0, "audit_failed"), settled(2, 0));
    expect(lines[1]?.text).toMatch(/^not paid: run again, and found wrong/);
    expect(lines[0]?.text).toMatch(/^not paid: nothing was delivered/);
  });

  test("behavior: leases and runs that are not shown change nothing, and the list stays short", () => {
    const lines = tell([], sold(1, ...Array.from({ length: JOBS_SHOWN + 3 }, () => 5)));
    expect(lines).toHaveLength(JOBS_SHOWN);
    expect(tell(lines, { ...sold(90, 5), product: "compute-lease-day" }, settled(1, 5))).toBe(lines);
  });
});

describe.skipIf(!hasChromium())(`compute in a browser (needs ${CHROMIUM})`, () => {
  let region: ComputeRegion;
  let browser: Browser;
  let page: Page;
  const nodes: ProviderNode[] = [];
  const complaints: string[] = [];
  const table = (id: string) => page.locator(`#${id} table`);

  beforeAll(async () => {
    region = new ComputeRegion(await openComputeRegion({ seed: SEED, terms: termsOf() }));
    browser = await launchChromium();
    page = await (await browser.newContext({ viewport: { width: 360, height: 800 } })).newPage();
    page.setDefaultTimeout(WAIT_MS);
    page.on("console", (message) => message.type() !== "log" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error.stack)));
    await page.goto(region.stack.url);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await Promise.all(nodes.map((node) => node.kill()));
    await region?.stop();
  });

  test("behavior: where nobody sells it says so, and how one begins", async () => {
    await page
      .locator("#compute-words")
      .filter({ hasText: /polder provider start/ })
      .waitFor();
    expect(await page.locator("#compute-machines-hint").textContent()).toMatch(/No machine/);
    expect(await page.locator("#compute-jobs-hint").textContent()).toMatch(/No job/);
  });

  test("behavior: an offer, a job that two machines agree on, and their records appear by themselves", {
    timeout: 120_000,
  }, async () => {
    for (const name of ["first", "second"]) {
      const { account, seed } = await region.trader(name, ["sell"]);
      const offers = [
        { product: "compute-job", quantityMega: 36_000_000, priceMicrosPerTera: 200_000 },
      ] as const;
      const options = { client: region.client, region: region.name, key: { account, seed }, offers };
      nodes.push(await ProviderNode.start({ ...options, cores: 1, room: 4, folder: region.folder }));
      expect(await eventually(async () => (await region.asksOf(account)) > 0)).toBe(true);
    }
    await table("compute-offers").filter({ hasText: "€7.20" }).waitFor();
    const buyer = await region.trader("buyer", ["buy"]);
    const jobs = new JobClient(region.client, region.name, buyer.apiKey);
    await jobs.run({ module: EMPTY, mostMicros: 10_000, replicas: 2 });
    const row = table("compute-jobs").locator("tbody tr");
    await row.filter({ hasText: "paid: other machines gave the same" }).nth(1).waitFor();
    await table("compute-machines")
      .locator("tbody tr")
      .filter({ hasText: /…[0-9a-f]{4}10none yet/ })
      .nth(1)
      .waitFor();
  });

  test("behavior: jobs before the page was opened are told too, and all of it fits a phone", async () => {
    await page.reload();
    await table("compute-jobs").waitFor();
    expect(await table("compute-jobs").locator("tbody tr").count()).toBe(2);
    await table("compute-machines").waitFor();
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0);
  });

  test("invariant: the browser had nothing to complain about", () => {
    expect(complaints).toEqual([]);
  });
});

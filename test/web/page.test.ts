// Owns the page as somebody sees it: a real browser before a real deployment that opens, trades and settles meanwhile.
// It refuses to pass with an error in the browser's console.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PolderClient } from "../../clients/sdk/client.ts";
import { slotStartS } from "../../protocol/units.ts";
import { CHROMIUM, hasChromium, launchChromium } from "../../tools/chromium.ts";
import { REGION, startWebRegion, type WebHome, type WebRegion } from "../support/web-region.ts";

const WAIT_MS = 15_000;

let region: WebRegion;
let browser: Browser;
const complaints: string[] = [];

async function openPage(query = "", width = 1280): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on("console", (message) => message.type() !== "log" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== "127.0.0.1" && protocol !== "data:") complaints.push(`asked ${request.url()}`);
  });
  await page.goto(`${region.url}/${query}`);
  return page;
}

const textOf = async (page: Page, id: string): Promise<string> =>
  ((await page.locator(`#${id}`).textContent()) ?? "").replaceAll("\u202f", " ");
const untilText = (page: Page, id: string, text: RegExp): Promise<unknown> =>
  page.locator(`#${id}`).filter({ hasText: text }).waitFor();
const homeOf = (name: string): WebHome => region.homes.find((home) => home.name.startsWith(name)) as WebHome;

/** Sums of the cleared slots of the local day that the last cleared slot is in. */
async function lastDay(client: PolderClient): Promise<{ traded: number; surplus: number; need: number }> {
  const { firstSlot, nextSlot } = await client.market(REGION);
  const dayOf = (slot: number): string =>
    new Date(slotStartS(slot) * 1000).toLocaleDateString("sv-SE", { timeZone: "Europe/Amsterdam" });
  const sums = { traded: 0, surplus: 0, need: 0 };
  for await (const slot of client.slots(REGION, firstSlot, nextSlot)) {
    if (dayOf(slot.slot) !== dayOf(nextSlot - 1)) continue;
    sums.traded += slot.tradedWh;
    sums.surplus += slot.surplusWh;
    sums.need += slot.needWh;
  }
  return sums;
}

describe.skipIf(!hasChromium())(`page in a browser (needs ${CHROMIUM})`, () => {
  let page: Page;

  beforeAll(async () => {
    [region, browser] = await Promise.all([startWebRegion(), launchChromium()]);
  });

  afterAll(async () => {
    await browser?.close();
    await region?.stop();
  });

  test("behavior: it explains that there is no region, and begins by itself when one opens", async () => {
    page = await openPage();
    await untilText(page, "notice", /No region has been opened here yet/);
    await region.open();
    await untilText(page, "region-name", /^Heron Lane$/);
    expect(await page.locator("#simulation").isVisible()).toBe(true);
    await untilText(page, "connection", /^live$/);
    await untilText(page, "market-hint", /Nothing has cleared yet/);
    expect(await textOf(page, "network-fee")).toBe("€0.02 per kWh");
    expect(await textOf(page, "take-rate")).toBe("1 % of a sale");
    expect(await textOf(page, "clock")).toMatch(/^\d\d:\d\d:\d\d$/);
  });

  test("behavior: it shows a clearing as soon as the feed tells it, without own use, and says why", {
    timeout: 90_000,
  }, async () => {
    await region.trade(2);
    await untilText(page, "news", /Cleared .* traded at €0\.13/);
    await untilText(page, "shown-traded", /kWh/);
    const shown = async (id: string): Promise<number> =>
      Math.round(Number.parseFloat((await textOf(page, id)).replace(",", "")) * 1000);
    // The market goes on meanwhile, and on a slow machine passes midnight: the page shows the day that settled last.
    const isShownExactly = async (): Promise<boolean> => {
      const sums = await lastDay(region.client);
      const page = {
        traded: await shown("shown-traded"),
        surplus: await shown("shown-surplus"),
        need: await shown("shown-need"),
      };
      return JSON.stringify(page) === JSON.stringify(sums);
    };
    await expect.poll(isShownExactly, { timeout: 20_000 }).toBe(true);
    expect(await textOf(page, "day-hint")).toMatch(/never leaves the home/);
    expect(await textOf(page, "curve-words")).toMatch(/met at €0\.13/);
  });

  test("behavior: opened from a home it shows own use, names and the exact bill, with cuts, evidence and CSV", async () => {
    page = await openPage(`?region=${REGION}&home=${encodeURIComponent(region.homeUrl)}`);
    await untilText(page, "day-hint", /own use/);
    const { account, name } = homeOf("Wren");
    await page.locator("#who").selectOption(account);
    await untilText(page, "bill-title", /Wren/);
    // Its name carries markup, which must come out as the text it is.
    expect(await textOf(page, "bill-title")).toBe(`Bill of ${name}`);
    const { totals, lines } = await region.client.bill(REGION, account);
    const micros = (text: string): number => Number(text.replace("−", "-").replace(/[+€.,]/g, ""));
    const money = async (row: string): Promise<number> =>
      micros(await page.locator(".statement tr", { hasText: row }).first().locator("td").last().innerText());
    expect(await money("Bought from neighbours")).toBe(totals.amountMicros);
    expect(await money("Rest with the supplier")).toBe(totals.restMicros);
    expect(await money("The tariff alone")).toBe(totals.tariffMicros);
    expect(await money("against the tariff alone")).toBe(totals.gainMicros);
    expect(totals.gainMicros).toBeGreaterThan(0);
    expect(await page.locator(".lines .cut").count()).toBe(lines.filter(({ wasCut }) => wasCut).length);
    expect(await page.locator(".lines .cut").count()).toBeGreaterThan(0);
    const evidence = await page.request.get(
      `${region.url}${await page.locator(".lines td a").first().getAttribute("href")}`,
    );
    expect((await evidence.json()).events[0].type).toBe("readings_accepted");
    const csv = await page.request.get(`${region.url}${await page.locator("#csv").getAttribute("href")}`);
    expect((await csv.text()).trim().split("\r\n")).toHaveLength(lines.length + 1);
  });

  test("behavior: a quarter-hour is chosen in the picture or by keyboard, and today grows before it is settled", async () => {
    await page.locator("#who").selectOption(homeOf("Heron").account);
    await untilText(page, "day-title", /Heron/);
    const before = await textOf(page, "readout");
    expect(before).toMatch(/Own use 200 Wh, .*to neighbours/);
    await page.locator("#slot").focus();
    await page.keyboard.press("ArrowLeft");
    expect(await textOf(page, "readout")).not.toBe(before);
    const box = (await page.locator("#day-chart .u-over").boundingBox()) as { width: number };
    await page.locator("#day-chart .u-over").click({ position: { x: box.width - 3, y: 50 } });
    expect(await textOf(page, "readout")).toMatch(/^23:45–00:00/);
    await page.locator("#day-today").click();
    await untilText(page, "day-hint", /not settled yet: .*Just now: 800.W used, 3\.6.kW generated/);
    expect(await page.locator("#legend-open").isVisible()).toBe(true);
  });

  test("behavior: it fits a phone, and a home elsewhere is refused", async () => {
    page = await openPage(
      `?account=${homeOf("Heron").account}&home=${encodeURIComponent("http://example.org")}`,
      360,
    );
    await page.locator(".statement").waitFor();
    expect(await textOf(page, "day-hint")).toMatch(/not on this computer/);
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0);
  });

  test("invariant: the browser had nothing to complain about, and nothing was asked elsewhere", () => {
    expect(complaints).toEqual([]);
  });
});

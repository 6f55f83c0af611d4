// Owns the proving page as somebody uses it: a real browser before a real region, with the committed circuits. It refuses
// to pass when a reading, a secret or a key was sent anywhere.

import { readFileSync } from "node:fs";
import type { Browser, BrowserContext, Page, Request, Route, Worker } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { meterVerifier } from "../../evidence/meter-keys.ts";
import { readMeterProof, verifyMeterProofs } from "../../evidence/meter-proof.ts";
import { formatApiKey } from "../../evidence/session-signature.ts";
import { decodeLine, type Entry } from "../../market/journal.ts";
import { slotStartS } from "../../protocol/units.ts";
import { CHROMIUM, hasChromium, launchChromium } from "../../tools/chromium.ts";
import { type ProvingRegion, READINGS, startProvingRegion, WINDOW_SLOTS } from "../support/proving-region.ts";
import { REGION } from "../support/web-region.ts";

const WAIT_MS = 20_000;

let region: ProvingRegion;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let requests: Request[] = [];
let complaints: string[] = [];

const file = (name: string, text: string) => ({
  name,
  mimeType: "application/json",
  buffer: Buffer.from(text),
});
const textOf = async (id: string): Promise<string> =>
  ((await page.locator(`#${id}`).textContent()) ?? "").replaceAll("\u202f", " ");
const untilText = (id: string, text: RegExp): Promise<unknown> =>
  page.locator(`#${id}`).filter({ hasText: text }).waitFor();
const choose = (...files: ReturnType<typeof file>[]): Promise<void> =>
  page.locator("#files").setInputFiles(files);

/** Opens the page, with the good files unless told otherwise. */
async function openPage(files?: ReturnType<typeof file>[], before = () => {}): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  requests = [];
  complaints = [];
  page.on("request", (request) => requests.push(request));
  page.on("console", (message) => message.type() !== "log" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(before);
  await page.goto(`${region.url}/prove?account=${region.keys.account}`);
  await untilText("region-name", /^Heron Lane/);
  await choose(
    ...(files ?? [file("meter.json", region.meterText()), file("window.json", region.windowText())]),
  );
}

const paths = (): string[] => requests.map((request) => new URL(request.url()).pathname);
/** Commands of the household's account in the journal; what the region does by itself goes on meanwhile. */
const commands = async (): Promise<number> => {
  let found = 0;
  for await (const line of region.client.journal(REGION)) {
    const { command } = JSON.parse((decodeLine(line) as { body: string }).body) as Entry;
    if (command !== undefined && "account" in command && command.account === region.keys.account) found += 1;
  }
  return found;
};

/** Chromium lets a worker in the midst of a computation live two seconds longer. */
const untilWorkerEnds = (): Promise<void> =>
  expect.poll(() => page.workers(), { timeout: 10_000, message: "workers" }).toEqual([]);

/** Presses the button and waits for the words of a failure. Nothing may be proved or sent by then. */
async function failureOfProving(): Promise<string> {
  await page.locator("#prove").click();
  await page.locator("#failure").waitFor();
  expect(await page.locator("#results-card").isVisible()).toBe(false);
  expect(requests.every((request) => request.method() === "GET")).toBe(true);
  await untilWorkerEnds();
  return textOf("failure");
}

/** What our verifier says of a proof under the committed key. */
function verdictOf(claim: Parameters<typeof readMeterProof>[1], evidence: unknown): unknown {
  const read = readMeterProof(region.context, claim, evidence);
  if (!read.ok) return read;
  const verifier = meterVerifier(WINDOW_SLOTS, region.context.chainId);
  return verifyMeterProofs(verifier, [read.shown])[0];
}

describe.skipIf(!hasChromium())(`proving in a browser (needs ${CHROMIUM})`, () => {
  beforeAll(async () => {
    [region, browser] = await Promise.all([startProvingRegion(), launchChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await region?.stop();
  });

  describe("what is not proved", () => {
    afterEach(() => context?.close());

    test("rejects: files that are none, of another region or chain, changed, or another gateway's; nothing is fetched", async () => {
      await openPage([]);
      const { context: own } = region;
      const changed = region.windowText().replace("1194", "1195");
      const refused: [string, string, RegExp][] = [
        ["photo.json", "{", /no meter file and no signed window: must be JSON/],
        ["other.json", region.meterText().replace("polder-meter/1", "polder-meter/2"), /format: must be/],
        [
          "meter.json",
          region.meterText({ region: "lark-lane" }),
          /for the region lark-lane, and this page proves for heron-lane/,
        ],
        [
          "meter.json",
          region.meterText({ chainId: 1 }),
          /for chain 1, and this deployment is on chain 31337/,
        ],
        [
          "meter.json",
          region.meterText({ settlement: `0x${"11".repeat(20)}` }),
          /another settlement contract/,
        ],
        [
          "window.json",
          region.windowText({ context: { ...own, regionId: "lark-lane" } }),
          /for the region lark-lane/,
        ],
        ["window.json", region.windowText({ context: { ...own, chainId: 1 } }), /for chain 1/],
        ["window.json", changed, /signature does not fit these readings/],
        ["long.json", " ".repeat(20_000), /too long/],
      ];
      for (const [name, text, words] of refused) {
        await choose(file(name, text));
        await untilText("complaints", words);
        expect(await textOf("complaints")).toContain(name);
        expect(await page.locator("#windows li").count()).toBe(0);
        expect(await page.locator("#meter").isVisible()).toBe(false);
      }
      expect(await page.locator("#prove").isDisabled()).toBe(true);
      const foreign = region.windowText({ gatewaySeed: `0x${"77".repeat(32)}` });
      await choose(file("meter.json", region.meterText()), file("window.json", foreign));
      await untilText("windows", /signed by another gateway than the one in your meter/);
      expect(await textOf("prove-hint")).toMatch(/None of these windows is this meter/);
      expect(await page.locator("#prove").isDisabled()).toBe(true);
      expect(paths().filter((path) => /registry|circuits|worker/.test(path))).toEqual([]);
    });

    test("rejects: a policy that is no whole number, and an account that is none, until they are right", async () => {
      await openPage();
      for (const [field, wrong, right] of [
        ["step", "0", "50"],
        ["step", "12.5", "50"],
        ["most", "much", ""],
        ["account", "0x12", region.keys.account],
      ] as const) {
        await page.locator(`#${field}`).fill(wrong);
        expect(await page.locator(`#${field}`).getAttribute("aria-invalid"), wrong).toBe("true");
        expect(await page.locator("#prove").isDisabled(), wrong).toBe(true);
        await page.locator(`#${field}`).fill(right);
        expect(await page.locator("#prove").isEnabled(), wrong).toBe(true);
      }
    });

    test("rejects: an artifact whose hash is not the manifest's, or that breaks off", async () => {
      const before = await commands();
      await openPage();
      const spoil = (change: (bytes: Buffer) => Buffer) => async (route: Route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: change(await response.body()) });
      };
      const flip = spoil((bytes) => {
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
        return bytes;
      });
      for (const kind of ["wasm", "zkey"]) {
        await page.route(`**/circuits/*.${kind}`, flip);
        expect(await failureOfProving(), kind).toContain(
          `The file meter-4.${kind} that was served is not the one`,
        );
        await page.unroute(`**/circuits/*.${kind}`);
      }
      await page.route(
        "**/circuits/*.zkey",
        spoil((bytes) => bytes.subarray(0, 1_000)),
      );
      expect(await failureOfProving()).toMatch(/A file of the circuit did not come: .*zkey \(it broke off\)/);
      await page.unroute("**/circuits/*.zkey");
      await page.route("**/circuits/*.wasm", (route) => route.abort());
      expect(await failureOfProving()).toMatch(/wasm \(no answer\)/);
      expect(await commands()).toBe(before);
    });

    test("rejects: a meter that is not in the registry, and a registry that is not its root's", async () => {
      await openPage([
        file("meter.json", region.meterText({ secret: region.meter.secret + 1n })),
        file("window.json", region.windowText()),
      ]);
      expect(await failureOfProving()).toMatch(/not among the 2 of this window.s registry/);
      const enlarged = { ...region.meter.limits, nameplateWh: region.meter.limits.nameplateWh + 1 };
      await choose(file("meter.json", region.meterText({ limits: enlarged })));
      expect(await failureOfProving()).toMatch(/limits in the file must be those it was enrolled with/);
      await choose(file("meter.json", region.meterText()));
      await page.route("**/registry/*", async (route) => {
        const response = await route.fetch();
        const registry = (await response.json()) as { leaves: string[] };
        await route.fulfill({
          response,
          json: { ...registry, leaves: [...registry.leaves, `0x${"01".repeat(32)}`] },
        });
      });
      expect(await failureOfProving()).toMatch(/does not make the root it names/);
    });

    test("rejects: a window that is over, and one too far ahead", async () => {
      const firstSlot = region.firstSlot();
      for (const slot of [firstSlot - 40, firstSlot + 40]) {
        await openPage([
          file("meter.json", region.meterText()),
          file("w.json", region.windowText({ firstSlot: slot })),
        ]);
        expect(await failureOfProving()).toMatch(/This window is over, or too far ahead/);
        await context.close();
      }
    });

    test("rejects: a browser that cannot run the prover, and a page that came without encryption", async () => {
      await openPage();
      await page.route("**/proving-worker.js", (route) => route.abort());
      expect(await failureOfProving()).toMatch(/The prover could not run in this browser/);
      await context.close();
      await openPage([], () => Object.defineProperty(globalThis, "isSecureContext", { value: false }));
      await choose(file("meter.json", region.meterText()), file("window.json", region.windowText()));
      await untilText("prove-hint", /came without encryption/);
      expect(await page.locator("#prove").isDisabled()).toBe(true);
    });

    test("behavior: a run is cancelled in any step, its worker with it; the next proves two windows with one circuit", async () => {
      await openPage();
      await page.route("**/circuits/*.zkey", () => {});
      await page.locator("#prove").click();
      await untilText("steps", /of 11\.7/);
      expect(page.workers()).toHaveLength(1);
      await page.locator("#cancel").click();
      await untilText("failure", /Cancelled\. Nothing was sent\./);
      await untilWorkerEnds();
      await page.unroute("**/circuits/*.zkey");
      await page.locator("#prove").click();
      await page.locator('#steps [data-step="proof"][data-state="running"]').waitFor();
      await page.locator("#cancel").click();
      await untilText("failure", /Cancelled/);
      await untilWorkerEnds();
      expect(await page.locator('#steps [data-step="proof"]').getAttribute("data-state")).toBe("failed");
      expect(await page.locator("#results-card").isVisible()).toBe(false);
      await choose(file("next.json", region.windowText({ firstSlot: region.firstSlot() + WINDOW_SLOTS })));
      await page.locator("#prove", { hasText: "Prove 2 windows" }).click();
      await page.locator("#results li").nth(1).waitFor();
      expect(await textOf("steps")).toMatch(/as for the window before/);
      expect(complaints).toEqual([]);
    });
  });

  describe("a window that is proved", () => {
    let firstSlot = 0;
    let body = "";

    beforeAll(async () => {
      firstSlot = region.firstSlot();
      await openPage([
        file("meter.json", region.meterText()),
        file("w.json", region.windowText({ firstSlot })),
      ]);
    });
    afterAll(() => context?.close());

    test("behavior: it verifies under the committed key, for its claims alone, and the prover had no way out", async () => {
      const before = await commands();
      await untilText("claims-words", /Becomes public: 1\.15.kWh given and 300.Wh taken\./);
      expect(await textOf("claims-words")).toMatch(/Stays here: 82 Wh given and 27 Wh taken, in 3 of 4/);
      let goOn = (): void => {};
      const isAsked = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      await page.route("**/circuits/*.zkey", (route) => isAsked.then(() => route.continue()));
      await page.locator("#prove").click();
      await untilText("steps", /of 11\.7/);
      // The policy that its answer came with lets the worker compute and connect to nobody.
      const [worker] = page.workers() as [Worker];
      expect(await worker.evaluate(() => fetch("/v1/deployment").then(String, () => "refused"))).toBe(
        "refused",
      );
      goOn();
      await page.locator("#results-card").waitFor();
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.locator("#results button", { hasText: "Copy" }).click();
      body = await page.evaluate(() => navigator.clipboard.readText());
      const { netWh, evidence, ...rest } = JSON.parse(body);
      expect(rest).toEqual({ firstSlot });
      expect(netWh).toEqual([1_150, -300, 0, 0]);
      expect(evidence.heldBack).toEqual([2]);
      expect(evidence.root).toBe((await region.client.registry(REGION, firstSlot)).root);
      const claim = { account: region.keys.account, firstSlot, netWh };
      expect(verdictOf(claim, evidence)).toEqual({ ok: true });
      const more = { ...claim, netWh: [1_200, -300, 0, 0] };
      expect(verdictOf(more, evidence)).toEqual({ ok: false, reason: "invalid" });
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator("#results button", { hasText: "Download" }).click(),
      ]);
      expect(readFileSync(await download.path(), "utf8").trim()).toBe(body);
      expect(await textOf("curl")).toContain(download.suggestedFilename());
      expect(requests.every((request) => request.method() === "GET")).toBe(true);
      expect(await commands()).toBe(before);
    });

    test("rejects: an API key that is none, another account's, or not authorised; nothing is accepted", async () => {
      const before = await commands();
      const send = async (key: string, words: RegExp): Promise<void> => {
        await page.locator("#api-key").fill(key);
        await page.locator("#send").click();
        await untilText("send-hint", words);
      };
      await send("secret", /An API key is polder_/);
      await send(formatApiKey(`0x${"ab".repeat(20)}`, region.keys.sessionSeed), /the proof names another/);
      expect(requests.every((request) => request.method() === "GET")).toBe(true);
      await send(formatApiKey(region.keys.account, `0x${"77".repeat(32)}`), /1 window not taken/);
      expect(await textOf("results")).toMatch(/not taken: The API key is not authorised for its account/);
      expect(await commands()).toBe(before);
    });

    test("behavior: the region takes it from a page with an API key, and pays it once", async () => {
      await region.untilS(slotStartS(firstSlot + WINDOW_SLOTS) + 1);
      await page.locator("#api-key").fill(region.keys.apiKey);
      await page.locator("#send").click();
      await untilText("send-hint", /^Sent\./);
      const [, entry] = /entry (\d+)/.exec(await textOf("results")) as unknown as [string, string];
      const { events } = await region.client.receipt(REGION, Number(entry));
      expect(events).toMatchObject([{ type: "readings_accepted", firstSlot, netWh: [1_150, -300, 0, 0] }]);
      expect(await page.locator("#send").isDisabled()).toBe(true);
      expect(await textOf("windows")).toMatch(/proved and sent/);
      const again = await fetch(`${region.url}/v1/regions/${REGION}/readings`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${region.keys.apiKey}` },
        body,
      });
      expect(await again.json()).toMatchObject({ code: "window_already_proved" });
    });

    test("invariant: no reading, secret, gateway or key was in anything that the page sent", async () => {
      const { keys, meter } = region;
      const { signature } = JSON.parse(region.windowText({ firstSlot }));
      const hidden = [
        ...READINGS.filter((wh) => wh !== 0).map((wh) => `\\b${Math.abs(wh)}\\b`),
        ...[meter.secret, ...meter.gateway, signature.s, ...signature.r8].map(String),
        ...[keys.sessionSeed, keys.gatewaySeed].map((seed) => seed.slice(2)),
      ];
      const sent = await Promise.all(
        requests.map(async (request) =>
          [request.url(), request.postData() ?? "", JSON.stringify(await request.allHeaders())].join("\n"),
        ),
      );
      expect(sent.filter((text) => text.includes("submit_readings"))).toHaveLength(2);
      expect(sent.join("\n")).toMatch(/\b1150\b/);
      for (const value of hidden) expect(sent.join("\n")).not.toMatch(new RegExp(value));
      expect(paths().filter((path) => path.includes("registry"))).toEqual([
        `/v1/regions/${REGION}/registry/${firstSlot}`,
      ]);
      expect(
        await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]),
      ).toEqual([0, 0, ""]);
      // Chromium reports what the worker's policy stopped, and the refusal of the wrong key; nothing else.
      const others = complaints.filter(
        (text) => !/Content Security Policy|Failed to load resource.*401/.test(text),
      );
      expect(others).toEqual([]);
    });

    test("behavior: it fits a phone", async () => {
      await page.setViewportSize({ width: 360, height: 800 });
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
      ).toBeLessThanOrEqual(0);
    });
  });
});

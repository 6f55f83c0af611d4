// Owns the promise that the page says of votes what the chain says: states and quorums in words, and the effect for whoever looks,
// before a real browser. It refuses to pass with an error in the browser's console.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRegion } from "../../clients/local/neighbourhood.ts";
import type { Stack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { type Draft, proposalOf } from "../../governance/forms/draft.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { ProposalAnswer } from "../../protocol/vote-answer.ts";
import { CHROMIUM, hasChromium, launchChromium } from "../../tools/chromium.ts";
import {
  effectHints,
  effectLines,
  quorumText,
  sharePercent,
  spanText,
  stateText,
} from "../../web/figures/votes.ts";
import { SEED, termsOf, varsOf } from "../support/client-region.ts";
import { COMPUTE_PREVIEW } from "../support/compute-preview.ts";
import { hasAnvil } from "../support/local-chain.ts";
import { TOKEN, VOTE } from "../support/vote-file.ts";
import { lower, REGION_ID, VotedChain } from "../support/voted-chain.ts";
import { startVotedStack } from "../support/voted-stack.ts";

const WAIT_MS = 30_000;
const CHANGE: Draft = {
  description: "More for <b>everybody</b>\nbecause",
  calls: [{ call: "changeValues", region: REGION_ID, values: { emissionPerEpoch: "1200" } }],
};

const proposal = (values: Partial<ProposalAnswer>): ProposalAnswer =>
  ({
    state: "active",
    waitsFor: "end",
    secondsLeft: 3_700,
    executedBy: null,
    cancelledBy: null,
    votes: { for: String(3n * TOKEN), against: String(TOKEN), abstain: "0" },
    quorum: { votes: String(4n * TOKEN), asOfS: 1, isAtSnapshot: true, isReached: false },
    ...values,
  }) as ProposalAnswer;

describe("words", () => {
  test("behavior: a state says how long it lasts, and what went past the governor says so", () => {
    const cases: [Partial<ProposalAnswer>, string][] = [
      [{}, "open for votes, 1 h 1 min left"],
      [{ state: "pending", waitsFor: "snapshot", secondsLeft: 59 }, "not open yet, 59 s left"],
      [{ state: "queued", waitsFor: "eta", secondsLeft: 90_000 }, "passed, waiting, 1 d 1 h left"],
      [{ state: "queued", waitsFor: "eta", secondsLeft: 0 }, "passed, can be executed"],
      [{ state: "executed", waitsFor: null, secondsLeft: null, executedBy: "governor" }, "done"],
      [
        { state: "executed", waitsFor: null, secondsLeft: null, executedBy: "timelock" },
        "done, past the governor",
      ],
      [
        { state: "cancelled", waitsFor: null, secondsLeft: null, cancelledBy: "timelock" },
        "cancelled in the timelock",
      ],
    ];
    for (const [values, text] of cases) expect(stateText(proposal(values))).toBe(text);
    expect(spanText(120)).toBe("2 min");
  });

  test("behavior: a quorum counts for and abstain, and one of a snapshot to come is today's", () => {
    expect(quorumText(proposal({}))).toBe("3 of 4 votes that count for the quorum");
    const quorum = { votes: String(4n * TOKEN), asOfS: 1, isAtSnapshot: false, isReached: false };
    expect(quorumText(proposal({ quorum }))).toMatch(/as of today/);
    expect(quorumText(proposal({ quorum: { ...quorum, isAtSnapshot: true, isReached: true } }))).toMatch(
      /reached$/,
    );
    expect(sharePercent(proposal({}))).toBe(75);
    expect(sharePercent({ votes: { for: "0", against: "0", abstain: "5" } })).toBeNull();
  });
});

describe.skipIf(!hasChromium() || !hasAnvil)(`votes in a browser (needs anvil and ${CHROMIUM})`, () => {
  let world: VotedChain;
  let stack: Stack;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    world = await VotedChain.start();
    // An epoch of an hour is over after two seconds.
    stack = await startVotedStack(world, varsOf(1_800));
    const { profile, ...terms } = termsOf({ proofDelaySeconds: 60 });
    const own = { ...terms, profile: { ...profile, region: REGION_ID }, epochSlots: 4 };
    await openRegion(new PolderClient(stack.url), SEED, own);
    browser = await launchChromium();
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(WAIT_MS);
    page.on("console", (message) => message.type() !== "log" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(stack.url);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await world?.stop();
  });

  test("behavior: where nothing was proposed it says how to", async () => {
    await page
      .locator("#votes-hint")
      .filter({ hasText: /Nothing has been proposed yet/ })
      .waitFor();
  });

  test("behavior: a proposal appears with its words, its quorum and its effect on closed epochs", {
    timeout: 90_000,
  }, async () => {
    const { targets, calldatas } = proposalOf(CHANGE, lower(world.ann), world.contracts);
    const calls = targets.map((target, place) => ({ target, data: calldatas[place] as Hex }));
    const id = await world.propose(world.ann, calls, CHANGE.description);
    const item = page.locator(`[data-proposal="${id}"]`);
    // Markup in a title comes out as the text that it is.
    await item.filter({ hasText: "More for <b>everybody</b>" }).waitFor();
    expect(await item.textContent()).toMatch(/not open yet.*as of today.*emissionPerEpoch to 1200/);
    await world.pass(VOTE.votingDelaySeconds + 1);
    await world.govern(world.ann, "castVote", [id, 1]);
    await item.filter({ hasText: /open for votes.*60,000 for.*60,000 of 40,000.*reached/ }).waitFor();
    await item.locator("button").click();
    await item.locator("table").waitFor();
    expect(await item.locator("table").textContent()).toMatch(/Rewards of all/);
  });

  test("invariant: the browser had nothing to complain about", () => {
    expect(complaints).toEqual([]);
  });
});

test("behavior: the effect on compute stands under the rewards of all, and what it lacks beside it", () => {
  const lines = effectLines(COMPUTE_PREVIEW, String);
  expect(lines[1]).toEqual({ label: "Of them for compute", paid: "2", preview: "3", isChanged: true });
  expect(lines.map(({ label }) => label).join()).not.toContain("bandwidth");
  expect(effectHints(COMPUTE_PREVIEW)).toEqual([
    "Trading compute with oneself would pay at a lower worth of the token than now.",
    "Without compute of 2 older epochs, which do not tell whose it was.",
  ]);
  const leftOut = { ...COMPUTE_PREVIEW.leftOut, deliveries: [] };
  expect(effectHints({ ...COMPUTE_PREVIEW, selfTrading: [], leftOut })).toEqual([]);
});

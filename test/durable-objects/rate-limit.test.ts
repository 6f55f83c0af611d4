// Owns the promise that a flood harms its sender alone, also after an eviction.

import { describe, expect, test } from "vitest";
import type { Outcome } from "../../durable-objects/outcome.ts";
import type { Hex } from "../../protocol/fields.ts";
import { COMMAND_WINDOW_SECONDS, MAX_COMMANDS_PER_ACCOUNT_WINDOW } from "../../protocol/limits.ts";
import {
  address,
  authorise,
  cancel,
  credit,
  type Draft,
  OPERATOR,
  place,
  session,
  wallet,
  word,
} from "../support/market.ts";
import { released } from "../support/resource-drafts.ts";
import {
  goTo,
  MIDNIGHT_S,
  OPENED_AT_S,
  openedRegion,
  type RegionUnderTest,
  useMarketTime,
} from "./region-under-test.ts";

useMarketTime();

const codeOf = (outcome: Outcome): string => ("rejection" in outcome ? outcome.rejection.code : "accepted");

/** Sends many commands at once; answers how often each code came. */
async function flood(
  region: RegionUnderTest,
  count: number,
  draft: (index: number) => Draft,
): Promise<Record<string, number>> {
  const submissions = Array.from({ length: count }, (_, index) => region.submission(draft(index)));
  const codes = await region.inside(async ({ engine }) => {
    const outcomes = await Promise.all(submissions.map((submission) => engine.submit(submission)));
    return outcomes.map(codeOf);
  });
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

describe("a flood", () => {
  test("rejects: what an account sends past its limit, accepted or not, and says when to come back", async () => {
    const { region } = await openedRegion(2);
    const counts = await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 50, () =>
      cancel(address(1), 999_999),
    );
    expect(counts).toEqual({ order_not_found: MAX_COMMANDS_PER_ACCOUNT_WINDOW, rate_limited: 50 });
    const { facts } = await region.refuse(place(address(1), "sell", [[1, 1]]), "rate_limited");
    expect(facts.retryAfterSeconds).toBe(COMMAND_WINDOW_SECONDS);
    await region.accept(place(address(2), "sell", [[1, 1]]));
    await region.accept(credit(address(1), 1));
  });

  test("behavior: is over when its stretch of wall time is", async () => {
    const { region } = await openedRegion(1);
    await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 1, () => cancel(address(1), 999_999));
    goTo(OPENED_AT_S + COMMAND_WINDOW_SECONDS - 1);
    await region.refuse(place(address(1), "sell", [[1, 1]]), "rate_limited");
    goTo(OPENED_AT_S + COMMAND_WINDOW_SECONDS);
    await region.accept(place(address(1), "sell", [[1, 1]]));
  });

  test("behavior: is not forgotten when the object is evicted", async () => {
    const { region } = await openedRegion(2);
    await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 100, () => cancel(address(1), 999_999));
    await region.evict();
    await region.refuse(place(address(1), "sell", [[1, 1]]), "rate_limited");
    await region.accept(place(address(2), "sell", [[1, 1]]));
    expect(await region.storedHash()).toEqual(await region.stateHash());
  });

  test("behavior: an account's session keys share its limit", async () => {
    const { region } = await openedRegion(1);
    const forever = { sessionExpiresAtS: MIDNIGHT_S + 1e6 };
    await region.accept(authorise(address(1), word(1), forever));
    await region.accept(authorise(address(1), word(2), forever));
    const counts = await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW, (index) =>
      cancel(address(1), 999_999, session(word(1 + (index % 2)))),
    );
    // The two authorisations counted.
    expect(counts).toEqual({ order_not_found: MAX_COMMANDS_PER_ACCOUNT_WINDOW - 2, rate_limited: 2 });
  });

  test("regression: by strangers in an account's name does not use up its limit", async () => {
    const { region } = await openedRegion(1);
    const byWallet = await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 10, () =>
      cancel(address(1), 1, wallet(address(66))),
    );
    expect(byWallet).toEqual({ not_account_owner: MAX_COMMANDS_PER_ACCOUNT_WINDOW, rate_limited: 10 });
    const byKey = await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 10, () =>
      cancel(address(1), 1, session(word(66))),
    );
    expect(byKey).toEqual({ session_unknown: MAX_COMMANDS_PER_ACCOUNT_WINDOW, rate_limited: 10 });
    await region.accept(place(address(1), "sell", [[1, 1]]));
  });

  test("regression: of the operator's commands by somebody else is limited; the operator's own is not", async () => {
    const { region } = await openedRegion(1);
    const counts = await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 10, () =>
      credit(address(1), 1, wallet(address(1))),
    );
    expect(counts).toEqual({ not_operator: MAX_COMMANDS_PER_ACCOUNT_WINDOW, rate_limited: 10 });
    const own = await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 10, () =>
      credit(address(1), 1, wallet(OPERATOR)),
    );
    expect(own).toEqual({ accepted: MAX_COMMANDS_PER_ACCOUNT_WINDOW + 10 });
  });

  test("behavior: what the region itself says of runs and results is not limited; whoever else says it is", async () => {
    const { region } = await openedRegion(1);
    const key = await region.inside(({ engine }) => engine.state.header.opened?.receiptKey as Hex);
    for (const [signer, counts] of [
      [session(key), { obligation_not_found: MAX_COMMANDS_PER_ACCOUNT_WINDOW + 10 }],
      [session(word(66)), { not_referee: MAX_COMMANDS_PER_ACCOUNT_WINDOW, rate_limited: 10 }],
    ] as const)
      expect(
        await flood(region, MAX_COMMANDS_PER_ACCOUNT_WINDOW + 10, (index) =>
          released(1 + index, word(1), { signer }),
        ),
      ).toEqual(counts);
  });
});

// Owns what an epoch's certificates are made of: sums of both sides, and the commitment an account has when the epoch
// closes. It refuses a commitment by anybody but the account's wallet, and a change of what is closed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { closeEpoch } from "../../market/rewards.ts";
import type { EpochClosed } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_ACCOUNTS_PER_REGION, MAX_EPOCH_SLOTS, MAX_WH_PER_ACCOUNT_SLOT } from "../../protocol/limits.ts";
import {
  address,
  authorise,
  commit,
  deadlineS,
  FIRST_SLOT,
  type Market,
  MIDNIGHT_S,
  openMarket,
  place,
  prove,
  session,
  settle,
  wallet,
  word,
} from "../support/market.ts";
import { action, runActions, type Tally } from "../support/market-actions.ts";

/** Ann sells; bob and cas buy; dan has neither order nor readings. */
function street(): { market: Market; ann: Hex; bob: Hex; cas: Hex; dan: Hex } {
  const market = openMarket();
  const [ann, bob, cas, dan] = settle(market, 4) as [Hex, Hex, Hex, Hex];
  market.accept(place(ann, "sell", [[100_000, 1_000]]));
  for (const buyer of [bob, cas]) market.accept(place(buyer, "buy", [[100_000, 1_000]]));
  return { market, ann, bob, cas, dan };
}

const closed = (market: Market): EpochClosed => market.events("epoch_closed").at(-1) as EpochClosed;

describe("a commitment", () => {
  test("rejects: a stranger's wallet, a session key however wide, an account that does not exist", () => {
    const { market, ann, bob } = street();
    market.accept(authorise(ann, word(9)));
    market.refuse(commit(ann, 1, wallet(bob)), "not_account_owner");
    market.refuse(commit(ann, 1, session(word(9))), "session_scope");
    market.refuse(commit(address(99), 1), "account_unknown");
    expect(market.events("certificate_committed")).toEqual([]);
  });

  test("behavior: counts from the running epoch on, until its very close; replaced, the last one counts", () => {
    const { market, ann, bob, cas, dan } = street();
    market.accept(commit(ann, 11));
    market.accept(commit(dan, 44));
    prove(market, FIRST_SLOT, { 1: [300], 2: [-100], 3: [-100] });
    market.accept(commit(ann, 12));
    // The epoch's slots are over, its last window is not closed.
    market.to((FIRST_SLOT + 8) * 900);
    market.accept(commit(bob, 22));
    market.to(deadlineS(FIRST_SLOT + 4));
    const event = closed(market);
    expect(event).toMatchObject({
      accounts: [ann, bob, cas].map((owner) => market.account(owner)),
      soldWh: [200, 0, 0],
      boughtWh: [0, 100, 100],
      certified: [1, 1, 0],
    });
    expect(event.rewards.slice(1)).toEqual(["0", "0"]);
    const text = JSON.stringify(event);
    market.accept(commit(bob, 23));
    market.accept(commit(cas, 33));
    prove(market, FIRST_SLOT + 8, { 1: [50], 2: [-50] });
    market.to(deadlineS(FIRST_SLOT + 12));
    // Cas did nothing in the second epoch, and so stands in no tree of it.
    expect(closed(market)).toMatchObject({
      accounts: [ann, bob].map((owner) => market.account(owner)),
      certified: [1, 1],
    });
    expect(JSON.stringify(market.events("epoch_closed")[0])).toBe(text);
  });

  test("behavior: an epoch without trades closes without sums and certificates", () => {
    const { market, ann } = street();
    market.accept(commit(ann, 1));
    market.to(MIDNIGHT_S + 3 * 3_600);
    expect(closed(market)).toMatchObject({ accounts: [], soldWh: [], boughtWh: [], certified: [] });
  });

  test("invariant: the entry that closes an epoch of a full region fits a row of the database", () => {
    const { state } = openMarket({
      parameters: { emissionPerEpoch: "9".repeat(30), rewardPerFee: "9".repeat(30) },
    });
    const { accounts } = state.tables;
    while (accounts.rows < MAX_ACCOUNTS_PER_REGION) accounts.append();
    const { epochSoldWh, epochBoughtWh, epochFeesMicros, certificate } = accounts.columns;
    // Nobody can sell and buy in one slot: half of the longest epoch each.
    const mostWh = (MAX_EPOCH_SLOTS / 2) * MAX_WH_PER_ACCOUNT_SLOT;
    epochSoldWh.fill(mostWh);
    epochBoughtWh.fill(mostWh);
    epochFeesMicros.fill(10 ** 11);
    certificate.fill(1);
    state.header.epochDeliveredWh = mostWh * accounts.rows;
    const event = closeEpoch(state, 0);
    expect(event.certified).toEqual(new Array<number>(MAX_ACCOUNTS_PER_REGION).fill(1));
    expect(event.rewards[0]?.length).toBeGreaterThan(24);
    expect(JSON.stringify(event).length).toBeLessThan(2_000_000);
  });

  test("property: sums and certificates are those that the journal's events add up to", () => {
    const tally: Tally = { accepted: 0, refused: 0, tradedWh: 0 };
    let certificates = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 40, maxLength: 90, size: "max" }), (actions) => {
        const market = runActions([() => commit(address(1), 1), ...actions], tally);
        const committed = new Set<number>();
        let sums = new Map<number, [sold: number, bought: number]>();
        for (const event of market.entries.flatMap(({ events }) => events)) {
          if (event.type === "certificate_committed") committed.add(event.account);
          if (event.type === "slot_cleared") {
            event.accounts.forEach((account, index) => {
              const [sold, bought] = sums.get(account) ?? [0, 0];
              const wh = event.filledWh[index] as number;
              sums.set(account, [sold + Math.max(0, wh), bought + Math.max(0, -wh)]);
            });
          }
          if (event.type !== "epoch_closed") continue;
          const expected = [...sums].sort(([left], [right]) => left - right);
          expect(event.accounts).toEqual(expected.map(([account]) => account));
          expect(event.soldWh).toEqual(expected.map(([, [sold]]) => sold));
          expect(event.boughtWh).toEqual(expected.map(([, [, bought]]) => bought));
          expect(event.certified).toEqual(event.accounts.map((account) => (committed.has(account) ? 1 : 0)));
          certificates += event.certified.filter((bit) => bit === 1).length;
          sums = new Map();
        }
      }),
      { numRuns: 80 },
    );
    expect(Math.min(tally.accepted, certificates)).toBeGreaterThan(20);
  });
});

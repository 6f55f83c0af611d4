// Owns stakes that a region takes over from its chain: who provides under which key with how much, each event once and in its
// order. It refuses a row that cannot be looked up.

import fc from "fast-check";
import { expect, test } from "vitest";
import { violations } from "../../market/invariants.ts";
import { accountOfKey, providerOf } from "../../market/providers.ts";
import { freeze, thaw } from "../../market/snapshot.ts";
import { numbered, openSettlement, stake } from "../support/chain-money.ts";
import { address, type Market, replay, word } from "../support/market.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const [DORA, EMIL] = [address(0xd0), address(0xe0)];
const [KEY, OTHER] = [word(0x5e1), word(0x5e2)];

const provider = (market: Market, account = DORA) =>
  providerOf(market.state, market.state.indexes.accountByAddress.get(account) ?? -1);

function expectReplayed(market: Market): void {
  expect(violations(market.state)).toEqual([]);
  const rebuilt = replay(market.lines);
  expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
  expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
}

test("rejects: an event that came already, or before one that was taken, and changes no stake", () => {
  const market = openSettlement();
  market.accept(stake(market, DORA, { nonce: 4 }));
  market.to(market.atS + 1);
  for (const number of [0, 3, 4]) {
    const { facts } = market.refuse(
      numbered(stake(market, DORA, { stakedMicros: 1 }), number),
      "chain_event_out_of_order",
    );
    expect(facts).toEqual({ stream: "stakes", after: 4, got: number });
  }
  expect(provider(market)).toEqual({ nodeKey: KEY, stakedMicros: 50_000_000, isUnbonding: false });
});

test("rejects: another provider's key, and takes the event after it", () => {
  const market = openSettlement();
  market.accept(stake(market, DORA));
  market.refuse(stake(market, EMIL), "node_key_taken");
  expect(market.state.indexes.accountByAddress.has(EMIL)).toBe(false);
  // The refused one was passed over: a later one says all that there is.
  market.accept(stake(market, EMIL, { nonce: 3, nodeKey: OTHER }));
  expect(provider(market, EMIL)).toMatchObject({ nodeKey: OTHER });
  expectReplayed(market);
});

test("behavior: the first stake opens the account, the next one says how it stands now", () => {
  const market = openSettlement();
  const number = market.state.tables.accounts.rows;
  expect(market.accept(stake(market, DORA)).events).toEqual([
    { type: "chain_event_mirrored", stream: "stakes", number: 1 },
    { type: "account_opened", account: number, address: DORA },
    {
      type: "stake_recorded",
      account: number,
      nodeKey: KEY,
      stakedMicros: 50_000_000,
      isUnbonding: false,
    },
  ]);
  market.accept(stake(market, DORA, { nodeKey: OTHER, stakedMicros: 45_000_000, isUnbonding: true }));
  expect(provider(market)).toEqual({ nodeKey: OTHER, stakedMicros: 45_000_000, isUnbonding: true });
  expect(accountOfKey(market.state, OTHER)).toBe(number);
  expect(accountOfKey(market.state, KEY)).toBeNull();
  expect(market.state.tables.providers.rows).toBe(1);
  expectReplayed(market);
});

test("behavior: who left before the region heard of it opens no account", () => {
  const market = openSettlement();
  const rows = market.state.tables.accounts.rows;
  const { events } = market.accept(stake(market, DORA, { stakedMicros: 0, isUnbonding: true }));
  expect(events).toEqual([{ type: "chain_event_mirrored", stream: "stakes", number: 1 }]);
  expect(market.state.tables.accounts.rows).toBe(rows);
  expect(provider(market)).toBeNull();
  expectReplayed(market);
});

test("behavior: a provider that left may come back, under its key or another", () => {
  const market = openSettlement();
  market.accept(stake(market, DORA));
  market.accept(stake(market, DORA, { stakedMicros: 0, isUnbonding: true }));
  expect(provider(market)).toEqual({ nodeKey: KEY, stakedMicros: 0, isUnbonding: true });
  market.accept(stake(market, DORA, { nodeKey: OTHER }));
  expect(provider(market)).toEqual({ nodeKey: OTHER, stakedMicros: 50_000_000, isUnbonding: false });
  expectReplayed(market);
});

test("property: after any row of events each provider stands as its last one that was taken says", () => {
  const event = fc.record({
    who: fc.integer({ min: 0, max: 4 }),
    key: fc.integer({ min: 0, max: 6 }),
    stakedMicros: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4_000_000_000 })),
    isUnbonding: fc.boolean(),
    /** Numbers passed over before it. */
    skipped: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const market = openSettlement();
      const wanted = new Map<number, object>();
      const keys = new Map<number, number>();
      let number = 0;
      for (const { who, key, skipped, ...rest } of events) {
        number += 1 + skipped;
        const draft = stake(market, address(0xd0 + who), {
          nonce: number,
          nodeKey: word(0x5e0 + key),
          ...rest,
        });
        const isGone = !wanted.has(who) && rest.stakedMicros === 0;
        const holder = [...keys].find(([, held]) => held === key)?.[0] ?? who;
        if (!isGone && holder !== who) {
          market.refuse(draft, "node_key_taken");
          continue;
        }
        market.accept(draft);
        if (isGone) continue;
        keys.set(who, key);
        wanted.set(who, { nodeKey: word(0x5e0 + key), ...rest });
      }
      for (let who = 0; who <= 4; who += 1)
        expect(provider(market, address(0xd0 + who))).toEqual(wanted.get(who) ?? null);
      expectReplayed(market);
    }),
    { numRuns: 100 },
  );
});

test("regression: a snapshot of a release without stakes goes on with none", () => {
  const market = openSettlement();
  const { head, sections } = freeze(market.state);
  const old = JSON.parse(JSON.stringify(head)) as typeof head;
  delete (old.rows as Record<string, number>).providers;
  delete (old.header.mirrored as Partial<typeof old.header.mirrored>).stakes;
  const thawed = thaw(
    old,
    sections.filter(({ table }) => table !== "providers"),
  );
  expect(bytesOf(thawed).equals(bytesOf(market.state))).toBe(true);
  market.accept(stake(market, DORA));
  const later = freeze(market.state);
  const again = thaw(later.head, later.sections);
  expect(bytesOf(again).equals(bytesOf(market.state))).toBe(true);
  expect(indexesOf(again)).toEqual(indexesOf(market.state));
});

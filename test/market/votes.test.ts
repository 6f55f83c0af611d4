// Owns parameters that a vote has set on the chain: what is taken from when on, beside the chain's terms, and that nothing late,
// doubled or out of order changes anything. It refuses a version that reaches back.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { versionAtSlot, versionInEpoch } from "../../market/parameters.ts";
import { figuresOf } from "../../market/schedule.ts";
import { freeze, thaw } from "../../market/snapshot.ts";
import type { Figures } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { numbered, openSettlement, terms, vote } from "../support/chain-money.ts";
import {
  FIRST_SLOT,
  type Market,
  openMarket,
  PARAMETERS,
  place,
  prove,
  replay,
  setParameters,
  settle,
} from "../support/market.ts";
import { bytesOf, indexesOf } from "../support/untouched-state.ts";

const EPOCH = FIRST_SLOT / 8;
const FIGURES = figuresOf(PARAMETERS);
/** Within an epoch, before which all others have closed. */
const inEpochS = (epoch: number): number => epoch * 8 * 900 + 1_000;

const inEpoch = (market: Market, epoch: number) => versionInEpoch(market.state.header, epoch);

function expectReplayed(market: Market): void {
  const rebuilt = replay(market.lines);
  expect(bytesOf(rebuilt).equals(bytesOf(market.state))).toBe(true);
  expect(indexesOf(rebuilt)).toEqual(indexesOf(market.state));
}

describe("what changes nothing", () => {
  test("rejects: a version that came already, twice, or before one that was taken", () => {
    const market = openSettlement();
    const first = vote(market, EPOCH + 1, { takeRateBps: 10 });
    market.accept(first);
    market.accept(vote(market, EPOCH + 2, { takeRateBps: 20 }));
    market.to(market.atS + 1);
    const before = structuredClone(market.state.header.parameters);
    market.refuse(first, "chain_event_out_of_order");
    market.refuse(numbered(vote(market, EPOCH + 2, { takeRateBps: 30 }), 2), "chain_event_out_of_order");
    market.refuse(numbered(vote(market, EPOCH + 2, { takeRateBps: 30 }), 0), "chain_event_out_of_order");
    expect(market.state.header.parameters).toEqual(before);
  });

  test("rejects: a version that the region cannot keep; the one after it is taken", () => {
    const market = openSettlement();
    const { facts } = market.refuse(
      vote(market, EPOCH + 1, { proofDelaySeconds: 3_601 }),
      "parameters_out_of_bounds",
    );
    expect(facts).toEqual({ parameter: "proofDelaySeconds", limitSeconds: 3_600 });
    market.accept(numbered(vote(market, EPOCH + 2, { takeRateBps: 20 }), 2));
    expect(inEpoch(market, EPOCH + 2)).toMatchObject({ voteVersion: 2, parameters: { takeRateBps: 20 } });
  });

  test("rejects: the operator's own parameters from the first version on, before it holds as well", () => {
    const market = openSettlement();
    market.accept(setParameters({ takeRateBps: 3 }));
    market.accept(vote(market, EPOCH + 5, { takeRateBps: 10 }));
    const { facts } = market.refuse(setParameters({ takeRateBps: 4 }), "governed_by_vote");
    expect(facts).toEqual({ voteVersion: 1 });
    // Also where they are the same as those in force.
    market.refuse(setParameters({ takeRateBps: 3 }), "governed_by_vote");
  });
});

describe("when a version holds", () => {
  test("behavior: from its epoch on and not before, for slots and for the epoch's close", () => {
    const market = openSettlement({ rewardWeightEnergy: 1 });
    const { events } = market.accept(vote(market, EPOCH + 1, { clearingPriceK: 0, shareCapBps: 4_321 }));
    expect(events).toEqual([
      { type: "chain_event_mirrored", stream: "parameters", number: 1 },
      {
        type: "parameters_set",
        version: 2,
        fromEpoch: EPOCH + 1,
        restartsEmission: false,
        voteVersion: 1,
        parameters: { ...PARAMETERS, clearingPriceK: 0, shareCapBps: 4_321 },
      },
    ]);
    market.to(inEpochS(EPOCH + 2));
    expect(
      market
        .events("slot_cleared")
        .map(({ slot, parametersVersion, voteVersion }) => [
          slot - FIRST_SLOT,
          parametersVersion,
          voteVersion,
        ]),
    ).toEqual(Array.from({ length: 16 }, (_, k) => (k < 8 ? [k, 1, 0] : [k, 2, 1])));
    expect(market.events("epoch_closed")).toMatchObject([
      { epoch: EPOCH, parametersVersion: 1, voteVersion: 0 },
      { epoch: EPOCH + 1, parametersVersion: 2, voteVersion: 1 },
    ]);
    // Nothing of it touches the emission, which is the contract's to judge.
    expect(market.events("epoch_closed").map(({ emission }) => emission)).toEqual(["1000000", "900000"]);
    expectReplayed(market);
  });

  test("behavior: one that comes late holds from the next epoch on, and the journal says which", () => {
    for (const [fromEpoch, seconds, holdsFrom] of [
      [EPOCH + 1, 0, EPOCH + 2],
      [EPOCH + 1, 8 * 900 - 1, EPOCH + 2],
      [EPOCH - 40, 5, EPOCH + 2],
      [0, 5, EPOCH + 2],
      [EPOCH + 2, 5, EPOCH + 2],
      [EPOCH + 3, 5, EPOCH + 3],
    ] as const) {
      const market = openSettlement();
      // The epoch before has not closed where only its slots are over: the running one is the clock's.
      market.to((EPOCH + 1) * 8 * 900 + seconds);
      const { events } = market.accept(vote(market, fromEpoch, { takeRateBps: 55 }));
      expect(events[1]).toMatchObject({ type: "parameters_set", fromEpoch: holdsFrom, voteVersion: 1 });
      expect(versionAtSlot(market.state, 8 * holdsFrom - 1).voteVersion).toBe(0);
      expect(versionAtSlot(market.state, 8 * holdsFrom)).toMatchObject({ parameters: { takeRateBps: 55 } });
      expectReplayed(market);
    }
  });

  test("behavior: before a region's first slot a version can hold for all of its epochs", () => {
    const market = openSettlement();
    market.accept(vote(market, EPOCH - 3, { takeRateBps: 55 }));
    market.to(inEpochS(EPOCH + 1));
    expect(market.events("epoch_closed")).toMatchObject([{ epoch: EPOCH, voteVersion: 1 }]);
  });

  test("behavior: of two versions for one epoch the later one holds, and the first ones of later epochs too", () => {
    const market = openSettlement();
    market.accept(vote(market, EPOCH + 2, { takeRateBps: 10 }));
    market.accept(vote(market, EPOCH + 2, { takeRateBps: 20 }));
    market.accept(vote(market, EPOCH + 3, { takeRateBps: 30 }));
    const held = [0, 1, 2, 3, 9].map((ahead) => inEpoch(market, EPOCH + ahead));
    expect(held.map(({ voteVersion, parameters }) => [voteVersion, parameters.takeRateBps])).toEqual([
      [0, 0],
      [0, 0],
      [2, 20],
      [3, 30],
      [3, 30],
    ]);
  });

  test("behavior: a vote on the fee of sellers moves the money of the next epoch only", () => {
    const market = openMarket({ parameters: { takeRateBps: 100 } });
    const [ann, bob] = settle(market, 2) as [Hex, Hex];
    market.accept(place(ann, "sell", [[80_000, 1_000]]));
    market.accept(place(bob, "buy", [[100_000, 1_000]]));
    market.accept(setParameters({ takeRateBps: 300 }));
    for (const window of [0, 1, 2]) prove(market, FIRST_SLOT + 4 * window, { 1: [1_000], 2: [-1_000] });
    const rates = [0, 4, 8].map((slot) => {
      const { feeMicros, priceMicrosPerKwh } = market.slot(FIRST_SLOT + slot);
      return Math.round((10_000 * feeMicros) / (priceMicrosPerKwh as number));
    });
    expect(rates).toEqual([100, 100, 300]);
  });
});

describe("beside the chain's terms", () => {
  test("behavior: neither undoes the other, whichever comes first", () => {
    for (const isTermsFirst of [true, false]) {
      const market = openSettlement();
      const bring = [
        () => market.accept(terms(market, EPOCH + 3, { emissionPerEpoch: "777", outflowCapBps: 300 })),
        () => market.accept(vote(market, EPOCH + 2, { takeRateBps: 10, rewardPerFee: "5" })),
      ];
      for (const one of isTermsFirst ? bring : bring.toReversed()) one();
      market.accept(vote(market, EPOCH + 4, { takeRateBps: 11 }));
      const voted = { ...PARAMETERS, takeRateBps: 10, rewardPerFee: "5" };
      const both = { emissionPerEpoch: "777", outflowCapBps: 300 };
      expect([1, 2, 3, 4].map((ahead) => inEpoch(market, EPOCH + ahead).parameters)).toEqual([
        PARAMETERS,
        voted,
        { ...voted, ...both },
        { ...PARAMETERS, takeRateBps: 11, ...both },
      ]);
      market.to(inEpochS(EPOCH + 5));
      // 777 where the terms began, falling by a tenth from there: no vote begins it anew.
      expect(market.events("epoch_closed").map(({ emission }) => emission)).toEqual([
        "1000000",
        "900000",
        "810000",
        "777",
        "699",
      ]);
      expectReplayed(market);
    }
  });
});

/** What a chain has: versions in the order of their making, each from the first epoch after its notice. */
const chain = fc.array(
  fc.record({
    ahead: fc.integer({ min: 1, max: 3 }),
    takeRateBps: fc.integer({ min: 0, max: 2_000 }),
    /** Epochs that pass before the mirror brings it. */
    late: fc.integer({ min: 0, max: 3 }),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 12 },
);

test("property: whatever comes late, twice or out of order, an epoch has the last version that came before it began", () => {
  fc.assert(
    fc.property(chain, (votes) => {
      const market = openSettlement();
      market.to(inEpochS(EPOCH));
      let epoch = EPOCH;
      /** By epoch, written down without the market: version and rate. */
      const wanted = new Map<number, readonly [number, number]>();
      const held: (readonly [number, number])[] = [];
      let last: readonly [number, number] = [0, 0];
      const pass = (): void => {
        last = wanted.get(epoch) ?? last;
        held.push(last);
        epoch += 1;
        market.to(inEpochS(epoch));
      };
      let latest = EPOCH;
      for (const [index, { ahead, takeRateBps, late, times }] of votes.entries()) {
        latest = Math.max(latest, epoch + ahead);
        const fromEpoch = latest;
        for (let k = 0; k < late; k += 1) pass();
        const drafts = Array.from({ length: times }, () =>
          numbered(vote(market, fromEpoch, { takeRateBps }), index + 1),
        );
        market.accept(drafts[0] as (typeof drafts)[0]);
        for (const again of drafts.slice(1)) {
          market.to(market.atS + 1);
          market.refuse(again, "chain_event_out_of_order");
        }
        // A second later: the very command that was accepted would be answered as it was.
        market.to(market.atS + 1);
        if (index > 0) market.refuse(numbered(vote(market, epoch + 1), index), "chain_event_out_of_order");
        const from = Math.max(fromEpoch, epoch + 1);
        for (const later of [...wanted.keys()]) if (later > from) wanted.delete(later);
        wanted.set(from, [index + 1, takeRateBps]);
      }
      for (let k = 0; k < 6; k += 1) pass();
      expect(
        market
          .events("epoch_closed")
          .map(({ epoch: closed, voteVersion }) => [
            voteVersion,
            inEpoch(market, closed).parameters.takeRateBps,
          ]),
      ).toEqual(held);
      expectReplayed(market);
    }),
    { numRuns: 60 },
  );
});

describe("what earlier rules left", () => {
  test("regression: a snapshot and entries from before votes go on as they were", () => {
    const market = openSettlement();
    market.accept(terms(market, EPOCH + 1, { emissionPerEpoch: "5" }));
    const { head, sections } = freeze(market.state);
    const { rules: _rules, ...old } = JSON.parse(JSON.stringify(head)) as typeof head;
    for (const version of old.header.parameters) delete (version as { voteVersion?: number }).voteVersion;
    delete (old.header.mirrored as Partial<typeof old.header.mirrored>).parameters;
    const lacks = new Set(["epochSalesMicros", "epochNetworkMicros"]);
    const thawed = thaw(
      old,
      sections.filter(({ column }) => !lacks.has(column)),
    );
    expect(bytesOf(thawed).equals(bytesOf(market.state))).toBe(true);
    // A snapshot of this release must have them.
    for (const lack of lacks)
      expect(() =>
        thaw(
          head,
          sections.filter(({ column }) => column !== lack),
        ),
      ).toThrow(`of accounts ${lack}`);
    const lines = market.lines.map((line) => line.replaceAll(/"voteVersion":\d+,/g, ""));
    expect(lines.join("")).not.toBe(market.lines.join(""));
    expect(bytesOf(replay(lines)).equals(bytesOf(market.state))).toBe(true);
  });
});

test("invariant: figures and terms together are the parameters", () => {
  const figures: Figures = FIGURES;
  expect(
    Object.keys(PARAMETERS)
      .filter((name) => !(name in figures))
      .toSorted(),
  ).toEqual(["emissionDecayBps", "emissionPerEpoch", "outflowCapBps"]);
});

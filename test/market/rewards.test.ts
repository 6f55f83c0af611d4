// Owns the reward formula and the rhythm of epochs and parameters. It refuses rewards that a rule does not reach and
// parameters that reach back.

import { describe, expect, test } from "vitest";
import { rewardOf } from "../../market/evolve.ts";
import { versionAtSlot } from "../../market/parameters.ts";
import { type RewardTerms, rewardShare } from "../../market/rewards.ts";
import type { Parameters } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  deadlineS,
  FIRST_SLOT,
  GRID,
  type Market,
  MIDNIGHT_S,
  openMarket,
  place,
  prove,
  setParameters,
  settle,
  TREASURY,
} from "../support/market.ts";

const TERMS: RewardTerms = {
  emission: 1_000n,
  weight: 1n,
  totalWeight: 1n,
  totalUnits: 100n,
  shareCapBps: 10_000n,
  rewardPerFee: 10n ** 12n,
};

/** Two sellers and a buyer on whose trades a fee is paid. */
function street(parameters: Partial<Parameters> = {}): { market: Market; ann: Hex; cas: Hex } {
  const market = openMarket({ parameters: { takeRateBps: 100, ...parameters } });
  const [ann, bob, cas] = settle(market, 3) as [Hex, Hex, Hex];
  market.accept(place(ann, "sell", [[99_000, 1_000]]));
  market.accept(place(cas, "sell", [[99_000, 1_000]]));
  market.accept(place(bob, "buy", [[100_000, 1_000]]));
  return { market, ann, cas };
}

const rewardsOf = (market: Market, owner: Hex): bigint => rewardOf(market.state, market.account(owner));

describe("the share", () => {
  const cases: [string, Partial<RewardTerms>, bigint, bigint, bigint][] = [
    ["by delivered units, rounded down", {}, 33n, 1_000n, 330n],
    ["by weight against the other resources", { weight: 2n, totalWeight: 3n }, 33n, 1_000n, 220n],
    ["never more than the cap", { shareCapBps: 2_500n }, 90n, 1_000n, 250n],
    ["never more than the fees paid justify", { rewardPerFee: 1_000_000n }, 90n, 7n, 7n],
    ["nothing for nothing delivered", {}, 0n, 1_000n, 0n],
    ["nothing where nobody delivered", { totalUnits: 0n }, 0n, 0n, 0n],
    ["nothing where no resource has weight", { weight: 0n, totalWeight: 0n }, 5n, 1_000n, 0n],
    ["nothing without fees", {}, 90n, 0n, 0n],
    [
      "exact far beyond floats",
      { emission: 10n ** 29n + 1n, rewardPerFee: 10n ** 29n },
      50n,
      10n ** 15n,
      (10n ** 29n + 1n) / 2n,
    ],
  ];
  for (const [title, terms, units, fees, expected] of cases) {
    test(`behavior: ${title}`, () => expect(rewardShare({ ...TERMS, ...terms }, units, fees)).toBe(expected));
  }

  test("behavior: trading with oneself loses while a token is worth less than 10⁶ ÷ perFee micros", () => {
    // One token base unit is worth a little less than 10⁶ ÷ perFee; whatever is delivered, the fees cost more.
    const rewardPerFee = 4_000n;
    for (const fees of [1n, 249n, 250n, 251n, 1_000_000n]) {
      const reward = rewardShare({ ...TERMS, emission: 10n ** 12n, rewardPerFee }, 100n, fees);
      expect(reward * (1_000_000n / rewardPerFee)).toBeLessThanOrEqual(fees);
    }
  });
});

describe("epochs", () => {
  test("behavior: an epoch holds the slots of its windows and closes with the last one's deadline", () => {
    const { market, ann, cas } = street({ emissionPerEpoch: "10001" });
    prove(market, FIRST_SLOT, { 1: [300], 3: [100], 2: [-400] });
    expect(market.events("epoch_closed")).toEqual([]);
    prove(market, FIRST_SLOT + 4, { 1: [200], 2: [-200] });
    const [closed] = market.events("epoch_closed");
    expect(closed).toMatchObject({
      epoch: FIRST_SLOT / 8,
      deliveredWh: 600,
      feesMicros: 600,
      emission: "10001",
      nextEmission: "9000",
    });
    expect([rewardsOf(market, ann), rewardsOf(market, cas)]).toEqual([
      (10_001n * 500n) / 600n,
      (10_001n * 100n) / 600n,
    ]);
    expect(market.entries.at(-1)?.events.map(({ type }) => type)).toEqual(["window_closed", "epoch_closed"]);
    expect(market.entries.at(-1)?.stateHash).toMatch(/^0x[0-9a-f]{64}$/);
  });

  test("behavior: rewards add up over epochs, beyond 64 bits, and unreached emission is never minted", () => {
    const huge = 10n ** 29n;
    const { market, ann } = street({
      emissionPerEpoch: `${huge}`,
      emissionDecayBps: 0,
      rewardPerFee: `${huge}`,
      shareCapBps: 9_000,
    });
    for (const epoch of [0, 1, 2]) prove(market, FIRST_SLOT + 8 * epoch, { 1: [10_000], 2: [-10_000] });
    market.to(deadlineS(FIRST_SLOT + 20));
    // The fees justify less than the cap and the units would give.
    const { feesMicros } = market.events("epoch_closed")[0] as { feesMicros: number };
    const expected = (huge * BigInt(feesMicros)) / 1_000_000n;
    expect(rewardsOf(market, ann)).toBe(3n * expected);
    expect(3n * expected).toBeGreaterThan(2n ** 64n);
  });

  test("behavior: emission decays every epoch, also those in which nothing happened", () => {
    const { market } = street({ emissionPerEpoch: "999", emissionDecayBps: 2_500 });
    market.to(MIDNIGHT_S + 6 * 3_600 + 900);
    expect(
      market.events("epoch_closed").map(({ emission, nextEmission }) => [emission, nextEmission]),
    ).toEqual([
      ["999", "749"],
      ["749", "561"],
      ["561", "420"],
    ]);
  });

  test("behavior: a new version begins at its own emission, the next one decays from there", () => {
    const { market } = street({ emissionPerEpoch: "1000", emissionDecayBps: 5_000 });
    market.to(MIDNIGHT_S + 60);
    market.accept(setParameters({ emissionPerEpoch: "90", emissionDecayBps: 1_000 }));
    market.to(MIDNIGHT_S + 6 * 3_600 + 900);
    expect(market.events("epoch_closed").map(({ emission }) => emission)).toEqual(["1000", "90", "81"]);
  });

  test("behavior: a sale at a negative price pays no fee and earns no reward", () => {
    const { market, ann } = street();
    market.accept(place(ann, "sell", [[-50_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [500], 2: [-100] });
    market.to(deadlineS(FIRST_SLOT + 4));
    expect(market.slot(FIRST_SLOT)).toMatchObject({ priceMicrosPerKwh: -50_000, feeMicros: 0 });
    expect(rewardsOf(market, ann)).toBe(0n);
  });
});

describe("parameters", () => {
  test("behavior: they act from the next epoch on, for price, fee and delay of every slot in it", () => {
    const { market } = street();
    market.to(MIDNIGHT_S + 60);
    market.accept(setParameters({ takeRateBps: 50, networkFeeMicrosPerKwh: 500, proofDelaySeconds: 1_800 }));
    for (const window of [0, 1]) prove(market, FIRST_SLOT + 4 * window, { 1: [1_000], 2: [-1_000] });
    expect([0, 4].map((slot) => market.slot(FIRST_SLOT + slot))).toMatchObject([
      { parametersVersion: 1, feeMicros: 1_000, networkMicros: 0 },
      { parametersVersion: 1, feeMicros: 1_000, networkMicros: 0 },
    ]);
    prove(market, FIRST_SLOT + 8, { 1: [1_000], 2: [-1_000] });
    expect(market.state.header.nextSlot).toBe(FIRST_SLOT + 8);
    market.to(deadlineS(FIRST_SLOT + 8, 4, 1_800));
    // The only price that suits both is the bid less the network fee: ask 99,498, bid 99,500.
    expect(market.slot(FIRST_SLOT + 8)).toMatchObject({
      parametersVersion: 2,
      priceMicrosPerKwh: 99_499,
      networkMicros: 500,
    });
  });

  test("behavior: the last of several versions for the same epoch holds", () => {
    const { market } = street();
    market.accept(setParameters({ takeRateBps: 1 }));
    market.accept(setParameters({ takeRateBps: 2 }));
    expect(
      market.state.header.parameters.map(({ version, parameters }) => [version, parameters.takeRateBps]),
    ).toEqual([
      [1, 100],
      [3, 2],
    ]);
    expect(versionAtSlot(market.state, FIRST_SLOT + 7).version).toBe(1);
    expect(versionAtSlot(market.state, FIRST_SLOT + 8).version).toBe(3);
  });

  test("behavior: set between an epoch's end and its closing, they do not reach the epoch that runs", () => {
    const { market } = street();
    market.to(MIDNIGHT_S + 7_200 + 60);
    market.accept(setParameters({ takeRateBps: 2 }));
    expect(market.state.header.nextSlot).toBeLessThan(FIRST_SLOT + 8);
    expect(versionAtSlot(market.state, FIRST_SLOT + 15).version).toBe(1);
    expect(versionAtSlot(market.state, FIRST_SLOT + 16).version).toBe(2);
  });

  test("behavior: k chooses the price inside the interval of an exactly balanced slot", () => {
    for (const [clearingPriceK, price] of [
      [0, 100_000],
      [2_500, 150_000],
      [10_000, 300_000],
    ] as const) {
      const market = openMarket({ parameters: { clearingPriceK } });
      const [ann, bob] = settle(market, 2) as [Hex, Hex];
      market.accept(place(ann, "sell", [[100_000, 1_000]]));
      market.accept(place(bob, "buy", [[300_000, 1_000]]));
      prove(market, FIRST_SLOT, { 1: [100], 2: [-100] });
      expect(market.slot(FIRST_SLOT).priceMicrosPerKwh).toBe(price);
    }
  });

  test("behavior: one account may be treasury and grid operator at once", () => {
    const market = openMarket({
      gridOperator: TREASURY,
      parameters: { takeRateBps: 100, networkFeeMicrosPerKwh: 10_000 },
    });
    const [ann, bob] = settle(market, 2) as [Hex, Hex];
    market.accept(place(ann, "sell", [[99_000, 1_000]]));
    market.accept(place(bob, "buy", [[110_000, 1_000]]));
    prove(market, FIRST_SLOT, { 1: [100], 2: [-100] });
    expect(market.balance(TREASURY)).toBe(1_000 + 100);
    expect(market.state.indexes.accountByAddress.has(GRID)).toBe(false);
  });
});

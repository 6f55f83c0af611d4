// Owns the promise that a preview is what would have happened: against markets that really ran under the other values, and against
// what was paid where nothing changes. It refuses a difference of a base unit where no rounding explains it.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PaidEpoch, Preview } from "../../market/previews.ts";
import { selfTrade } from "../../market/self-trading.ts";
import type { Parameters } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { RESOURCES } from "../../protocol/products.ts";
import { FIRST_SLOT, type Market, openMarket, PARAMETERS, place, prove, settle } from "../support/market.ts";
import { mixedAction, runActions } from "../support/market-actions.ts";
import { paidEpochsOf } from "../support/paid-epochs.ts";
import { delivered, order } from "../support/resource-drafts.ts";

const NO_CHANGE = { values: {}, restartsEmission: false };

function previewOf(
  epochs: readonly PaidEpoch[],
  values: Partial<Parameters>,
  restartsEmission = false,
): Preview {
  const preview = new Preview({ values, restartsEmission });
  for (const epoch of epochs) preview.take(epoch);
  return preview;
}

/** Three homes over four epochs: two sell all they have, the third wants a little more than that. */
function street(parameters: Partial<Parameters>, seed: number): Market {
  const market = openMarket({ parameters: { ...PARAMETERS, emissionDecayBps: 777, ...parameters } });
  const [ann, bob, cas] = settle(market, 3) as [Hex, Hex, Hex];
  market.accept(place(ann, "sell", [[100_000, 5_000]]));
  market.accept(place(cas, "sell", [[100_000, 5_000]]));
  market.accept(place(bob, "buy", [[400_000, 100_000]]));
  for (let window = 0; window < 8; window += 1) {
    const wh = (home: number) =>
      Array.from({ length: 4 }, (_, slot) => 1 + ((seed * (home + 3) * (7 * window + slot + 1)) % 997));
    const [one, two] = [wh(1), wh(2)];
    // With k at 10,000 the price is the bid less the network fee, whatever sellers are charged.
    const need = one.map((each, slot) => -(each + (two[slot] as number)) - 1);
    deliver(market, window % 3 === 0 ? bob : cas, ann, 1 + ((seed * (window + 5)) % 89));
    prove(market, FIRST_SLOT + 4 * window, { 1: one, 2: need, 3: two });
  }
  return market;
}

/** Bits of a trade of compute at three micros and a half a megafuel: some of it now, and once more all. */
function deliver(market: Market, seller: Hex, buyer: Hex, mega: number): void {
  market.accept(order(market, seller, "sell", 2 * mega, 3_500_000));
  market.accept(order(market, buyer, "buy", 2 * mega, 3_500_000));
  const obligation = market.state.header.nextObligation - 1;
  market.accept(delivered(seller, obligation, mega, buyer));
  market.accept(delivered(seller, obligation, 2 * mega, buyer));
}

const REWARDING = fc.record({
  emissionPerEpoch: fc.bigInt({ min: 0n, max: 10n ** 24n }).map(String),
  emissionDecayBps: fc.integer({ min: 0, max: 10_000 }),
  rewardWeightEnergy: fc.integer({ min: 0, max: 1_000 }),
  rewardWeightCompute: fc.integer({ min: 0, max: 1_000 }),
  rewardWeightBandwidth: fc.integer({ min: 0, max: 1_000 }),
  shareCapBps: fc.integer({ min: 0, max: 10_000 }),
  rewardPerFee: fc.bigInt({ min: 0n, max: 10n ** 24n }).map(String),
});

/** Fees of settlements up to the last epoch that closed. */
function settledFees({ entries }: Market): number {
  let [counted, open] = [0, 0];
  for (const event of entries.flatMap(({ events }) => events)) {
    if (event.type === "obligation_settled") open += event.feeMicros;
    if (event.type === "epoch_closed") [counted, open] = [counted + open, 0];
  }
  return counted;
}

describe("against what happened", () => {
  test("property: without a change everybody receives exactly what was paid, in any market", () => {
    const rewarded = { energy: 0n, compute: 0n, bandwidth: 0n };
    fc.assert(
      fc.property(fc.array(mixedAction, { minLength: 40, maxLength: 120, size: "max" }), (actions) => {
        const market = runActions(actions, { accepted: 0, refused: 0, tradedWh: 0 });
        const epochs = paidEpochsOf(market.entries);
        const preview = previewOf(epochs, {});
        expect(preview.total.preview).toEqual(preview.total.paid);
        const perResource = Object.values(preview.resources).flatMap(({ total, accounts }) => [
          total,
          ...accounts.values(),
        ]);
        for (const { paid, preview: would } of [
          ...preview.epochs,
          ...preview.accounts.values(),
          ...perResource,
        ])
          expect(would).toEqual(paid);
        for (const row of preview.epochs) expect(row.previewEmission).toBe(row.emission);
        const fees = market.events("slot_cleared").reduce((sum, { feeMicros }) => sum + feeMicros, 0);
        const { energy, compute } = preview.resources;
        expect(energy.total.paid.feesMicros).toBe(BigInt(fees));
        expect(compute.total.paid.feesMicros).toBe(BigInt(settledFees(market)));
        expect(preview.total.paid.feesMicros).toBe(BigInt(fees + settledFees(market)));
        for (const resource of RESOURCES)
          rewarded[resource] += preview.resources[resource].total.paid.rewards;
      }),
      { numRuns: 60 },
    );
    expect(rewarded.energy).toBeGreaterThan(0n);
    expect(rewarded.compute).toBeGreaterThan(0n);
  });

  test("property: other reward values pay what a market that had them from its opening on has paid", () => {
    let computing = 0;
    fc.assert(
      fc.property(REWARDING, REWARDING, fc.integer({ min: 1, max: 996 }), (inForce, voted, seed) => {
        const base = { takeRateBps: 100, clearingPriceK: 10_000 };
        const was = street({ ...base, ...inForce }, seed);
        const would = street({ ...base, ...voted }, seed);
        const preview = previewOf(paidEpochsOf(was.entries), voted, true);
        const really = previewOf(paidEpochsOf(would.entries), {});
        expect(preview.total.preview).toEqual(really.total.paid);
        expect(preview.epochs.map(({ previewEmission }) => previewEmission)).toEqual(
          really.epochs.map(({ emission }) => emission),
        );
        for (const [account, { preview: one }] of preview.accounts)
          expect(one).toEqual(really.accounts.get(account)?.paid);
        for (const resource of RESOURCES)
          expect(preview.resources[resource].total.preview).toEqual(really.resources[resource].total.paid);
        if (preview.resources.compute.total.paid.feesMicros > 0n) computing += 1;
      }),
      { numRuns: 40 },
    );
    expect(computing).toBeGreaterThan(10);
  });

  test("property: another take rate moves fees and receipts as it would have, to a micro a slot", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 1, max: 996 }),
        (inForce, voted, seed) => {
          // Sellers of energy stand far below the price, which the buyer's limit makes; compute has one price.
          const base = { clearingPriceK: 10_000, rewardPerFee: "1000000" };
          const was = paidEpochsOf(street({ ...base, takeRateBps: inForce }, seed).entries);
          const would = paidEpochsOf(street({ ...base, takeRateBps: voted }, seed).entries);
          const preview = previewOf(was, { takeRateBps: voted });
          const really = previewOf(would, {});
          for (const [account, { preview: one }] of preview.accounts) {
            const { paid } = really.accounts.get(account) as NonNullable<
              ReturnType<typeof really.accounts.get>
            >;
            const less = paid.feesMicros - one.feesMicros;
            // Thirty-two slots, and five trades.
            expect(less >= (inForce === voted ? 0n : -1n) && less <= 37n, `${less}`).toBe(true);
            expect(one.receivedMicros + one.feesMicros).toBe(paid.receivedMicros + paid.feesMicros);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("behavior: the network's fee is the buyers' and moves nothing of the sellers", () => {
    const epochs = paidEpochsOf(street({ networkFeeMicrosPerKwh: 3_000 }, 31).entries);
    const { accounts, total } = previewOf(epochs, { networkFeeMicrosPerKwh: 6_000 });
    expect(total.preview.feesMicros).toBe(total.paid.feesMicros);
    expect(total.preview.receivedMicros).toBe(total.paid.receivedMicros);
    const buyers = [...accounts.values()].filter(({ boughtWh }) => boughtWh > 0);
    expect(buyers).toHaveLength(1);
    // Twice as much, and what rounding took from each of 32 slots.
    const more = total.preview.networkMicros - 2n * total.paid.networkMicros;
    expect(more >= 0n && more < 64n).toBe(true);
    expect(total.paid.networkMicros).toBeGreaterThan(0n);
  });

  test("behavior: sales at prices below zero bring no fee under any rate", () => {
    const market = openMarket({ parameters: { takeRateBps: 100 } });
    const [ann, bob] = settle(market, 2) as [Hex, Hex];
    market.accept(place(ann, "sell", [[-50_000, 1_000]]));
    market.accept(place(bob, "buy", [[100_000, 1_000]]));
    // More is offered than wanted, so that the price is the seller's.
    for (const window of [0, 1]) prove(market, FIRST_SLOT + 4 * window, { 1: [500], 2: [-100] });
    expect(market.slot(FIRST_SLOT).priceMicrosPerKwh).toBe(-50_000);
    const { total, resources } = previewOf(paidEpochsOf(market.entries), { takeRateBps: 2_000 });
    expect([total.soldWh, resources.energy.salesMicros, total.preview.feesMicros]).toEqual([200, 0n, 0n]);
  });
});

describe("the emission", () => {
  const epochs = paidEpochsOf(street({ takeRateBps: 100, clearingPriceK: 10_000 }, 12).entries);

  test("behavior: it stays as recorded unless a term of the chain changes", () => {
    const { epochs: rows } = previewOf(epochs, { shareCapBps: 5 });
    expect(rows.map(({ previewEmission }) => previewEmission)).toEqual(
      epochs.map(({ emission }) => emission),
    );
  });

  test("behavior: with a term it begins anew and falls from there", () => {
    const { epochs: rows } = previewOf(epochs, { emissionPerEpoch: "10000", emissionDecayBps: 5_000 }, true);
    expect(rows.map(({ previewEmission }) => previewEmission)).toEqual([10_000n, 5_000n, 2_500n, 1_250n]);
    const again = previewOf(epochs.slice(2), { outflowCapBps: 100 }, true);
    expect(again.epochs.map(({ previewEmission }) => previewEmission)).toEqual([1_000_000n, 922_300n]);
  });
});

describe("trading with oneself", () => {
  const priced = (more: Partial<Parameters>, tokenMicros: bigint | null = null) =>
    selfTrade(
      { ...PARAMETERS, takeRateBps: 100, networkFeeMicrosPerKwh: 2_000, ...more },
      { resource: "energy", emission: 10n ** 24n, units: 9_000n, price: 200_000n },
      tokenMicros,
    );

  test("behavior: below 10⁶ ÷ rewardPerFee it never pays, and a kWh says from where it does", () => {
    const rewardPerFee = 5n * 10n ** 18n;
    const trade = priced({ rewardPerFee: String(rewardPerFee) });
    // A fee of 2,000 micros earns a hundredth of a token; with the network's fee it costs twice that.
    expect(trade).toEqual({
      breakEvenMicrosPerToken: 200_000n,
      feeMicros: 2_000n,
      networkMicros: 2_000n,
      reward: 10n ** 16n,
      paysAboveMicrosPerToken: 400_000n,
      gainMicros: null,
    });
    expect(priced({ rewardPerFee: String(rewardPerFee) }, 400_000n).gainMicros).toBe(0n);
    expect(priced({ rewardPerFee: String(rewardPerFee) }, 400_100n).gainMicros).toBe(1n);
    expect(priced({ rewardPerFee: String(rewardPerFee) }, 0n).gainMicros).toBe(-4_000n);
  });

  test("behavior: no fee, no reward for fees, or no weight: it earns nothing at any price", () => {
    for (const more of [{ takeRateBps: 0 }, { rewardPerFee: "0" }, { rewardWeightEnergy: 0 }]) {
      expect(priced(more, 10n ** 15n)).toMatchObject({ reward: 0n, paysAboveMicrosPerToken: null });
      expect((priced(more, 10n ** 15n).gainMicros as bigint) < 0n).toBe(true);
    }
    for (const more of [{ rewardPerFee: "0" }, { rewardWeightEnergy: 0 }])
      expect(priced(more).breakEvenMicrosPerToken).toBeNull();
  });

  test("behavior: a terafuel bears no network's fee, and earns by its own resource's weight", () => {
    const parameters = { ...PARAMETERS, takeRateBps: 100, networkFeeMicrosPerKwh: 2_000 };
    const sold = { resource: "compute", emission: 4_000n, units: 1_000_000n, price: 200_000n } as const;
    const under = (more: Partial<Parameters>) => selfTrade({ ...parameters, ...more }, sold, null);
    expect(under({ rewardWeightCompute: 0 })).toMatchObject({ reward: 0n, breakEvenMicrosPerToken: null });
    // Half of the weight, and half of what is delivered then.
    const most = { rewardWeightCompute: 1, rewardWeightEnergy: 1, shareCapBps: 10_000 };
    expect(under({ ...most, rewardPerFee: "1000000000" })).toMatchObject({
      ...{ feeMicros: 2_000n, networkMicros: 0n, reward: 1_000n },
      breakEvenMicrosPerToken: 10n ** 15n,
    });
  });

  test("property: at any price up to break-even no kWh gains, whatever the parameters", () => {
    fc.assert(
      fc.property(
        REWARDING,
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.bigInt({ min: 0n, max: 10_000_000n }),
        fc.bigInt({ min: 0n, max: 10n ** 26n }),
        fc.bigInt({ min: 0n, max: 1_000_000n }),
        fc.constantFrom(...RESOURCES),
        (rewards, takeRateBps, networkFeeMicrosPerKwh, price, emission, units, resource) => {
          const parameters = { ...PARAMETERS, ...rewards, takeRateBps, networkFeeMicrosPerKwh };
          const sold = { resource, emission, units, price };
          const { breakEvenMicrosPerToken } = selfTrade(parameters, sold, null);
          const at = breakEvenMicrosPerToken ?? 10n ** 30n;
          const { gainMicros } = selfTrade(parameters, sold, at);
          expect((gainMicros as bigint) <= 0n).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test("behavior: with no change an empty preview has nothing in it", () => {
  const preview = new Preview(NO_CHANGE);
  expect([preview.epochs, preview.accounts.size, preview.newest]).toEqual([[], 0, null]);
});

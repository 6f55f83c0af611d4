// Owns who comes, who stays and what a day of each market does in the economy's model. It refuses a provider that stays a micro
// below its price.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEMANDS, POOLS, RESOURCES } from "../../clients/economy/assumptions.ts";
import { askMarket, elsewherePrices, energyMarket } from "../../clients/economy/day-markets.ts";
import { localParameters } from "../../clients/economy/parameters-file.ts";
import { type Books, drawPool, type Provider, reviewPool, stayPrice } from "../../clients/economy/pool.ts";
import { MAX_NETWORK_FEE_MICROS_PER_KWH, MAX_TAKE_RATE_BPS } from "../../protocol/limits.ts";

const TOKEN = 10n ** 18n;
const PARAMETERS = localParameters();
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`economy providers: SEED=${seed}`);

/** A provider of compute: a terafuel costs it 1,000 micros and a day 100,000. */
const provider = (changed: Partial<Provider> = {}): Provider => ({
  capacity: 100_000_000,
  marginalMicros: 1_000,
  standingMicros: 100_000,
  askMicros: 3_000,
  isIn: true,
  periods: 2,
  running: { units: 0, receivedMicros: 0, rewards: 0n },
  past: [],
  ...changed,
});
const books = (units: number, receivedMicros: number, rewards: bigint): Books => ({
  units,
  receivedMicros,
  rewards,
});
const COMPUTE = POOLS.compute;
/** Three periods of four weeks. */
const STANDING = 100_000 * 84;

/** A pool of one that has sold three periods, whose books miss some micros. */
function missing(micros: number, rewards: bigint): Provider {
  const margin = STANDING - micros;
  const past = [books(0, 0, 0n), books(1_000_000, margin + 1_000, rewards)];
  return provider({ past, running: books(0, 0, 0n) });
}

const shapeOf = ({ isIn, periods, past }: Provider) => ({ isIn, periods, past: past.length });

describe("staying", () => {
  test("rejects: a token worth a micro less than a provider needs, and it leaves", () => {
    const price = 700_000n;
    const needs = () => missing(1_400_000, 2n * TOKEN);
    const leaves = needs();
    expect(reviewPool([leaves], COMPUTE, price - 1n)).toEqual({
      came: 0,
      left: 1,
      stayPricesMicros: [price],
    });
    expect(shapeOf(leaves)).toEqual({ isIn: false, periods: 0, past: 0 });
    const stays = needs();
    expect(reviewPool([stays], COMPUTE, price)).toEqual({ came: 0, left: 0, stayPricesMicros: [price] });
    expect(shapeOf(stays)).toEqual({ isIn: true, periods: 3, past: 3 });
  });

  test("behavior: sales alone, no price at all, and a price that is rounded up", () => {
    const at = (missed: number, rewards: bigint) => {
      const { past, ...one } = missing(missed, rewards);
      return stayPrice({ ...one, past }, past[1] as Books, 84, COMPUTE.unitsPerPrice);
    };
    expect(at(0, 0n)).toBe(0n);
    expect(at(-1, TOKEN)).toBe(0n);
    expect(at(1, 0n)).toBeNull();
    expect(at(1, 3n * TOKEN)).toBe(1n);
    expect(at(7, 3n * TOKEN)).toBe(3n);
  });

  test("behavior: nobody is judged before its look-back is over", () => {
    const fresh = provider({ periods: 1, past: [books(0, 0, 0n)] });
    expect(reviewPool([fresh], COMPUTE, 0n)).toEqual({ came: 0, left: 0, stayPricesMicros: [] });
    expect(fresh.isIn).toBe(true);
  });
});

describe("coming", () => {
  const peer = (receivedMicros: number, rewards: bigint) =>
    provider({ periods: 0, running: books(50_000_000, receivedMicros, rewards) });
  const candidate = () => provider({ isIn: false, periods: 0, askMicros: 2_000 });

  test("rejects: whoever would only just bear its cost, or has no order to post", () => {
    // A period's standing cost and what fifty terafuel cost.
    const just = 100_000 * 28 + 50 * 1_000;
    const stays = candidate();
    expect(reviewPool([stays, peer(just, 0n)], COMPUTE, 0n).came).toBe(0);
    expect(stays.isIn).toBe(false);
    const without = provider({ isIn: false, askMicros: null });
    expect(reviewPool([without, peer(just * 9, 0n)], COMPUTE, 0n).came).toBe(0);
    const comes = candidate();
    expect(reviewPool([comes, peer(just + 1, 0n)], COMPUTE, 0n).came).toBe(1);
    expect(comes.isIn).toBe(true);
    const forRewards = candidate();
    expect(reviewPool([forRewards, peer(just, TOKEN)], COMPUTE, 1n).came).toBe(1);
  });

  test("behavior: where nobody sells the cheapest tries, and no more than a twentieth comes at once", () => {
    const empty = [candidate(), candidate(), candidate()];
    expect(reviewPool(empty, COMPUTE, 0n).came).toBe(1);
    expect(empty.map(({ isIn }) => isIn)).toEqual([true, false, false]);
    const crowd = [...Array.from({ length: 39 }, candidate), peer(10 ** 9, 0n)];
    expect(reviewPool(crowd, COMPUTE, 0n).came).toBe(2);
    expect(crowd.slice(0, 3).map(({ isIn }) => isIn)).toEqual([true, true, false]);
  });

  test("behavior: pools are drawn from their seed, the cheapest ask first", () => {
    for (const resource of RESOURCES) {
      const pool = drawPool(3, resource, PARAMETERS);
      expect(drawPool(3, resource, PARAMETERS)).toEqual(pool);
      expect(drawPool(4, resource, PARAMETERS)).not.toEqual(pool);
      const asks = pool.map(({ askMicros }) => askMicros as number);
      expect(asks).toEqual(asks.toSorted((a, b) => a - b));
    }
  });
});

describe("a day", () => {
  const DEMAND = { peakUnits: 0, groups: 2, elsewhereMicros: [3_000, 5_000] } as const;

  test("rejects: asks above what any buyer pays elsewhere", () => {
    const pool = [
      provider({ askMicros: 2_000, capacity: 30_000_000 }),
      provider({ askMicros: 4_000, capacity: 100_000_000 }),
      provider({ askMicros: 5_001 }),
    ];
    // Those who pay 5,000 elsewhere want fifty terafuel, those who pay 3,000 as many.
    const trade = askMarket({ ...PARAMETERS, takeRateBps: 100 }, DEMAND)(pool, 100_000_000, 1_000);
    expect([...trade.units]).toEqual([30_000_000, 20_000_000, 0]);
    expect(trade).toMatchObject({ soldUnits: 50_000_000, paidMicros: 140_000, networkMicros: 0 });
    expect([...trade.fees]).toEqual([600, 800].concat(0));
    expect(trade.receivedMicros).toBe(138_600);
    const out = pool.map((one) => ({ ...one, isIn: false }));
    expect(askMarket(PARAMETERS, DEMAND)(out, 100_000_000, 1_000)).toMatchObject({
      soldUnits: 0,
      paidMicros: 0,
    });
  });

  test("behavior: groups of buyers are spread from the highest price to the lowest", () => {
    expect(elsewherePrices(DEMAND)).toEqual([5_000, 3_000]);
    expect(elsewherePrices({ ...DEMAND, groups: 3 })).toEqual([5_000, 4_000, 3_000]);
  });

  test("property: whatever the fees, what is paid is received, fee, network fee and dust", () => {
    const fees = fc.record({
      takeRateBps: fc.integer({ min: 0, max: MAX_TAKE_RATE_BPS }),
      networkFeeMicrosPerKwh: fc.integer({ min: 0, max: MAX_NETWORK_FEE_MICROS_PER_KWH }),
      clearingPriceK: fc.integer({ min: 0, max: 10_000 }),
    });
    const demanded = fc.integer({ min: 0, max: 2_000 });
    const sun = fc.integer({ min: 0, max: 3_000 });
    let traded = 0;
    fc.assert(
      fc.property(
        fees,
        demanded,
        sun,
        fc.integer({ min: 0, max: 99 }),
        (changed, level, daySun, poolSeed) => {
          const parameters = { ...PARAMETERS, ...changed };
          for (const resource of RESOURCES) {
            const { [resource]: demand } = DEMANDS;
            const market = (resource === "energy" ? energyMarket : askMarket)(parameters, demand);
            const pool = drawPool(poolSeed, resource, parameters).map((one) => ({
              ...one,
              isIn: one.askMicros !== null,
            }));
            const trade = market(pool, Math.floor((demand.peakUnits * level) / 1_000), daySun);
            const { paidMicros, receivedMicros, feeMicros, networkMicros, dustMicros, soldUnits } = trade;
            expect(paidMicros).toBe(receivedMicros + feeMicros + networkMicros + dustMicros);
            expect(dustMicros).toBeGreaterThanOrEqual(0);
            expect(trade.units.reduce((sum, units) => sum + units, 0)).toBe(soldUnits);
            if (soldUnits > 0) traded += 1;
          }
        },
      ),
      { seed, numRuns: 150 },
    );
    expect(traded).toBeGreaterThan(50);
  });
});

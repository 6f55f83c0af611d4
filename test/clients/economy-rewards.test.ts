// Owns the adversary of the economy's model and what a run does with tokens. It refuses a gain at the break-even price, whatever the
// parameters.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CURVES, RESOURCES, TOKEN_TERMS, type TokenTerms } from "../../clients/economy/assumptions.ts";
import { tokenPrices, weights } from "../../clients/economy/command.ts";
import { localParameters, parametersIn, withWeights } from "../../clients/economy/parameters-file.ts";
import { type EpochRow, runEconomy } from "../../clients/economy/run.ts";
import {
  type AttackedEpoch,
  bestOf,
  breakEvenMicrosPerToken,
  resultAt,
  tradeWithOneself,
  triedVolumes,
} from "../../clients/economy/self-trader.ts";
import { demandByEpoch, sunByEpoch } from "../../clients/economy/weather.ts";
import { deployFileSchema } from "../../governance/deploy/deploy-file.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { MAX_NETWORK_FEE_MICROS_PER_KWH, MAX_TAKE_RATE_BPS } from "../../protocol/limits.ts";

const TOKEN = 10n ** 18n;
const PARAMETERS = localParameters();
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`economy rewards: SEED=${seed}`);

const attacked = (changed: Partial<AttackedEpoch> = {}): AttackedEpoch => ({
  resource: "compute",
  parameters: PARAMETERS,
  emission: 1_000n * TOKEN,
  othersUnits: 10_000_000_000,
  ...changed,
});
const NOTHING = { units: 0, costMicros: 0n, feeMicros: 0n, rewards: 0n };

describe("what the command is told", () => {
  test("rejects: prices that are none, below nothing, beyond any, or too many", () => {
    const cases: [string, RegExp][] = [
      ["", /not a plain decimal/],
      ["0,,1", /not a plain decimal/],
      ["1e3", /not a plain decimal/],
      ["0.0000001", /finer than a micro/],
      ["0.1,-0.1", /from 0 to 1000000/],
      ["1000000.000001", /from 0 to 1000000/],
      [Array(17).fill("1").join(","), /at most 16/],
    ];
    for (const [text, reason] of cases) expect(() => tokenPrices(text), text).toThrow(reason);
    expect(tokenPrices("0.01,0,1000000")).toEqual([10_000n, 0n, 1_000_000_000_000n]);
  });

  test("rejects: weights that are not three whole numbers", () => {
    for (const text of ["", "1,2", "1,2,3,4", "1,2,x", "1,2,-3", "1,2,1000001", "1,,2", "1.5,1,1"])
      expect(() => weights(text), text).toThrow(/three whole numbers up to 1000000/);
    expect(weights("0,1,1000000")).toEqual({ energy: 0, compute: 1, bandwidth: 1_000_000 });
  });

  test("rejects: parameters that no vote could set, by name", () => {
    const cases: [unknown, RegExp][] = [
      [null, /object of governed values/],
      ["x", /object of governed values/],
      [[1], /object of governed values/],
      [{ takeRate: 1 }, /takeRate/],
      [{ parameters: { takeRate: 1 } }, /takeRate/],
      [{ takeRateBps: 2_001 }, /takeRateBps: parameters_out_of_bounds: got 2001, least 0, most 2000/],
      [{ takeRateBps: -1 }, /takeRateBps/],
      [{ takeRateBps: "100" }, /takeRateBps/],
      [{ rewardPerFee: 100 }, /rewardPerFee/],
      [{ rewardPerFee: "1e20" }, /rewardPerFee/],
      [{ proofDelaySeconds: 0 }, /proofDelaySeconds/],
    ];
    for (const [content, reason] of cases)
      expect(() => parametersIn(content), JSON.stringify(content)).toThrow(reason);
    expect(parametersIn({})).toEqual(PARAMETERS);
    expect(parametersIn({ takeRateBps: 7, slashBps: 1 })).toEqual({ ...PARAMETERS, takeRateBps: 7 });
    expect(parametersIn({ parameters: { shareCapBps: 7 }, quote: "test" }).shareCapBps).toBe(7);
  });
});

describe("trading with oneself", () => {
  test("rejects: nothing is earned where no fee is taken, no fee earns, no share is allowed or nothing is emitted", () => {
    const none: [Partial<Parameters>, bigint][] = [
      [{ takeRateBps: 0 }, TOKEN],
      [{ rewardPerFee: "0" }, TOKEN],
      [{ shareCapBps: 0 }, TOKEN],
      [{ rewardWeightCompute: 0 }, TOKEN],
      [{}, 0n],
    ];
    for (const [changed, emission] of none) {
      const parameters = { ...PARAMETERS, ...changed };
      expect(tradeWithOneself(attacked({ parameters, emission }), 10 ** 9)).toEqual(NOTHING);
    }
    expect(tradeWithOneself(attacked(), 4), "fewer units than accounts").toEqual(NOTHING);
    expect(breakEvenMicrosPerToken({ ...PARAMETERS, rewardPerFee: "0" })).toBeNull();
  });

  test("behavior: a tenth of everybody's volume takes an eleventh of the resource's emission, for its fees", () => {
    const { units, rewards, feeMicros, costMicros } = tradeWithOneself(attacked(), 1_000_000_000);
    expect(units).toBe(1_000_000_000);
    // A quarter of the emission is compute's; five accounts each lose less than a base unit.
    const share = (250n * TOKEN) / 11n;
    expect(share - rewards).toBeGreaterThanOrEqual(0n);
    expect(share - rewards).toBeLessThan(6n);
    expect(costMicros).toBe(feeMicros);
    expect(feeMicros, "22.7 tokens at a hundred a unit of fee").toBeGreaterThanOrEqual(227_272n);
    expect(feeMicros).toBeLessThan(227_300n);
  });

  test("behavior: a kWh bears the grid's fee besides", () => {
    const energy = attacked({ resource: "energy", othersUnits: 400_000 });
    const { costMicros, feeMicros, units } = tradeWithOneself(energy, 40_000);
    expect(units).toBe(40_000);
    expect(costMicros - feeMicros).toBeGreaterThanOrEqual(40n * 20_000n);
    expect(costMicros - feeMicros).toBeLessThan(40n * 20_000n + 10n);
  });

  test("behavior: above break-even it picks the volume that leaves most, below it none", () => {
    const tried = triedVolumes(attacked());
    expect(bestOf(tried, 10_000n)).toEqual(NOTHING);
    const best = bestOf(tried, 20_000n);
    expect(best.units, "without a fee by the unit, as much as it may").toBe(100_000_000_000);
    expect(resultAt(best, 20_000n) > 0n).toBe(true);
    const ofEnergy = triedVolumes(attacked({ resource: "energy", othersUnits: 400_000 }));
    expect(bestOf(ofEnergy, 50_000n).units, "the grid's fee ends it").toBeLessThan(4_000_000);
  });

  test("property: at the break-even price or less nobody gains, under any parameters and in any market", () => {
    const parameters = fc.record({
      takeRateBps: fc.integer({ min: 1, max: MAX_TAKE_RATE_BPS }),
      networkFeeMicrosPerKwh: fc.integer({ min: 0, max: MAX_NETWORK_FEE_MICROS_PER_KWH }),
      shareCapBps: fc.integer({ min: 1, max: 10_000 }),
      rewardPerFee: fc.bigInt({ min: 1n, max: 10n ** 26n }).map(String),
    });
    const resource = fc.constantFrom(...RESOURCES);
    const emission = fc.bigInt({ min: 0n, max: 10n ** 26n });
    const others = fc.integer({ min: 0, max: 2_000_000 });
    const units = fc.integer({ min: 1, max: 2_000_000 });
    let rewarded = 0;
    fc.assert(
      fc.property(
        parameters,
        resource,
        emission,
        others,
        units,
        (changed, of, emitted, othersUnits, volume) => {
          const under = { ...PARAMETERS, ...changed };
          const epoch = { resource: of, parameters: under, emission: emitted, othersUnits };
          const trade = tradeWithOneself(epoch, volume);
          const price = breakEvenMicrosPerToken(under) as bigint;
          expect(resultAt(trade, price) <= 0n).toBe(true);
          expect(trade.rewards * 1_000_000n <= trade.feeMicros * BigInt(under.rewardPerFee)).toBe(true);
          expect(trade.rewards <= emitted).toBe(true);
          expect(trade.costMicros >= trade.feeMicros).toBe(true);
          if (trade.rewards > 0n) rewarded += 1;
        },
      ),
      { seed, numRuns: 2_000 },
    );
    expect(rewarded).toBeGreaterThan(200);
  });
});

describe("tokens", () => {
  const EPOCHS = 120;
  const LARGE: TokenTerms = { cap: 10n ** 30n, atBirth: 0n, mostPerDay: 10n ** 30n };
  const rowsOf = (changed: Partial<Parameters>, token = LARGE): EpochRow[] =>
    runEconomy({
      seed: 5,
      parameters: { ...PARAMETERS, ...changed },
      token,
      tokenMicros: 0n,
      demand: demandByEpoch(5, CURVES[0] as (typeof CURVES)[number], EPOCHS),
      sun: sunByEpoch(5, EPOCHS),
    });

  test("invariant: the token begins as the example of a deployment has it, and its region's parameters are the local one's", () => {
    const file = join(import.meta.dirname, "../../docs/examples/deploy.json");
    const { vote, regions } = deployFileSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    const members = vote.members.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
    expect(TOKEN_TERMS).toEqual({
      cap: BigInt(vote.cap),
      atBirth: members + BigInt(vote.treasuryAmount),
      mostPerDay: BigInt(vote.mostPerDay),
    });
    const [{ terms, parameters }] = regions as [(typeof regions)[number]];
    const { emissionPerEpoch, emissionDecayBps } = terms;
    const { proofDelaySeconds: _, ...others } = parametersIn({
      ...parameters,
      emissionPerEpoch,
      emissionDecayBps,
    });
    expect(withWeights(PARAMETERS, { energy: 1, compute: 0, bandwidth: 0 })).toMatchObject(others);
  });

  test("rejects: more than the contract's ceiling or cap is owed and not minted", () => {
    const free = rowsOf({});
    const perDay = rowsOf({}, { ...LARGE, mostPerDay: TOKEN });
    const capped = rowsOf({}, { ...LARGE, cap: 50n * TOKEN, atBirth: 20n * TOKEN });
    for (const [epoch, { owed }] of free.entries()) {
      const least = (a: bigint, b: bigint) => (a < b ? a : b);
      expect(perDay[epoch]).toMatchObject({ owed, minted: least(owed, TOKEN * BigInt(epoch + 1)) });
      expect(capped[epoch]).toMatchObject({ owed, minted: least(owed, 30n * TOKEN) });
    }
    expect(free.at(-1)?.owed).toBeGreaterThan(BigInt(EPOCHS) * TOKEN);
  });

  test("invariant: where fees allow everything the whole emission is minted but for roundings, and no more", () => {
    for (const { emission, resources } of rowsOf({ rewardPerFee: String(10n ** 29n), shareCapBps: 10_000 })) {
      const rewards = RESOURCES.reduce((sum, resource) => sum + resources[resource].rewards, 0n);
      expect(emission - rewards).toBeGreaterThanOrEqual(0n);
      expect(emission - rewards).toBeLessThan(200n);
    }
  });

  test("behavior: rewards are worth nothing to a provider where a token is, so none change who sells", () => {
    const sellers = (rows: readonly EpochRow[]) =>
      rows.map(({ resources }) => RESOURCES.map((resource) => resources[resource].providers));
    expect(sellers(rowsOf({ emissionPerEpoch: "0" }))).toEqual(sellers(rowsOf({})));
  });
});

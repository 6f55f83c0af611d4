// Owns the rules of the household's statement: exact sums that can be added up by hand.

import { describe, expect, test } from "vitest";
import type { BillLine } from "../../clients/sdk/client.ts";
import { statementOf } from "../../web/figures/statement.ts";

const line = (values: Partial<BillLine>): BillLine => ({
  slot: 1,
  startS: 900,
  meteredWh: 0,
  tradedWh: 0,
  priceMicrosPerKwh: null,
  amountMicros: 0,
  feeMicros: 0,
  networkMicros: 0,
  reward: null,
  evidence: 3,
  wasCut: false,
  restMicros: 0,
  tariffMicros: 0,
  gainMicros: 0,
  ...values,
});

// The worked example of the market: p 123,457, n 20,011, t 333 bps; 1001 Wh sold, 334 Wh bought.
const SOLD = line({
  meteredWh: 1201,
  tradedWh: 1001,
  amountMicros: 119_464,
  feeMicros: 4_116,
  restMicros: 16_000,
  tariffMicros: 96_080,
  gainMicros: 39_384,
  reward: "70",
});
const BOUGHT = line({
  slot: 2,
  meteredWh: -434,
  tradedWh: -334,
  amountMicros: -47_919,
  networkMicros: 6_683,
  restMicros: -30_000,
  tariffMicros: -130_200,
  gainMicros: 52_281,
  wasCut: true,
});

describe("statement", () => {
  test("invariant: sales, purchases and the rest make the total, and the total less the tariff is the gain", () => {
    const statement = statementOf([SOLD, BOUGHT]);
    expect(statement).toEqual({
      exportWh: 1201,
      importWh: 434,
      soldWh: 1001,
      boughtWh: 334,
      saleMicros: 119_464,
      feeMicros: 4_116,
      purchaseMicros: -47_919,
      networkMicros: 6_683,
      restMicros: -14_000,
      totalMicros: 57_545,
      tariffMicros: -34_120,
      gainMicros: 91_665,
      reward: 70n,
      cutSlots: 1,
      settledSlots: 2,
    });
    expect(statement.totalMicros - statement.tariffMicros).toBe(statement.gainMicros);
  });

  test("behavior: a reward is unknown until an epoch has closed, and then may be none", () => {
    expect(statementOf([BOUGHT]).reward).toBeNull();
    expect(statementOf([line({ reward: "0" })]).reward).toBe(0n);
  });

  test("behavior: a sale at a negative price stays a sale", () => {
    expect(statementOf([line({ meteredWh: 10, tradedWh: 10, amountMicros: -1 })])).toMatchObject({
      saleMicros: -1,
      purchaseMicros: 0,
    });
  });

  test("behavior: nothing settled is nothing, not minus zero", () => {
    expect(Object.is(statementOf([]).importWh, 0)).toBe(true);
    expect(Object.is(statementOf([line({})]).boughtWh, 0)).toBe(true);
  });
});

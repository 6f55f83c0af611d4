// Owns the rules of how the page writes money, prices and energy.

import { describe, expect, test } from "vitest";
import * as amounts from "../../web/figures/amounts.ts";

const { energyText, moneyOf, moneyText, powerText, priceText, shareText, symbolOf, tokensText } = amounts;
const NARROW = "\u202f";

describe("amounts", () => {
  test("rejects: fractions and unsafe integers, which would be rounded floats", () => {
    for (const value of [0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(() => moneyText(value, "EUR")).toThrow(RangeError);
      expect(() => energyText(value)).toThrow(RangeError);
    }
  });

  test("behavior: money is exact to the micro, also near the largest amount and below zero", () => {
    expect(moneyText(0, "EUR")).toBe("€0.000000");
    expect(moneyText(1, "EUR")).toBe("€0.000001");
    expect(moneyText(-1, "EUR")).toBe("−€0.000001");
    expect(moneyText(1_234_567_890_123_456, "EUR")).toBe("€1,234,567,890.123456");
    expect(moneyText(Number.MAX_SAFE_INTEGER, "EUR")).toBe("€9,007,199,254.740991");
    expect(moneyOf(-47_919, "EUR")).toEqual({ head: "−€0.04", tail: "7919" });
  });

  test("behavior: a change says plus only when something is gained", () => {
    expect(moneyText(5, "EUR", true)).toBe("+€0.000005");
    expect(moneyText(0, "EUR", true)).toBe("€0.000000");
    expect(moneyText(-5, "EUR", true)).toBe("−€0.000005");
  });

  test("behavior: a currency without a sign, or that is none, is written as its code", () => {
    expect(symbolOf("EUR")).toBe("€");
    expect(symbolOf("CHF")).toBe("CHF\u00a0");
    expect(symbolOf("WATTS")).toBe("WATTS\u00a0");
  });

  test("behavior: prices have at least two digits and as many as they need", () => {
    expect(priceText(190_000, "EUR")).toBe("€0.19");
    expect(priceText(123_457, "EUR")).toBe("€0.123457");
    expect(priceText(-20_500, "EUR")).toBe("−€0.0205");
    expect(priceText(0, "EUR")).toBe("€0.00");
  });

  test("behavior: energy is Wh below a kWh and exact above", () => {
    expect(energyText(0)).toBe(`0${NARROW}Wh`);
    expect(energyText(-999)).toBe(`−999${NARROW}Wh`);
    expect(energyText(1000)).toBe(`1${NARROW}kWh`);
    expect(energyText(1_234_050)).toBe(`1,234.05${NARROW}kWh`);
    expect(powerText(300)).toBe(`1.2${NARROW}kW`);
    expect(powerText(0)).toBe(`0${NARROW}W`);
  });

  test("behavior: a share is rounded down, so that all is only said of all", () => {
    expect(shareText(999_999, 1_000_000)).toBe(`99.9${NARROW}%`);
    expect(shareText(5, 5)).toBe(`100${NARROW}%`);
    expect(shareText(0, 5)).toBe(`0${NARROW}%`);
    expect(shareText(0, 0)).toBeNull();
    expect(shareText(5_000_000_000, 5_000_000_000)).toBe(`100${NARROW}%`);
  });

  test("behavior: rates, tokens and counts", () => {
    expect(amounts.basisPointsText(100)).toBe(`1${NARROW}%`);
    expect(amounts.basisPointsText(5)).toBe(`0.05${NARROW}%`);
    expect(tokensText(1_234_567_899_999_999_999_999n)).toBe("1,234.5678");
    expect(tokensText(0n)).toBe("0");
    expect(amounts.countText(1, "order")).toBe("1 order");
    expect(amounts.countText(1200, "order")).toBe("1,200 orders");
  });
});

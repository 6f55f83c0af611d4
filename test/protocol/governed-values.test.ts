// Owns what drafts and proposals may say of governed values. It refuses a value that no version could hold, and a list of values
// that has not the chain's order.

import { describe, expect, test } from "vitest";
import { parametersSchema } from "../../protocol/commands.ts";
import {
  type DraftValues,
  draftSchema,
  figuresOfValues,
  GOVERNED_BOUNDS,
  GOVERNED_VALUES,
  marketPartOf,
  refuseValues,
} from "../../protocol/governed-values.ts";

const numbered = (name: string) => GOVERNED_VALUES.indexOf(name as (typeof GOVERNED_VALUES)[number]);

/** A draft of one value; amounts of the token are texts. */
const draftOf = (name: string, value: bigint): DraftValues => ({
  [name]: ["emissionPerEpoch", "rewardPerFee"].includes(name) ? String(value) : Number(value),
});

describe("drafts", () => {
  test("rejects: names that are no value's, and amounts of another form", () => {
    for (const draft of [
      { mint: 1 },
      { takeRateBps: "1" },
      { takeRateBps: 1.5 },
      { takeRateBps: -1 },
      { emissionPerEpoch: 5 },
      { emissionPerEpoch: "05" },
      { rewardPerFee: "-1" },
      { slashBps: 2 ** 53 },
      [],
      null,
    ])
      expect(draftSchema.safeParse(draft).success, JSON.stringify(draft)).toBe(false);
  });

  test("rejects: what is one below or above a bound, with the bound", () => {
    for (const [name, { least, most }] of Object.entries(GOVERNED_BOUNDS)) {
      for (const value of [least - 1n, most + 1n]) {
        if (value < 0n) continue;
        expect(refuseValues(draftOf(name, value), 86_400)).toEqual({
          code: "parameters_out_of_bounds",
          facts: { parameter: name, got: String(value), least: String(least), most: String(most) },
        });
      }
      for (const value of [least, most]) {
        const draft = draftOf(name, value);
        expect(draftSchema.parse(draft)).toEqual(draft);
        expect(refuseValues(draft, 86_400)).toBeNull();
      }
    }
    expect(refuseValues({ takeRateBps: 2_001 }, 86_400)?.code).toBe("parameters_out_of_bounds");
    expect(refuseValues({ proofDelaySeconds: 3_601 }, 3_600)?.facts).toEqual({
      parameter: "proofDelaySeconds",
      limitSeconds: 3_600,
    });
    expect(refuseValues({ proofDelaySeconds: 3_600 }, 3_600)).toBeNull();
  });

  test("behavior: of a draft the market takes what it knows", () => {
    const draft = draftSchema.parse({ takeRateBps: 5, slashBps: 6, emissionPerEpoch: "7" });
    expect(marketPartOf(draft)).toEqual({ takeRateBps: 5, emissionPerEpoch: "7" });
  });
});

test("invariant: the market's parameters are all governed, and a version's figures are read by their places", () => {
  const names = Object.keys(parametersSchema.shape);
  expect(names.filter((name) => numbered(name) < 0)).toEqual([]);
  const figures = figuresOfValues(GOVERNED_VALUES.map((_, place) => BigInt(place)));
  for (const [name, value] of Object.entries(figures)) expect(Number(value)).toBe(numbered(name));
  expect(figures.rewardPerFee).toBe("5");
  expect(Object.keys(figures)).toHaveLength(11);
  expect(() => figuresOfValues([1n, 2n])).toThrow("a version has no");
});

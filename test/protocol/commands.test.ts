// Owns what decoders refuse: one spoiled field at a time, for every field of every command. It refuses a decoder that
// throws instead of answering.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Command,
  type CommandType,
  commandSchema,
  commandSchemas,
  OPERATOR_COMMANDS,
  SESSION_COMMANDS,
} from "../../protocol/commands.ts";
import { FIELD_ORDER } from "../../protocol/fields.ts";
import { COMMANDS } from "../support/commands.ts";

type Fields = Record<string, unknown>;

/** One accepted command of each type; the seed keeps it the same. */
const SAMPLES = Object.entries(COMMANDS).map(([type, arbitrary]) => {
  const [sample] = fc.sample(arbitrary as fc.Arbitrary<Command>, { seed: 7, numRuns: 1 });
  return [type as CommandType, sample as unknown as Fields] as const;
});

const accepts = (value: unknown): boolean => commandSchema.safeParse(value).success;

/** What no field of any command may be. */
const NEVER: readonly unknown[] = [
  undefined,
  null,
  true,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  0.5,
  -1.5,
  1e300,
  2 ** 53,
  -(2 ** 53),
  5n,
  "",
  " ",
  "1 ",
  "+1",
  "-1",
  "0x",
  "1e3",
  "NaN",
  "\u0000",
  "ａｂ",
  {},
  [[]],
  [{}],
  [null],
  [Number.NaN],
  () => 1,
];

const spoil = (sample: Fields, path: readonly string[], value: unknown): Fields => {
  const copy = structuredClone(sample);
  let holder = copy;
  for (const key of path.slice(0, -1)) holder = holder[key] as Fields;
  holder[path.at(-1) as string] = value;
  return copy;
};

/** Paths of every field, one level into objects and the first element of arrays. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  const here = path.length > 0 ? [[...path]] : [];
  const entries = Array.isArray(value) ? Object.entries(value).slice(0, 1) : Object.entries(value);
  return [...here, ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

const isFlag = (field: string | undefined) => field !== undefined && /^(is|has)[A-Z]/.test(field);

describe("what is refused", () => {
  for (const [type, sample] of SAMPLES) {
    test(`rejects: ${type} with any field missing, unknown or of a wrong kind`, () => {
      expect(accepts(sample)).toBe(true);
      expect(accepts({ ...sample, extra: 1 })).toBe(false);
      expect(accepts(JSON.parse(JSON.stringify(sample).replace("{", '{"__proto__":{"a":1},')))).toBe(false);
      for (const path of pathsOf(sample)) {
        for (const value of NEVER) {
          // A time zone is a bounded name; whether it exists is not the market's business.
          if (path[0] === "timeZone" && typeof value === "string" && /^[\w+/-]+$/.test(value)) continue;
          if (isFlag(path[0]) && typeof value === "boolean") continue;
          if (path.length > 1 && Number.isInteger(Number(path.at(-1))) && value === undefined) continue;
          expect(accepts(spoil(sample, path, value)), `${path.join(".")} = ${String(value)}`).toBe(false);
        }
      }
      for (const field of Object.keys(sample)) {
        const { [field]: _left, ...rest } = sample;
        expect(accepts(rest), `without ${field}`).toBe(false);
      }
    });

    test(`rejects: ${type} with numbers as strings and with nested unknown fields`, () => {
      for (const path of pathsOf(sample)) {
        const value = path.reduce<unknown>((holder, key) => (holder as Fields)[key], sample);
        if (typeof value === "number")
          expect(accepts(spoil(sample, path, String(value))), path.join(".")).toBe(false);
        if (typeof value === "object" && !Array.isArray(value))
          expect(accepts(spoil(sample, [...path, "extra"], 1))).toBe(false);
      }
    });
  }

  const place = SAMPLES.find(([type]) => type === "place_order")?.[1] as Fields;
  const read = SAMPLES.find(([type]) => type === "submit_readings")?.[1] as Fields;
  const enrol = SAMPLES.find(([type]) => type === "enrol_meter")?.[1] as Fields;
  const credit = SAMPLES.find(([type]) => type === "credit_test_quote")?.[1] as Fields;
  const opening = SAMPLES.find(([type]) => type === "open_region")?.[1] as Fields;
  const step = { limitPriceMicrosPerKwh: 1, capWhPerSlot: 1 };
  const cases: [string, Fields][] = [
    ["nine steps", { ...place, steps: new Array(9).fill(step) }],
    ["no steps", { ...place, steps: [] }],
    ["a step of no Wh", { ...place, steps: [{ ...step, capWhPerSlot: 0 }] }],
    ["a step of negative Wh", { ...place, steps: [{ ...step, capWhPerSlot: -1 }] }],
    ["a step above 4 MW", { ...place, steps: [{ ...step, capWhPerSlot: 1_000_001 }] }],
    ["a price above the bound", { ...place, steps: [{ ...step, limitPriceMicrosPerKwh: 10_000_001 }] }],
    ["a price below the bound", { ...place, steps: [{ ...step, limitPriceMicrosPerKwh: -10_000_001 }] }],
    ["25 hours", { ...place, hours: new Array(25).fill(1) }],
    ["an hour 24", { ...place, hours: [24] }],
    ["a negative replaced order", { ...place, replaces: -1 }],
    ["three readings", { ...read, netWh: [1, 1, 1] }],
    ["97 readings", { ...read, netWh: new Array(97).fill(1) }],
    ["a hundred thousand readings", { ...read, netWh: new Array(100_000).fill(1) }],
    ["a reading above 20 bits", { ...read, netWh: [2 ** 20, 0, 0, 0] }],
    ["a reading below 20 bits", { ...read, netWh: [-(2 ** 20), 0, 0, 0] }],
    ["a negative slot", { ...read, firstSlot: -4 }],
    ["a credit of nothing", { ...credit, amountMicros: 0 }],
    ["a credit above the region's limit", { ...credit, amountMicros: 4_000_000_000_000_001 }],
    ["a negative nonce", { ...credit, nonce: -1 }],
    ["a short address", { ...credit, account: `0x${"1".repeat(39)}` }],
    ["a region name with a capital", { ...credit, region: "Polder" }],
    ["a region name of one letter", { ...credit, region: "p" }],
    ["a region name of 33 letters", { ...credit, region: "p".repeat(33) }],
    ["a region name that ends its line", { ...credit, region: "polder\n" }],
    ["a key on the field's order", { ...enrol, gatewayX: String(FIELD_ORDER) }],
    ["a key that is no number", { ...enrol, gatewayX: "abc" }],
    ["a key of 78 digits", { ...enrol, gatewayX: "1".repeat(78) }],
    ["a key with a leading zero", { ...enrol, gatewayX: "01" }],
    ["a window of 8 slots", { ...opening, windowSlots: 8 }],
    ["an unknown quote", { ...opening, quote: "gold" }],
    ["an unknown type", { ...credit, type: "mint" }],
    ["a type from the prototype", { ...credit, type: "constructor" }],
  ];
  for (const [what, value] of cases) {
    test(`rejects: ${what}`, () => expect(accepts(value)).toBe(false));
  }

  test("rejects: anything else without throwing", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(accepts(value)).toBe(false);
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLES), fc.nat(), fc.anything(), ([, sample], at, value) => {
        const paths = pathsOf(sample);
        expect(() => accepts(spoil(sample, paths[at % paths.length] as string[], value))).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe("what is accepted", () => {
  test("behavior: hex is taken in any case and becomes lower case", () => {
    const [, sample] = SAMPLES.find(([type]) => type === "revoke_session") as (typeof SAMPLES)[0];
    const upper = { ...sample, account: `0x${"AB".repeat(20)}`, key: `0x${"CD".repeat(32)}` };
    expect(commandSchema.parse(upper)).toMatchObject({
      account: `0x${"ab".repeat(20)}`,
      key: `0x${"cd".repeat(32)}`,
    });
  });

  test("regression: minus zero from JSON becomes zero, so that a replay from text has the same bytes", () => {
    const [, sample] = SAMPLES.find(([type]) => type === "authorise_session") as (typeof SAMPLES)[0];
    const text = JSON.stringify({ ...sample, dailyWh: 1_234, spendingLimitMicros: 5_678 });
    const parsed = commandSchema.parse(JSON.parse(text.replace("1234", "-0").replace("5678", "-0")));
    expect(parsed).toMatchObject({ dailyWh: 0, spendingLimitMicros: 0 });
  });

  test("invariant: operator's and session keys' commands do not overlap, and every command has a decoder", () => {
    for (const type of OPERATOR_COMMANDS) expect(SESSION_COMMANDS.has(type)).toBe(false);
    expect(Object.keys(commandSchemas).sort()).toEqual(Object.keys(COMMANDS).sort());
    expect(commandSchema.options.map((option) => option.shape.type.value).sort()).toEqual(
      Object.keys(commandSchemas).sort(),
    );
  });
});

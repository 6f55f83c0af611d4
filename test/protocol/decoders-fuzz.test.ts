// Owns what every decoder of `protocol/` owes for any value at all: an answer or a refusal, bounds, and one spelling.
// It refuses a decoder that throws, changes its input, or accepts what its own JSON does not give back.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ClockRefused, marketTimeS, parseClock, wallTimeMs } from "../../protocol/clock.ts";
import { type Command, commandSchema } from "../../protocol/commands.ts";
import { isErrorCode } from "../../protocol/errors.ts";
import { eventSchema } from "../../protocol/events.ts";
import * as fields from "../../protocol/fields.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { malformedRequest } from "../../protocol/malformed.ts";
import { profileSchema } from "../../protocol/profile.ts";
import { commandId } from "../../protocol/typed-data.ts";
import { anyCommand } from "../support/commands.ts";
import { replayCorpus } from "../support/corpus.ts";
import { expectDecoded, hostile, mutated, mutatedText } from "../support/fuzz.ts";
import { DOMAIN } from "../support/market.ts";
import { action, runActions } from "../support/market-actions.ts";

const EVENTS = fc
  .sample(fc.array(action, { minLength: 60, maxLength: 60, size: "max" }), { seed: 11, numRuns: 6 })
  .flatMap((actions) => runActions(actions, { accepted: 0, refused: 0, tradedWh: 0 }).entries)
  .flatMap(({ events }) => events);

const PROFILE = {
  region: "polder-one",
  name: "Waterland",
  place: "Monnickendam",
  latitude: 52.46,
  longitude: 5.03,
  timeZone: "Europe/Amsterdam",
  operator: `0x${"ab".repeat(20)}`,
  jurisdiction: "NL",
  terms: "https://example.org/terms",
  currency: "EUR",
  tariffs: [{ name: "standard", retailMicrosPerKwh: 300_000, feedInMicrosPerKwh: 60_000 }],
  isSimulation: true,
};

/** Decodes through a schema and expects its refusal to be tellable: a code with plain facts. */
const through = (schema: z.ZodType) => (value: unknown) => {
  const decoded = schema.safeParse(value);
  if (decoded.success) return decoded.data;
  const { code, facts } = malformedRequest(decoded.error);
  expect(isErrorCode(code)).toBe(true);
  for (const fact of Object.values(facts)) expect(typeof fact).toBe("string");
  throw decoded.error;
};

const RUNS = { numRuns: 700 };

describe("commands", () => {
  replayCorpus("command", (value) => (commandSchema.safeParse(value).success ? "accepted" : "refused"));

  test("property: any value is refused tellably, or accepted within bounds, canonical, with a digest of its own", () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(mutated(anyCommand), hostile), (value) => {
        if (!expectDecoded(value, through(commandSchema), [z.ZodError])) return;
        accepted += 1;
        const command = commandSchema.parse(value);
        const again = commandSchema.parse(JSON.parse(JSON.stringify(command)));
        expect(commandId(DOMAIN, again)).toBe(commandId(DOMAIN, command));
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(10);
  });

  test("property: text changed anywhere gives a command only if it is one, and another one another digest", () => {
    fc.assert(
      fc.property(anyCommand, fc.nat(), (command: Command, at) => {
        const text = JSON.stringify(command);
        const [changed] = fc.sample(mutatedText(fc.constant(text)), { seed: at, numRuns: 1 });
        let value: unknown;
        try {
          value = JSON.parse(changed as string);
        } catch {
          return;
        }
        const decoded = commandSchema.safeParse(value);
        if (!decoded.success) return;
        const isSame = JSON.stringify(decoded.data) === JSON.stringify(commandSchema.parse(command));
        expect(commandId(DOMAIN, decoded.data) === commandId(DOMAIN, commandSchema.parse(command))).toBe(
          isSame,
        );
      }),
      RUNS,
    );
  });
});

describe("events and profiles", () => {
  test("property: a changed event is refused, or accepted as one spelling of safe integers", () => {
    fc.assert(
      fc.property(fc.oneof(mutated(fc.constantFrom(...EVENTS)), hostile), (value) => {
        expectDecoded(value, through(eventSchema), [z.ZodError]);
      }),
      RUNS,
    );
  });

  test("regression: minus zero in an event's signed numbers is zero", () => {
    const readings = {
      type: "readings_accepted",
      account: 1,
      nullifier: `0x${"00".repeat(32)}`,
      firstSlot: 4,
    };
    expect(eventSchema.parse({ ...readings, netWh: [-0, 1, 2, 3] })).toEqual({
      ...readings,
      netWh: [0, 1, 2, 3],
    });
  });

  test("property: a changed profile is refused, or accepted on the globe and within its lengths", () => {
    fc.assert(
      fc.property(fc.oneof(mutated(fc.constant(PROFILE)), hostile), (value) => {
        const isAccepted = expectDecoded(value, through(profileSchema), [z.ZodError], Number.isFinite);
        if (!isAccepted) return;
        const { latitude, longitude, terms, tariffs } = profileSchema.parse(value);
        expect(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180).toBe(true);
        expect(terms.length <= 2_000 && tariffs.length <= 8).toBe(true);
      }),
      RUNS,
    );
  });
});

describe("single fields", () => {
  const schemas = Object.entries(fields as Readonly<Record<string, unknown>>).filter(
    (entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType,
  );
  test("invariant: every field of protocol/fields is among those that are tried", () => {
    expect(schemas.length).toBeGreaterThan(15);
  });

  test.each(schemas)(
    "property: %s answers any value, and what it accepts it accepts again",
    (_name, schema) => {
      const near = fc.oneof(
        mutatedText(
          fc.constantFrom(
            `0x${"ab".repeat(20)}`,
            `0x${"ab".repeat(32)}`,
            "polder-one",
            "12345",
            fields.FIELD_ORDER.toString(),
          ),
        ),
        fc.double(),
        fc.maxSafeInteger(),
      );
      fc.assert(
        fc.property(fc.oneof(hostile, near), (value) => {
          expectDecoded(value, through(schema), [z.ZodError]);
        }),
        { numRuns: 150 },
      );
    },
  );
});

describe("the clock", () => {
  replayCorpus("clock", (input) => {
    try {
      parseClock(...(input as [string, string]), LOCAL_CHAIN_ID);
      return "accepted";
    } catch (error) {
      return (error as Error).name;
    }
  });

  test("property: any two texts are refused by name, or a clock that goes forward and back", () => {
    const origin = fc.oneof(mutatedText(fc.constant("2026-03-29T01:30:00.250Z")), fc.string());
    const rate = fc.oneof(mutatedText(fc.constantFrom("1", "60", "0.5")), fc.constant("900"));
    fc.assert(
      fc.property(origin, rate, fc.integer({ min: 0, max: 4_000_000_000 }), (one, other, atS) => {
        try {
          const clock = parseClock(one, other, LOCAL_CHAIN_ID);
          expect(Number.isFinite(clock.originMs) && clock.rate > 0 && Number.isFinite(clock.rate)).toBe(true);
          const wallMs = wallTimeMs(clock, atS);
          // A rate of many digits leaves nothing to tell two milliseconds apart.
          if (clock.rate < 10_000 && clock.rate > 0.000_1 && Number.isSafeInteger(wallMs))
            expect(Math.abs(marketTimeS(clock, wallMs) - atS)).toBeLessThanOrEqual(
              Math.ceil(clock.rate / 1000) + 1,
            );
        } catch (error) {
          if (!(error instanceof ClockRefused)) throw error;
        }
      }),
      { numRuns: 1_500 },
    );
  });
});

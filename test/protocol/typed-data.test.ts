// Owns that our EIP-712 digest is everybody's: equal to viem's for every command. It refuses a digest that two
// different commands, chains or contracts share.

import fc from "fast-check";
import { hashTypedData, type TypedDataDefinition } from "viem";
import { describe, expect, test } from "vitest";
import { type Command, type CommandType, commandSchema, commandSchemas } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import {
  commandId,
  PRIMARY_TYPES,
  type SigningDomain,
  TYPES,
  typedDataOf,
} from "../../protocol/typed-data.ts";
import { anyCommand, COMMANDS } from "../support/commands.ts";

const DOMAIN: SigningDomain = { chainId: 31_337, settlement: `0x${"00".repeat(20)}` };
const viemId = (domain: SigningDomain, command: Command): Hex =>
  hashTypedData(typedDataOf(domain, command) as unknown as TypedDataDefinition);

describe("digests", () => {
  for (const type of Object.keys(COMMANDS) as CommandType[]) {
    test(`property: ${type} has the digest that viem computes`, () => {
      fc.assert(
        fc.property(COMMANDS[type] as fc.Arbitrary<Command>, (command) => {
          expect(commandId(DOMAIN, command)).toBe(viemId(DOMAIN, command));
        }),
        { numRuns: 60 },
      );
    });
  }

  test("property: also on other chains and with a settlement contract", () => {
    const chains = fc.constantFrom(1, 10, 31_337, 2 ** 31, Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(
        chains,
        fc.bigInt({ min: 0n, max: 2n ** 160n - 1n }),
        anyCommand,
        (chainId, contract, command) => {
          const domain = { chainId, settlement: `0x${contract.toString(16).padStart(40, "0")}` as Hex };
          expect(commandId(domain, command)).toBe(viemId(domain, command));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("behavior: negative numbers, empty arrays and the largest safe integers are encoded as the standard says", () => {
    const envelope = {
      account: `0x${"ff".repeat(20)}`,
      region: "ab",
      nonce: Number.MAX_SAFE_INTEGER,
      expiresAtS: 0,
    } as const;
    const commands: Command[] = [
      { type: "submit_readings", ...envelope, firstSlot: 0, netWh: [-1, -1_048_575, 1_048_575, 0] },
      {
        type: "place_order",
        ...envelope,
        side: "buy",
        steps: [{ limitPriceMicrosPerKwh: -10_000_000, capWhPerSlot: 1 }],
        validFromS: 0,
        validUntilS: 0,
        hours: [],
        replaces: 0,
      },
    ];
    for (const command of commands) expect(commandId(DOMAIN, command)).toBe(viemId(DOMAIN, command));
  });

  test("property: another chain, contract, region, nonce or expiry is another id", () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        const id = commandId(DOMAIN, command);
        expect(commandId({ ...DOMAIN, chainId: 1 }, command)).not.toBe(id);
        expect(commandId({ ...DOMAIN, settlement: `0x${"00".repeat(19)}01` }, command)).not.toBe(id);
        expect(commandId(DOMAIN, { ...command, region: `${command.region}x` })).not.toBe(id);
        expect(commandId(DOMAIN, { ...command, nonce: command.nonce ^ 1 })).not.toBe(id);
        expect(commandId(DOMAIN, { ...command, expiresAtS: command.expiresAtS + 1 })).not.toBe(id);
      }),
      { numRuns: 50 },
    );
  });

  test("behavior: the digest does not depend on the order of keys or on minus zero", () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        const reversed = Object.fromEntries(Object.entries(command).reverse()) as unknown as Command;
        expect(commandId(DOMAIN, reversed)).toBe(commandId(DOMAIN, command));
        if (command.nonce === 0)
          expect(commandId(DOMAIN, { ...command, nonce: -0 })).toBe(commandId(DOMAIN, command));
      }),
    );
  });
});

describe("types", () => {
  test("invariant: a command's signed fields are exactly its decoder's, so nothing unsigned is acted upon", () => {
    for (const [type, schema] of Object.entries(commandSchemas)) {
      const signed = (TYPES[PRIMARY_TYPES[type as CommandType]] ?? []).map(({ name }) => name);
      const decoded = Object.keys(schema.shape).filter((field) => field !== "type");
      expect(signed.toSorted(), type).toEqual(decoded.toSorted());
    }
    const parameters = Object.keys(commandSchemas.set_parameters.shape.parameters.shape);
    expect(TYPES.Parameters?.map(({ name }) => name)).toEqual(parameters);
    const figures = Object.keys(commandSchemas.schedule_parameters.shape.figures.shape);
    expect(TYPES.Figures?.map(({ name }) => name)).toEqual(figures);
  });

  test("property: decoders accept every random command and change nothing", () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        expect(commandSchema.parse(command)).toEqual(command);
      }),
    );
  });
});

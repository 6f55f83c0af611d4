// Owns the promise that a gateway's window is bound to its readings, slot, region, chain and window length.

import fc from "fast-check";
import { encodeAbiParameters, keccak256 } from "viem";
import { describe, expect, test } from "vitest";
import type { EvidenceContext } from "../../evidence/evidence-kind.ts";
import {
  gatewayIdOfSeed,
  gatewayWindowSchema,
  packReadings,
  regionTag,
  signWindow,
  verifyGatewayWindow,
  windowMessage,
} from "../../evidence/gateway-window.ts";
import type { Hex } from "../../protocol/fields.ts";
import vectors from "../vectors/signatures.json" with { type: "json" };

const LIMIT = 2 ** 20 - 1;
const CONTEXT: EvidenceContext = {
  chainId: 31337,
  settlement: `0x${"00".repeat(20)}`,
  regionId: "polder-one",
  windowSlots: 4,
};
const SEED = new Uint8Array(32).fill(21);
const readings = fc.array(fc.integer({ min: -LIMIT, max: LIMIT }), { minLength: 4, maxLength: 4 });

/** Reads a packed window back, as the circuit's statement has it. */
function unpack(packed: readonly bigint[], slots: number): number[] {
  return Array.from({ length: slots }, (_, slot) => {
    const element = packed[Math.floor(slot / 11)] as bigint;
    const cell = Number((element >> BigInt(22 * (slot % 11))) & (2n ** 22n - 1n));
    return cell >= 2 ** 21 ? cell - 2 ** 21 : -cell + 0;
  });
}

describe("gateway window", () => {
  for (const vector of vectors.gateway.filter(({ verdict }) => !verdict.ok)) {
    test(`rejects: ${vector.name}`, () => {
      const context = vector.context as EvidenceContext;
      expect(verifyGatewayWindow(context, vector.claim, vector.evidence)).toMatchObject(vector.verdict);
    });
  }

  test("rejects: claims that are no window of readings", () => {
    const evidence = signWindow(SEED, CONTEXT, 96, [1, 2, 3, 4]);
    const claims: [number, number[]][] = [
      [96, [1, 2, 3]],
      [96, [1, 2, 3, 4, 5]],
      [96, []],
      [96, [1, 2, 3, 4.5]],
      [96, [1, 2, 3, Number.NaN]],
      [96, [1, 2, 3, LIMIT + 1]],
      [96, [1, 2, 3, -LIMIT - 1]],
      [-4, [1, 2, 3, 4]],
      [0.5, [1, 2, 3, 4]],
    ];
    for (const [firstSlot, netWh] of claims) {
      const verdict = verifyGatewayWindow(CONTEXT, { firstSlot, netWh }, evidence);
      expect(verdict, JSON.stringify(netWh)).toMatchObject({ ok: false, code: "evidence_malformed" });
    }
  });

  test("rejects: evidence in any other form, without throwing", () => {
    const evidence = signWindow(SEED, CONTEXT, 96, [1, 2, 3, 4]);
    const { gateway, signature } = evidence;
    for (const spoilt of [
      null,
      undefined,
      "window",
      [],
      {},
      { ...evidence, extra: 1 },
      { gateway },
      { ...evidence, gateway: [gateway[0]] },
      { ...evidence, gateway: [...gateway, "1"] },
      { ...evidence, gateway: [`+${gateway[0]}`, gateway[1]] },
      { ...evidence, gateway: [`${gateway[0]} `, gateway[1]] },
      { ...evidence, gateway: ["0x1", gateway[1]] },
      { ...evidence, gateway: ["-1", gateway[1]] },
      { ...evidence, gateway: ["9".repeat(78), gateway[1]] },
      { ...evidence, signature: { ...signature, s: 5 } },
      { ...evidence, signature: { ...signature, s: "" } },
      { ...evidence, signature: { ...signature, v: "1" } },
    ]) {
      const verdict = verifyGatewayWindow(CONTEXT, { firstSlot: 96, netWh: [1, 2, 3, 4] }, spoilt);
      expect(verdict, JSON.stringify(spoilt)).toMatchObject({ ok: false, code: "evidence_malformed" });
    }
    fc.assert(
      fc.property(fc.anything(), (spoilt) => {
        expect(verifyGatewayWindow(CONTEXT, { firstSlot: 96, netWh: [1, 2, 3, 4] }, spoilt).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("rejects: signing and packing what is no reading", () => {
    for (const net of [LIMIT + 1, -LIMIT - 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => packReadings([net])).toThrow(RangeError);
    }
    expect(() => signWindow(SEED, CONTEXT, 96, [1])).toThrow(RangeError);
    expect(() => windowMessage(1n, 0, [1n, 2n])).toThrow(RangeError);
  });

  for (const vector of vectors.gateway.filter(({ verdict }) => verdict.ok)) {
    test(`behavior: ${vector.name} is accepted, with its gateway`, () => {
      const context = vector.context as EvidenceContext;
      expect(gatewayWindowSchema.safeParse(vector.evidence).success).toBe(true);
      expect(verifyGatewayWindow(context, vector.claim, vector.evidence)).toEqual(vector.verdict);
      const message = windowMessage(
        regionTag(context),
        vector.claim.firstSlot,
        packReadings(vector.claim.netWh),
      );
      expect(message.toString()).toBe(vector.message);
    });
  }

  test("behavior: a reading is 22 bits, direction at 2²¹, earliest lowest, eleven an element", () => {
    const export1 = 2n ** 21n + 1n;
    expect(packReadings([1, -1, 0, -0])).toEqual([export1 + (1n << 22n)]);
    expect(packReadings([0, 0, 0, LIMIT])).toEqual([(2n ** 21n + BigInt(LIMIT)) << 66n]);
    const day = Array.from({ length: 96 }, () => 0);
    day[11] = 1;
    day[95] = -7;
    const packed = packReadings(day);
    expect(packed).toHaveLength(9);
    expect(packed[0]).toBe(0n);
    expect(packed[1]).toBe(export1);
    expect(packed[8]).toBe(7n << (22n * 7n));
  });

  test("behavior: the gateway is named by its key, whatever it read", () => {
    const gateway = gatewayIdOfSeed(SEED);
    for (const netWh of [
      [1, 2, 3, 4],
      [4, 3, 2, 1],
    ])
      expect(
        verifyGatewayWindow(CONTEXT, { firstSlot: 96, netWh }, signWindow(SEED, CONTEXT, 96, netWh)),
      ).toEqual({
        ok: true,
        gateway,
      });
  });

  test("invariant: the region's tag is keccak256 of Solidity's abi.encode, shifted by a byte", () => {
    const types = ["string", "uint256", "address", "string", "uint256"].map((type) => ({ type }));
    const contexts: EvidenceContext[] = [
      CONTEXT,
      { ...CONTEXT, windowSlots: 96 },
      { chainId: 8453, settlement: `0x${"c0ffee".padStart(40, "1")}` as Hex, regionId: "a1", windowSlots: 4 },
      { ...CONTEXT, regionId: `z${"9".repeat(31)}` },
    ];
    for (const context of contexts) {
      const { chainId, settlement, regionId, windowSlots } = context;
      const values = ["polder/meter/v1", BigInt(chainId), settlement, regionId, BigInt(windowSlots)];
      expect(regionTag(context)).toBe(BigInt(keccak256(encodeAbiParameters(types, values))) >> 8n);
    }
    expect(new Set(contexts.map(regionTag)).size).toBe(contexts.length);
  });

  test("property: packing loses nothing", () => {
    const any = fc.array(fc.integer({ min: -LIMIT, max: LIMIT }), { minLength: 1, maxLength: 96 });
    fc.assert(
      fc.property(any, (netWh) => {
        expect(unpack(packReadings(netWh), netWh.length)).toEqual(netWh);
      }),
    );
  });

  test("property: what is signed verifies, and with any one reading changed does not", () => {
    const slots = fc.nat(3);
    fc.assert(
      fc.property(readings, slots, fc.integer({ min: 1, max: 9 }), (netWh, slot, change) => {
        const evidence = signWindow(SEED, CONTEXT, 96, netWh);
        expect(verifyGatewayWindow(CONTEXT, { firstSlot: 96, netWh }, evidence).ok).toBe(true);
        const net = netWh[slot] as number;
        const tampered = netWh.with(slot, net > 0 ? net - change : net + change);
        const verdict = verifyGatewayWindow(CONTEXT, { firstSlot: 96, netWh: tampered }, evidence);
        expect(verdict).toMatchObject({ ok: false, code: "gateway_signature_invalid" });
      }),
      { numRuns: 25 },
    );
  });
});

// Owns what a gateway in software signs: each window once, by a right clock, from where the last one ended. It refuses a
// signature where one of the rules is broken.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileMemory, volatileMemory } from "../../clients/household/agent-memory.ts";
import type { MeterSource, Registers } from "../../clients/household/meter-source.ts";
import { signOnce } from "../../clients/household/software-gateway.ts";
import { gatewayIdOfSeed, verifyGatewayWindow } from "../../evidence/gateway-window.ts";
import type { Hex } from "../../protocol/fields.ts";

const SEED: Hex = `0x${"7a".repeat(32)}`;
const GATEWAY = gatewayIdOfSeed(SEED);
const CONTEXT = {
  chainId: 31_337,
  settlement: `0x${"00".repeat(20)}` as Hex,
  regionId: "polder-gateway",
  windowSlots: 4 as const,
};
const wish = (firstSlot: number, clockRate = 1) => ({ ...CONTEXT, firstSlot, clockRate });

/** A meter whose registers at the boundaries are given, in Wh of import. */
const meterAt = (boundaries: Record<number, number>, aheadS: number | null = 0): MeterSource => ({
  read(slot) {
    const [from, until] = [boundaries[slot], boundaries[slot + 1]];
    if (from === undefined || until === undefined || until < from) return null;
    return { netWh: from - until, generationWh: null, loadWh: null };
  },
  registersAt(slot): Registers | null {
    const wh = boundaries[slot];
    return wh === undefined ? null : { importMicroWh: wh * 1e6, exportMicroWh: 0 };
  },
  clockAheadS: () => aheadS,
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-gateway-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a gateway in software", () => {
  test("rejects: a clock more than ten seconds off, either way, until it is right again", () => {
    const memory = volatileMemory().ofGateway(GATEWAY);
    const registers = { 4: 0, 5: 10, 6: 20, 7: 30, 8: 40 };
    for (const [aheadS, words] of [
      [11, "11 s ahead of"],
      [-3_600, "3600 s behind"],
    ] as const) {
      expect(signOnce(SEED, meterAt(registers, aheadS), memory, wish(4))).toEqual({
        ok: false,
        mayHeal: true,
        reason: `the meter's clock is ${words} this machine's`,
      });
      expect(memory.signedWindow(4)).toBeUndefined();
      expect(memory.endBefore(99)).toBeUndefined();
    }
    expect(
      signOnce(SEED, meterAt(registers, 600), volatileMemory().ofGateway(GATEWAY), wish(4, 60)).ok,
      "a fast market",
    ).toBe(true);
    expect(signOnce(SEED, meterAt(registers, 10), memory, wish(4)).ok).toBe(true);
  });

  test("rejects: a window that begins below where the last one ended; the next one is measured from there", () => {
    const file = join(folder, "rewound.ndjson");
    const first = meterAt({ 4: 100, 5: 110, 6: 120, 7: 130, 8: 140 });
    expect(signOnce(SEED, first, fileMemory(file).ofGateway(GATEWAY), wish(4)).ok).toBe(true);
    const rewound = meterAt({ 9: 120, 10: 130, 11: 140, 12: 150, 13: 160, 14: 170, 15: 180, 16: 190 });
    const refused = {
      ok: false,
      mayHeal: false,
      reason: "its registers begin below those with which the window until 1970-01-01T02:00:00.000Z ended",
    };
    expect(signOnce(SEED, rewound, fileMemory(file).ofGateway(GATEWAY), wish(8))).toEqual(refused);
    expect(fileMemory(file).ofGateway(GATEWAY).signedWindow(8)).toBeUndefined();
    expect(
      signOnce(SEED, rewound, fileMemory(file).ofGateway(GATEWAY), wish(8)),
      "also after a restart",
    ).toEqual(refused);
    expect(
      signOnce(SEED, rewound, fileMemory(file).ofGateway(GATEWAY), wish(12)).ok,
      "from its own end on",
    ).toBe(true);
  });

  test("behavior: a window is signed whole, what the meter does not know is zero, and never signed differently", () => {
    const memory = volatileMemory().ofGateway(GATEWAY);
    const signing = signOnce(SEED, meterAt({ 4: 100, 5: 110, 7: 300, 8: 340 }), memory, wish(4));
    expect(signing).toMatchObject({ ok: true, window: { firstSlot: 4, netWh: [-10, 0, 0, -40] } });
    if (!signing.ok) return;
    const { netWh, signed } = signing.window;
    expect(verifyGatewayWindow(CONTEXT, { firstSlot: 4, netWh }, signed)).toEqual({
      ok: true,
      gateway: GATEWAY,
    });
    expect(signOnce(SEED, meterAt({}, 99_999), memory, wish(4))).toEqual(signing);
  });

  test("behavior: a window whose registers nobody saw is signed empty, and the next is measured against the last seen", () => {
    const memory = volatileMemory().ofGateway(GATEWAY);
    expect(signOnce(SEED, meterAt({ 4: 50, 8: 90 }), memory, wish(4)).ok).toBe(true);
    expect(signOnce(SEED, meterAt({}), memory, wish(8))).toMatchObject({ window: { netWh: [0, 0, 0, 0] } });
    expect(memory.endBefore(12)).toMatchObject({ untilSlot: 8, importMicroWh: 90e6 });
    expect(signOnce(SEED, meterAt({ 12: 89, 13: 95 }), memory, wish(12)).ok).toBe(false);
    expect(signOnce(SEED, { read: () => null }, memory, wish(16)).ok, "a source without registers").toBe(
      true,
    );
  });
});

// Owns what a meter behind Home Assistant must do over a real socket: find the grid's statistics, follow them, and live
// through every answer a server may give. It refuses a token in anything that is said.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  firedEventSchema,
  greetingSchema,
  messagesSchema,
  metadataSchema,
  preferencesSchema,
  statisticsSchema,
} from "../../clients/meter/home-assistant-messages.ts";
import { HomeAssistantMeter, parseHomeAssistantUrl } from "../../clients/meter/home-assistant-meter.ts";
import { readingsOf } from "../../clients/meter/home-assistant-statistics.ts";
import { startHomeAssistant } from "../../clients/meter/live-meters.ts";
import { volatileBoundaries } from "../../clients/meter/slot-boundaries.ts";
import { SlotRegisters } from "../../clients/meter/slot-registers.ts";
import { slotAt, slotStartS } from "../../protocol/units.ts";
import { eventually } from "../support/client-region.ts";
import {
  type EnergyUnit,
  HomeAssistantServer,
  type RecordedStatistic,
  TOKEN,
} from "../support/home-assistant.ts";

const CLOCK = { originMs: 0, rate: 1 };
const IMPORT = "sensor.grid_import";
const EXPORT = "sensor.grid_export";

let home: HomeAssistantServer;
let reports: string[] = [];
let meters: HomeAssistantMeter[] = [];

beforeEach(async () => {
  home = await HomeAssistantServer.start();
  reports = [];
});

afterEach(async () => {
  await Promise.all(meters.map((meter) => meter.stop()));
  meters = [];
  await home.stop();
  vi.unstubAllEnvs();
  expect(reports.join("\n"), "the token is nobody's business").not.toContain(TOKEN);
});

const nowS = (): number => Math.floor(Date.now() / 1000);

/** Five minutes that are over, counted from the first of a slot some slots ago. */
const FIRST = (): number => slotAt(nowS()) - 8;

/** Sums by five minutes from a slot on, each this much more, in the statistic's own unit. */
function recorded(unit: EnergyUnit, firstSlot: number, sums: readonly (number | null)[]): RecordedStatistic {
  return { unit, sums: new Map(sums.map((sum, index) => [slotStartS(firstSlot) - 300 + index * 300, sum])) };
}

const grid = (imports: readonly string[], exports: readonly string[] = []): object => ({
  type: "grid",
  flow_from: imports.map((id) => ({ stat_energy_from: id, stat_cost: null, number_energy_price: 0.3 })),
  flow_to: exports.map((id) => ({ stat_energy_to: id, stat_compensation: null })),
  cost_adjustment_day: 0,
});

async function startMeter(answerMs?: number, token = TOKEN): Promise<HomeAssistantMeter> {
  const url = parseHomeAssistantUrl(home.address);
  const access = { url, token, ...(answerMs === undefined ? {} : { answerMs }) };
  const meter = new HomeAssistantMeter(access, {
    clock: CLOCK,
    openBoundaries: volatileBoundaries,
    report: (message) => void reports.push(message),
  });
  meters.push(meter);
  await meter.follow();
  return meter;
}

/** A home of one import, 100 Wh in each five minutes of two slots. */
function simpleHome(first: number): void {
  home.energySources = [grid([IMPORT])];
  home.statistics.set(IMPORT, recorded("kWh", first, [5, 5.1, 5.2, 5.3, 5.4, 5.5, 5.6]));
}

const isRead = (meter: HomeAssistantMeter, slot: number) =>
  eventually(() => meter.read(slot) !== null, 20_000);
const netWh = (meter: HomeAssistantMeter, first: number, slots: number) =>
  Array.from({ length: slots }, (_, index) => meter.read(first + index)?.netWh ?? null);

describe("where Home Assistant is", () => {
  test("rejects: what is no address, and one that carries a secret", () => {
    for (const text of [
      "",
      "host:8123",
      "ftp://host",
      "ws://user:pass@host",
      "ws://host?token=x",
      "ws://host/#x",
    ])
      expect(() => parseHomeAssistantUrl(text), text).toThrow("not Home Assistant's address");
  });

  test("rejects: no token in the environment, or one that cannot be one", async () => {
    const options = { clock: CLOCK, openBoundaries: volatileBoundaries, report: () => {} };
    for (const token of [undefined, "", "two words", "line\nbreak"]) {
      vi.stubEnv("POLDER_HOME_ASSISTANT_TOKEN", token);
      await expect(startHomeAssistant(home.address, options)).rejects.toThrow(
        "set POLDER_HOME_ASSISTANT_TOKEN",
      );
    }
    expect(home.logins).toBe(0);
  });

  test("behavior: web socket and web addresses, with and without TLS, path and its own path", () => {
    expect(parseHomeAssistantUrl("ws://ha.local:8123")).toBe("http://ha.local:8123");
    expect(parseHomeAssistantUrl("wss://ha.example/")).toBe("https://ha.example");
    expect(parseHomeAssistantUrl("https://ha.example/base/")).toBe("https://ha.example/base");
    expect(parseHomeAssistantUrl("ws://[::1]:8123/api/websocket")).toBe("http://[::1]:8123");
  });

  test("behavior: the kind is started with the token of the environment", async () => {
    const first = FIRST();
    simpleHome(first);
    vi.stubEnv("POLDER_HOME_ASSISTANT_TOKEN", TOKEN);
    const options = { clock: CLOCK, openBoundaries: volatileBoundaries, report: () => {} };
    const meter = (await startHomeAssistant(home.address, options)) as HomeAssistantMeter;
    meters.push(meter);
    expect(await isRead(meter, first)).toBe(true);
  });
});

describe("a meter behind Home Assistant", () => {
  test("rejects: a refused token ends the start, and nobody knocks again", async () => {
    await expect(startMeter(undefined, "another-token")).rejects.toThrow("refused the token");
    expect(home.logins).toBe(1);
  });

  test("rejects: settings without a grid, statistics that are missing or no energy; each is told once", async () => {
    const cases: [string, () => void][] = [
      ["energy/get_prefs: No prefs", () => {}],
      [
        "the energy settings name no grid consumption",
        () => {
          home.energySources = [{ type: "solar", stat_energy_from: "sensor.roof" }];
        },
      ],
      [
        `there are no statistics of ${IMPORT}`,
        () => {
          home.energySources = [grid([IMPORT])];
        },
      ],
      [
        `the statistics of ${IMPORT} are no energy`,
        () => void home.statistics.set(IMPORT, { unit: "m³", sums: new Map() }),
      ],
    ];
    for (const [reason, arrange] of cases) {
      arrange();
      const meter = await startMeter();
      expect(await eventually(() => reports.length > 0), reason).toBe(true);
      await meter.stop();
      expect(reports.splice(0).join()).toContain(reason);
    }
  });

  test("behavior: sums in kWh, MWh and Wh of several tariffs become net Wh of slots", async () => {
    const first = FIRST();
    home.energySources = [
      { type: "solar", stat_energy_from: "sensor.roof" },
      grid(["sensor.day", "sensor.night"], [EXPORT]),
      // As newer versions write it; the same statistic again is the same energy.
      { type: "grid", stat_energy_from: "sensor.shed", stat_energy_to: EXPORT, stat_cost: null },
    ];
    home.statistics.set("sensor.day", recorded("kWh", first, [10, 10.1, 10.1, 10.2, 10.2, 10.2, 10.25]));
    home.statistics.set("sensor.night", recorded("MWh", first, [1, 1, 1, 1.0001, 1.0001, 1.0001, 1.0001]));
    home.statistics.set("sensor.shed", recorded("Wh", first, [0, 1, 2, 3, 4, 5, 6]));
    home.statistics.set(EXPORT, recorded("kWh", first, [0, 0.5, 0.9, 1, 1, 1, 1.123]));
    const meter = await startMeter();
    expect(await isRead(meter, first + 1), reports.join()).toBe(true);
    expect(netWh(meter, first - 1, 4)).toEqual([null, 1000 - 200 - 100 - 3, 123 - 50 - 3, null]);
    expect(meter.knownUntilSlot()).toBe(first + 2);
  });

  test("behavior: a period without a sum is none; a sum that falls is named and counted anew; negative sums are sums", async () => {
    const first = FIRST();
    home.energySources = [grid([IMPORT], [EXPORT])];
    home.statistics.set(
      IMPORT,
      recorded("Wh", first, [100, 110, null, 130, 140, 150, null, 170, 0, 5, 6, 7, 17]),
    );
    home.statistics.set(
      EXPORT,
      recorded("Wh", first, [-50, -50, -50, -20, -20, -20, -20, -20, -20, -20, -20, -20, 0]),
    );
    const meter = await startMeter();
    expect(await isRead(meter, first + 3), reports.join()).toBe(true);
    expect(netWh(meter, first, 4)).toEqual([0, null, null, 8]);
    expect(reports.join("\n")).toMatch(/no boundary was seen over 2 slots|goes on from a lower state/);
  });

  test("behavior: five minutes that were purged are known by the hour, which is no slot", async () => {
    const first = slotAt(nowS()) - 40 - (slotAt(nowS()) % 4);
    home.energySources = [grid([IMPORT])];
    home.statistics.set(
      IMPORT,
      recorded(
        "Wh",
        first,
        Array.from({ length: 40 * 3 + 1 }, (_, index) => index * 10),
      ),
    );
    home.purgedUntilS = slotStartS(first + 32);
    const meter = await startMeter();
    expect(await isRead(meter, first + 34), reports.join()).toBe(true);
    expect(netWh(meter, first + 28, 7)).toEqual([null, null, null, null, -30, -30, -30]);
    expect(home.asked.filter(({ period }) => period === "hour")).not.toHaveLength(0);
    expect(reports.join()).toMatch(/no boundary was seen over 4 slots .* 120 Wh of import/);
  });

  test("behavior: news are read when Home Assistant tells of them; its clock is compared", async () => {
    const first = FIRST();
    simpleHome(first);
    const meter = await startMeter();
    expect(await isRead(meter, first + 1), reports.join()).toBe(true);
    expect(meter.clockAheadS()).toBeNull();
    const more = recorded("kWh", first + 2, [5.6, 5.7, 5.8, 5.95]);
    for (const [startS, sum] of more.sums) home.statistics.get(IMPORT)?.sums.set(startS, sum);
    home.compiled(nowS() + 120);
    expect(await isRead(meter, first + 2)).toBe(true);
    expect(netWh(meter, first, 3)).toEqual([-300, -300, -350]);
    expect(Math.abs((meter.clockAheadS() ?? 0) - 120)).toBeLessThanOrEqual(2);
    const starts = home.asked.flatMap(({ start_time }) =>
      start_time === undefined ? [] : [String(start_time)],
    );
    expect(Date.parse(starts.at(-1) as string) / 1000, "only what is new").toBeGreaterThanOrEqual(
      slotStartS(first + 2),
    );
  });

  test("behavior: after a loss it connects again and misses nothing", async () => {
    const first = FIRST();
    simpleHome(first);
    const meter = await startMeter();
    expect(await isRead(meter, first + 1), reports.join()).toBe(true);
    home.hangUp();
    for (const [startS, sum] of recorded("kWh", first + 2, [5.6, 5.7, 5.8, 5.9]).sums)
      home.statistics.get(IMPORT)?.sums.set(startS, sum);
    expect(await isRead(meter, first + 2), reports.join()).toBe(true);
    expect(home.logins).toBe(2);
    expect(reports).toEqual([expect.stringContaining("the connection was closed; trying again")]);
  });
});

describe("hostile answers", () => {
  const HUGE = JSON.stringify({ id: 1, type: "result", success: true, result: "x".repeat(17 * 2 ** 20) });

  test("rejects: greetings that are no greetings", async () => {
    const first = FIRST();
    simpleHome(first);
    const greetings = [
      "garbage",
      "null",
      "[]",
      '{"type":"event"}',
      JSON.stringify({ type: "auth_ok", ha_version: 7 }),
    ];
    for (const greeting of greetings) {
      home.greeting = greeting;
      const meter = await startMeter();
      expect(await eventually(() => reports.length > 0), greeting).toBe(true);
      await meter.stop();
      expect(reports.splice(0)[0], greeting).toContain("not Home Assistant");
    }
    home.greeting = null;
    home.version = "2022.12.9";
    await startMeter();
    expect(await eventually(() => reports.length > 0)).toBe(true);
    expect(reports[0]).toContain("2022.12.9 is too old");
  });

  test("rejects: answers that are garbage, huge, of other ids, malformed, or never come; then it reads on", async () => {
    const first = FIRST();
    simpleHome(first);
    const answers: [string, (id: number) => readonly (string | object)[]][] = [
      ["an undocumented message", () => ["\u0000garbage"]],
      ["an undocumented message", () => [{ id: "7", type: "result", success: true, result: {} }]],
      ["an undocumented message", () => [[[]]]],
      ["Max payload size exceeded", () => [HUGE]],
      ["was not answered", (id) => [{ id: id + 1_000, type: "result", success: true, result: {} }]],
      ["was not answered", () => []],
      ["Database is locked", (id) => [refusal(id, "Database is locked")]],
      ["recorder/statistics_during_period: ", (id) => [success(id, [])]],
      [
        "recorder/statistics_during_period: ",
        (id) => [success(id, { [IMPORT]: [{ start: 0, end: 1, sum: "5" }] })],
      ],
      ["recorder/statistics_during_period: ", (id) => [success(id, { [IMPORT]: [{ start: -1, end: 0.5 }] })]],
    ];
    for (const [reason, answer] of answers) {
      let isTampered = false;
      home.tamper = ({ id, type }) => {
        if (isTampered || type !== "recorder/statistics_during_period") return undefined;
        isTampered = true;
        return answer(id);
      };
      // Only what never comes is waited for in vain; the rest must not depend on this machine's pace.
      const meter = await startMeter(reason === "was not answered" ? 1_000 : undefined);
      expect(await isRead(meter, first + 1), `after ${reason}: ${reports.join()}`).toBe(true);
      await meter.stop();
      expect(reports.splice(0)[0]).toContain(reason);
    }
  }, 60_000);

  test("behavior: to stop does not wait for an answer that never comes", async () => {
    simpleHome(FIRST());
    home.tamper = () => [];
    const meter = await startMeter();
    expect(await eventually(() => home.asked.length > 0)).toBe(true);
    const begunMs = Date.now();
    await meter.stop();
    expect(Date.now() - begunMs).toBeLessThan(2_000);
  });
});

describe("any answer", () => {
  test("property: no JSON makes a decoder throw, and statistics become readings in order or nothing", () => {
    const row = fc.record({
      start: fc.nat(),
      end: fc.nat().map((end) => end * 1000),
      sum: fc.option(fc.double()),
    });
    const statistics = fc.dictionary(fc.constantFrom(IMPORT, EXPORT, "sensor.other"), fc.array(row));
    const likely = fc.record(
      {
        id: fc.oneof(fc.nat(), fc.jsonValue()),
        type: fc.constantFrom("result", "event", "pong", "auth_ok"),
        success: fc.boolean(),
        result: fc.jsonValue(),
        error: fc.jsonValue(),
        event: fc.jsonValue(),
        energy_sources: fc.array(fc.record({ type: fc.constant("grid"), flow_from: fc.jsonValue() })),
      },
      { requiredKeys: [] },
    );
    const schemas = [
      greetingSchema,
      messagesSchema,
      preferencesSchema,
      metadataSchema,
      statisticsSchema,
      firedEventSchema,
    ];
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), likely, fc.array(likely), statistics), (answer) => {
        for (const schema of schemas) schema.safeParse(answer);
        const decoded = statisticsSchema.safeParse(answer);
        if (!decoded.success) return;
        const slots = new SlotRegisters({ boundaries: volatileBoundaries(), report: () => {} });
        let lastS = -1;
        for (const reading of readingsOf(decoded.data, { imports: [IMPORT], exports: [EXPORT] })) {
          expect(reading.atS).toBeGreaterThan(lastS);
          lastS = reading.atS;
          slots.add(reading);
        }
      }),
    );
  });
});

const success = (id: number, result: unknown): object => ({ id, type: "result", success: true, result });
const refusal = (id: number, message: string): object => ({
  id,
  type: "result",
  success: false,
  error: { code: "unknown_error", message },
});

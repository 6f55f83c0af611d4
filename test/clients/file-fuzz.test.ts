// Owns what every reader of a file or an option of the clients owes for any content: an error that is named, or values
// in their bounds. Meter files have a test of their own. It refuses a reader that throws something else.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ZodError } from "zod";
import { audit } from "../../clients/audit/audit.ts";
import { address, degrees, price, seconds, share, whole } from "../../clients/cli/options.ts";
import { fileMemory } from "../../clients/household/agent-memory.ts";
import { parseLadders } from "../../clients/household/ladder-file.ts";
import { parseDecimalMicros, parseTariff } from "../../clients/household/tariff.ts";
import { csvMappingSchema, parseCsvMapping } from "../../clients/meter/csv-mapping.ts";
import { loadDataset } from "../../clients/scenario/data-folder.ts";
import { DataError } from "../../clients/scenario/data-set.ts";
import { gatewayIdOfSeed, signWindow } from "../../evidence/gateway-window.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH } from "../../protocol/limits.ts";
import { bodiesOf, chained, LIVELY_UNTIL_S, quietSteps, writeJournal } from "../support/client-journal.ts";
import { replayCorpus } from "../support/corpus.ts";
import { expectDecoded, hostile, mutated, mutatedText } from "../support/fuzz.ts";
import { DOMAIN, REGION, word } from "../support/market.ts";
import { type ProofCase, provedOf } from "../support/proofs.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RUNS = { numRuns: 400 };
const TARIFFS = [
  { name: "a", currency: "EUR", feedInPerKwh: "0.08", retail: { kind: "flat", perKwh: "0.30" } },
  {
    name: "b",
    currency: "EUR",
    feedInPerKwh: "-0.08",
    retail: { kind: "hourly", timeZone: "Europe/Amsterdam", perKwh: new Array(24).fill("0.3") },
  },
  {
    name: "c",
    currency: "EUR",
    feedInPerKwh: "0",
    retail: { kind: "series", startSlot: 5, slotsPerValue: 4, perKwh: ["0.1", "0.2"] },
  },
];
const LADDERS = [{ side: "sell", steps: [{ limitPerKwh: "0.12", capWhPerSlot: 500 }], hours: [10, 11] }];
const MAPPING = {
  time: { columns: ["Date", "Time"], format: "d/MM/yyyy H:mm", label: "end" },
  zone: "Europe/Berlin",
  unit: "kWh",
  decimal: ",",
  values: { import: "Bezug", net: { column: 3, positive: "export" } },
  quality: { column: "q", missing: ["N"] },
};
const isPrice = (micros: number): boolean => Math.abs(micros) <= MAX_ABSOLUTE_PRICE_MICROS_PER_KWH;

describe("files of prices and columns", () => {
  test("property: a tariff is refused by ZodError, or its prices are whole micros the market allows", () => {
    fc.assert(
      fc.property(fc.oneof(mutated(fc.constantFrom(...TARIFFS)), hostile), (content) => {
        if (!expectDecoded(content, parseTariff, [ZodError])) return;
        const { feedInMicrosPerKwh, retail } = parseTariff(content);
        expect([feedInMicrosPerKwh, retail.microsPerKwh].flat().every(isPrice)).toBe(true);
      }),
      RUNS,
    );
  });

  test("property: ladders are refused by ZodError, or their prices are whole micros the market allows", () => {
    fc.assert(
      fc.property(fc.oneof(mutated(fc.constant(LADDERS)), hostile), (content) => {
        if (!expectDecoded(content, parseLadders, [ZodError])) return;
        for (const { steps } of parseLadders(content))
          for (const { limitPriceMicrosPerKwh } of steps) expect(isPrice(limitPriceMicrosPerKwh)).toBe(true);
      }),
      RUNS,
    );
  });

  test("property: a mapping is refused by ZodError or RangeError, or means the same when it is written and read again", () => {
    fc.assert(
      fc.property(fc.oneof(mutated(fc.constant(MAPPING)), hostile), (content) => {
        if (!expectDecoded(content, parseCsvMapping, [ZodError, RangeError])) return;
        const mapping = parseCsvMapping(content);
        expect(csvMappingSchema.parse(JSON.parse(JSON.stringify(mapping)))).toEqual(mapping);
      }),
      RUNS,
    );
  });

  test("property: a decimal is refused by RangeError, or is exactly the micros that are written", () => {
    fc.assert(
      fc.property(mutatedText(fc.constantFrom("0.21", "-12.000001", "9007199254.740991")), (text) => {
        let micros: number;
        try {
          micros = parseDecimalMicros(text);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect(Number.isSafeInteger(micros) && !Object.is(micros, -0)).toBe(true);
        const [, sign, units, decimals = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) as unknown as string[];
        const exact = BigInt(`${units}${decimals.padEnd(30, "0")}`);
        expect(BigInt(micros) * 10n ** 24n).toBe(sign === "-" ? -exact : exact);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("property: an option of the command line is refused by name, or a number in its bounds", () => {
  const readers = [whole(1, 96), degrees, seconds, share, price, address];
  const texts = mutatedText(fc.constantFrom("12", "0.5", "-52.5", `0x${"ab".repeat(20)}`, "86400"));
  fc.assert(
    fc.property(fc.constantFrom(...readers), fc.oneof(texts, fc.string({ unit: "binary" })), (read, text) => {
      expectDecoded(text, (value) => read(value as string), [InvalidArgumentError], Number.isFinite);
    }),
    { numRuns: 2_000 },
  );
});

test("regression: minus zero degrees are zero degrees", () => {
  expect(degrees("-0")).toBe(0);
});

describe("an agent's memory", () => {
  const window = {
    firstSlot: 8,
    netWh: [1, 2, 3, 4],
    signed: signWindow(word(1), { ...DOMAIN, regionId: REGION, windowSlots: 4 }, 8, [1, 2, 3, 4]),
  };
  const gateway = gatewayIdOfSeed(word(1));
  const [{ proof: pairing }] = provedOf("meter-4") as [ProofCase];
  const evidence = {
    kind: "meter-proof",
    root: word(2),
    nullifier: word(3),
    heldBack: [1],
    proof: { ...pairing, protocol: "groth16", curve: "bn128" },
  };
  const lines = [
    { window },
    { end: { gateway, untilSlot: 12, importMicroWh: 5, exportMicroWh: 6 } },
    { proof: { account: `0x${"a1".repeat(20)}`, firstSlot: 8, netWh: [1, 0, -3, 4], evidence } },
  ];

  const opened = (text: string): string => {
    const file = join(folder, "memory.ndjson");
    writeFileSync(file, `${JSON.stringify(lines[0])}\n${text}\n`);
    try {
      const memory = fileMemory(file);
      const own = memory.ofGateway(gateway);
      expect(own.signedWindow(8)?.netWh.length).toBeGreaterThan(3);
      const end = own.endBefore(Number.MAX_SAFE_INTEGER);
      if (end !== undefined) expect(Number.isSafeInteger(end.importMicroWh)).toBe(true);
      const proof = memory.proof(word(3));
      if (proof !== undefined) expect(Number.isSafeInteger(proof.firstSlot)).toBe(true);
      for (const { entry } of memory.receipts()) expect(Number.isSafeInteger(entry)).toBe(true);
      return "accepted";
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
      return error.name;
    }
  };

  replayCorpus("agent-memory", (line) => opened(String(line)));

  test("property: a spoiled line is refused by name, or holds what an agent can rely on", () => {
    const value = mutated(fc.constantFrom(...lines)).map((line) => JSON.stringify(line) ?? "");
    const text = mutatedText(fc.constantFrom(...lines.map((line) => JSON.stringify(line))));
    fc.assert(
      fc.property(fc.oneof(value, text), (line) => {
        opened(line);
      }),
      { numRuns: 250 },
    );
  });
});

describe("folders of measured homes", () => {
  const home =
    "month,hour,day_type,daylight_savings_status,non_shiftable_load,solar_generation\n7,24,7,0,2.0001,0.0\n8,1,1,0,9.9e-08,500.0\n";
  const buildings = {
    buildings: {
      One: { energy_simulation: "One.csv", pricing: "pricing.csv", pv: { attributes: { nominal_power: 4 } } },
    },
  };
  const hourly = {
    "schema.json": JSON.stringify(buildings),
    "pricing.csv": "electricity_pricing\n0.22\n0.54\n",
    "One.csv": home,
  };
  const halfHourly = {
    "bondi_load_filled.csv": "timestamp,B1,cp\n9/08/2016 0:00,0.033,0.027\n9/08/2016 0:30,0.091,0.026\n",
    "B_exist_micro.csv": "timestamp,B1\n9/08/2016 0:00,0\n9/08/2016 0:30,0.2\n",
  };

  /** Loads a folder of these files; anything but a DataError is ours. */
  function loaded(files: Readonly<Record<string, string>>, options = {}): string {
    const at = mkdtempSync(join(folder, "data-"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(at, name), text);
    try {
      const { homes, slots, retail } = loadDataset(at, options);
      for (const one of homes)
        for (let slot = 0; slot < slots; slot += 1)
          expect(Number.isSafeInteger(one.netWhBySlot(slot))).toBe(true);
      expect([retail.microsPerKwh].flat().every(Number.isSafeInteger)).toBe(true);
      return "accepted";
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return error.name;
    } finally {
      rmSync(at, { recursive: true });
    }
  }

  const prices = (text: string) =>
    loaded({ ...hourly, "pricing.csv": `electricity_pricing\n${text}\n0.5\n` });
  replayCorpus("price-table", (text) => prices(String(text)));

  test("regression: the half-hourly tariff table, too, names a price that is no plain decimal", () => {
    const at = mkdtempSync(join(folder, "flats-"));
    for (const [name, text] of Object.entries(halfHourly)) writeFileSync(join(at, name), text);
    mkdirSync(join(at, "byron-11-participants"));
    writeFileSync(
      join(at, "byron-11-participants", "retail_tariffs.csv"),
      "type,flat_charge,block_1_charge,solar_tariff_1\nFlat,3e-1,0,0.1\n",
    );
    expect(() => loadDataset(at)).toThrow(DataError);
  });

  test("property: spoiled files are refused by DataError, or give whole Wh and micros", () => {
    const cases = [hourly, halfHourly] as const;
    const spoiled = fc.constantFrom(...cases).chain((files) =>
      fc.constantFrom(...Object.keys(files)).chain((name) =>
        fc
          .oneof(
            mutatedText(fc.constant((files as Record<string, string>)[name] as string)),
            mutated(fc.constant(buildings)).map((value) => JSON.stringify(value) ?? ""),
          )
          .map((text) => ({ ...files, [name]: text })),
      ),
    );
    expect([hourly, halfHourly].map((files) => loaded(files, { retailMicrosPerKwh: 300_000 }))).toEqual([
      "accepted",
      "accepted",
    ]);
    fc.assert(
      fc.property(spoiled, (files) => {
        loaded(files, { retailMicrosPerKwh: 300_000 });
      }),
      { numRuns: 300 },
    );
  });
});

/** True where nothing but the second of an entry differs. */
function isOnlyMoved(body: string, text: string): boolean {
  const moment = /(?<=^\{"number":\d+,"atS":)\d+/;
  return body.replace(moment, "") === text.replace(moment, "");
}

test("property: an audit names the entry that was written anew in whatever way, and never throws", async () => {
  const { lines } = await writeJournal(await quietSteps(), LIVELY_UNTIL_S);
  const bodies = bodiesOf(lines);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), async (at, turn) => {
      const index = at % bodies.length;
      const body = bodies[index] as string;
      const anew = fc.oneof(
        mutatedText(fc.constant(body)),
        mutated(fc.constant(JSON.parse(body))).map((value) => JSON.stringify(value) ?? ""),
      );
      const [text] = fc.sample(anew, { seed: turn, numRuns: 1 }) as [string];
      // A journal is UTF-8, which has no lone surrogates, and a line feed would make two lines of it.
      if (text.toWellFormed() === body || text.includes("\n")) return;
      const report = await audit(DOMAIN, chained(bodies.with(index, text.toWellFormed())));
      // An entry at another second may be a good one by itself; receipts and anchors hold its time.
      if (!isOnlyMoved(body, text)) expect(report.failure?.entry).toBe(index + 1);
    }),
    { numRuns: 100, examples: [[0, 2_147_483_645]] },
  );
});

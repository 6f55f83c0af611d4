// Owns what may be believed of P1 telegrams and how a stream is cut into them: the versions in the field, broken ones,
// and any bytes in any chunks. It refuses other people's recordings in the project; where they lie beside it, they are read.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_TELEGRAM_BYTES, P1Framer } from "../../clients/meter/p1-framing.ts";
import { p1Checksum, readTelegram } from "../../clients/meter/p1-telegram.ts";
import { sealed, stampOf, written } from "../support/p1-telegrams.ts";

const AT_S = Date.UTC(2026, 6, 3, 10, 0, 10) / 1000;
const KWH = 1_000_000_000;

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Frames and counts of a stream, given in chunks. */
function framed(chunks: readonly Uint8Array[]) {
  const framer = new P1Framer();
  const frames = chunks.flatMap((chunk) => framer.push(chunk));
  return { frames: [...frames, ...framer.end()], counts: framer.counts };
}

function read(text: string) {
  const { frames } = framed([bytes(text)]);
  expect(frames).toHaveLength(1);
  return readTelegram(frames[0] as (typeof frames)[0]);
}

/** A telegram whose checksum is right whatever its lines say. */
const lines = (...objects: string[]): string => sealed(["/MAD5\\UP", "", "1-3:0.2.8(50)", ...objects]);

/** DSMR 2.2: no stamp, no version, no checksum, eight digits, the gas on two lines. */
const OLD = [
  "/MAD5\\OLD-2",
  "",
  "0-0:96.1.1(4D4144452D5550)",
  "1-0:1.8.1(01234.567*kWh)",
  "1-0:1.8.2(00001.001*kWh)",
  "1-0:2.8.1(00000.250*kWh)",
  "1-0:2.8.2(00000.000*kWh)",
  "1-0:1.7.0(0001.01*kW)",
  "0-1:24.3.0(261107190000)(00)(60)(1)(0-1:24.2.1)(m3)",
  "(00001.001)",
  "!",
  "",
].join("\r\n");

/** Belgian: another version's number, the peaks of months on one long line. */
const BELGIAN = sealed([
  "/FLU5\\MADEUP_A",
  "",
  "0-0:96.1.4(50217)",
  "0-0:96.1.1(4D4144452D5550)",
  "0-0:1.0.0(260703120010S)",
  "1-0:1.8.1(000000.034*kWh)",
  "1-0:1.8.2(000015.758*kWh)",
  "1-0:2.8.1(000000.000*kWh)",
  "1-0:2.8.2(000000.011*kWh)",
  "0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(260601000000S)(260523192538S)(03.695*kW)(260501000000S)(260405122139S)(05.980*kW)",
]);

/** DSMR 4: a winter's stamp, whole amperes, a log of long power failures, a message of digits. */
const FOURTH = sealed([
  "/MAD5UP-METER",
  "",
  "1-3:0.2.8(42)",
  "0-0:1.0.0(261113205757W)",
  "0-0:96.1.1(4D4144452D5550)",
  "1-0:1.8.1(001581.123*kWh)",
  "1-0:1.8.2(001435.706*kWh)",
  "1-0:2.8.1(000000.000*kWh)",
  "1-0:2.8.2(000001.500*kWh)",
  "1-0:99.97.0(2)(0-0:96.7.19)(000104180320W)(0000237126*s)(000101000001W)(2147583646*s)",
  "0-0:96.13.0(303132333435363738)",
  "1-0:31.7.0(000*A)",
  "0-1:24.2.1(261113200000W)(00981.443*m3)",
]);

describe("a telegram", () => {
  test("rejects: a checksum that does not match, is no checksum, or is missing where the version has one", () => {
    const good = written({ atS: AT_S, importWh: 5_000, exportWh: 10 });
    expect(read(good.replace("000005.000", "000005.001"))).toEqual({ ok: false, fault: "checksum" });
    expect(read(good.replace(/![0-9A-F]{4}/, "!XYZW"))).toEqual({ ok: false, fault: "checksum" });
    expect(read(good.replace(/![0-9A-F]{4}/, "!012345"))).toEqual({ ok: false, fault: "checksum" });
    expect(read(good.replace(/![0-9A-F]{4}/, "!"))).toEqual({ ok: false, fault: "no_checksum" });
    expect(read(BELGIAN.replace(/![0-9A-F]{4}/, "!"))).toEqual({ ok: false, fault: "no_checksum" });
  });

  test("rejects: stamps and registers that are none, and a meter without electricity", () => {
    const register = "1-0:1.8.1(000001.000*kWh)";
    const faultOf = (...objects: string[]) => {
      const reading = read(lines(...objects));
      return reading.ok ? null : reading.fault;
    };
    for (const stamp of ["260231120000W", "260703120010", "260703250010S", "not a stamp", ""])
      expect(faultOf(`0-0:1.0.0(${stamp})`, register), stamp).toBe("malformed");
    for (const value of ["1.5*m3", "-00001.000*kWh", "000001,000*kWh", "", "999999999.000*kWh", "1e3*kWh"])
      expect(faultOf(`1-0:1.8.1(${value})`), value).toBe("malformed");
    expect(faultOf(register, "1-0:2.8.0(x)")).toBe("malformed");
    expect(faultOf("0-1:24.2.1(260215200523W)(240.860*GJ)")).toBe("no_registers");
    expect(faultOf("1-0:2.8.1(000001.000*kWh)")).toBe("no_registers");
  });

  test("behavior: both tariffs are added up; the stamp is Dutch time of its season", () => {
    expect(read(written({ atS: AT_S, importWh: 1_581_123, exportWh: 77 }))).toEqual({
      ok: true,
      telegram: {
        stampS: AT_S,
        importMicroWh: 1_581_123_000_000,
        exportMicroWh: 77_000_000,
        meter: "4D4144452D55502D31",
      },
    });
    expect(read(FOURTH)).toMatchObject({
      ok: true,
      telegram: {
        stampS: Date.UTC(2026, 10, 13, 19, 57, 57) / 1000,
        importMicroWh: 3_016_829_000_000,
        exportMicroWh: 1_500_000_000,
      },
    });
    expect(read(BELGIAN)).toMatchObject({
      ok: true,
      telegram: { stampS: AT_S, importMicroWh: 15_792_000_000, exportMicroWh: 11_000_000 },
    });
  });

  test("behavior: the hour that autumn repeats is told apart by its letter", () => {
    const stampS = (stamp: string) => {
      const reading = read(lines(`0-0:1.0.0(${stamp})`, "1-0:1.8.0(000001.000*kWh)"));
      return reading.ok ? reading.telegram.stampS : null;
    };
    const endOfSummerS = Date.UTC(2026, 9, 25, 1) / 1000;
    expect(stampS("261025025959S")).toBe(endOfSummerS - 1);
    expect(stampS("261025020000W")).toBe(endOfSummerS);
    for (const atS of [AT_S, endOfSummerS - 1, endOfSummerS, Date.UTC(2026, 0, 1) / 1000])
      expect(stampS(stampOf(atS))).toBe(atS);
  });

  test("behavior: an old telegram has neither stamp nor checksum; a total register stands for missing tariffs", () => {
    const reading = read(OLD);
    expect(reading).toEqual({
      ok: true,
      telegram: {
        stampS: null,
        importMicroWh: 1_235_568_000_000,
        exportMicroWh: 250_000_000,
        meter: "4D4144452D5550",
      },
    });
    expect(read(lines("1-0:1.8.0(00012.5*kWh)", "1-0:2.8.0(300*Wh)"))).toMatchObject({
      ok: true,
      telegram: { importMicroWh: 12.5 * KWH, exportMicroWh: 0.3 * KWH },
    });
  });

  test("behavior: a checksum holds without its leading zero, and for a recording that lost its carriage returns", () => {
    let importWh = 1;
    while (!/!0[1-9A-F]/.test(written({ atS: AT_S, importWh, exportWh: 0 }))) importWh += 1;
    const unpadded = written({ atS: AT_S, importWh, exportWh: 0 }).replace("!0", "!");
    expect(read(unpadded)).toMatchObject({ ok: true, telegram: { importMicroWh: importWh * 1_000_000 } });
    expect(read(unpadded.replaceAll("\r", ""))).toMatchObject({ ok: true });
    expect(read(unpadded.toLowerCase()), "another telegram altogether").toMatchObject({ ok: false });
    expect(p1Checksum("123456789"), "the check value of CRC-16/ARC").toBe(0xbb3d);
  });

  test("property: no text makes the reader throw, and one changed byte never passes the checksum", () => {
    const good = written({ atS: AT_S, importWh: 123_456, exportWh: 7 });
    const end = good.lastIndexOf("!");
    fc.assert(
      fc.property(fc.nat(end - 2), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const at = index + 1;
        const changed = String.fromCharCode(good.charCodeAt(at) ^ flip);
        const text = `${good.slice(0, at)}${changed}${good.slice(at + 1, end + 1)}`;
        expect(readTelegram({ text, checksum: good.slice(end + 1).trim() }).ok).toBe(false);
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.string({ maxLength: 6 }),
        (text, checksum) => {
          const reading = readTelegram({ text, checksum });
          if (reading.ok) expect(Number.isSafeInteger(reading.telegram.importMicroWh)).toBe(true);
        },
      ),
    );
  });
});

describe("a stream", () => {
  const telegram = (importWh: number) => written({ atS: AT_S + importWh, importWh, exportWh: 0 });

  test("rejects: telegrams that are cut off, and those without end; what follows is read", () => {
    const start = telegram(10);
    const { frames, counts } = framed([
      bytes(start.slice(200)),
      bytes(telegram(20)),
      bytes(start.slice(0, 150)),
      bytes(telegram(30)),
      bytes(`/${"x".repeat(3 * MAX_TELEGRAM_BYTES)}`),
      bytes(telegram(40)),
      bytes(start.slice(0, 99)),
    ]);
    expect(frames.map((frame) => readTelegram(frame))).toMatchObject(
      [20, 30, 40].map((wh) => ({ ok: true, telegram: { importMicroWh: wh * 1_000_000 } })),
    );
    expect(counts).toEqual({ cutOff: 2, oversized: 1 });
  });

  test("behavior: line ends of either kind, a missing last line end, and no line end before the next telegram", () => {
    const unix = telegram(20).replaceAll("\r", "");
    for (const stream of [unix + telegram(30), telegram(20).trimEnd() + telegram(30).trimEnd(), OLD + OLD])
      expect(framed([bytes(stream)]).frames.map((frame) => readTelegram(frame).ok)).toEqual([true, true]);
  });

  test("behavior: a telegram is there when its last line is, not when the next begins", () => {
    const framer = new P1Framer();
    expect(framer.push(bytes(telegram(20).slice(0, -2)))).toEqual([]);
    expect(framer.push(bytes("\r\n"))).toHaveLength(1);
  });

  const piece = fc.oneof(
    fc.constantFrom(
      telegram(20),
      FOURTH,
      telegram(30).replaceAll("\r", ""),
      OLD,
      BELGIAN,
      "/",
      "!",
      "\r\n",
      "!12",
      "/AB",
    ),
    fc.string({ unit: fc.constantFrom("/", "!", "\r", "\n", "a", "0"), maxLength: 40 }),
    fc.string({ unit: "binary-ascii", maxLength: 40 }),
    fc.nat(2 * MAX_TELEGRAM_BYTES).map((length) => "y".repeat(length)),
    fc.tuple(fc.nat(600), fc.nat(600)).map(([from, length]) => telegram(40).slice(from, from + length)),
  );

  test("property: the same bytes give the same telegrams and counts in any chunks", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }).map((pieces) => bytes(pieces.join(""))),
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 50 }),
        (stream, lengths) => {
          const chunks: Uint8Array[] = [];
          for (let from = 0, index = 0; from < stream.length; index += 1) {
            const length = lengths[index % lengths.length] as number;
            chunks.push(stream.subarray(from, from + length));
            from += length;
          }
          expect(framed(chunks)).toEqual(framed([stream]));
        },
      ),
    );
  });

  test("property: however broken the stream, a whole telegram after it is found", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const frames = framed([bytes(pieces.join("")), bytes(telegram(50))]).frames;
        expect(readTelegram(frames.at(-1) as (typeof frames)[0])).toMatchObject({
          ok: true,
          telegram: { importMicroWh: 50_000_000 },
        });
      }),
    );
  });
});

const RECORDED = join(import.meta.dirname, "../../../shared/data/dsmr-p1");

describe.skipIf(!existsSync(RECORDED))("recorded telegrams beside the project (skipped where absent)", () => {
  const readAll = (file: string) =>
    framed([readFileSync(file)]).frames.map((frame) => {
      const reading = readTelegram(frame);
      return reading.ok ? reading.telegram : reading.fault;
    });

  test("behavior: each version in the field is read, and the heat meter's is told apart", () => {
    const folder = join(RECORDED, "telegrams");
    const names = readdirSync(folder).filter((name) => name.startsWith("telegram"));
    const read = Object.fromEntries(names.map((name) => [name, readAll(join(folder, name))]));
    expect(read).toMatchObject({
      "telegram_v2_2.txt": [{ stampS: null, importMicroWh: 2_002_000_000, exportMicroWh: 2_002_000_000 }],
      "telegram_v4_2.txt": [
        {
          stampS: Date.UTC(2016, 10, 13, 19, 57, 57) / 1000,
          importMicroWh: 3_016_829_000_000,
          exportMicroWh: 0,
        },
      ],
      "telegram_v5.txt": [
        {
          stampS: Date.UTC(2017, 0, 2, 18, 20, 2) / 1000,
          importMicroWh: 6_825_000_000,
          exportMicroWh: 2_444_000_000,
        },
      ],
      "telegram_fluvius_v171.txt": [
        {
          stampS: Date.UTC(2020, 4, 12, 11, 54, 9) / 1000,
          importMicroWh: 15_792_000_000,
          exportMicroWh: 11_000_000,
        },
      ],
      "telegram_unpadded_crc.txt": ["no_registers"],
    });
  });

  test("behavior: a serial stream that was recorded from the middle of a telegram on is read from the next one", () => {
    const file = join(RECORDED, "recorded-serial-stream/ttyUSB0-mini.txt");
    const telegrams = readAll(file);
    expect(telegrams.length).toBeGreaterThan(1);
    for (const telegram of telegrams) expect(telegram).toMatchObject({ importMicroWh: 6_657_459_000_000 });
  });
});

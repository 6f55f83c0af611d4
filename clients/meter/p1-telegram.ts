// Owns what a P1 telegram says about energy: its registers, its stamp, its meter, and whether its checksum holds. It
// refuses a telegram whose checksum is wrong or missing where its version must have one. (The `dsmr-parser` of npm reads a
// stamp in the machine's own time zone and energy as floats, and knows neither DSMR 2.2 nor unpadded checksums.)

import type { P1Frame } from "./p1-framing.ts";

/** What the market needs of a telegram. */
export interface P1Telegram {
  /** Unix seconds of the meter's clock; null where the telegram has no stamp (DSMR 2.2 and 3). */
  readonly stampS: number | null;
  /** State of the import registers together, µWh. */
  readonly importMicroWh: number;
  /** State of the export registers together, µWh; 0 where the meter has none. */
  readonly exportMicroWh: number;
  /** The meter's own number as it stands in the telegram: for comparison only, never shown. */
  readonly meter: string | null;
}

/**
 * Why a telegram was dropped. `checksum`: it does not match. `no_checksum`: there is none, though the version has one.
 * `no_registers`: it knows no electricity, as those of heat meters. `malformed`: a stamp or a register is not one.
 */
export type P1Fault = "checksum" | "no_checksum" | "no_registers" | "malformed";

export type P1Reading =
  | { readonly ok: true; readonly telegram: P1Telegram }
  | { readonly ok: false; readonly fault: P1Fault };

/** What each fault is, after "a telegram was dropped:". */
export const P1_FAULTS: Readonly<Record<P1Fault, string>> = {
  checksum: "its checksum is wrong",
  no_checksum: "it has no checksum, though its version has one",
  no_registers: "it has no electricity registers",
  malformed: "a stamp or a register in it is none",
};

/** CRC-16/ARC, polynomial x¹⁶ + x¹⁵ + x² + 1 with the lowest bit first, as the P1 companion standard asks for. */
const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1) ^ (crc & 1 ? 0xa001 : 0);
  return crc;
});

/** Checksum of a telegram's text from the slash to the exclamation mark, one character per byte. */
export function p1Checksum(text: string): number {
  let crc = 0;
  for (let index = 0; index < text.length; index += 1)
    crc = (crc >> 8) ^ (CRC_TABLE[(crc ^ text.charCodeAt(index)) & 0xff] as number);
  return crc;
}

/** Reads a telegram, or says why it is dropped. It never throws. */
export function readTelegram({ text, checksum }: Pick<P1Frame, "text" | "checksum">): P1Reading {
  const lines = objectsOf(text);
  const stamp = lines.get("0-0:1.0.0");
  const isVersioned = stamp !== undefined || lines.has("1-3:0.2.8") || lines.has("0-0:96.1.4");
  if (checksum === "") {
    if (isVersioned) return dropped("no_checksum");
  } else if (!holds(text, checksum)) return dropped("checksum");
  const stampS = stamp === undefined ? null : stampOf(stamp);
  const importMicroWh = registerOf(lines, 1);
  const exportMicroWh = registerOf(lines, 2);
  if (Number.isNaN(stampS) || Number.isNaN(importMicroWh) || Number.isNaN(exportMicroWh))
    return dropped("malformed");
  if (importMicroWh === null) return dropped("no_registers");
  const meter = lines.get("0-0:96.1.1") ?? null;
  return { ok: true, telegram: { stampS, importMicroWh, exportMicroWh: exportMicroWh ?? 0, meter } };
}

function dropped(fault: P1Fault): P1Reading {
  return { ok: false, fault };
}

/** Whether the checksum is right, also where its leading zeros are missing or a recorder dropped carriage returns. */
function holds(text: string, checksum: string): boolean {
  if (!/^[0-9A-Fa-f]{1,4}$/.test(checksum)) return false;
  const stated = Number.parseInt(checksum, 16);
  if (p1Checksum(text) === stated) return true;
  return !text.includes("\r") && p1Checksum(text.replaceAll("\n", "\r\n")) === stated;
}

/** Objects that are read: both directions' registers, stamp, versions, and the meter's number. */
const OBJECTS = /^(1-0:[12]\.8\.\d|0-0:1\.0\.0|1-3:0\.2\.8|0-0:96\.1\.[14])\(([^()\r\n]*)\)/gm;

/** The first value in brackets of each object that is read, on a line of its own. */
function objectsOf(text: string): Map<string, string> {
  const objects = new Map<string, string>();
  for (const [, id = "", value = ""] of text.matchAll(OBJECTS)) if (!objects.has(id)) objects.set(id, value);
  return objects;
}

/**
 * Unix seconds of `YYMMDDhhmmss` and S or W: Dutch and Belgian time, of summer two hours ahead of UTC and of winter
 * one, so that the hour that autumn repeats is told apart. NaN for anything else.
 */
function stampOf(value: string): number {
  const match = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW])$/.exec(value);
  if (match === null) return Number.NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const localMs = Date.UTC(2000 + year, month - 1, day, hour, minute, second);
  // 31 February would silently be another day.
  const spelled = new Date(localMs).toISOString().replace(/\D/g, "").slice(2, 14);
  if (spelled !== value.slice(0, 12)) return Number.NaN;
  return localMs / 1000 - (match[7] === "S" ? 7_200 : 3_600);
}

/**
 * µWh of the registers of a direction: those of the tariffs added up, or the total where a meter has no tariffs. Null
 * where there is none, NaN where one is no energy.
 */
function registerOf(objects: Map<string, string>, direction: 1 | 2): number | null {
  let sum: number | null = null;
  for (let tariff = 1; tariff <= 9; tariff += 1) {
    const value = objects.get(`1-0:${direction}.8.${tariff}`);
    if (value !== undefined) sum = (sum ?? 0) + microWhOf(value);
  }
  const total = objects.get(`1-0:${direction}.8.0`);
  const state = sum ?? (total === undefined ? null : microWhOf(total));
  return state === null || Number.isSafeInteger(state) ? state : Number.NaN;
}

/** µWh of a register such as `001581.123*kWh`, exact; NaN for anything else. */
function microWhOf(value: string): number {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?\*(kWh|Wh)$/.exec(value);
  if (match === null) return Number.NaN;
  const [, whole = "", fraction = "", unit] = match;
  const millionths = Number(whole) * 1_000_000 + Number(fraction.padEnd(6, "0"));
  return unit === "kWh" ? millionths * 1_000 : millionths;
}

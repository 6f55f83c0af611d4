// Owns telegrams for tests, written as meters write them and with the right checksum. It refuses real meters' numbers:
// every value here is made up.

import { p1Checksum } from "../../clients/meter/p1-telegram.ts";

/** What a written telegram says. */
export interface WrittenTelegram {
  /** Unix seconds; written as Dutch time of the season. */
  readonly atS: number;
  /** Wh of both tariffs together; the first tariff has all but 100 kWh of it, where there is so much. */
  readonly importWh: number;
  readonly exportWh: number;
  readonly meter?: string;
}

/** Seconds that Dutch time is ahead of UTC, from the platform's own zone data. */
function offsetS(atS: number): number {
  const hour = new Date(atS * 1000).toLocaleString("en", {
    timeZone: "Europe/Amsterdam",
    hour: "numeric",
    hourCycle: "h23",
  });
  return ((Number(hour) - new Date(atS * 1000).getUTCHours() + 24) % 24) * 3600;
}

/** A stamp such as `260401000000S`. */
export function stampOf(atS: number): string {
  const ahead = offsetS(atS);
  const local = new Date((atS + ahead) * 1000).toISOString().replace(/\D/g, "").slice(2, 14);
  return `${local}${ahead === 7_200 ? "S" : "W"}`;
}

const kWh = (wh: number): string => `${(wh / 1000).toFixed(3).padStart(10, "0")}*kWh`;

/** A telegram with its checksum, from its header and lines, in the line ends of a meter. */
export function sealed(lines: readonly string[]): string {
  const body = `${lines.join("\r\n")}\r\n!`;
  return `${body}${p1Checksum(body).toString(16).toUpperCase().padStart(4, "0")}\r\n`;
}

/** A DSMR 5 telegram. */
export function written({ atS, importWh, exportWh, meter = "4D4144452D55502D31" }: WrittenTelegram): string {
  const night = Math.min(100_000, importWh);
  return sealed([
    "/MAD5\\UP-METER-1",
    "",
    "1-3:0.2.8(50)",
    `0-0:1.0.0(${stampOf(atS)})`,
    `0-0:96.1.1(${meter})`,
    `1-0:1.8.1(${kWh(importWh - night)})`,
    `1-0:1.8.2(${kWh(night)})`,
    `1-0:2.8.1(${kWh(exportWh)})`,
    `1-0:2.8.2(${kWh(0)})`,
    "0-0:96.14.0(0002)",
    "1-0:1.7.0(00.244*kW)",
    "1-0:2.7.0(00.000*kW)",
    "1-0:99.97.0(0)(0-0:96.7.19)",
    "0-0:96.13.0()",
    "0-1:24.1.0(003)",
    "0-1:96.1.0(3030303030303030)",
    `0-1:24.2.1(${stampOf(atS - 300)})(00012.345*m3)`,
  ]);
}

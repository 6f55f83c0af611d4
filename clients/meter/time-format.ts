// Owns reading times as files write them: ISO 8601, unix time, and patterns such as d/MM/yyyy H:mm. It refuses patterns
// with letters it does not know, and days and hours that are not on any calendar.

/** A time as written. */
export interface WrittenTime {
  /** Seconds as if the clock were UTC. */
  readonly localS: number;
  /** Seconds ahead of UTC where the time says so itself. */
  readonly offsetS: number | null;
}

export type TimeFormat = (text: string) => WrittenTime | null;

type Part =
  | "year"
  | "month"
  | "monthName"
  | "day"
  | "hour"
  | "hour12"
  | "half"
  | "minute"
  | "second"
  | "zone";

const TOKENS: Readonly<Record<string, readonly [Part | null, string]>> = {
  yyyy: ["year", "([0-9]{4})"],
  yy: ["year", "([0-9]{2})"],
  MMM: ["monthName", "([A-Za-z]{3})"],
  MM: ["month", "([0-9]{2})"],
  M: ["month", "([0-9]{1,2})"],
  dd: ["day", "([0-9]{2})"],
  d: ["day", "([0-9]{1,2})"],
  HH: ["hour", "([0-9]{2})"],
  H: ["hour", "([0-9]{1,2})"],
  hh: ["hour12", "([0-9]{2})"],
  h: ["hour12", "([0-9]{1,2})"],
  a: ["half", "([AaPp])\\.?[Mm]\\.?"],
  mm: ["minute", "([0-9]{2})"],
  m: ["minute", "([0-9]{1,2})"],
  ss: ["second", "([0-9]{2})"],
  s: ["second", "([0-9]{1,2})"],
  SSS: [null, "[0-9]{1,9}"],
  XXX: ["zone", "(Z|[+-][0-9]{2}:?[0-9]{2})"],
};
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const ISO =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?$/;
const MAX_TEXT = 64;

/**
 * A reader of times: `iso`, `unix` (seconds), `unix-ms`, or a pattern of yyyy, yy, MMM, MM, M, dd, d, HH, H, hh, h, a,
 * mm, m, ss, s, SSS, XXX (zone) and other characters as they are. It answers null for text that is no such time.
 * 24:00 is the end of its day.
 * @throws RangeError for a pattern without year, month and day, or with letters it does not know
 */
export function timeFormatOf(format: string): TimeFormat {
  if (format === "iso")
    return (text) => timeOf(ISO, ["year", "month", "day", "hour", "minute", "second", "zone"], text);
  if (format === "unix") return (text) => unixTime(text, 1);
  if (format === "unix-ms") return (text) => unixTime(text, 1_000);
  const parts: Part[] = [];
  let source = "";
  for (const [piece] of format.matchAll(/([A-Za-z])\1*|[^A-Za-z]/g)) {
    const token = TOKENS[piece];
    if (token === undefined && /[A-Za-z]/.test(piece) && piece !== "T")
      throw new RangeError(`no part of a time: ${piece} in ${format}`);
    if (token?.[0]) parts.push(token[0]);
    source += token?.[1] ?? piece.replace(/[^A-Za-z0-9 ]/g, "\\$&");
  }
  const has = (...some: Part[]) => some.some((part) => parts.includes(part));
  if (!has("year") || !has("month", "monthName") || !has("day") || new Set(parts).size !== parts.length)
    throw new RangeError(`not year, month and day, once each: ${format}`);
  if (has("hour12") !== has("half")) throw new RangeError(`h and a belong together: ${format}`);
  const pattern = new RegExp(`^${source}$`);
  return (text) => timeOf(pattern, parts, text);
}

function unixTime(text: string, perSecond: number): WrittenTime | null {
  if (!/^-?[0-9]{1,15}(\.0+)?$/.test(text)) return null;
  const localS = Number(text) / perSecond;
  return Number.isInteger(localS) ? { localS, offsetS: 0 } : null;
}

function timeOf(pattern: RegExp, parts: readonly Part[], text: string): WrittenTime | null {
  const match = text.length > MAX_TEXT ? null : pattern.exec(text);
  if (match === null) return null;
  let year = 0;
  let month = 0;
  let day = 0;
  let hour = 0;
  let minute = 0;
  let second = 0;
  let half = "";
  let offsetS: number | null = null;
  for (let i = 0; i < parts.length; i += 1) {
    const value = match[i + 1] ?? "";
    switch (parts[i]) {
      case "year":
        year = value.length === 2 ? 2000 + Number(value) : Number(value);
        break;
      case "month":
        month = Number(value);
        break;
      case "monthName":
        month = MONTHS.indexOf(value.toLowerCase()) + 1;
        break;
      case "day":
        day = Number(value);
        break;
      case "hour":
        hour = Number(value);
        break;
      case "hour12":
        hour = value === "0" || value === "00" ? 99 : Number(value) % 12;
        if (Number(value) > 12) hour = 99;
        break;
      case "half":
        half = value.toLowerCase();
        break;
      case "minute":
        minute = Number(value);
        break;
      case "second":
        second = Number(value);
        break;
      default:
        offsetS = value === "" ? null : offsetOf(value);
    }
  }
  const localS = secondsOf(year, month, day, half === "p" ? hour + 12 : hour, minute, second);
  return Number.isNaN(localS) ? null : { localS, offsetS };
}

function offsetOf(text: string): number {
  if (text === "Z") return 0;
  const size = Number(text.slice(1, 3)) * 3_600 + Number(text.slice(-2)) * 60;
  return text[0] === "-" ? 0 - size : size;
}

/** Seconds of a moment of the calendar as if it were UTC; NaN where there is no such moment. */
function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const isEndOfDay = hour === 24 && minute === 0 && second === 0;
  if (month < 1 || month > 12 || day < 1 || (hour > 23 && !isEndOfDay) || minute > 59 || second > 59)
    return Number.NaN;
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return Number.NaN;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

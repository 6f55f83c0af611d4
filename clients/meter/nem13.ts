// Owns NEM13, the accumulated meter data of the Australian market (AEMO, Meter Data File Format: records 100, 250, 550,
// 900). It refuses files without one such record; quantities are as stated, never worked out from the reads.

import { scaledDecimal } from "./decimal.ts";
import {
  type Batch,
  energyFault,
  type Interval,
  isMeterTime,
  MeterFileError,
  type Note,
  type Quality,
  shortened,
} from "./interval.ts";
import type { Member } from "./meter-file.ts";
import { NEM_UNIT_POWERS, type NemOptions, nemQuality } from "./nem12.ts";
import { readLines } from "./text-lines.ts";

/** Places of a 250 record's fields. */
const FIELDS = {
  nmi: 1,
  suffix: 4,
  direction: 7,
  from: 9,
  until: 14,
  flag: 15,
  quantity: 18,
  unit: 19,
} as const;
const MAX_FIELDS = 24;

/**
 * Intervals and notes of a NEM13 file: one interval from read to read, weeks or months long. The direction is the
 * record's: E is energy out of the grid, so import of the home, and I into it. Throws MeterFileError.
 */
export async function* parseNem13(member: Member, options: NemOptions): AsyncGenerator<Batch> {
  const file = member.name;
  let records = 0;
  for await (const { lines, firstLine } of readLines(member)) {
    const intervals: Interval[] = [];
    const notes: Note[] = [];
    lines.forEach((text, i) => {
      const fields = text.split(",", MAX_FIELDS).map((field) => field.trim());
      const kind = fields[0] ?? "";
      if (kind === "250") {
        records += 1;
        const read = intervalOf(file, fields, firstLine + i, options);
        if ("channel" in read) intervals.push(read);
        else notes.push(read);
      } else if (kind !== "" && kind !== "100" && kind !== "550" && kind !== "900")
        notes.push(noteOf(file, firstLine + i, "record", "is no record of NEM13", kind));
    });
    yield { intervals, notes };
  }
  if (records === 0) throw new MeterFileError(file, "has no read (250) of NEM13");
}

function intervalOf(
  file: string,
  fields: readonly string[],
  line: number,
  { channels, clock }: NemOptions,
): Interval | Note {
  const field = (name: keyof typeof FIELDS): string => fields[FIELDS[name]] ?? "";
  const note = (name: string, reason: string, found: string) => noteOf(file, line, name, reason, found);
  const [nmi, suffix, direction] = [field("nmi"), field("suffix"), field("direction").toUpperCase()];
  if (nmi === "" || suffix === "") return note("register", "names no meter and register", `${nmi} ${suffix}`);
  if (direction !== "E" && direction !== "I") return note("direction", "is neither E nor I", direction);
  const power = NEM_UNIT_POWERS[field("unit").toUpperCase()];
  if (power === undefined) return note("unit", "is not Wh, kWh or MWh", field("unit"));
  const startS = momentS(field("from")) - clock.standardOffsetS;
  const untilS = momentS(field("until")) - clock.standardOffsetS;
  if (!isMeterTime(startS))
    return note("previous read", "is not a moment written yyyymmddhhmmss", field("from"));
  if (!isMeterTime(untilS))
    return note("current read", "is not a moment written yyyymmddhhmmss", field("until"));
  const durationS = untilS - startS;
  if (durationS < 1) return note("current read", "is not after the previous one", field("until"));
  const quality: Quality | undefined = nemQuality(field("flag"));
  if (quality === undefined) return note("quality", "is null (N), or no quality", field("flag"));
  const quantity = field("quantity");
  const microWh = scaledDecimal(quantity, 0, quantity.length, power);
  const fault = energyFault(microWh, durationS);
  if (fault !== null) return note("quantity", quantity === "" ? "is empty" : fault, quantity);
  const flow = direction === "E" ? "import" : "export";
  const channel = channels.of(file, nmi, suffix, flow);
  return { channel, flow, startS, durationS, microWh, quality, line };
}

/** Seconds of `yyyymmddhhmmss` as if it were UTC; NaN where it is no such moment. */
function momentS(text: string): number {
  const match = /^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$/.exec(text);
  if (match === null) return Number.NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const atMs = Date.UTC(year, month - 1, day, hour, minute, second);
  const spelled = new Date(atMs).toISOString().replace(/\D/g, "").slice(0, 14);
  return spelled === text ? atMs / 1000 : Number.NaN;
}

function noteOf(file: string, line: number, field: string, reason: string, found: string): Note {
  return { isLoss: true, file, line, field, reason, found: shortened(found.slice(0, 60)) };
}

// Owns recorded P1 telegrams as a meter file: what flowed between each two of them. It refuses files without one telegram
// of an electricity meter; what is dropped, and a telegram without a neighbour, is noted.

import { createHash } from "node:crypto";
import {
  type Batch,
  type ChannelBook,
  energyFault,
  type Interval,
  isMeterTime,
  MeterFileError,
  type Note,
} from "./interval.ts";
import type { Member } from "./meter-file.ts";
import { type P1Frame, P1Framer } from "./p1-framing.ts";
import { P1_FAULTS, type P1Telegram, readTelegram } from "./p1-telegram.ts";
import { RegisterSeries, type RegisterStep } from "./register-series.ts";

/** Intervals and notes of recorded telegrams, in the order of the file. @throws MeterFileError */
export async function* p1Intervals(member: Member, channels: ChannelBook): AsyncGenerator<Batch> {
  const framer = new P1Framer();
  const recording = new Recording(member.name, channels);
  for await (const chunk of member.open()) {
    for (const frame of framer.push(chunk)) recording.take(frame);
    yield recording.batch();
  }
  for (const frame of framer.end()) recording.take(frame);
  recording.end(framer);
  yield recording.batch();
}

/** Whether a file's beginning looks like telegrams, also from the middle of one on. */
export function looksLikeP1(text: string): boolean {
  return /^\/[A-Za-z]{3}\S/m.test(text) && /^\d-\d+:\d+\.\d+\.\d+\(/m.test(text);
}

const DIRECTIONS = [
  { measure: "import", register: "1-0:1.8" },
  { measure: "export", register: "1-0:2.8" },
] as const;
type Direction = (typeof DIRECTIONS)[number];

/** The telegrams of one file, meter by meter. */
class Recording {
  readonly #file: string;
  readonly #channels: ChannelBook;
  readonly #series = new Map<string, RegisterSeries>();
  #intervals: Interval[] = [];
  #notes: Note[] = [];
  #last: P1Telegram | null = null;
  #flows = 0;

  constructor(file: string, channels: ChannelBook) {
    this.#file = file;
    this.#channels = channels;
  }

  batch(): Batch {
    const batch = { intervals: this.#intervals, notes: this.#notes };
    this.#intervals = [];
    this.#notes = [];
    return batch;
  }

  take(frame: P1Frame): void {
    const reading = readTelegram(frame);
    if (!reading.ok) {
      this.#note(true, frame.line, "telegram", `was dropped: ${P1_FAULTS[reading.fault]}`);
      return;
    }
    const { telegram } = reading;
    this.#last = telegram;
    if (telegram.stampS !== null && isMeterTime(telegram.stampS)) {
      for (const direction of DIRECTIONS) this.#count(telegram, telegram.stampS, direction, frame.line);
    } else {
      this.#note(true, frame.line, "telegram", "has no stamp, so nobody knows when it was sent");
    }
  }

  /** @throws MeterFileError where no telegram was one */
  end({ counts }: P1Framer): void {
    if (this.#last === null)
      throw new MeterFileError(this.#file, "has no whole P1 telegram of an electricity meter");
    for (const [key, series] of this.#series) {
      const [meter = "", register = ""] = key.split("\0");
      const direction = DIRECTIONS.find((one) => one.register === register) as Direction;
      this.#keep(series.end(), meter, direction, 0);
    }
    if (counts.cutOff > 0) this.#note(true, 0, "telegram", "is cut off", `${counts.cutOff} in all`);
    if (counts.oversized > 0)
      this.#note(true, 0, "telegram", "is longer than a meter may send", `${counts.oversized} in all`);
    if (this.#flows > 0) return;
    const { importMicroWh, exportMicroWh } = this.#last;
    const registers = `${importMicroWh / 1e9} kWh import, ${exportMicroWh / 1e9} kWh export`;
    this.#note(false, 0, "telegram", `tells its registers (${registers}), and without another no interval`);
  }

  #count(telegram: P1Telegram, atS: number, direction: Direction, line: number): void {
    const meter = meterName(telegram.meter);
    const key = `${meter}\0${direction.register}`;
    const series = this.#series.get(key) ?? new RegisterSeries();
    this.#series.set(key, series);
    const microWh = direction.measure === "import" ? telegram.importMicroWh : telegram.exportMicroWh;
    this.#keep(series.add({ atS, microWh }), meter, direction, line);
  }

  #keep({ flows, notes }: RegisterStep, meter: string, { measure, register }: Direction, line: number): void {
    for (const { fault, atS, what } of notes) {
      // A meter that stamps whole seconds may say the same twice in one.
      const found = new Date(atS * 1000).toISOString();
      this.#note(fault !== "duplicate", line, `register ${register}`, what, found);
    }
    for (const { startS, durationS, microWh } of flows) {
      const fault = energyFault(microWh, durationS);
      if (fault !== null) {
        this.#note(true, line, `register ${register}`, fault, `${microWh / 1e6} Wh in ${durationS} s`);
        continue;
      }
      this.#flows += 1;
      const channel = this.#channels.of(this.#file, meter, register, measure);
      this.#intervals.push({ channel, flow: measure, startS, durationS, microWh, quality: "actual", line });
    }
  }

  #note(isLoss: boolean, line: number, field: string, reason: string, found?: string): void {
    this.#notes.push({
      isLoss,
      file: this.#file,
      line,
      field,
      reason,
      ...(found === undefined ? {} : { found }),
    });
  }
}

/** A meter's name for people: telegrams tell two meters apart, but its number is its owner's. */
function meterName(meter: string | null): string {
  if (meter === null) return "P1";
  return `P1 ${createHash("sha256").update(meter).digest("hex").slice(0, 8)}`;
}

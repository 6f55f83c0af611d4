// Owns reading meter files of any known format: what a file is, by its content or its owner's word, and that nothing in
// it counts twice. It refuses files of no known format.

import { CoverageBook } from "./coverage.ts";
import { parseCsv } from "./csv-file.ts";
import type { CsvMapping } from "./csv-mapping.ts";
import { parseGreenButton } from "./green-button.ts";
import { type Batch, ChannelBook, MeterFileError } from "./interval.ts";
import { type MeterClock, parseClock } from "./meter-clock.ts";
import { type Member, membersOf } from "./meter-file.ts";
import { parseNem12 } from "./nem12.ts";
import { parseNem13 } from "./nem13.ts";
import { looksLikeP1, p1Intervals } from "./p1-recording.ts";

export const METER_FORMATS = ["nem12", "nem13", "greenbutton", "csv", "p1"] as const;
export type MeterFormat = (typeof METER_FORMATS)[number];

export interface ReadOptions {
  /** Without it the content says. */
  readonly format?: MeterFormat | undefined;
  /** The clock of the file's times, where it is not the format's own. */
  readonly clock?: MeterClock | undefined;
  /** What the columns of CSV files mean, where their header does not say it. */
  readonly mapping?: CsvMapping | undefined;
}

/** The clock of the Australian market's files: eastern standard time all year. */
export const NEM_CLOCK = parseClock("UTC+10");
const UTC = parseClock("UTC");
/** Enough to see what a file is, behind a long comment, too. */
const LOOK_BYTES = 65_536;

/** What is read together: the files' intervals, once each, and the time they cover. */
export class MeterReading {
  readonly coverage = new CoverageBook();
  readonly #channels = new ChannelBook();
  readonly #options: ReadOptions;
  #clock: MeterClock | undefined;

  constructor(options: ReadOptions = {}) {
    this.#options = options;
  }

  /** The clock in which to tell people of what was read: that of the files. */
  get clock(): MeterClock {
    return this.#options.clock ?? this.#clock ?? UTC;
  }

  /** Batches of the files at the paths, in their order; what an earlier one told stands. @throws MeterFileError */
  async *read(paths: readonly string[]): AsyncGenerator<Batch> {
    for (const path of paths) yield* this.readMembers(await membersOf(path));
  }

  /**
   * Batches of files that belong together. One of no known format is left out by name where another is read.
   * @throws MeterFileError for what cannot be used at all
   */
  async *readMembers(members: readonly Member[]): AsyncGenerator<Batch> {
    const unknown: string[] = [];
    for (const member of members) {
      const format = this.#options.format ?? (await formatOf(member));
      if (format === null) unknown.push(member.name);
      else
        for await (const batch of this.#parse(member, format)) yield this.coverage.admit(batch, member.name);
    }
    if (unknown.length === members.length)
      throw new MeterFileError(unknown[0] ?? "nothing", `is of no known format: ${FORMAT_NAMES}`);
    const about = { isLoss: true, line: 0, field: "file", reason: "is of no known format" };
    yield { intervals: [], notes: unknown.map((file) => ({ ...about, file })) };
  }

  #parse(member: Member, format: MeterFormat): AsyncGenerator<Batch> {
    const channels = this.#channels;
    const { clock, mapping } = this.#options;
    switch (format) {
      case "nem12":
        this.#clock ??= NEM_CLOCK;
        return parseNem12(member, { channels, clock: clock ?? NEM_CLOCK });
      case "nem13":
        this.#clock ??= NEM_CLOCK;
        return parseNem13(member, { channels, clock: clock ?? NEM_CLOCK });
      case "greenbutton":
        return parseGreenButton(member, channels);
      case "csv":
        if (mapping?.zone !== undefined) this.#clock ??= parseClock(mapping.zone);
        return parseCsv(member, { channels, mapping, clock });
      case "p1":
        return p1Intervals(member, channels);
    }
  }
}

const FORMAT_NAMES = "neither NEM12 nor NEM13, Green Button, P1 telegrams, or rows of a CSV";

/** What a file is by its content, or null. @throws MeterFileError where it cannot be read */
export async function formatOf(member: Member): Promise<MeterFormat | null> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of member.open()) {
    pieces.push(chunk);
    bytes += chunk.length;
    if (bytes >= LOOK_BYTES) break;
  }
  const look = Buffer.concat(pieces).subarray(0, LOOK_BYTES);
  // As of a stream: a character cut in two at the end is not a bad one.
  return formatOfText(new TextDecoder("utf-8").decode(look, { stream: true }));
}

function formatOfText(text: string): MeterFormat | null {
  const start = text.trimStart();
  if (/^(100\s*,\s*NEM12\b|200\s*,)/i.test(start)) return "nem12";
  if (start.startsWith("<") && /<([a-z]+:)?(feed|entry)\b/i.test(start)) return "greenbutton";
  if (looksLikeP1(start)) return "p1";
  if (/^(100\s*,\s*NEM13\b|250\s*,)/i.test(start)) return "nem13";
  if (start.startsWith("<") || start.includes("\0") || start.includes("\ufffd")) return null;
  const line = start.split(/\r?\n/, 1)[0] ?? "";
  return /[,;|\t]/.test(line) ? "csv" : null;
}

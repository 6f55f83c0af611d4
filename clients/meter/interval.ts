// Owns what every meter file becomes: intervals of whole µWh in channels, and notes of what was left out. It refuses
// energies that are negative, not whole, or more than a meter's reading can hold.

import { MAX_READING_WH } from "../../protocol/limits.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";

/** Where energy went: `import` and `export` at the connection, `generation` and `load` behind it. */
export type Flow = "import" | "export" | "generation" | "load";

/** What a channel measures; `net` is import and export in one, told apart by the sign of each interval. */
export type Measure = Flow | "net";

/** How a value came about, whatever the format calls it. */
export type Quality = "actual" | "estimated" | "substituted" | "unknown";

/** One register of one meter. A `ChannelBook` has one object per register, so channels are compared by identity. */
export interface Channel {
  readonly meter: string;
  readonly register: string;
  readonly measure: Measure;
}

export interface Interval {
  readonly channel: Channel;
  /** Which way this interval's energy went: the channel's measure, or for `net` what the sign said. */
  readonly flow: Flow;
  /** Unix seconds. */
  readonly startS: number;
  readonly durationS: number;
  /** Not negative, whole. */
  readonly microWh: number;
  readonly quality: Quality;
  readonly line: number;
}

/** Something that was left out, or was read in a way that its owner should know. */
export interface Note {
  readonly isLoss: boolean;
  readonly file: string;
  /** Line of the file, from 1; 0 where it is about no line. */
  readonly line: number;
  readonly field: string;
  /** Says nothing of the particular line, so that equal reasons can be counted. */
  readonly reason: string;
  /** What was found, shortened. */
  readonly found?: string;
}

/** What a parser found in one piece of its file. Pieces are small: a consumer holds one at a time. */
export interface Batch {
  readonly intervals: readonly Interval[];
  readonly notes: readonly Note[];
}

/** A meter file that cannot be used: its name, and line and field where they are known. */
export class MeterFileError extends Error {
  override readonly name = "MeterFileError";
  readonly file: string;
  readonly line: number | undefined;
  readonly field: string | undefined;

  constructor(file: string, reason: string, at: { line?: number; field?: string } = {}) {
    const line = at.line === undefined ? "" : `, line ${at.line}`;
    const field = at.field === undefined ? "" : `, ${at.field}`;
    super(`${file}${line}${field}: ${reason}`);
    this.file = file;
    this.line = at.line;
    this.field = at.field;
  }
}

/** 1900 and 2200: a meter's time outside is a wrong unit or a wrong format. Unix seconds. */
const EARLIEST_S = Date.UTC(1900) / 1000;
const LATEST_S = Date.UTC(2200) / 1000;
/** A channel is some hundred bytes; a region of houses fits, a file of noise does not. */
const MAX_CHANNELS = 1_000;
const MAX_NAME_LENGTH = 80;

/** Most µWh that an interval may hold: what a reading can hold, for each quarter-hour it covers. */
export function mostMicroWh(durationS: number): number {
  return MAX_READING_WH * 1e6 * Math.max(1, durationS / SLOT_SECONDS);
}

/** True for a moment in whole seconds that a meter may have written. */
export function isMeterTime(atS: number): boolean {
  return Number.isSafeInteger(atS) && atS >= EARLIEST_S && atS <= LATEST_S;
}

/** Why an energy is none, or null where it is one. `microWh` NaN stands for text that is no number. */
export function energyFault(microWh: number, durationS: number): string | null {
  if (Number.isNaN(microWh)) return "is not a number";
  if (microWh < 0) return "is negative, and this register counts one way";
  if (microWh > mostMicroWh(durationS)) return "is more than a meter's reading can hold";
  return null;
}

/** Text from a file for people: without control characters, at most 40 characters. */
export function shortened(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, " ").trim();
  return plain.length > 40 ? `${plain.slice(0, 39)}…` : plain;
}

/** The channels of what is read together, one object for each. */
export class ChannelBook {
  readonly #channels = new Map<string, Channel>();

  /** @throws MeterFileError when there are more channels than a household, or a street of them, has */
  of(file: string, meter: string, register: string, measure: Measure): Channel {
    const key = JSON.stringify([meter, register, measure]);
    const known = this.#channels.get(key);
    if (known !== undefined) return known;
    if (this.#channels.size >= MAX_CHANNELS)
      throw new MeterFileError(file, `has more than ${MAX_CHANNELS} registers`);
    const name = (text: string) =>
      text
        .replace(/\p{Cc}/gu, " ")
        .trim()
        .slice(0, MAX_NAME_LENGTH);
    const channel = { meter: name(meter), register: name(register), measure };
    this.#channels.set(key, channel);
    return channel;
  }
}

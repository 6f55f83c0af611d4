// Owns Green Button, the usage data of North American utilities (NAESB ESPI, an Atom feed). It refuses XML that is broken,
// cut off, nested without end or with a document type; readings that are no interval energy are left out by name.

import { type SaxesAttributePlain, SaxesParser } from "saxes";
import { scaledDecimal } from "./decimal.ts";
import { EspiLinks, type EspiType } from "./espi-links.ts";
import {
  type Batch,
  type Channel,
  type ChannelBook,
  energyFault,
  type Flow,
  type Interval,
  isMeterTime,
  MeterFileError,
  type Note,
  type Quality,
  shortened,
} from "./interval.ts";
import type { Member } from "./meter-file.ts";

/** A feed is ten deep. */
const MAX_DEPTH = 32;
/** Characters between two tags; the comments of a feed are a few thousand. */
const MAX_PIECE_CHARACTERS = 1_048_576;
/** An interval of a month, the longest that readings come in, and then some. */
const MAX_DURATION_S = 400 * 86_400;
/** Codes of QualityOfReading: 0 valid, 14 raw, 17 to 19 validated to revenue quality; 8, 9, 12, 15 estimated in some way. */
const QUALITIES: Readonly<Record<string, Quality>> = {
  "0": "actual",
  "7": "substituted",
  "8": "estimated",
  "9": "estimated",
  "11": "substituted",
  "12": "estimated",
  "14": "actual",
  "15": "estimated",
  "17": "actual",
  "18": "actual",
  "19": "actual",
};
/** Elements whose text matters. */
const LEAVES = new Set([
  "value",
  "start",
  "duration",
  "quality",
  "powerOfTenMultiplier",
  "flowDirection",
  "uom",
  "accumulationBehaviour",
  "intervalLength",
]);

/** What an IntervalReading said so far. */
type Reading = Partial<Record<"value" | "start" | "duration" | "quality" | "powerOfTenMultiplier", string>>;

/**
 * Intervals and notes of a feed. A feed may name a reading's type after the reading: such blocks are read when the file
 * is gone through once more. Throws MeterFileError.
 */
export async function* parseGreenButton(member: Member, channels: ChannelBook): AsyncGenerator<Batch> {
  const links = new EspiLinks();
  yield* pass(member, new EspiReader(member.name, channels, links, "known"));
  if (links.isEmpty) throw new MeterFileError(member.name, "has no interval reading of Green Button");
  if (links.deferred.size > 0) yield* pass(member, new EspiReader(member.name, channels, links, "deferred"));
}

async function* pass(member: Member, reader: EspiReader): AsyncGenerator<Batch> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of member.open()) {
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch {
      throw new MeterFileError(member.name, "is not text: its bytes are no utf-8", { line: reader.line });
    }
    const batch = reader.read(text);
    if (batch.intervals.length + batch.notes.length > 0) yield batch;
  }
  yield reader.end();
}

/** Reads a feed once: what is known as it comes, or what was deferred then. */
class EspiReader {
  readonly #parser = new SaxesParser({ position: true });
  readonly #file: string;
  readonly #channels: ChannelBook;
  readonly #links: EspiLinks;
  readonly #turn: "known" | "deferred";
  readonly #known = new Map<EspiType, Channel>();
  #intervals: Interval[] = [];
  #notes: Note[] = [];
  #depth = 0;
  #lastPosition = 0;
  #text: string | null = null;
  #reading: Reading | null = null;
  #type: Record<string, string> | null = null;
  #block = -1;
  #toldTwice = false;

  constructor(file: string, channels: ChannelBook, links: EspiLinks, turn: "known" | "deferred") {
    this.#file = file;
    this.#channels = channels;
    this.#links = links;
    this.#turn = turn;
    const parser = this.#parser;
    parser.on("error", (error) => {
      throw this.#fault(`is no XML: ${error.message.replace(/^[0-9:]+ /, "")}`);
    });
    parser.on("doctype", () => {
      throw this.#fault("has a document type, which no meter file needs");
    });
    parser.on("opentagstart", ({ name }) => this.#open(localName(name)));
    parser.on("opentag", ({ name, attributes }) => {
      if (localName(name) === "link" && turn === "known") this.#link(attributes);
    });
    parser.on("text", (text) => {
      if (this.#text !== null) this.#text += text;
    });
    parser.on("closetag", ({ name }) => this.#close(localName(name)));
  }

  get line(): number {
    return this.#parser.line;
  }

  /** @throws MeterFileError */
  read(text: string): Batch {
    this.#parser.write(text);
    if (this.#parser.position - this.#lastPosition > MAX_PIECE_CHARACTERS)
      throw this.#fault(`has a piece of more than ${MAX_PIECE_CHARACTERS} characters`);
    return this.#take();
  }

  /** @throws MeterFileError where the feed is cut off */
  end(): Batch {
    this.#parser.close();
    if (this.#turn === "known") this.#links.complete();
    return this.#take();
  }

  #take(): Batch {
    const batch = { intervals: this.#intervals, notes: this.#notes };
    this.#intervals = [];
    this.#notes = [];
    return batch;
  }

  #open(name: string): void {
    this.#lastPosition = this.#parser.position;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#fault(`is nested more than ${MAX_DEPTH} deep`);
    if (LEAVES.has(name)) this.#text = "";
    else if (name === "IntervalReading") this.#reading = {};
    else if (name === "IntervalBlock") this.#block += 1;
    else if (name === "ReadingType") this.#type = {};
    else if (name === "entry") this.#links.beginEntry();
  }

  #link(attributes: Record<string, SaxesAttributePlain | string>): void {
    const { rel, href } = attributes;
    if (typeof rel === "string" && typeof href === "string") this.#links.addLink(rel, href);
  }

  #close(name: string): void {
    this.#lastPosition = this.#parser.position;
    this.#depth -= 1;
    if (this.#text !== null && LEAVES.has(name)) {
      const text = this.#text.trim();
      this.#text = null;
      if (this.#reading !== null) this.#reading[name as keyof Reading] = text;
      else if (this.#type !== null) this.#type[name] = text;
    } else if (name === "IntervalReading") {
      const reading = this.#reading;
      this.#reading = null;
      if (reading !== null) this.#keep(reading);
    } else if (name === "ReadingType") {
      if (this.#type !== null && this.#turn === "known") this.#links.addType(this.#type);
      this.#type = null;
    } else if (name === "MeterReading" && this.#turn === "known") this.#links.addMeterReading();
    else if (name === "entry" && this.#turn === "known") this.#links.endEntry(this.#block);
  }

  #keep(reading: Reading) {
    const links = this.#links;
    const type = this.#turn === "known" ? links.typeOfEntry(this.#block) : links.deferred.get(this.#block);
    if (type === undefined) return;
    if (type === null)
      return this.#note("reading type", "is not in the file, so nobody knows what it counts", "");
    if (type.fault !== null) return this.#note("reading type", type.fault, `register ${type.register}`);
    this.#measure(reading, type);
  }

  #measure(reading: Reading, type: EspiType) {
    const {
      value = "",
      start = "",
      duration = type.intervalLength,
      quality,
      powerOfTenMultiplier: own,
    } = reading;
    const startS = /^-?[0-9]{1,12}$/.test(start) ? Number(start) : Number.NaN;
    const durationS = /^[0-9]{1,9}$/.test(duration) ? Number(duration) : Number.NaN;
    if (!isMeterTime(startS)) return this.#note("start", "is no unix time", start);
    if (!(durationS >= 1 && durationS <= MAX_DURATION_S))
      return this.#note("duration", "is no length of an interval", duration);
    const stated = type.multiplier ?? own ?? "0";
    if (!/^-?[0-9]{1,2}$/.test(stated))
      return this.#note("powerOfTenMultiplier", "is no power of ten", stated);
    if (own !== undefined && own !== stated && !this.#toldTwice) {
      this.#toldTwice = true;
      const reason = `is stated twice; the reading type's holds (10^${stated}), not the reading's`;
      this.#notes.push({
        isLoss: false,
        file: this.#file,
        line: this.line,
        field: "powerOfTenMultiplier",
        reason,
      });
    }
    const signed = scaledDecimal(value, 0, value.length, 6 + Number(stated));
    const isOut = signed < 0 && type.measure === "net";
    // A register of one way out is written with either sign.
    const microWh = isOut || type.measure === "export" ? Math.abs(signed) : signed;
    const fault = energyFault(microWh, durationS);
    if (fault !== null) return this.#note("value", value === "" ? "is empty" : fault, value);
    const { meter, register, measure } = type;
    const channel = this.#known.get(type) ?? this.#channels.of(this.#file, meter, register, measure);
    this.#known.set(type, channel);
    const flow: Flow = type.measure === "net" ? (isOut ? "export" : "import") : type.measure;
    this.#intervals.push({
      channel,
      flow,
      startS,
      durationS,
      microWh,
      quality: quality === undefined ? "actual" : (QUALITIES[quality] ?? "unknown"),
      line: this.line,
    });
  }

  #note(field: string, reason: string, found: string): void {
    const { line } = this;
    this.#notes.push({
      isLoss: true,
      file: this.#file,
      line,
      field,
      reason,
      found: shortened(found.slice(0, 60)),
    });
  }

  #fault(reason: string): MeterFileError {
    return new MeterFileError(this.#file, reason, { line: this.line });
  }
}

function localName(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(colon + 1);
}

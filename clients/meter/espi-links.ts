// Owns how the entries of a Green Button feed belong together: blocks to meter readings, these to reading types and usage
// points. It refuses to guess: a block whose type nothing names has none, unless the feed has only one.

import type { Measure } from "./interval.ts";

/** What a reading type says, or why its readings are left out. */
export interface EspiType {
  readonly meter: string;
  readonly register: string;
  readonly measure: Measure;
  /** As written; the default length of its intervals, s. */
  readonly intervalLength: string;
  readonly multiplier: string | undefined;
  readonly fault: string | null;
}

/** Codes of FlowDirection: forward is delivered to the customer, reverse received from it, net is signed. */
const MEASURES: Readonly<Record<string, Measure>> = { "1": "import", "4": "net", "19": "export" };
const WATT_HOURS = "72";
/** Codes of AccumulationBehaviour that mean energy of the interval: unknown, delta data. */
const INTERVAL_ENERGY = new Set([undefined, "0", "4"]);
const BLOCK = /^(.*\/MeterReading\/[^/]+)(\/IntervalBlock(\/.*)?)?$/;
/** More blocks than this without a known type is a feed made to fill a memory. */
const MAX_DEFERRED = 1_000_000;

/** Collects links and types of a feed while it is read. */
export class EspiLinks {
  /** Blocks that were left for later, by their number in the feed; null where nothing names their type. */
  readonly deferred = new Map<number, EspiType | null>();
  readonly #keyOfDeferred = new Map<number, string>();
  readonly #types = new Map<string, Record<string, string>>();
  /** Meter reading → its reading type. */
  readonly #typeOfReading = new Map<string, string>();
  readonly #known = new Map<string, EspiType>();
  #links: { rel: string; path: string }[] = [];
  #blocks = 0;
  #current: { block: number; type: EspiType | undefined } = { block: -1, type: undefined };

  /** True where no block was met. */
  get isEmpty(): boolean {
    return this.#blocks === 0;
  }

  beginEntry(): void {
    this.#links = [];
    this.#current = { block: -1, type: undefined };
  }

  addLink(rel: string, href: string): void {
    if (this.#links.length < 64) this.#links.push({ rel, path: pathOf(href) });
  }

  /** The entry being read is a reading type. */
  addType(fields: Record<string, string>): void {
    const key = this.#links.find(({ rel }) => rel === "self")?.path ?? "";
    this.#types.set(key, fields);
    const reading = this.#links.find(({ rel, path }) => rel === "up" && /\/MeterReading\/[^/]+$/.test(path));
    if (reading !== undefined) this.#typeOfReading.set(reading.path, key);
  }

  /** The entry being read is a meter reading. */
  addMeterReading(): void {
    const self = this.#links.find(({ rel }) => rel === "self")?.path;
    const type = this.#links.find(({ rel, path }) => rel === "related" && /\/ReadingType\/[^/]+$/.test(path));
    if (self !== undefined && type !== undefined) this.#typeOfReading.set(self, type.path);
  }

  /** Type of the block being read; undefined where it is not known yet, and the block is left for later. */
  typeOfEntry(block: number): EspiType | undefined {
    if (this.#current.block !== block) {
      this.#blocks += 1;
      const key = this.#readingOfEntry();
      const type = key === undefined || this.deferred.has(block) ? undefined : this.#typeOf(key);
      if (type === undefined && this.deferred.size < MAX_DEFERRED) this.deferred.set(block, null);
      this.#current = { block, type };
    }
    return this.#current.type;
  }

  /** The entry is over: links may have come after its content. */
  endEntry(block: number): void {
    const key = this.#readingOfEntry();
    if (key !== undefined && this.deferred.has(block)) this.#keyOfDeferred.set(block, key);
  }

  /** The feed is over: whatever names a type has been met. */
  complete(): void {
    for (const block of this.deferred.keys()) {
      const key = this.#keyOfDeferred.get(block);
      this.deferred.set(
        block,
        (key === undefined ? undefined : this.#typeOf(key)) ?? this.#onlyType(key ?? ""),
      );
    }
  }

  #readingOfEntry(): string | undefined {
    for (const { path } of this.#links) {
      const key = BLOCK.exec(path)?.[1];
      if (key !== undefined) return key;
    }
    return undefined;
  }

  #typeOf(reading: string): EspiType | undefined {
    const known = this.#known.get(reading);
    if (known !== undefined) return known;
    const fields = this.#types.get(this.#typeOfReading.get(reading) ?? "");
    if (fields === undefined) return undefined;
    const type = decoded(reading, fields);
    this.#known.set(reading, type);
    return type;
  }

  #onlyType(reading: string): EspiType | null {
    const [only] = this.#types.values();
    return this.#types.size === 1 && only !== undefined ? decoded(reading, only) : null;
  }
}

function decoded(reading: string, fields: Record<string, string>): EspiType {
  const {
    uom,
    flowDirection = "",
    accumulationBehaviour,
    intervalLength = "",
    powerOfTenMultiplier,
  } = fields;
  const measure = MEASURES[flowDirection];
  let fault: string | null = null;
  if (uom !== WATT_HOURS) fault = `has unit ${uom ?? "none"}, not 72 (Wh)`;
  else if (!INTERVAL_ENERGY.has(accumulationBehaviour))
    fault = `has accumulation ${accumulationBehaviour}, not 4 (energy of the interval)`;
  else if (measure === undefined) fault = `has flow direction ${flowDirection || "none"}, not 1, 4 or 19`;
  return {
    meter: /\/UsagePoint\/([^/]+)/.exec(reading)?.[1] ?? "1",
    register: /\/MeterReading\/([^/]+)/.exec(reading)?.[1] ?? "1",
    measure: measure ?? "net",
    intervalLength,
    multiplier: powerOfTenMultiplier,
    fault,
  };
}

/** The path of an address, without host, query and a slash at its end. */
function pathOf(href: string): string {
  return href
    .slice(0, 512)
    .replace(/^[a-z]+:\/\/[^/]*/i, "")
    .replace(/[?#].*$/, "")
    .replace(/\/+$/, "");
}

// Owns how intervals become the quarter-hours of a household: netted, whole Wh, with nothing lost. It refuses intervals
// above an hour, whose course within is unknown, and quarter-hours that a register tells only a part of.

import { MAX_READING_WH } from "../../protocol/limits.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import type { MeterSource, SlotReading } from "../household/meter-source.ts";
import { connectionRegisters } from "./connection-registers.ts";
import { type Batch, type Channel, type Interval, type Measure, MeterFileError } from "./interval.ts";
import { shareOut } from "./slot-shares.ts";

/** Longest interval that is shared out over quarter-hours, s. */
export const LONGEST_USABLE_S = 3_600;
const SLOTS_PER_DAY = 96;
/** A century of days: some 40 MB a ledger at most. */
const MAX_DAYS = 36_525;
const MICRO = 1_000_000;

interface DayPage {
  /** µWh per slot; of two directions, export less import. */
  readonly microWh: Float64Array;
  /** Seconds per slot that registers told of, over all registers of the ledger. */
  readonly toldS: Uint32Array;
}

/** Energies of registers that belong together, slot by slot. */
class Ledger {
  readonly channels = new Set<Channel>();
  readonly days = new Map<number, DayPage>();

  add(interval: Interval, sign: 1 | -1): void {
    this.channels.add(interval.channel);
    shareOut(interval, (slot, microWh, seconds) => this.#put(slot, sign * microWh, seconds));
  }

  /** True where every register of the ledger told the whole slot. */
  isWhole(day: number, index: number): boolean {
    const told = this.days.get(day)?.toldS[index] ?? 0;
    return told === SLOT_SECONDS * this.channels.size;
  }

  microWhAt(day: number, index: number): number {
    return this.days.get(day)?.microWh[index] ?? 0;
  }

  #put(slot: number, microWh: number, seconds: number): void {
    const day = Math.floor(slot / SLOTS_PER_DAY);
    let page = this.days.get(day);
    if (page === undefined) {
      if (this.days.size >= MAX_DAYS) throw new MeterFileError("the meter", `has more than ${MAX_DAYS} days`);
      page = { microWh: new Float64Array(SLOTS_PER_DAY), toldS: new Uint32Array(SLOTS_PER_DAY) };
      this.days.set(day, page);
    }
    const index = slot - day * SLOTS_PER_DAY;
    page.microWh[index] = (page.microWh[index] as number) + microWh;
    page.toldS[index] = (page.toldS[index] as number) + seconds;
  }
}

/** Whole Wh whose sum is the rounded total, not the total of roundings. */
class WholeWh {
  #totalMicroWh = 0;
  #doneWh = 0;

  next(microWh: number): number {
    this.#totalMicroWh += microWh;
    const upToWh = Math.round(this.#totalMicroWh / MICRO);
    const wh = upToWh - this.#doneWh;
    this.#doneWh = upToWh;
    return wh;
  }
}

/** What of a meter did not become quarter-hours. */
export interface SlotLosses {
  /** Intervals above an hour, and their µWh. */
  readonly coarseIntervals: number;
  readonly coarseMicroWh: number;
  /** Quarter-hours that some register did not tell wholly. */
  readonly partSlots: number;
  /** Quarter-hours beyond what a reading can hold. */
  readonly oversizedSlots: number;
  /** True where a net register was left aside, or import and export were, because the other says it too. */
  readonly leftAside: "net" | "one-way" | null;
}

/** A household's quarter-hours. */
export interface HouseholdSlots extends MeterSource {
  readonly meter: string;
  /** Slots in order. */
  readonly slots: readonly number[];
  readonly losses: SlotLosses;
}

/** Folds the intervals of one meter. */
export class MeterSlots {
  readonly meter: string;
  readonly #measures = new Set<Measure>();
  readonly #oneWay = new Ledger();
  readonly #net = new Ledger();
  readonly #generation = new Ledger();
  readonly #load = new Ledger();
  #coarseIntervals = 0;
  #coarseMicroWh = 0;

  constructor(meter: string) {
    this.meter = meter;
  }

  add(interval: Interval): void {
    const { channel, flow, durationS, microWh } = interval;
    if (durationS > LONGEST_USABLE_S) {
      this.#coarseIntervals += 1;
      this.#coarseMicroWh += microWh;
      return;
    }
    this.#measures.add(channel.measure);
    if (channel.measure === "net") this.#net.add(interval, flow === "export" ? 1 : -1);
    else if (flow === "generation") this.#generation.add(interval, 1);
    else if (flow === "load") this.#load.add(interval, 1);
    else this.#oneWay.add(interval, flow === "export" ? 1 : -1);
  }

  /** The quarter-hours that every register told wholly: export less import, or for gross meters generation less load. */
  finish(): HouseholdSlots {
    const kind = connectionRegisters(this.#measures);
    const isToldTwice = this.#net.channels.size > 0 && this.#oneWay.channels.size > 0;
    const atConnection = kind === "gross" ? null : kind === "net" ? this.#net : this.#oneWay;
    const readings = new Map<number, SlotReading>();
    const [sold, bought, made] = [new WholeWh(), new WholeWh(), new WholeWh()];
    let partSlots = 0;
    let oversizedSlots = 0;
    for (const day of this.#daysOf(atConnection)) {
      for (let index = 0; index < SLOTS_PER_DAY; index += 1) {
        const netMicroWh = this.#netAt(atConnection, day, index);
        if (netMicroWh === null) partSlots += 1;
        if (netMicroWh === null || netMicroWh === undefined) continue;
        const netWh = netMicroWh < 0 ? 0 - bought.next(-netMicroWh) : sold.next(netMicroWh);
        const knowsGeneration = this.#generation.channels.size > 0 && this.#generation.isWhole(day, index);
        const generationWh = knowsGeneration ? made.next(this.#generation.microWhAt(day, index)) : null;
        if (Math.abs(netWh) > MAX_READING_WH) oversizedSlots += 1;
        else {
          // Rounded apart, the two may differ by a Wh; energy used is not below zero.
          const loadWh = generationWh === null ? null : Math.max(0, generationWh - netWh);
          readings.set(day * SLOTS_PER_DAY + index, { netWh, generationWh, loadWh });
        }
      }
    }
    return {
      meter: this.meter,
      slots: [...readings.keys()],
      read: (slot) => readings.get(slot) ?? null,
      losses: {
        coarseIntervals: this.#coarseIntervals,
        coarseMicroWh: this.#coarseMicroWh,
        partSlots,
        oversizedSlots,
        leftAside: isToldTwice ? (kind === "net" ? "one-way" : "net") : null,
      },
    };
  }

  #daysOf(atConnection: Ledger | null): number[] {
    const ledgers = atConnection === null ? [this.#generation, this.#load] : [atConnection];
    return [...new Set(ledgers.flatMap(({ days }) => [...days.keys()]))].sort((a, b) => a - b);
  }

  /** µWh of a slot; null where it is told in part, undefined where nothing tells of it. */
  #netAt(atConnection: Ledger | null, day: number, index: number): number | null | undefined {
    const ledgers = atConnection === null ? [this.#generation, this.#load] : [atConnection];
    if (ledgers.every((ledger) => ledger.isWhole(day, index)))
      return atConnection === null
        ? this.#generation.microWhAt(day, index) - this.#load.microWhAt(day, index)
        : atConnection.microWhAt(day, index);
    return ledgers.some(({ days }) => (days.get(day)?.toldS[index] ?? 0) > 0) ? null : undefined;
  }
}

/** Folds batches into the quarter-hours of each meter in them. */
export class SlotFold {
  readonly #meters = new Map<string, MeterSlots>();

  add({ intervals }: Batch): void {
    for (const interval of intervals) {
      const { meter } = interval.channel;
      let slots = this.#meters.get(meter);
      if (slots === undefined) {
        slots = new MeterSlots(meter);
        this.#meters.set(meter, slots);
      }
      slots.add(interval);
    }
  }

  /**
   * The quarter-hours of a meter by its name, or of the only one.
   * @throws MeterFileError where the name is none of them, or several have none chosen
   */
  meter(name: string | undefined, file: string): HouseholdSlots {
    const names = [...this.#meters.keys()];
    const chosen = name ?? (names.length === 1 ? names[0] : undefined);
    const slots = chosen === undefined ? undefined : this.#meters.get(chosen);
    if (slots !== undefined) return slots.finish();
    const has = `it has ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`;
    throw new MeterFileError(
      file,
      name === undefined ? `name one meter; ${has}` : `has no meter ${name}; ${has}`,
    );
  }
}

/** What did not become quarter-hours, a sentence each. */
export function lossSentences({ losses }: HouseholdSlots): string[] {
  const { coarseIntervals, coarseMicroWh, partSlots, oversizedSlots, leftAside } = losses;
  const sentences: string[] = [];
  if (coarseIntervals > 0) {
    const kwh = (coarseMicroWh / 1e9).toFixed(3);
    sentences.push(
      `${coarseIntervals} intervals above an hour (${kwh} kWh) are too coarse for quarter-hours and are not used`,
    );
  }
  if (partSlots > 0)
    sentences.push(`${partSlots} quarter-hours are left out: a register tells only a part of them`);
  if (oversizedSlots > 0)
    sentences.push(`${oversizedSlots} quarter-hours are left out: more than a meter's reading can hold`);
  if (leftAside === "net")
    sentences.push("net registers are left aside: import and export of the meter say the same");
  if (leftAside === "one-way")
    sentences.push(
      "one-way registers are left aside: the net register says more, and both would count twice",
    );
  return sentences;
}

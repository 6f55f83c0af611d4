// Owns how readings of a meter's registers become net Wh of quarter-hours: the difference between two boundaries. It
// refuses to share out energy over slots whose boundary nobody saw; that energy is named and left out.

import { createHash } from "node:crypto";
import { LAST_INSTANT_S } from "../../protocol/fields.ts";
import { divDown, SLOT_SECONDS, slotAt, slotStartS } from "../../protocol/units.ts";
import type { MeterSource, Registers, SlotReading } from "../household/meter-source.ts";
import { type RegisterNote, RegisterSeries } from "./register-series.ts";
import type { Boundary, BoundaryStore } from "./slot-boundaries.ts";

/** Both registers of a meter at a moment. */
export interface MeterReading extends Registers {
  /** Unix seconds. */
  readonly atS: number;
  /** The meter's number, to know another meter by; null where it has none. */
  readonly meter: string | null;
}

export interface SlotRegisterOptions {
  readonly boundaries: BoundaryStore;
  /** Told of everything that is left out. */
  readonly report: (message: string) => void;
  /** What the connection carries, W; a slot above it is left out. */
  readonly connectionW?: number;
}

/** The largest connection of a Dutch or Belgian home, three phases of 80 A at 230 V, with a tenth above it. */
const LARGEST_HOME_W = 60_000;
/** A meter speaks every second or every ten; a boundary whose first telegram comes later than three times that was missed. */
export const BOUNDARY_TOLERANCE_S = 30;
/** A clock set back further than any meter's is wrong by belongs to a meter that was set up anew. */
const SET_BACK_S = 86_400;
const MICRO = 1_000_000;

/** The registers of one meter, slot by slot. */
export class SlotRegisters implements MeterSource {
  readonly #options: SlotRegisterOptions;
  #import = new RegisterSeries();
  #export = new RegisterSeries();
  #isNew = true;
  #run = 0;
  #meter: string | null = null;
  #newestS = 0;
  /** Slot of the boundary that was kept last. */
  #keptSlot = -1;
  /** When a kind of fault was told last, so that one telegram after the other does not repeat it. */
  readonly #toldInSlot = new Map<string, number>();

  constructor(options: SlotRegisterOptions) {
    this.#options = options;
    const newest = options.boundaries.newest();
    if (newest === undefined) return;
    // A register that fell while nobody looked is noticed against the last boundary.
    this.#import.add({ atS: newest.atS, microWh: newest.importMicroWh });
    this.#export.add({ atS: newest.atS, microWh: newest.exportMicroWh });
    this.#isNew = false;
    this.#run = newest.run;
    this.#meter = newest.meter;
    this.#newestS = newest.atS;
    this.#keptSlot = newest.slot;
  }

  /**
   * Takes the next reading.
   * @throws RangeError for registers that are no safe integers from 0 on, or a time that is none up to the year 2200;
   * nothing has changed then
   */
  add({ atS, importMicroWh, exportMicroWh, meter }: MeterReading): void {
    for (const value of [atS, importMicroWh, exportMicroWh])
      if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a meter's reading: ${value}`);
    if (atS > LAST_INSTANT_S) throw new RangeError(`not a time of a reading: ${atS}`);
    const digest = meter === null ? null : createHash("sha256").update(meter).digest("hex").slice(0, 16);
    if (digest !== null && this.#meter !== null && digest !== this.#meter)
      this.#beginAnew("another meter speaks; it is counted from its first reading on");
    if (atS < this.#newestS - SET_BACK_S)
      this.#beginAnew("the meter's clock was set back by more than a day");
    this.#meter = digest ?? this.#meter;
    const steps = [
      this.#import.add({ atS, microWh: importMicroWh }),
      this.#export.add({ atS, microWh: exportMicroWh }),
    ];
    steps.forEach(({ notes }, index) => {
      for (const note of notes) this.#heed(note, index === 0 ? "import" : "export", atS);
    });
    const isAccepted = this.#isNew || steps.every(({ flows }) => flows.length > 0);
    this.#isNew = false;
    if (!isAccepted) return;
    this.#newestS = atS;
    const slot = slotAt(atS);
    if (slot <= this.#keptSlot || atS - slotStartS(slot) > BOUNDARY_TOLERANCE_S) return;
    this.#keep({ slot, atS, importMicroWh, exportMicroWh, run: this.#run, meter: this.#meter });
  }

  /** Net Wh between a slot's boundaries; each register is cut to whole Wh there, so that no part of one is lost. */
  read(slot: number): SlotReading | null {
    const [from, until] = [this.#options.boundaries.at(slot), this.#options.boundaries.at(slot + 1)];
    if (from === undefined || until === undefined || !this.#isSound(from, until)) return null;
    const wh = (microWh: number): number => divDown(microWh, MICRO);
    const importWh = wh(until.importMicroWh) - wh(from.importMicroWh);
    const exportWh = wh(until.exportMicroWh) - wh(from.exportMicroWh);
    return { netWh: exportWh - importWh, generationWh: null, loadWh: null };
  }

  knownUntilSlot(): number {
    return slotAt(this.#newestS);
  }

  registersAt(slot: number): Registers | null {
    return this.#options.boundaries.at(slot) ?? null;
  }

  #keep(boundary: Boundary): void {
    const last = this.#options.boundaries.newest();
    this.#options.boundaries.add(boundary);
    this.#keptSlot = boundary.slot;
    if (last === undefined || last.run !== boundary.run) return;
    const [importWh, exportWh] = energyBetween(last, boundary).map((microWh) => divDown(microWh, MICRO));
    const energy = `${importWh} Wh of import and ${exportWh} Wh of export`;
    const slots = boundary.slot - last.slot;
    if (slots > 1)
      this.#options.report(
        `no boundary was seen over ${slots} slots before ${timeOf(boundary)}: ${energy} are left out`,
      );
    else if (!this.#isSound(last, boundary))
      this.#options.report(
        `more than the connection carries in the slot before ${timeOf(boundary)}: ${energy} are left out`,
      );
  }

  #isSound(from: Boundary, until: Boundary): boolean {
    const { connectionW = LARGEST_HOME_W } = this.#options;
    const mostMicroWh = (connectionW * (until.atS - from.atS) * MICRO) / 3600;
    return from.run === until.run && energyBetween(from, until).every((microWh) => microWh <= mostMicroWh);
  }

  #heed({ fault, reason }: RegisterNote, register: string, atS: number): void {
    if (fault === "reset" || fault === "set_back") this.#run += 1;
    // A meter that stamps whole seconds may speak twice in one.
    if (fault === "duplicate") return;
    const kind = `${register} ${fault}`;
    if (this.#toldInSlot.get(kind) === slotAt(atS)) return;
    this.#toldInSlot.set(kind, slotAt(atS));
    this.#options.report(`${register}: ${reason}`);
  }

  #beginAnew(reason: string): void {
    this.#import = new RegisterSeries();
    this.#export = new RegisterSeries();
    this.#isNew = true;
    this.#run += 1;
    this.#keptSlot = -1;
    this.#newestS = 0;
    this.#options.report(reason);
  }
}

function energyBetween(from: Boundary, until: Boundary): [number, number] {
  return [until.importMicroWh - from.importMicroWh, until.exportMicroWh - from.exportMicroWh];
}

/** Start of the slot that begins at a boundary, for people. */
function timeOf({ slot }: Boundary): string {
  return new Date(slot * SLOT_SECONDS * 1000).toISOString();
}

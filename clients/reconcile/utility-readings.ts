// Owns what a utility's files say of a month, as fine as they say it: runs of quarter-hours with the most that may have
// been exported and imported in them. It refuses to spread a coarse interval, and to judge where a register is missing.

import { SLOT_SECONDS } from "../../protocol/units.ts";
import { type ConnectionRegisters, connectionRegisters } from "../meter/connection-registers.ts";
import { type Batch, type Channel, type Measure, MeterFileError } from "../meter/interval.ts";
import type { SlotRun } from "./month.ts";
import { SlotRegister } from "./slot-register.ts";

/** What was read of a run of quarter-hours, over all meters. µWh. */
export interface UtilityReading {
  /** The most that may have left the home in quarter-hours of export; null where only the net of several is told. */
  readonly exportMicroWh: number | null;
  /** The most that may have come in quarter-hours of import; null as above. */
  readonly importMicroWh: number | null;
  /** Export less import; null where several meters add up. */
  readonly netMicroWh: number | null;
  /** False where the utility estimated or substituted a part of it. */
  readonly isMeasured: boolean;
}

/** A run of quarter-hours that the files tell together, or one that they do not tell. */
export type UtilityCell = SlotRun &
  (
    | { readonly reading: UtilityReading; readonly fault: null }
    | { readonly reading: null; readonly fault: string }
  );

/** A quarter's reading that begins on a month's last day ends within these slots. */
const SLOTS_BEYOND = 100 * 96;
const MEASURES: Readonly<Record<ConnectionRegisters, readonly Measure[]>> = {
  "one-way": ["import", "export"],
  net: ["net"],
  gross: ["generation", "load"],
};
const MOST_NAMES = 4;

/** A meter of the account: those of its registers that count. */
interface UsedMeter {
  readonly name: string;
  readonly kind: ConnectionRegisters;
  readonly registers: readonly SlotRegister[];
}

/** Folds batches of the files of one account. */
export class UtilityReadings {
  readonly #month: SlotRun;
  readonly #slots: SlotRun;
  readonly #chosen: ReadonlySet<string>;
  readonly #meters = new Map<string, Map<Channel, SlotRegister>>();
  readonly #leftOut = new Set<string>();

  /** @param meters names of those that count; all where there is none */
  constructor(month: SlotRun, meters: readonly string[] = []) {
    this.#month = month;
    this.#slots = { fromSlot: month.fromSlot, untilSlot: month.untilSlot + SLOTS_BEYOND };
    this.#chosen = new Set(meters);
  }

  /** Takes a batch; `origin` tells meters of one name in several files apart. */
  add({ intervals }: Batch, origin = ""): void {
    for (const interval of intervals) {
      const { channel } = interval;
      const meter = `${origin}${channel.meter}`;
      if (this.#chosen.size > 0 && !this.#chosen.has(meter)) {
        this.#leftOut.add(meter);
        continue;
      }
      let registers = this.#meters.get(meter);
      if (registers === undefined) {
        registers = new Map();
        this.#meters.set(meter, registers);
      }
      let register = registers.get(channel);
      if (register === undefined) {
        register = new SlotRegister(channel, this.#slots);
        registers.set(channel, register);
      }
      register.add(interval);
    }
  }

  /**
   * What the files say: the slots of the month in order, each in one cell. A cell begins in the month, and may end after
   * it. Throws MeterFileError where a chosen meter is none of the files', or no slot of the month is told.
   */
  finish(): UtilityFile {
    const missing = [...this.#chosen].filter((name) => !this.#meters.has(name));
    if (missing.length > 0)
      throw new MeterFileError(
        "the files",
        `have no meter ${missing.join(", ")}; they have ${named([...this.#meters.keys(), ...this.#leftOut])}`,
      );
    const meters = [...this.#meters].map(([name, registers]) => usedMeter(name, [...registers.values()]));
    const cells = this.#cells(meters);
    if (cells.every(({ reading }) => reading === null)) {
      const faults = [...new Set(cells.map(({ fault }) => fault))].slice(0, MOST_NAMES);
      throw new MeterFileError("the files", `tell nothing of the month: ${faults.join("; ")}`);
    }
    return {
      cells,
      registers: meters.flatMap(({ name, registers }) =>
        registers.map(({ channel: { register, measure } }) => ({ meter: name, register, measure })),
      ),
      remarks: [
        ...meters.flatMap((meter) => remarksOf(meter, this.#meters.get(meter.name)?.size ?? 0)),
        ...(this.#leftOut.size === 0
          ? []
          : [`meters that were not named count for nothing: ${named([...this.#leftOut])}`]),
      ],
    };
  }

  #cells(meters: readonly UsedMeter[]): UtilityCell[] {
    const { fromSlot, untilSlot } = this.#month;
    const end = this.#slots.untilSlot - fromSlot;
    const all = meters.flatMap(({ registers }) => registers);
    const goesOn = (index: number): boolean => all.some((register) => register.goesOn[index] === 1);
    const cells: UtilityCell[] = [];
    for (let from = 0; from < untilSlot - fromSlot; ) {
      let until = from + 1;
      while (until < end && goesOn(until)) until += 1;
      const run = { fromSlot: fromSlot + from, untilSlot: fromSlot + until };
      const fault = goesOn(from)
        ? "an interval that begins in the month before tells it; it is reconciled there"
        : goesOn(until)
          ? "an interval that is too long tells it"
          : faultOf(meters, from, until);
      if (fault === null) cells.push({ ...run, reading: readingOf(meters, from, until), fault });
      else cells.push({ ...run, reading: null, fault });
      from = until;
    }
    return cells;
  }
}

/** What the files of one account say of a month. */
export interface UtilityFile {
  readonly cells: readonly UtilityCell[];
  /** Those that count. */
  readonly registers: readonly Channel[];
  /** What their owner should know of how they were read, a sentence each. */
  readonly remarks: readonly string[];
}

function usedMeter(name: string, registers: readonly SlotRegister[]): UsedMeter {
  const kind = connectionRegisters(new Set(registers.map(({ channel }) => channel.measure)));
  return {
    name,
    kind,
    registers: registers.filter(({ channel }) => MEASURES[kind].includes(channel.measure)),
  };
}

/** Why a run is not told, or null where every register tells all of it. */
function faultOf(meters: readonly UsedMeter[], from: number, until: number): string | null {
  const missing: string[] = [];
  let isTold = false;
  for (const { name, registers } of meters) {
    for (const { channel, toldS } of registers) {
      const seconds = sumOf(toldS, from, until);
      isTold ||= seconds > 0;
      if (seconds !== (until - from) * SLOT_SECONDS) missing.push(`${name} ${channel.register}`);
    }
  }
  if (!isTold) return "no file tells of it";
  return missing.length === 0 ? null : `it is not wholly told by ${named(missing)}`;
}

function readingOf(meters: readonly UsedMeter[], from: number, until: number): UtilityReading {
  let exportMicroWh: number | null = 0;
  let importMicroWh: number | null = 0;
  let netMicroWh = 0;
  for (const meter of meters) {
    // Of one meter, what it tells slot by slot is netted slot by slot, as its gateway does.
    for (let first = from; first < until; ) {
      let end = first + 1;
      while (end < until && meter.registers.some(({ goesOn }) => goesOn[end] === 1)) end += 1;
      const flows = flowsOf(meter, first, end);
      exportMicroWh = added(exportMicroWh, flows.exportMicroWh);
      importMicroWh = added(importMicroWh, flows.importMicroWh);
      netMicroWh += flows.netMicroWh;
      first = end;
    }
  }
  for (const sum of [exportMicroWh ?? 0, importMicroWh ?? 0, netMicroWh])
    if (!Number.isSafeInteger(sum))
      throw new MeterFileError("the files", "hold more energy than a household's meters can count");
  const isMeasured = meters.every(({ registers }) =>
    registers.every(({ isGuessed }) => sumOf(isGuessed, from, until) === 0),
  );
  return { exportMicroWh, importMicroWh, netMicroWh: meters.length === 1 ? netMicroWh : null, isMeasured };
}

/** What one meter tells of slots that it tells together. */
function flowsOf({ kind, registers }: UsedMeter, from: number, until: number) {
  const sums = { out: 0, into: 0 };
  for (const { microWh } of registers) {
    const sum = sumOf(microWh, from, until);
    // Of one-way registers, import is stored below zero.
    if (sum > 0) sums.out += sum;
    else sums.into -= sum;
  }
  const netMicroWh = sums.out - sums.into;
  if (until - from === 1)
    return { exportMicroWh: Math.max(0, netMicroWh), importMicroWh: Math.max(0, -netMicroWh), netMicroWh };
  if (kind === "net") return { exportMicroWh: null, importMicroWh: null, netMicroWh };
  return { exportMicroWh: sums.out, importMicroWh: sums.into, netMicroWh };
}

function remarksOf({ name, kind, registers }: UsedMeter, all: number): string[] {
  const absent = MEASURES[kind].filter(
    (measure) => !registers.some(({ channel }) => channel.measure === measure),
  );
  const shared = registers.reduce((sum, { sharedIntervals }) => sum + sharedIntervals, 0);
  return [
    ...absent.map((measure) => `${name} has no register of ${measure} in the files: it counts as none`),
    ...(all > registers.length
      ? [
          `${name}: ${all - registers.length} registers are left aside, because others say what crossed its connection`,
        ]
      : []),
    ...(shared > 0
      ? [
          `${name}: ${shared} intervals of at most a minute lie across a slot's border and are shared out by time`,
        ]
      : []),
  ];
}

function added(sum: number | null, more: number | null): number | null {
  return sum === null || more === null ? null : sum + more;
}

function sumOf(values: Float64Array | Uint32Array | Uint8Array, from: number, until: number): number {
  let sum = 0;
  for (let index = from; index < until; index += 1) sum += values[index] as number;
  return sum;
}

function named(names: readonly string[]): string {
  return `${names.slice(0, MOST_NAMES).join(", ")}${names.length > MOST_NAMES ? ", …" : ""}`;
}

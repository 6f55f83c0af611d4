// Owns how the readings of a cumulative register become energy that flowed between them. It refuses a negative flow, and
// to hide anything: what it leaves out is named with its reason and, where it is known, its energy.

import { LAST_INSTANT_S } from "../../protocol/fields.ts";

/** One reading of a register that only counts up. */
export interface RegisterReading {
  /** Unix seconds. */
  readonly atS: number;
  /** State of the register, µWh: a safe integer that is not negative, so at most 9 GWh. */
  readonly microWh: number;
}

/** Energy that flowed from `startS` on, for `durationS` seconds. */
export interface RegisterFlow {
  readonly startS: number;
  readonly durationS: number;
  readonly microWh: number;
}

/**
 * Why something was left out. `duplicate`: the same reading again. `conflict`: another state at the same second.
 * `out_of_order`: older than the reading before. `stray`: a single state that the readings around it contradict.
 * `spike`: more than the connection carries in the time. `gap`: longer without a reading than allowed. `reset`: the
 * register began anew near zero. `set_back`: it goes on from a lower state. `unconfirmed`: it fell, and no reading
 * came after.
 */
export type RegisterFault =
  | "duplicate"
  | "conflict"
  | "out_of_order"
  | "stray"
  | "spike"
  | "gap"
  | "reset"
  | "set_back"
  | "unconfirmed";

/** Something of a register's readings that became no flow. */
export interface RegisterNote {
  readonly fault: RegisterFault;
  /** Time of the reading that is meant. */
  readonly atS: number;
  /** Energy that is left out with it as far as it is known, µWh; 0 where only a reading is left out. */
  readonly leftOutMicroWh: number;
  /** What is wrong with the reading, for people; says nothing of its time, so that equal ones can be counted. */
  readonly what: string;
  /** The same as a sentence with its time. */
  readonly reason: string;
}

export interface RegisterRules {
  /** What the connection carries, W: a faster rise is a catch-up or a fault and is left out. Without it any rise is energy. */
  readonly connectionW?: number;
  /** Longest time between two readings that still becomes a flow, s. Without it any time does. */
  readonly longestS?: number;
}

/** What one more reading settled: at most two notes and a flow. */
export interface RegisterStep {
  readonly flows: readonly RegisterFlow[];
  readonly notes: readonly RegisterNote[];
}

/** A new register leaves the factory with the energy of its tests on it; ten kWh is far above that. */
const NEAR_ZERO_MICRO_WH = 10_000_000_000;
const NOTHING: RegisterStep = { flows: [], notes: [] };

/**
 * Turns readings into flows one by one. A rise that the rules allow is a flow at once. A fall, or a rise beyond the
 * connection, is held until the next reading shows whether the state was a stray one (the next fits the state before:
 * it is left out, and the flow spans it) or real. A real fall is a reset or a register set back: the time across it is
 * left out, because neither what the old register still counted nor what the new one began with is known; counting
 * goes on from the new state, never from zero. A real rise beyond the connection is energy caught up after a fault:
 * it is left out, because nobody knows when it flowed.
 */
export class RegisterSeries {
  readonly #rules: RegisterRules;
  #last: RegisterReading | null = null;
  #suspect: RegisterReading | null = null;
  #newestS = -1;

  /** @throws RangeError for rules that are not positive numbers */
  constructor(rules: RegisterRules = {}) {
    for (const [name, value] of Object.entries(rules))
      if (!(Number(value) > 0)) throw new RangeError(`${name} must be above 0, not ${value}`);
    this.#rules = rules;
  }

  /**
   * Takes the next reading.
   * @throws RangeError for a state that is no safe integer from 0 on, or a time that is none up to the year 2200;
   * nothing has changed then
   */
  add(reading: RegisterReading): RegisterStep {
    const { atS, microWh } = reading;
    for (const value of [atS, microWh])
      if (!Number.isSafeInteger(value) || value < 0)
        throw new RangeError(`not a register's reading: ${value}`);
    if (atS > LAST_INSTANT_S) throw new RangeError(`not a time of a reading: ${atS}`);
    if (this.#last === null) {
      this.#last = reading;
      this.#newestS = atS;
      return NOTHING;
    }
    if (atS < this.#newestS) return noted("out_of_order", atS, 0, "is older than the reading before it");
    if (atS === this.#newestS) {
      const newest = this.#suspect ?? this.#last;
      return newest.microWh === microWh
        ? noted("duplicate", atS, 0, "stands twice")
        : noted("conflict", atS, 0, "is another state at the same second; the first one stays");
    }
    this.#newestS = atS;
    const notes = this.#settle(reading);
    const step = this.#follow(reading);
    return { flows: step.flows, notes: [...notes, ...step.notes] };
  }

  /** Settles what is still held when no reading follows. */
  end(): RegisterStep {
    const { last, suspect } = { last: this.#last, suspect: this.#suspect };
    this.#suspect = null;
    if (last === null || suspect === null) return NOTHING;
    if (suspect.microWh > last.microWh) return { flows: [], notes: [this.#confirm(last, suspect)] };
    return noted("unconfirmed", suspect.atS, 0, "is lower than the one before, and none follows");
  }

  /** Decides about the held reading, now that the next is there. */
  #settle(next: RegisterReading): RegisterNote[] {
    const { last, suspect } = { last: this.#last, suspect: this.#suspect };
    if (last === null || suspect === null) return [];
    this.#suspect = null;
    const isSpike = suspect.microWh > last.microWh;
    const isStray = isSpike
      ? next.microWh < suspect.microWh
      : next.microWh < suspect.microWh || this.#isPlausible(last, next);
    if (isStray)
      return [note("stray", suspect.atS, 0, "is a single state that the readings around it contradict")];
    return [this.#confirm(last, suspect)];
  }

  /** The held state was real: counting goes on from it. */
  #confirm(last: RegisterReading, real: RegisterReading): RegisterNote {
    this.#last = real;
    const rise = real.microWh - last.microWh;
    if (rise >= 0) {
      return note("spike", real.atS, rise, "rose by more than the connection carries in the time");
    }
    const isReset = real.microWh <= NEAR_ZERO_MICRO_WH && real.microWh <= last.microWh / 2;
    return isReset
      ? note("reset", real.atS, real.microWh, "began anew near zero; the time across is left out")
      : note("set_back", real.atS, 0, "goes on from a lower state; the time across is left out");
  }

  /** The flow from the last state to this one, or this one is held. */
  #follow(next: RegisterReading): RegisterStep {
    const last = this.#last as RegisterReading;
    if (!this.#isPlausible(last, next)) {
      this.#suspect = next;
      return NOTHING;
    }
    this.#last = next;
    const flow = {
      startS: last.atS,
      durationS: next.atS - last.atS,
      microWh: next.microWh - last.microWh,
    };
    if (flow.durationS <= (this.#rules.longestS ?? Number.MAX_SAFE_INTEGER))
      return { flows: [flow], notes: [] };
    return noted("gap", next.atS, flow.microWh, "comes after a longer time without a reading than allowed");
  }

  #isPlausible(from: RegisterReading, to: RegisterReading): boolean {
    const rise = to.microWh - from.microWh;
    const { connectionW } = this.#rules;
    // W · s / 3600 is Wh. A threshold may be a rounded double: it decides what is believed, not what is counted.
    return (
      rise >= 0 && (connectionW === undefined || rise <= (connectionW * (to.atS - from.atS) * 1e6) / 3600)
    );
  }
}

/**
 * The flows between a register's readings, in order of time, and what was left out. For a register that never falls
 * (one reading a second at most) the flows and the energy left out add up to its last state less its first, exactly.
 *
 * @param readings in the order of their file; what is older than the one before is left out.
 * @throws RangeError for a reading or a rule that is not one
 */
export function registerFlows(readings: Iterable<RegisterReading>, rules: RegisterRules = {}): RegisterStep {
  const series = new RegisterSeries(rules);
  const flows: RegisterFlow[] = [];
  const notes: RegisterNote[] = [];
  const keep = (step: RegisterStep): void => {
    flows.push(...step.flows);
    notes.push(...step.notes);
  };
  for (const reading of readings) keep(series.add(reading));
  keep(series.end());
  return { flows, notes };
}

function noted(fault: RegisterFault, atS: number, leftOutMicroWh: number, what: string): RegisterStep {
  return { flows: [], notes: [note(fault, atS, leftOutMicroWh, what)] };
}

function note(fault: RegisterFault, atS: number, leftOutMicroWh: number, what: string): RegisterNote {
  const reason = `the register's reading of ${new Date(atS * 1000).toISOString()} ${what}`;
  return { fault, atS, leftOutMicroWh, what, reason };
}

// Owns a live meter on a P1 port: its telegrams become registers at slot boundaries. It refuses telegrams whose checksum
// is wrong, counts them, and says when the meter's clock is not this machine's.

import { marketTimeS } from "../../protocol/clock.ts";
import { slotAt } from "../../protocol/units.ts";
import { MOST_CLOCK_ERROR_S } from "../household/software-gateway.ts";
import type { LiveMeter, LiveMeterOptions } from "./live-meter.ts";
import { P1Framer } from "./p1-framing.ts";
import { followP1, type P1Port } from "./p1-line.ts";
import { P1_FAULTS, type P1Fault, type P1Telegram, readTelegram } from "./p1-telegram.ts";
import { SlotRegisters } from "./slot-registers.ts";

/** What came over a P1 port so far. */
export interface P1Counts {
  /** Telegrams that were read. */
  telegrams: number;
  /** Telegrams that were dropped, by reason. */
  readonly dropped: Record<P1Fault, number>;
}

/** A meter that speaks P1. */
export class P1Meter implements LiveMeter {
  readonly counts: P1Counts = {
    telegrams: 0,
    dropped: { checksum: 0, no_checksum: 0, no_registers: 0, malformed: 0 },
  };
  readonly #options: LiveMeterOptions;
  readonly #registers: SlotRegisters;
  readonly #stopping = new AbortController();
  #framer = new P1Framer();
  #aheadS: number | null = null;
  #isClockTold = false;
  readonly #toldInSlot = new Map<string, number>();
  #ended: Promise<void> = Promise.resolve();

  constructor(options: LiveMeterOptions) {
    this.#options = options;
    this.#registers = new SlotRegisters({ boundaries: options.openBoundaries(), report: options.report });
  }

  /** Follows a port until `stop`. */
  follow(port: P1Port): void {
    const listener = {
      bytes: (chunk: Uint8Array) => this.take(chunk),
      lost: () => {
        this.#framer = new P1Framer();
      },
      report: this.#options.report,
    };
    this.#ended = followP1(port, listener, this.#stopping.signal);
  }

  /** Takes bytes of the stream, as they come. */
  take(chunk: Uint8Array): void {
    const nowS = marketTimeS(this.#options.clock, Date.now());
    for (const frame of this.#framer.push(chunk)) {
      const reading = readTelegram(frame);
      if (!reading.ok) {
        this.#drop(reading.fault, nowS);
        continue;
      }
      this.counts.telegrams += 1;
      this.#count(reading.telegram, nowS);
    }
  }

  read(slot: number) {
    return this.#registers.read(slot);
  }

  knownUntilSlot(): number {
    return this.#registers.knownUntilSlot();
  }

  registersAt(slot: number) {
    return this.#registers.registersAt(slot);
  }

  clockAheadS(): number | null {
    return this.#aheadS;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  #count({ stampS, importMicroWh, exportMicroWh, meter }: P1Telegram, nowS: number): void {
    if (stampS !== null) this.#compareClocks(stampS - nowS);
    try {
      // Telegrams before DSMR 4 have no stamp: this machine's clock is the meter's.
      this.#registers.add({ atS: stampS ?? nowS, importMicroWh, exportMicroWh, meter });
    } catch (error) {
      // A full disk must not end the agent; the next telegram tries again.
      this.#tellOnce("kept", nowS, `a boundary could not be kept: ${String(error)}`);
    }
  }

  #drop(fault: P1Fault, nowS: number): void {
    this.counts.dropped[fault] += 1;
    const so = `${this.counts.dropped[fault]} so far, ${this.counts.telegrams} were read`;
    this.#tellOnce(fault, nowS, `a telegram was dropped: ${P1_FAULTS[fault]} (${so})`);
  }

  /** Tells of a kind of trouble once a slot. */
  #tellOnce(kind: string, nowS: number, message: string): void {
    if (this.#toldInSlot.get(kind) === slotAt(nowS)) return;
    this.#toldInSlot.set(kind, slotAt(nowS));
    this.#options.report(message);
  }

  #compareClocks(aheadS: number): void {
    this.#aheadS = aheadS;
    const wallS = Math.round(Math.abs(aheadS) / this.#options.clock.rate);
    const isOff = wallS > MOST_CLOCK_ERROR_S;
    if (isOff && !this.#isClockTold)
      this.#options.report(
        `the meter's clock is ${wallS} s ${aheadS > 0 ? "ahead of" : "behind"} this machine's; above ${MOST_CLOCK_ERROR_S} s its gateway signs nothing`,
      );
    this.#isClockTold = isOff;
  }
}

// Owns a household's meter for tests of a whole agent: registers that grow, telegrams on the market's clock, and what the
// slots between must therefore be. It refuses to know the meter's code: what it expects comes from what it sent.

import { type MarketClock, marketTimeS } from "../../protocol/clock.ts";
import { SLOT_SECONDS, slotAt, slotStartS } from "../../protocol/units.ts";
import type { P1Server } from "./p1-server.ts";
import { written } from "./p1-telegrams.ts";

/** Seconds between telegrams, as of a meter before DSMR 5. */
const EVERY_S = 10;
/** A boundary may be seen this much after the slot's start, s. */
const BOUNDARY_S = 30;
/** Wh of import and export with each telegram. */
const RISES = [
  [3, 0],
  [0, 7],
  [1, 0],
  [0, 5],
] as const;

interface Sent {
  readonly atS: number;
  readonly importWh: number;
  readonly exportWh: number;
  /** Grows when the registers begin anew. */
  readonly life: number;
}

/** A meter that speaks on a line as the market's time passes. */
export class P1Household {
  readonly #line: P1Server;
  readonly #clock: MarketClock;
  readonly #sent = new Map<number, Sent>();
  readonly #timer: NodeJS.Timeout;
  #nextS: number;
  #count = 0;
  #state = { importWh: 1_234_567, exportWh: 456_789, life: 0 };
  /** Whether nothing is sent, though time and energy pass. */
  isSilent = false;

  constructor(line: P1Server, clock: MarketClock) {
    this.#line = line;
    this.#clock = clock;
    this.#nextS = Math.ceil(this.nowS / EVERY_S) * EVERY_S;
    this.#timer = setInterval(() => this.#speak(), 20);
  }

  get nowS(): number {
    return marketTimeS(this.#clock, Date.now());
  }

  /** The meter is exchanged, or loses its memory. */
  reset(): void {
    this.#state = { importWh: 4, exportWh: 0, life: this.#state.life + 1 };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Net Wh of a slot as its boundaries were sent; null where one was not, or another life began between. */
  netWh(slot: number): number | null {
    const [from, until] = [this.#boundary(slot), this.#boundary(slot + 1)];
    if (from === undefined || until === undefined || from.life !== until.life) return null;
    return until.exportWh - from.exportWh - (until.importWh - from.importWh);
  }

  /** What was sent first in the time after a slot's start that counts as its boundary. */
  #boundary(slot: number): Sent | undefined {
    const startS = slotStartS(slot);
    for (let atS = startS; atS <= startS + BOUNDARY_S; atS += EVERY_S) {
      const sent = this.#sent.get(atS);
      if (sent !== undefined) return sent;
    }
    return undefined;
  }

  #speak(): void {
    let text = "";
    for (; this.#nextS <= this.nowS; this.#nextS += EVERY_S) {
      const [imported, exported] = RISES[this.#count % RISES.length] as (typeof RISES)[number];
      this.#count += 1;
      // By night the sun does not shine; the slots differ, too.
      const sun = slotAt(this.#nextS) % 3;
      const { importWh, exportWh, life } = this.#state;
      this.#state = { importWh: importWh + imported, exportWh: exportWh + exported * sun, life };
      if (this.isSilent || !this.#line.isHeard()) continue;
      const sent = { atS: this.#nextS, ...this.#state };
      const isAtBoundary = this.#nextS % SLOT_SECONDS <= BOUNDARY_S;
      // Each slot has a telegram whose register was garbled on the wire.
      if (this.#nextS % SLOT_SECONDS === 5 * EVERY_S)
        text += written(sent).replace("1-0:2.8.1(0", "1-0:2.8.1(9");
      else text += written(sent);
      if (isAtBoundary) this.#sent.set(this.#nextS, sent);
    }
    if (text !== "") this.#line.send(text);
  }
}

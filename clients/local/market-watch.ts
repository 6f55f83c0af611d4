// Owns following the market for the terminal: slots as they run, slots as they clear, and the sums. It refuses to ask
// more often than somebody can read.

import { slotAt } from "../../protocol/units.ts";
import type { Household } from "../household/generator.ts";
import { sleep } from "../household/runner.ts";
import type { Market, PolderClient } from "../sdk/client.ts";
import {
  type BoardRow,
  type BoardTotals,
  type ProverFigures,
  proofsInWords,
  type TerminalBoard,
} from "./terminal-board.ts";

const POLL_MS = 250;
/** A day: the night has no trades, and the board shows the latest slots that had. */
const KEPT_ROWS = 96;
/** On the first look at a market with a history, only this much of it is read. */
const LOOK_BACK_SLOTS = 96;

/** What is followed, and where it is shown. */
export interface Watching {
  readonly client: PolderClient;
  readonly region: string;
  readonly households: readonly Household[];
  readonly prover: ProverFigures;
  readonly board: TerminalBoard;
  readonly footer: readonly string[];
}

/** Follows one region. */
export class MarketWatch {
  readonly #watching: Watching;
  #running: BoardRow[] = [];
  #cleared: BoardRow[] = [];
  #totals: BoardTotals = { tradedWh: 0, matchableWh: 0, settledMicros: 0, days: 0 };
  #nextSlot = -1;
  #slot = -1;
  #wasProving = false;

  constructor(watching: Watching) {
    this.#watching = watching;
  }

  /** Follows the market until the signal, or until so many windows have settled under it. */
  async run(atS: () => number, signal: AbortSignal, days?: number): Promise<void> {
    const { client, region, board, footer, prover } = this.#watching;
    let first: number | null = null;
    while (!signal.aborted) {
      try {
        const market = await client.market(region);
        first ??= market.windowFirstSlot;
        this.#follow(slotAt(atS()));
        this.#followProofs();
        await this.#followCleared(market);
        if (days !== undefined && market.windowFirstSlot >= first + days * market.windowSlots) return;
      } catch (error) {
        if (!signal.aborted) board.notice(String(error));
      }
      board.show({ running: this.#running, cleared: this.#cleared, totals: this.#totals, prover, footer });
      await sleep(POLL_MS, signal);
    }
  }

  summary(): string {
    const { board, prover } = this.#watching;
    return `${board.sums(this.#totals)}\n${proofsInWords(prover)}`;
  }

  /** Without a terminal: that a day's windows are being proved, and that they are. */
  #followProofs(): void {
    const { board, prover } = this.#watching;
    const isProving = prover.pending > 0;
    if (isProving !== this.#wasProving) board.printProofs(prover);
    this.#wasProving = isProving;
  }

  /** The homes' own meters, slot by slot, as soon as a slot is over. */
  #follow(slot: number): void {
    for (let over = Math.max(this.#slot, slot - 4); over < slot && this.#slot >= 0; over += 1) {
      const row: BoardRow = { slot: over, ...this.#metered(over), cleared: null, settledMicros: 0 };
      this.#running = [...this.#running.slice(1 - KEPT_ROWS), row];
      this.#watching.board.print(row);
    }
    this.#slot = slot;
  }

  async #followCleared({ nextSlot, firstSlot, windowSlots }: Market): Promise<void> {
    if (this.#nextSlot < 0) this.#nextSlot = Math.max(firstSlot, nextSlot - LOOK_BACK_SLOTS);
    for await (const cleared of this.#watching.client.slots(
      this.#watching.region,
      this.#nextSlot,
      nextSlot,
    )) {
      const { slot, surplusWh, needWh, tradedWh, settledMicros } = cleared;
      const row: BoardRow = { slot, surplusWh, needWh, cleared, settledMicros };
      this.#cleared = [...this.#cleared.slice(1 - KEPT_ROWS), row];
      this.#totals = {
        tradedWh: this.#totals.tradedWh + tradedWh,
        matchableWh: this.#totals.matchableWh + Math.min(surplusWh, needWh),
        settledMicros: this.#totals.settledMicros + settledMicros,
        days: this.#totals.days + ((slot + 1) % windowSlots === 0 ? 1 : 0),
      };
      this.#watching.board.print(row);
      this.#nextSlot = slot + 1;
    }
  }

  #metered(slot: number): { surplusWh: number; needWh: number } {
    let surplusWh = 0;
    let needWh = 0;
    for (const household of this.#watching.households) {
      const { netWh } = household.slotEnergy(slot);
      if (netWh > 0) surplusWh += netWh;
      else needWh -= netWh;
    }
    return { surplusWh, needWh };
  }
}

// Owns following the market for the terminal: slots as they run, slots as they clear, and the sums. It refuses to ask
// more often than somebody can read.

import { slotAt } from "../../protocol/units.ts";
import type { Household } from "../household/generator.ts";
import { sleep } from "../household/runner.ts";
import type { Market, PolderClient } from "../sdk/client.ts";
import type { BoardRow, BoardTotals, TerminalBoard } from "./terminal-board.ts";

const POLL_MS = 250;
/** A day: the night has no trades, and the board shows the latest slots that had. */
const KEPT_ROWS = 96;
/** On the first look at a market with a history, only this much of it is read. */
const LOOK_BACK_SLOTS = 96;

/** Follows one region. */
export class MarketWatch {
  readonly #client: PolderClient;
  readonly #region: string;
  readonly #households: readonly Household[];
  readonly #board: TerminalBoard;
  readonly #footer: readonly string[];
  #running: BoardRow[] = [];
  #cleared: BoardRow[] = [];
  #totals: BoardTotals = { tradedWh: 0, matchableWh: 0, settledMicros: 0, days: 0 };
  #nextSlot = -1;
  #slot = -1;

  constructor(
    client: PolderClient,
    region: string,
    households: readonly Household[],
    board: TerminalBoard,
    footer: readonly string[],
  ) {
    this.#client = client;
    this.#region = region;
    this.#households = households;
    this.#board = board;
    this.#footer = footer;
  }

  /** Follows the market until the signal, or until so many windows have settled under it. */
  async run(atS: () => number, signal: AbortSignal, days?: number): Promise<void> {
    let first: number | null = null;
    while (!signal.aborted) {
      try {
        const market = await this.#client.market(this.#region);
        first ??= market.windowFirstSlot;
        this.#follow(slotAt(atS()));
        await this.#followCleared(market);
        if (days !== undefined && market.windowFirstSlot >= first + days * market.windowSlots) return;
      } catch (error) {
        if (!signal.aborted) this.#board.notice(String(error));
      }
      this.#board.show(this.#running, this.#cleared, this.#totals, this.#footer);
      await sleep(POLL_MS, signal);
    }
  }

  summary(): string {
    return this.#board.sums(this.#totals);
  }

  /** The homes' own meters, slot by slot, as soon as a slot is over. */
  #follow(slot: number): void {
    for (let over = Math.max(this.#slot, slot - 4); over < slot && this.#slot >= 0; over += 1) {
      const row: BoardRow = { slot: over, ...this.#metered(over), cleared: null, settledMicros: 0 };
      this.#running = [...this.#running.slice(1 - KEPT_ROWS), row];
      this.#board.print(row);
    }
    this.#slot = slot;
  }

  async #followCleared({ nextSlot, firstSlot, windowSlots }: Market): Promise<void> {
    if (this.#nextSlot < 0) this.#nextSlot = Math.max(firstSlot, nextSlot - LOOK_BACK_SLOTS);
    for await (const cleared of this.#client.slots(this.#region, this.#nextSlot, nextSlot)) {
      const { slot, surplusWh, needWh, tradedWh, settledMicros } = cleared;
      const row: BoardRow = { slot, surplusWh, needWh, cleared, settledMicros };
      this.#cleared = [...this.#cleared.slice(1 - KEPT_ROWS), row];
      this.#totals = {
        tradedWh: this.#totals.tradedWh + tradedWh,
        matchableWh: this.#totals.matchableWh + Math.min(surplusWh, needWh),
        settledMicros: this.#totals.settledMicros + settledMicros,
        days: this.#totals.days + ((slot + 1) % windowSlots === 0 ? 1 : 0),
      };
      this.#board.print(row);
      this.#nextSlot = slot + 1;
    }
  }

  #metered(slot: number): { surplusWh: number; needWh: number } {
    let surplusWh = 0;
    let needWh = 0;
    for (const household of this.#households) {
      const { netWh } = household.slotEnergy(slot);
      if (netWh > 0) surplusWh += netWh;
      else needWh -= netWh;
    }
    return { surplusWh, needWh };
  }
}

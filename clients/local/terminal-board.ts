// Owns what `npm start` shows: a live board on a terminal, plain lines elsewhere. It refuses to compute anything; it is
// handed figures.

import { createLogUpdate } from "log-update";
import colours from "picocolors";
import { slotStartS } from "../../protocol/units.ts";
import type { ClearedSlot } from "../sdk/client.ts";

/** A slot on the board: metered by the homes' own agents at once, the rest when the region has cleared it. */
export interface BoardRow {
  readonly slot: number;
  readonly surplusWh: number;
  readonly needWh: number;
  readonly cleared: ClearedSlot | null;
  /** What buyers paid. */
  readonly settledMicros: number;
}

export interface BoardTotals {
  readonly tradedWh: number;
  readonly matchableWh: number;
  readonly settledMicros: number;
  readonly days: number;
}

/** How far the day's proofs are. */
export interface ProverFigures {
  readonly made: number;
  readonly pending: number;
  readonly secondsPerProof: number;
}

/** Everything that the board shows at once. */
export interface BoardView {
  readonly running: readonly BoardRow[];
  readonly cleared: readonly BoardRow[];
  readonly totals: BoardTotals;
  readonly prover: ProverFigures;
  readonly footer: readonly string[];
}

const HEAD = "slot              metered +/− kWh      offered     asked  per kWh    traded   settled";
const ROWS = 12;

/** Shows the market as it goes. */
export class TerminalBoard {
  readonly #timeZone: string;
  readonly #currency: string;
  readonly #isLive: boolean;
  readonly #update: ((text: string) => void) & { done(): void };
  #notices: string[] = [];

  constructor(timeZone: string, currency: string, stream: NodeJS.WriteStream = process.stdout) {
    this.#timeZone = timeZone;
    this.#currency = currency;
    this.#isLive = stream.isTTY === true;
    this.#update = createLogUpdate(stream);
    if (!this.#isLive) console.log(HEAD);
  }

  /** Something worth a line of its own. */
  notice(text: string): void {
    if (!this.#isLive) {
      console.log(text);
      return;
    }
    this.#notices = [...this.#notices.slice(-3), text];
  }

  /** Shows the current slot, the slots before it, the sums, and how far the proofs are. */
  show({ running, cleared, totals, prover, footer }: BoardView): void {
    if (!this.#isLive) return;
    const lines = [
      colours.bold("running day"),
      colours.dim(HEAD),
      ...pad(
        running.slice(-6).map((row) => this.row(row)),
        6,
      ),
      colours.bold("settled: the latest slots that traded"),
      colours.dim(HEAD),
      ...pad(
        cleared
          .filter((row) => row.settledMicros !== 0)
          .slice(-ROWS)
          .map((row) => this.row(row)),
        ROWS,
      ),
      "",
      this.sums(totals),
      proofsInWords(prover),
      ...this.#notices.map((notice) => colours.yellow(notice)),
      "",
      ...footer,
    ];
    this.#update(lines.join("\n"));
  }

  /** Without a terminal: each running slot and each cleared slot once. */
  print(row: BoardRow): void {
    if (!this.#isLive) console.log(this.row(row));
  }

  /** Without a terminal: how far the proofs are. */
  printProofs(figures: ProverFigures): void {
    if (!this.#isLive) console.log(proofsInWords(figures));
  }

  /** Ends the live board so that what follows is below it. */
  done(): void {
    if (this.#isLive) this.#update.done();
  }

  sums({ tradedWh, matchableWh, settledMicros, days }: BoardTotals): string {
    const share =
      matchableWh === 0
        ? ""
        : ` of ${kwh(matchableWh)} kWh matchable (${((100 * tradedWh) / matchableWh).toFixed(1)} %)`;
    return `${colours.bold(`${days} days settled`)}: ${kwh(tradedWh)} kWh traded${share}, ${money(settledMicros)} ${this.#currency} settled`;
  }

  row({ slot, surplusWh, needWh, cleared, settledMicros }: BoardRow): string {
    const time = new Date(slotStartS(slot) * 1000).toLocaleString("en-GB", {
      timeZone: this.#timeZone,
      day: "2-digit",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
    });
    const metered = `+${kwh(surplusWh)} / −${kwh(needWh)}`.padEnd(18);
    if (cleared === null)
      return `${time.padEnd(16)}  ${metered}${colours.dim("  settles when the day is over")}`;
    const price = cleared.priceMicrosPerKwh === null ? "–" : (cleared.priceMicrosPerKwh / 1e6).toFixed(4);
    const traded = kwh(cleared.tradedWh).padStart(8);
    return [
      time.padEnd(16),
      ` ${metered}`,
      kwh(cleared.offeredWh).padStart(9),
      kwh(cleared.askedWh).padStart(9),
      price.padStart(9),
      cleared.tradedWh > 0 ? colours.green(traded) : traded,
      money(settledMicros).padStart(9),
    ].join(" ");
  }
}

/** How far the day's proofs are, in a line. */
export function proofsInWords({ made, pending, secondsPerProof }: ProverFigures): string {
  const each = made === 0 ? "" : `, ${secondsPerProof.toFixed(1)} s each`;
  return `proofs: ${made} made${each}, ${pending} pending`;
}

function kwh(wh: number): string {
  return (wh / 1000).toFixed(2);
}

function money(micros: number): string {
  return (micros / 1e6).toFixed(3);
}

function pad(lines: readonly string[], length: number): string[] {
  return [...lines, ...Array.from({ length: Math.max(0, length - lines.length) }, () => "")];
}

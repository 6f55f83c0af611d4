// Owns a deployment whose clock hardly moves but where it is told to: it is taken down and comes up again at a later time,
// from what it had stored. It refuses to go on before the region has done what became due meanwhile.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { marketTimeS, originFor, parseClock } from "../../protocol/clock.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { sleep } from "../household/runner.ts";
import { type Stack, startStack } from "../local/stack.ts";
import { type Market, PolderClient } from "../sdk/client.ts";

/** Market seconds a wall second: an hour of the market is time for thousands of proofs. (One would be no simulation.) */
const RATE = 0.5;
const POLL_MS = 50;

export interface StageOptions {
  /** The operator's address. */
  readonly operator: string;
  readonly region: string;
  /** What a deployment needs that follows a chain. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Told the clock of each time that the stage stands at, before anything else happens then. */
  readonly onTime?: (marketS: () => number) => void;
  readonly signal: AbortSignal;
  /** Kept at the end; without it one of its own, which is not. */
  readonly stateFolder?: string;
  /** Told what the deployment complains of. */
  readonly complain: (line: string) => void;
}

/** A deployment, one time after the other. */
export class MarketStage {
  readonly #options: StageOptions;
  readonly #stateFolder: string;
  #stack: Stack | null = null;
  #client: PolderClient | null = null;

  constructor(options: StageOptions) {
    this.#options = options;
    this.#stateFolder = options.stateFolder ?? mkdtempSync(join(tmpdir(), "polder-scenario-"));
  }

  /** For the time that it stands at. @throws Error before the first */
  get client(): PolderClient {
    if (this.#client === null) throw new Error("the stage stands at no time yet");
    return this.#client;
  }

  /** Goes to a market time, later than the one before. */
  async goTo(marketS: number): Promise<void> {
    const { operator, complain, signal, vars = {}, onTime } = this.#options;
    signal.throwIfAborted();
    await this.leave();
    const origin = originFor(marketS, Date.now(), RATE);
    const clock = parseClock(origin, String(RATE), LOCAL_CHAIN_ID);
    onTime?.(() => marketTimeS(clock, Date.now()));
    this.#stack = await startStack({
      stateFolder: this.#stateFolder,
      vars: { ...vars, OPERATOR: operator, CLOCK_ORIGIN: origin, CLOCK_RATE: String(RATE) },
      logger: (line, level) => level === "error" && complain(line),
    });
    this.#client = new PolderClient(this.#stack.url);
  }

  /** Waits until the first window that is still open begins at a slot, or later. */
  async openFrom(slot: number): Promise<Market> {
    const { region, signal } = this.#options;
    for (;;) {
      const market = await this.client.market(region);
      if (market.windowFirstSlot >= slot) return market;
      await sleep(POLL_MS, signal);
      signal.throwIfAborted();
    }
  }

  /** Takes the deployment down; its clock goes on, and it comes up again at a later time. */
  async leave(): Promise<void> {
    await this.#stack?.stop();
    this.#stack = null;
  }

  async end(): Promise<void> {
    await this.leave();
    if (this.#options.stateFolder === undefined) rmSync(this.#stateFolder, { recursive: true, force: true });
  }
}

// Owns a deployment whose clock hardly moves but where it is told to: it is taken down and comes up again at a later time,
// from what it had stored. It refuses to go on before the region has done what became due meanwhile.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MarketClock, marketTimeS, originFor, parseClock } from "../../protocol/clock.ts";
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
  readonly signal: AbortSignal;
  /** Kept at the end; without it one of its own, which is not. */
  readonly stateFolder?: string;
  /** Variables and secrets besides operator and clock. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Told what the deployment complains of. */
  readonly complain: (line: string) => void;
}

/** A deployment, one time after the other. */
export class MarketStage {
  readonly #options: StageOptions;
  readonly #stateFolder: string;
  #stack: Stack | null = null;
  #client: PolderClient | null = null;
  #clock: MarketClock | null = null;

  constructor(options: StageOptions) {
    this.#options = options;
    this.#stateFolder = options.stateFolder ?? mkdtempSync(join(tmpdir(), "polder-scenario-"));
  }

  /** For the time that it stands at. @throws Error before the first */
  get client(): PolderClient {
    if (this.#client === null) throw new Error("the stage stands at no time yet");
    return this.#client;
  }

  /** Market time now. Unix seconds. @throws Error before the first */
  get marketS(): number {
    if (this.#clock === null) throw new Error("the stage stands at no time yet");
    return marketTimeS(this.#clock, Date.now());
  }

  /** Goes to a market time, later than the one before. */
  async goTo(marketS: number): Promise<void> {
    const { operator, complain, signal, vars } = this.#options;
    signal.throwIfAborted();
    await this.leave();
    const origin = originFor(marketS, Date.now(), RATE);
    this.#stack = await startStack({
      stateFolder: this.#stateFolder,
      vars: { OPERATOR: operator, CLOCK_ORIGIN: origin, CLOCK_RATE: String(RATE), ...vars },
      logger: (line, level) => level === "error" && complain(line),
    });
    this.#clock = parseClock(origin, String(RATE), LOCAL_CHAIN_ID);
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

  /** Takes the deployment down; it stands where it stood when it comes up again. */
  async leave(): Promise<void> {
    await this.#stack?.stop();
    this.#stack = null;
  }

  async end(): Promise<void> {
    await this.leave();
    if (this.#options.stateFolder === undefined) rmSync(this.#stateFolder, { recursive: true, force: true });
  }
}

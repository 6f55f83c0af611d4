// Owns how many commands an account may send in a stretch of wall time. It refuses the rest of that stretch to that
// account alone, also after an eviction; it is no part of the audited state.

import { COMMAND_WINDOW_SECONDS, MAX_COMMANDS_PER_ACCOUNT_WINDOW } from "../protocol/limits.ts";

/** Where heavy users' counts are kept. */
export interface CounterStore {
  putCounter(account: string, window: number, used: number): void;
  counters(window: number): { account: string; used: number }[];
}

/** Counts are written once past half the limit and then at every eighth: ordinary use writes nothing. */
const WRITE_EVERY = Math.floor(MAX_COMMANDS_PER_ACCOUNT_WINDOW / 8);
const WRITE_FROM = MAX_COMMANDS_PER_ACCOUNT_WINDOW / 2;

/** Fixed-window counters, one per account that is active now. */
export class RateLimits {
  readonly #store: CounterStore;
  readonly #used = new Map<string, number>();
  #window = -1;

  constructor(store: CounterStore) {
    this.#store = store;
  }

  /**
   * Counts a command; null when it may pass, else the seconds to wait.
   * @param cost commands that it counts as.
   */
  take(account: string, wallMs: number, cost = 1): number | null {
    const window = Math.floor(wallMs / (COMMAND_WINDOW_SECONDS * 1000));
    if (window !== this.#window) this.#begin(window);
    const before = this.#used.get(account) ?? 0;
    const used = before + cost;
    this.#used.set(account, used);
    if (
      used >= WRITE_FROM &&
      Math.floor(used / WRITE_EVERY) > Math.floor(before / WRITE_EVERY) &&
      before <= MAX_COMMANDS_PER_ACCOUNT_WINDOW + WRITE_EVERY
    ) {
      this.#store.putCounter(account, window, used);
    }
    if (used <= MAX_COMMANDS_PER_ACCOUNT_WINDOW) return null;
    return Math.max(1, Math.ceil((window + 1) * COMMAND_WINDOW_SECONDS - wallMs / 1000));
  }

  #begin(window: number): void {
    this.#window = window;
    this.#used.clear();
    for (const { account, used } of this.#store.counters(window)) this.#used.set(account, used);
  }
}

// Owns a bound on how often something dear may be asked for in a minute, by everybody together. It refuses the rest of that
// minute; it is kept in memory alone, since an object that was moved has nothing under way.

export class PerMinute {
  readonly most: number;
  #minute = -1;
  #asked = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** Counts one; true when it may pass. */
  take(nowMs: number): boolean {
    const minute = Math.floor(nowMs / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#asked = 0;
    }
    this.#asked += 1;
    return this.#asked <= this.most;
  }
}

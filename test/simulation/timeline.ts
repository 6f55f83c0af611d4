// Owns the one clock of a simulated world: what happens when, in which order, and what time it is. It refuses to go
// back; two events of one millisecond happen in the order in which they were planned.

interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly work: () => void | Promise<void>;
}

/** Virtual time and what is planned in it. */
export class Timeline {
  /** True time in Unix milliseconds; whoever has a clock that is wrong adds its own error. */
  nowMs: number;
  /** Events that happened so far. */
  happened = 0;
  #planned: Planned[] = [];
  #orders = 0;
  #held: Promise<void> = Promise.resolve();
  #holds = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Plans work; at once where the moment has passed, but never before this call returns. */
  at(atMs: number, work: Planned["work"]): void {
    const event = { atMs: Math.max(atMs, this.nowMs), order: this.#orders, work };
    this.#orders += 1;
    let place = this.#planned.length;
    // The latest is first, so that the next is taken from the end.
    while (place > 0 && (this.#planned[place - 1] as Planned).atMs <= event.atMs) place -= 1;
    this.#planned.splice(place, 0, event);
  }

  after(milliseconds: number, work: Planned["work"]): void {
    this.at(this.nowMs + milliseconds, work);
  }

  /** Work that takes real time and no virtual time: the next event waits for it, and so does the next such work. */
  hold(work: () => Promise<void>): void {
    this.#held = this.#held.then(work);
    this.#holds += 1;
  }

  /** Lets everything happen up to a moment, then it is that moment; stops early when `isOver` says so. */
  async runUntil(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await this.#letGo();
    for (;;) {
      const next = this.#planned.at(-1);
      if (next === undefined || next.atMs > untilMs || isOver()) break;
      this.#planned.pop();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.happened += 1;
      await next.work();
      await this.#letGo();
    }
    if (!isOver()) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  async #letGo(): Promise<void> {
    while (this.#holds > 0) {
      this.#holds = 0;
      await this.#held;
    }
  }
}

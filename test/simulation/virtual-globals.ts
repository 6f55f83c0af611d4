// Owns what shipping code takes from its runtime without asking: the wall clock, timers, chance, the error log. It
// refuses to leave a simulated one in place longer than the code that is to see it runs.

/** What one inhabitant of a simulated world has in place of the runtime's globals. */
export interface Surroundings {
  /** Its wall clock. */
  readonly nowMs: () => number;
  readonly later: (work: () => void, milliseconds: number) => void;
  /** In [0, 1). */
  readonly random: () => number;
  /** It logged a fault. */
  readonly logged: () => void;
}

const drained = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Runs work, and everything that follows from it without waiting for an event, in these surroundings.
 * @returns what the work threw, or null.
 */
export async function inside(surroundings: Surroundings, work: () => void): Promise<unknown> {
  const { now } = Date;
  const { random } = Math;
  const { setTimeout: timer } = globalThis;
  const { error } = console;
  Date.now = surroundings.nowMs;
  Math.random = surroundings.random;
  console.error = surroundings.logged;
  globalThis.setTimeout = ((later: () => void, milliseconds = 0) =>
    surroundings.later(later, Math.max(1, milliseconds))) as unknown as typeof globalThis.setTimeout;
  let thrown: unknown = null;
  try {
    work();
  } catch (fault) {
    thrown = fault ?? new Error("something was thrown that is nothing");
  }
  await drained();
  Date.now = now;
  Math.random = random;
  console.error = error;
  globalThis.setTimeout = timer;
  return thrown;
}

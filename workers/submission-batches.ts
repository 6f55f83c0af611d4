// Owns the way of verified commands from this isolate to their region: while a call is under way, what arrives waits
// and goes with the next one, many commands in one call. It refuses to leave a command to a request that was cut off:
// after a while it goes alone, which is safe because its id makes it the same command.

import type { Submission } from "../durable-objects/engine.ts";
import type { Rejection } from "../protocol/errors.ts";

/** The region's method that takes many commands: submissions as a JSON array, and for each its answer. */
export interface BatchTaker {
  submitAll(submissions: string): Promise<readonly Carried[]>;
}

/** An accepted command's answer as JSON text, ready to be sent; or why it was refused. */
export type Carried = string | Rejection;

/** How long a command waits for the calls of others. Longer than any flush, shorter than a caller's patience. */
const PATIENCE_MS = 2_000;

/** Commands of one call: a few hundred kilobytes. */
const MAX_BATCH = 256;

type Signal = { readonly carried: Carried } | { readonly fault: unknown } | "lead" | "late";

interface Passenger {
  readonly submission: Submission;
  tell: (signal: Signal) => void;
}

/** The commands of one region that pass through this isolate. */
export class SubmissionBatches {
  #waiting: Passenger[] = [];
  /** When the call under way began; 0 while there is none. */
  #departedMs = 0;

  /**
   * Submits a command, with others where others are there.
   * @param region the object's stub, made by the request that submits: a request can only use its own.
   */
  async submit(region: BatchTaker, submission: Submission): Promise<Carried> {
    const mine: Passenger = { submission, tell: () => {} };
    // A leader whose client went away may never come back; nobody else must wait for it.
    const isFree = this.#departedMs === 0 || Date.now() - this.#departedMs > PATIENCE_MS;
    if (isFree) return this.#lead(region, mine);
    this.#waiting.push(mine);
    // The timer is this request's own, so the runtime sees that the request still waits for something.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const signal = await new Promise<Signal>((resolve) => {
      mine.tell = resolve;
      timer = setTimeout(resolve, PATIENCE_MS, "late");
    });
    clearTimeout(timer);
    if (signal === "lead") return this.#lead(region, mine);
    if (signal === "late") return this.#goAlone(region, mine);
    if ("fault" in signal) throw signal.fault;
    return signal.carried;
  }

  /** Takes everything that waits along in one call, then hands over to the first that came meanwhile. */
  async #lead(region: BatchTaker, mine: Passenger): Promise<Carried> {
    this.#departedMs = Date.now();
    this.#remove(mine);
    const others = this.#waiting.splice(0, MAX_BATCH - 1);
    try {
      const [first, ...rest] = await callWith(region, [mine, ...others]);
      others.forEach((passenger, index) => {
        passenger.tell({ carried: rest[index] as Carried });
      });
      return first as Carried;
    } catch (fault) {
      for (const passenger of others) passenger.tell({ fault });
      throw fault;
    } finally {
      const next = this.#waiting[0];
      this.#departedMs = next === undefined ? 0 : Date.now();
      next?.tell("lead");
    }
  }

  async #goAlone(region: BatchTaker, mine: Passenger): Promise<Carried> {
    this.#remove(mine);
    const [carried] = await callWith(region, [mine]);
    return carried as Carried;
  }

  #remove(mine: Passenger): void {
    const index = this.#waiting.indexOf(mine);
    if (index >= 0) this.#waiting.splice(index, 1);
  }
}

function callWith(region: BatchTaker, passengers: readonly Passenger[]): Promise<readonly Carried[]> {
  return region.submitAll(JSON.stringify(passengers.map(({ submission }) => submission)));
}

const batches = new Map<string, SubmissionBatches>();

/** The batches of a registered region; their number is that of the regions. */
export function batchesOf(region: string): SubmissionBatches {
  let found = batches.get(region);
  if (found === undefined) {
    found = new SubmissionBatches();
    batches.set(region, found);
  }
  return found;
}

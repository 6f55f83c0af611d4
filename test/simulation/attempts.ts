// Owns what is known from outside of proofs that were looked at: how many failed for whom, and which are being verified.
// It refuses a region that forgets a failure it was durably told of, or has more looked at than it may.

import type { Admission } from "../../durable-objects/proof-attempts.ts";
import type { SubmitReadings } from "../../protocol/commands.ts";
import { MAX_FAILED_PROOFS, MAX_PROOFS_IN_FLIGHT } from "../../protocol/limits.ts";
import type { Verification } from "./traffic.ts";

const CHECK = "attempts are few";
/** A verification that never reported back is given up after this long of wall time. */
const GIVEN_UP_MS = 10_000;

/** One account and window. */
interface Tally {
  /** Failures that the region was told of, whether it could write them or not. */
  told: number;
  /** Failures whose answer has left, so that they are durable. */
  durable: number;
}

interface Open {
  readonly account: string;
  readonly life: number;
  readonly begunMs: number;
}

/** What an account's proofs cost. */
export class AttemptsBook {
  readonly counts = { admitted: 0, failed: 0, exhausted: 0 };
  readonly #fail: (check: string, message: string) => void;
  readonly #tallies = new Map<string, Tally>();
  #open: Open[] = [];

  constructor(fail: (check: string, message: string) => void) {
    this.#fail = fail;
  }

  /** The region let a proof be verified, in the given life of its object. */
  admitted(command: SubmitReadings, { isSuspect }: Admission, life: number, wallMs: number): Verification {
    const { account, firstSlot } = command;
    const tally = this.#tallyOf(account, firstSlot);
    const name = `window ${firstSlot} of ${account}`;
    this.counts.admitted += 1;
    if (tally.durable >= MAX_FAILED_PROOFS)
      this.#fail(CHECK, `${name}: one more is looked at after ${tally.durable} failed`);
    if (tally.durable > 0 && !isSuspect) this.#fail(CHECK, `${name}: failed before and is not suspect`);
    if (tally.told === 0 && isSuspect) this.#fail(CHECK, `${name}: never failed and is suspect`);
    this.#open = this.#open.filter((one) => one.life === life && wallMs - one.begunMs < GIVEN_UP_MS);
    const running = this.#open.filter((one) => one.account === account).length;
    const most = tally.durable > 0 ? 1 : MAX_PROOFS_IN_FLIGHT;
    if (running >= most) this.#fail(CHECK, `${name}: ${running + 1} are verified at a time`);
    const open: Open = { account, life, begunMs: wallMs };
    this.#open.push(open);
    const end = (): void => {
      this.#open = this.#open.filter((one) => one !== open);
    };
    return {
      held: end,
      failing: () => {
        tally.told += 1;
        end();
      },
      failed: () => {
        tally.durable += 1;
        this.counts.failed += 1;
      },
    };
  }

  /** The region says that no more proofs are looked at. */
  exhausted({ account, firstSlot }: SubmitReadings): void {
    this.counts.exhausted += 1;
    const { told } = this.#tallyOf(account, firstSlot);
    if (told < MAX_FAILED_PROOFS)
      this.#fail(CHECK, `window ${firstSlot} of ${account} is exhausted after ${told} failures`);
  }

  /** Holds what a database says against what is known; `isOpen` tells whether it must remember a window still. */
  stored(failedProofs: (account: string, firstSlot: number) => number, windowFirstSlot: number): void {
    for (const [name, { told, durable }] of this.#tallies) {
      const [account, slot] = name.split(" ") as [string, string];
      if (Number(slot) < windowFirstSlot) continue;
      const failed = failedProofs(account, Number(slot));
      if (failed < durable || failed > told)
        this.#fail(
          CHECK,
          `${failed} failures of ${name} are stored; ${durable} are durable, ${told} were told`,
        );
    }
  }

  #tallyOf(account: string, firstSlot: number): Tally {
    const name = `${account} ${firstSlot}`;
    const tally = this.#tallies.get(name) ?? { told: 0, durable: 0 };
    this.#tallies.set(name, tally);
    return tally;
  }
}

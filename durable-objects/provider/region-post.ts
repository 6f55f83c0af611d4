// Owns the way of a node's signed commands to its region: each is sent until the region has decided it, whatever breaks in
// between. It refuses, without asking the region, a command whose signature does not hold.

import { type SignedCommand, type Submission, verifySigned } from "../../evidence/signed-command.ts";
import { ERRORS, type Rejection, rejected } from "../../protocol/errors.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";
import type { Outcome } from "../outcome.ts";
import type { Posted, RunStore } from "./run-store.ts";

/** Commands of one call to the region. */
const COMMANDS_PER_CALL = 64;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** The pause before another try, in wall milliseconds. */
export function pauseAfter(tries: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10));
}

export interface PostPorts {
  readonly store: RunStore;
  readonly domain: SigningDomain;
  readonly region: string;
  readonly wallMs: () => number;
  /** The region's `submitAll`. */
  readonly submitAll: (submissions: string) => Promise<string[]>;
  /** Told once of each command: the journal's entry, or why it was refused for good. */
  readonly decided: (
    key: string,
    result: { readonly entry: number } | { readonly rejection: Rejection },
  ) => void;
}

/** The commands of one node that its region has not decided. */
export class RegionPost {
  readonly #ports: PostPorts;
  #working: Promise<void> | null = null;

  constructor(ports: PostPorts) {
    this.#ports = ports;
  }

  /** Keeps a command to be sent; `work` sends it. A key that is kept already stays as it was. */
  add(key: string, signed: unknown): void {
    this.#ports.store.post({ key, signed, dueMs: this.#ports.wallMs(), tries: 0 });
  }

  /** Sends what is due. One call at a time: two would bring a command twice, which is harmless and dear. */
  work(): Promise<void> {
    this.#working ??= this.#send().finally(() => {
      this.#working = null;
    });
    return this.#working;
  }

  async #send(): Promise<void> {
    const { store, wallMs } = this.#ports;
    for (;;) {
      const batch = store.posted(wallMs(), COMMANDS_PER_CALL);
      if (batch.length === 0) return;
      await this.#sendBatch(batch);
    }
  }

  async #sendBatch(batch: readonly Posted[]): Promise<void> {
    const { domain, region, submitAll } = this.#ports;
    const submissions: Submission[] = [];
    const sent: Posted[] = [];
    for (const posted of batch) {
      const verdict = await verifySigned(domain, region, posted.signed as SignedCommand);
      if (verdict.ok) {
        submissions.push(verdict.submission);
        sent.push(posted);
      } else this.#settle(posted, { rejection: rejected(verdict.code, verdict.facts) });
    }
    if (sent.length === 0) return;
    let outcomes: string[];
    try {
      outcomes = await submitAll(JSON.stringify(submissions));
    } catch (fault) {
      // Whether they were decided is not known; sent again, each gets its first answer.
      console.error("a region did not answer a provider", fault);
      for (const posted of sent) this.#again(posted);
      return;
    }
    sent.forEach((posted, index) => {
      const outcome = JSON.parse(outcomes[index] as string) as Outcome;
      if ("answer" in outcome) this.#settle(posted, { entry: outcome.answer.entry });
      else if (ERRORS[outcome.rejection.code].transient) this.#again(posted);
      else this.#settle(posted, { rejection: outcome.rejection });
    });
  }

  #settle(posted: Posted, result: { readonly entry: number } | { readonly rejection: Rejection }): void {
    this.#ports.store.unpost(posted.key);
    this.#ports.decided(posted.key, result);
  }

  #again({ key, signed, tries }: Posted): void {
    const { store, wallMs } = this.#ports;
    store.post({ key, signed, dueMs: wallMs() + pauseAfter(tries), tries: tries + 1 });
  }
}

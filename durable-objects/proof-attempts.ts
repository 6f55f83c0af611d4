// Owns how many proofs an account may have looked at: few at a time, and none for a window after too many that did not
// verify. It is durable and no part of the audited state; a proof costs milliseconds, and rubbish must not.

import { type Rejection, rejected } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_FAILED_PROOFS, MAX_PROOFS_IN_FLIGHT } from "../protocol/limits.ts";

/** Where failures are kept. */
export interface AttemptStore {
  failedProofs(account: string, firstSlot: number): number;
  addFailedProof(account: string, firstSlot: number): void;
}

/** A verification that never reported back is given up after this long: its Worker is gone. */
const IN_FLIGHT_MS = 10_000;

/** What may be verified: alone where the account has failed before, so that it holds up no batch. */
export interface Admission {
  readonly isSuspect: boolean;
  /** Names the verification to whoever ends it: what is sent beside it must not end it. */
  readonly ticket: number;
}

interface Running {
  readonly ticket: number;
  readonly begunMs: number;
}

/** The attempts of one region's accounts. */
export class ProofAttempts {
  readonly #store: AttemptStore;
  /** The account's verifications under way. */
  readonly #inFlight = new Map<Hex, Running[]>();
  #nextTicket: number;

  /** @param wallMs where tickets begin, so that one of an object's earlier life ends nothing in this one. */
  constructor(store: AttemptStore, wallMs: number) {
    this.#store = store;
    this.#nextTicket = wallMs;
  }

  /** Lets a proof be verified, or says why not. What is let through ends with `failed` or `ended` and its ticket. */
  begin(account: Hex, firstSlot: number, wallMs: number): Admission | { readonly rejection: Rejection } {
    const failed = this.#store.failedProofs(account, firstSlot);
    if (failed >= MAX_FAILED_PROOFS)
      return { rejection: rejected("proof_attempts_exhausted", { firstSlot, limit: MAX_FAILED_PROOFS }) };
    const running = (this.#inFlight.get(account) ?? []).filter(
      ({ begunMs }) => wallMs - begunMs < IN_FLIGHT_MS,
    );
    // One that failed before has them looked at one by one, or it could have many fail at once.
    const most = failed > 0 ? 1 : MAX_PROOFS_IN_FLIGHT;
    if (running.length >= most)
      return { rejection: rejected("overloaded", { proofsInFlight: running.length }) };
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#inFlight.set(account, [...running, { ticket, begunMs: wallMs }]);
    return { isSuspect: failed > 0, ticket };
  }

  /** A proof did not verify. */
  failed(account: Hex, firstSlot: number, ticket: number): void {
    this.#store.addFailedProof(account, firstSlot);
    this.ended(account, ticket);
  }

  /** A verification is over. One that is not under way here, or no longer, changes nothing. */
  ended(account: Hex, ticket: number): void {
    const running = (this.#inFlight.get(account) ?? []).filter((one) => one.ticket !== ticket);
    if (running.length === 0) this.#inFlight.delete(account);
    else this.#inFlight.set(account, running);
  }
}

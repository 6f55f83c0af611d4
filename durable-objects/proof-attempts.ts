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
}

/** The attempts of one region's accounts. */
export class ProofAttempts {
  readonly #store: AttemptStore;
  /** When the account's verifications under way began. */
  readonly #inFlight = new Map<Hex, number[]>();

  constructor(store: AttemptStore) {
    this.#store = store;
  }

  /** Lets a proof be verified, or says why not. What is let through ends with `failed` or `ended`. */
  begin(account: Hex, firstSlot: number, wallMs: number): Admission | { readonly rejection: Rejection } {
    const failed = this.#store.failedProofs(account, firstSlot);
    if (failed >= MAX_FAILED_PROOFS)
      return { rejection: rejected("proof_attempts_exhausted", { firstSlot, limit: MAX_FAILED_PROOFS }) };
    const running = (this.#inFlight.get(account) ?? []).filter((begunMs) => wallMs - begunMs < IN_FLIGHT_MS);
    // One that failed before has them looked at one by one, or it could have many fail at once.
    const most = failed > 0 ? 1 : MAX_PROOFS_IN_FLIGHT;
    if (running.length >= most)
      return { rejection: rejected("overloaded", { proofsInFlight: running.length }) };
    this.#inFlight.set(account, [...running, wallMs]);
    return { isSuspect: failed > 0 };
  }

  /** A proof did not verify. */
  failed(account: Hex, firstSlot: number): void {
    this.#store.addFailedProof(account, firstSlot);
    this.ended(account);
  }

  /** A verification is over. */
  ended(account: Hex): void {
    const running = this.#inFlight.get(account) ?? [];
    if (running.length <= 1) this.#inFlight.delete(account);
    else this.#inFlight.set(account, running.slice(1));
  }
}

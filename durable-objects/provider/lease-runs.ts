// Owns what was run of one lease and what is under way: its count, and the counts that a voucher may be for. It refuses nothing.

import { hexOf } from "../../evidence/bytes.ts";
import type { Rejection } from "../../protocol/errors.ts";
import type { LeaseVoucher } from "../../protocol/lease-frames.ts";
import type { Parts } from "../../protocol/provider-frames.ts";
import type { LeaseRanFrame } from "../../protocol/run-records.ts";
import { deliveredMegaOf, LeaseCount, type LeaseTally } from "../../protocol/run-results.ts";
import type { RunResult } from "../job-calls.ts";
import type { KeptLease } from "./run-store.ts";

const NOTHING = new Uint8Array(0);

/** Counts that a voucher may still be for: those of runs that ended while it was on its way. */
const MOST_MARKS = 4_096;

/** What was counted after some run: its hashes are never written to again. */
interface Mark {
  readonly fuel: number;
  readonly jobs: Uint8Array;
  readonly outputs: Uint8Array;
}

export type LeaseAnswer = { readonly result: Omit<RunResult, "entry"> } | { readonly rejection: Rejection };

/** What came of a run as its node said it, counted; or why nothing did. */
export type LeaseTold =
  | { readonly ran: LeaseRanFrame; readonly parts: Parts; readonly outputHash: Uint8Array }
  | { readonly rejection: Rejection };

type Said = Pick<LeaseVoucher, "deliveredMega" | "jobDigest" | "outputHash">;

/** The runs of one lease. */
export class LeaseRuns {
  reservedMega = 0;
  flying = 0;
  readonly #count: LeaseCount;
  #kept: KeptLease;
  #marks: Mark[] = [];

  constructor(kept: KeptLease) {
    this.#kept = kept;
    this.#count = new LeaseCount(kept.tally);
    this.#mark();
  }

  get fuel(): number {
    return this.#count.fuel;
  }

  get terms(): KeptLease["terms"] {
    return this.#kept.terms;
  }

  get voucher(): KeptLease["voucher"] {
    return this.#kept.voucher;
  }

  /** The lease as it is to be written down now. */
  get kept(): KeptLease {
    return { ...this.#kept, tally: this.#count.tally };
  }

  /** Whatever is known of the lease beside its count. */
  keep(kept: KeptLease): void {
    this.#kept = kept;
  }

  get tally(): LeaseTally {
    return this.#count.tally;
  }

  add(jobDigest: Uint8Array, outputHash: Uint8Array, fuelUsed: number): void {
    this.#count.add(jobDigest, outputHash, fuelUsed);
    this.#mark();
    if (this.#marks.length >= 2 * MOST_MARKS) this.#marks = this.#marks.slice(-MOST_MARKS);
  }

  /** Whether what a voucher says was counted after some run, a short while ago at most. */
  hasCounted(said: Said): boolean {
    return this.#find(said) >= 0;
  }

  /** No voucher is taken any more that is older than this one. */
  forgetBefore(said: Said): void {
    this.#marks = this.#marks.slice(Math.max(0, this.#find(said)));
  }

  #find({ deliveredMega, jobDigest, outputHash }: Said): number {
    return this.#marks.findLastIndex(
      ({ fuel, jobs, outputs }) =>
        deliveredMegaOf(fuel) === deliveredMega && hexOf(jobs) === jobDigest && hexOf(outputs) === outputHash,
    );
  }

  #mark(): void {
    const { fuel, jobsHash, outputsHash } = this.#count;
    this.#marks.push({ fuel, jobs: jobsHash, outputs: outputsHash });
  }
}

/** What came of a run, for whoever takes it as a value. */
export function resultOfRun({ ran, parts, outputHash }: Extract<LeaseTold, { ran: unknown }>) {
  const { end, exitCode, fuelUsed, trap } = ran;
  const [stdout = NOTHING, stderr = NOTHING] = parts;
  const kind = "result" as const;
  return { kind, end, exitCode, stdout, stderr, fuelUsed, outputHash: hexOf(outputHash), trap };
}

// Owns what a provider's record is worth: shares and means that anybody can compute from the journal, and the rank that breaks ties
// between equal asks. It refuses opinions: nothing counts but what it sold, when it answered, and what running it again showed.

import { PRODUCTS } from "../../protocol/products.ts";
import type { Providers } from "./providers.ts";

/** A provider's record of jobs. */
export interface JobRecord {
  /** Paid. */
  readonly jobs: number;
  readonly failures: number;
  /** Of the failures, runs that the edge released: nothing sound came in time. */
  readonly lapses: number;
  readonly reports: number;
  readonly reportSeconds: number;
  readonly disagreements: number;
  readonly auditsPassed: number;
  readonly auditsFailed: number;
}

export interface Reputation {
  /** Of what it was to deliver, what it did, in hundredths of a percent; null before the first. */
  readonly deliveredBps: number | null;
  /** Of what it was to answer, what it answered in time: it was there. */
  readonly answeredBps: number | null;
  /** Of what was run again, what was right. */
  readonly auditsPassedBps: number | null;
  /** From trade to report. */
  readonly meanSeconds: number | null;
}

const BPS = 10_000;
const NONE: JobRecord = {
  jobs: 0,
  failures: 0,
  lapses: 0,
  reports: 0,
  reportSeconds: 0,
  disagreements: 0,
  auditsPassed: 0,
  auditsFailed: 0,
};

/** What is counted of a provider's jobs; nothing where it never sold one. */
export function jobRecordAt({ columns }: Providers, row: number | undefined): JobRecord {
  if (row === undefined) return NONE;
  const names = Object.keys(NONE) as (keyof JobRecord)[];
  return Object.fromEntries(
    names.map((name) => [name, columns[name][row] as number]),
  ) as unknown as JobRecord;
}

/** Shares and means of a record. */
export function reputationOf(record: JobRecord): Reputation {
  const { jobs, failures, lapses, reports, reportSeconds, auditsPassed, auditsFailed } = record;
  return {
    deliveredBps: share(jobs, failures),
    answeredBps: share(reports, lapses),
    auditsPassedBps: share(auditsPassed, auditsFailed),
    meanSeconds: reports === 0 ? null : Math.floor(reportSeconds / reports),
  };
}

/** Deliveries that somebody new is taken to have made, so that one failure more or less decides little. */
const ASSUMED_JOBS = 20;
/** Failures among them: a provider with a clean record stands before one without any. */
const ASSUMED_FAILURES = 1;
/** What a result that was shown to be wrong weighs: nothing is worse for an app than a wrong answer. */
const WRONG_WEIGHT = 10;
/** Above the longest a job takes, so that speed decides between equally reliable ones only. */
const SPEED_STEPS = 4_096;

/** Of asks of one price and second the lowest rank goes first: the most reliable, then the fastest. */
export function rankOf(record: JobRecord): number {
  const { jobs, failures, auditsFailed, reports, reportSeconds } = record;
  const bad = ASSUMED_FAILURES + failures + (WRONG_WEIGHT - 1) * auditsFailed;
  const unreliableBps = Math.floor((bad * BPS) / (ASSUMED_JOBS + jobs + bad));
  const slowest = PRODUCTS["compute-job"].deliverySeconds;
  const seconds = reports === 0 ? slowest : Math.min(slowest, Math.floor(reportSeconds / reports));
  return unreliableBps * SPEED_STEPS + seconds;
}

function share(good: number, bad: number): number | null {
  return good + bad === 0 ? null : Math.floor((good * BPS) / (good + bad));
}

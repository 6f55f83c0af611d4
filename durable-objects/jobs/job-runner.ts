// Owns a job's life on its desk: each step is taken from the record and written to it, before and after whatever is asked of the
// region or of a provider, so that it may be broken off anywhere. It refuses a result that does not have the hash it claims.

import { resultOf } from "../../compute/host/job.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import type { OpenObligation } from "../../protocol/answers.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { ERRORS, type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { JobStatus } from "../../protocol/jobs.ts";
import { fuelMegaOf } from "../../protocol/run-results.ts";
import type { DispatchAnswer, RunOrder, RunOutcome, RunResult, RunTaker } from "../job-calls.ts";
import type { Outcome } from "../outcome.ts";
import {
  FAULT_PAUSE_MS,
  GRACE_MS,
  MAX_FAULTS,
  nextStep,
  RETRY_PATIENCE_MS,
  REVEAL_MS,
  refusalPauseMs,
} from "./job-life.ts";
import { isOver, type JobRecord, type RunRecord } from "./job-records.ts";
import type { JobStore } from "./job-store.ts";
import { boughtObligations, runsOf } from "./purchase.ts";

/** What a desk is surrounded by. */
export interface RunnerHost {
  readonly store: JobStore;
  /** Name of the desk, as providers' objects find it. */
  readonly desk: string;
  buy(region: string, submission: Submission): Promise<Outcome>;
  /** A trade that is not settled, or null. */
  trade(region: string, number: number): Promise<OpenObligation | null>;
  takerOf(region: string, provider: Hex): RunTaker;
  wallMs(): number;
  marketS(): number;
  /** A job was bought: it is known that it is taken. */
  taken(job: Hex): void;
  /** A job is over: those who wait for it are told. */
  over(job: JobRecord): void;
}

/** Refusals that pass when somebody else offers or pays. */
const UNMATCHED: ReadonlySet<ErrorCode> = new Set([
  "order_unmatched",
  "order_unfillable",
  "sweep_limit_reached",
]);

/** The longest that a call may take; a desk that was ended in the middle of one goes on then. Wall milliseconds. */
const CALL_MS = 5_000;

export class JobRunner {
  readonly #host: RunnerHost;
  readonly #active = new Map<Hex, Promise<void>>();
  /** Jobs of which something has happened while a step of theirs was under way. */
  readonly #again = new Set<Hex>();
  /** Runs whose results were asked for by this instance; one that was ended in between may not have got to it. */
  readonly #asked = new Set<number>();

  constructor(host: RunnerHost) {
    this.#host = host;
  }

  /** Does for a job what can be done now; resolves when it waits or is over. One at a time for each job. */
  advance(digest: Hex): Promise<void> {
    const active = this.#active.get(digest);
    if (active !== undefined) {
      this.#again.add(digest);
      return active;
    }
    const steps = this.#steps(digest).finally(() => this.#active.delete(digest));
    this.#active.set(digest, steps);
    return steps;
  }

  /** True while a step of a job is under way. */
  isActive(digest: Hex): boolean {
    return this.#active.has(digest);
  }

  /** A provider has bound its result. */
  committed(digest: Hex, obligation: number, commitment: Hex): void {
    const run = this.#host.store.run(digest, obligation);
    if (run === null || (run.state !== "accepted" && run.state !== "bought")) return;
    this.#host.store.putRun(digest, { ...run, state: "committed", commitment });
  }

  /** Something came of a run, or nothing will. */
  ran(digest: Hex, obligation: number, outcome: RunOutcome): void {
    const { store } = this.#host;
    const run = store.run(digest, obligation);
    const job = store.job(digest);
    if (run === null || job === null || run.state === "reported" || run.state === "gave_up") return;
    this.#asked.delete(obligation);
    if (outcome.kind === "gave_up") {
      store.putRun(digest, { ...run, state: "gave_up" });
      return;
    }
    // Of replicas, what was not asked for was not bound before others were shown.
    if (job.terms.replicas > 1 && run.state !== "revealing") return;
    store.transaction(() => this.#report(job, run, outcome));
  }

  #report(job: JobRecord, run: RunRecord, result: RunResult): void {
    const { store } = this.#host;
    const { stdout, stderr, outputHash } = result;
    if (!isSound(job, result)) {
      store.putRun(job.terms.job, { ...run, state: "gave_up" });
      return;
    }
    const { end, exitCode, fuelUsed, trap } = result;
    store.putRun(job.terms.job, { ...run, state: "reported", outputHash, fuelUsed });
    if (isOver(job) || !mayCount(job, run)) return;
    const record = { outputHash, end, exitCode, fuelUsed, trap };
    const sizes = { stdoutBytes: stdout.length, stderrBytes: stderr.length };
    store.putResult(job.terms.job, { ...record, ...sizes }, { stdout, stderr });
  }

  async #steps(digest: Hex): Promise<void> {
    const { store } = this.#host;
    for (;;) {
      this.#again.delete(digest);
      const job = store.job(digest);
      if (job === null || isOver(job)) return;
      const isWaiting = await this.#step(job);
      if (isWaiting && !this.#again.has(digest)) return;
    }
  }

  /** Takes one step; true when nothing more can be done now. */
  async #step(job: JobRecord): Promise<boolean> {
    const { store, wallMs } = this.#host;
    const { job: digest } = job.terms;
    const tries = store.submissions(digest).length;
    const runs = store.runs(digest);
    const unasked = runs.filter((run) => run.state === "revealing" && !this.#asked.has(run.obligation));
    if (unasked.length > 0) return this.#reveal(job, unasked);
    const step = nextStep(job, tries, runs, wallMs());
    switch (step.kind) {
      case "buy":
        return this.#buy(job);
      case "hand_out":
        store.wake(digest, wallMs() + CALL_MS);
        await Promise.all(step.runs.map((run) => this.#handOut(job, run)));
        return false;
      case "reveal":
        return this.#reveal(job, step.runs);
      case "give_up_on":
        for (const run of step.runs) {
          store.putRun(digest, { ...run, state: "late" });
          this.#asked.delete(run.obligation);
        }
        return false;
      case "try_again":
        this.#tryAgain(job, step.notBeforeMs);
        return false;
      case "end":
        this.finish({ ...job, outputHash: step.outputHash }, "done", null);
        return true;
      case "fail":
        this.finish(job, "failed", rejected(step.code, { tries }));
        return true;
      case "wait":
        store.wake(digest, step.untilMs);
        return true;
    }
  }

  #tryAgain(job: JobRecord, notBeforeMs: number): void {
    const nowMs = this.#host.wallMs();
    const retryUntilMs = nowMs + RETRY_PATIENCE_MS;
    const next = { ...job, attempt: job.attempt + 1, refusals: 0, notBeforeMs, retryUntilMs };
    const { store } = this.#host;
    store.transaction(() => {
      store.put(next, nowMs + CALL_MS);
      // What did not count in its try never will: an app has set aside room for one try's results.
      if (job.terms.replicas > 1) store.forgetResults(job.terms.job);
    });
  }

  /** Ends a job, once. */
  finish(job: JobRecord, status: JobStatus, problem: Rejection | null): void {
    const { store, wallMs, marketS, over } = this.#host;
    const ended = { ...job, status, problem, isAsked: false, overS: marketS(), overMs: wallMs() };
    store.transaction(() => {
      store.put(ended, ended.webhookState === null ? null : ended.overMs);
      store.settle(ended);
    });
    over(ended);
    for (const run of store.runs(job.terms.job)) if (run.state === "bought") void this.#abandon(job, run);
  }

  /** Nobody was asked to run it: if its seller's object cannot be told, its money comes back at its deadline. */
  async #abandon(
    { terms }: JobRecord,
    { provider, obligation: obligationId, deadlineS }: RunRecord,
  ): Promise<void> {
    const { region, job: jobDigest } = terms;
    try {
      await answered(this.#host.takerOf(region, provider).abandon({ obligationId, jobDigest, deadlineS }));
    } catch (fault) {
      console.error("a provider's object was not told of a run that is not wanted", fault);
    }
  }

  /** Sends the next signed command; sent again after a crash it gets the answer that it got before. */
  async #buy(job: JobRecord): Promise<boolean> {
    const { store, wallMs } = this.#host;
    const { region, job: digest } = job.terms;
    const submission = store.submissions(digest)[job.attempt] as Submission;
    const asked = { ...job, isAsked: true };
    store.put(asked, wallMs() + CALL_MS);
    let outcome: Outcome;
    let open: readonly OpenObligation[] = [];
    try {
      outcome = await answered(this.#host.buy(region, submission));
      if ("answer" in outcome) {
        const numbers = boughtObligations(outcome.answer);
        const trades = await answered(Promise.all(numbers.map((number) => this.#host.trade(region, number))));
        open = trades.filter((trade) => trade !== null);
      }
    } catch (fault) {
      // Whether it was accepted is not known, and need not be: it is asked for again.
      console.error("a region did not answer a desk", fault);
      const notBeforeMs = wallMs() + FAULT_PAUSE_MS;
      store.put({ ...asked, notBeforeMs }, notBeforeMs);
      return true;
    }
    if ("rejection" in outcome) return this.#refused(job, outcome.rejection);
    const { answer } = outcome;
    const { commandId, entry, atS, receipt } = answer;
    store.transaction(() => {
      store.put({ ...job, status: "running", isAsked: false, problem: null }, wallMs() + CALL_MS);
      store.putPurchase(digest, job.attempt, { commandId, entry, atS, receipt });
      for (const run of runsOf(answer, job.attempt, open)) store.putRun(digest, run);
    });
    this.#host.taken(digest);
    return false;
  }

  #refused(job: JobRecord, problem: Rejection): true {
    const { store, wallMs } = this.#host;
    const { code, facts } = problem;
    const refusals = job.refusals + 1;
    const notBeforeMs = wallMs() + refusalPauseMs(refusals, facts.retryAfterSeconds);
    const patientUntilMs = Math.max(job.terms.patientUntilMs, job.retryUntilMs);
    const isPassing = ERRORS[code].transient || UNMATCHED.has(code);
    if (!isPassing || notBeforeMs > patientUntilMs) this.finish(job, "failed", problem);
    else store.put({ ...job, isAsked: false, refusals, notBeforeMs, problem }, notBeforeMs);
    return true;
  }

  async #handOut(job: JobRecord, run: RunRecord): Promise<void> {
    const { store, wallMs } = this.#host;
    const { region, job: digest, description } = job.terms;
    let answer: DispatchAnswer | null = null;
    try {
      answer = await answered(this.#host.takerOf(region, run.provider).dispatch(this.#orderOf(job, run)));
    } catch (fault) {
      console.error("a provider's object did not answer a desk", fault);
    }
    const now = store.run(digest, run.obligation);
    // What came of it may have been told before it was said that it was accepted.
    if (now?.state !== "bought") return;
    const dueMs = wallMs() + description.limits.wallSeconds * 1000 + GRACE_MS;
    if (answer === null) store.putRun(digest, unanswered(now, wallMs()));
    else store.putRun(digest, answer === "accepted" ? { ...now, state: "accepted", dueMs } : gaveUp(now));
  }

  /** Asks to show results; false: what is shown comes by itself, and nobody who says nothing holds up the others. */
  #reveal({ terms: { region, job: digest } }: JobRecord, runs: readonly RunRecord[]): false {
    const { store, wallMs } = this.#host;
    for (const run of runs) {
      // Written first: its result may come before the call is answered.
      store.putRun(digest, { ...run, state: "revealing", dueMs: wallMs() + REVEAL_MS });
      this.#asked.add(run.obligation);
      void this.#askToShow(region, run);
    }
    return false;
  }

  async #askToShow(region: string, { provider, obligation }: RunRecord): Promise<void> {
    for (let faults = 1; faults <= MAX_FAULTS; faults += 1) {
      try {
        return await answered(this.#host.takerOf(region, provider).reveal(obligation));
      } catch (fault) {
        console.error("a provider's object did not answer a desk", fault);
        await new Promise((resolve) => setTimeout(resolve, FAULT_PAUSE_MS));
      }
    }
  }

  #orderOf({ terms }: JobRecord, run: RunRecord): RunOrder {
    const { region, job: jobDigest, description, replicas, buyer } = terms;
    const { obligation, deadlineS, fuelMega, priceMicrosPerTera } = run;
    return {
      ...{ region, jobDigest, description, buyer, deadlineS, fuelMega, priceMicrosPerTera },
      obligationId: obligation,
      desk: this.#host.desk,
      input: this.#host.store.input(jobDigest),
      commitFirst: replicas > 1,
    };
  }
}

/** Of one provider any result counts; those of several are compared within a try. */
function mayCount({ terms, attempt }: JobRecord, run: RunRecord): boolean {
  return terms.replicas === 1 || run.attempt === attempt;
}

function gaveUp(run: RunRecord): RunRecord {
  return { ...run, state: "gave_up" };
}

/** Asked again after a pause, and late when that was often enough: of what it may have been given, a result still counts. */
function unanswered(run: RunRecord, nowMs: number): RunRecord {
  const faults = run.faults + 1;
  return faults < MAX_FAULTS
    ? { ...run, faults, dueMs: nowMs + FAULT_PAUSE_MS }
    : { ...run, faults, state: "late" };
}

/** What a call is answered. @throws Error where it takes longer than any may: what comes of it then is nobody's */
async function answered<T>(call: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CALL_MS} ms`)), CALL_MS);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The hash is that of the result, and the result is within what was ordered. */
function isSound({ terms }: JobRecord, result: RunResult): boolean {
  const { fuelMega, outputBytes } = terms.description.limits;
  const { end, exitCode, stdout, stderr, fuelUsed, outputHash } = result;
  const { outputHash: hash } = resultOf({ end, exitCode, stdout, stderr, fuelUsed, trap: null });
  return (
    outputHash === `0x${hash}` &&
    stdout.length + stderr.length <= outputBytes &&
    fuelMegaOf(fuelUsed) <= fuelMega
  );
}

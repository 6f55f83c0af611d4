// Owns the jobs of one account in a region as a Durable Object: it takes them, has them run, keeps what came of them and tells
// those who wait. It refuses keys that do not act for the account, and more jobs at once than it may hold.

import { DurableObject } from "cloudflare:workers";
import type { JobAnswer, JobListAnswer } from "../evidence/job-answer.ts";
import type { Submission } from "../evidence/signed-command.ts";
import { marketTimeS } from "../protocol/clock.ts";
import { type Rejection, rejected } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import {
  JOB_KEPT_SECONDS,
  MAX_JOB_BYTES_KEPT,
  MAX_JOB_BYTES_UNDER_WAY,
  MAX_JOBS_KEPT,
  MAX_JOBS_UNDER_WAY,
} from "../protocol/limits.ts";
import { ed25519Signer } from "./digest.ts";
import { type Env, marketClock, receiptSeed } from "./environment.ts";
import type { RunAsker, RunOutcome } from "./job-calls.ts";
import { answerOf, summaryOf } from "./jobs/job-answers.ts";
import { isOver, type JobOrder, type JobRecord } from "./jobs/job-records.ts";
import { JobRunner } from "./jobs/job-runner.ts";
import { JobStore, type StreamName } from "./jobs/job-store.ts";
import { runTakerOf } from "./jobs/run-takers.ts";
import { sendWebhook, WEBHOOK_PAUSES_MS, WEBHOOK_TIMEOUT_MS } from "./jobs/webhook.ts";
import type { Outcome } from "./outcome.ts";

/** A job, or why there is none. */
export type ToldJob = { readonly job: JobAnswer } | { readonly rejection: Rejection };

/** Jobs of one page of the list. */
const PAGE_JOBS = 100;

/** Where a page of the newest jobs begins. */
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** After a fault of ours. */
const FAULT_PAUSE_MS = 5_000;

/** The object of one account; its name is `<region>/<account>`. */
export class JobDesk extends DurableObject<Env> implements RunAsker {
  readonly #store: JobStore;
  readonly #runner: JobRunner;
  readonly #waiting = new Map<Hex, Set<() => void>>();
  /** Jobs that it is taking, with the answer that all who send them get. */
  readonly #submitting = new Map<Hex, Promise<ToldJob>>();
  readonly #taking = new Map<Hex, () => void>();
  readonly #sending = new Set<Hex>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new JobStore(ctx.storage);
    this.#runner = new JobRunner({
      store: this.#store,
      desk: ctx.id.name ?? "",
      buy: (region, submission: Submission) =>
        env.REGION.getByName(region).submit(submission) as unknown as Promise<Outcome>,
      trade: async (region, number) => env.REGION.getByName(region).obligation(number),
      takerOf: (region, provider) => runTakerOf(env, region, provider),
      wallMs: () => Date.now(),
      marketS: () => marketTimeS(marketClock(env), Date.now()),
      taken: (job) => this.#taken(job),
      over: (job) => this.#over(job),
    });
  }

  /**
   * Takes a job and begins it. The same job again is the same job: nothing more is bought for it.
   * @returns how it stands, or why it is not taken; then nothing of it is kept.
   */
  async submit(order: JobOrder): Promise<ToldJob> {
    const { job: digest } = order;
    const submitting = this.#submitting.get(digest);
    if (submitting !== undefined) return submitting;
    if (this.#store.job(digest) !== null) {
      await this.#goOn(digest);
      return this.read(digest);
    }
    const told = this.#begin(order).finally(() => this.#submitting.delete(digest));
    this.#submitting.set(digest, told);
    return told;
  }

  /** A job once it is over, or as it stands when the time is up. Wall milliseconds. */
  async wait(digest: Hex, milliseconds: number): Promise<ToldJob> {
    const job = this.#store.job(digest);
    if (job !== null && !isOver(job) && milliseconds > 0) {
      const over = this.#whenOver(digest, milliseconds);
      await this.#goOn(digest);
      await over;
    }
    return this.read(digest);
  }

  read(digest: Hex): ToldJob {
    const job = this.#store.job(digest);
    return job === null ? { rejection: rejected("job_not_found", { job: digest }) } : this.#tell(job);
  }

  /** A page of the account's jobs, the newest first. @param before number that the page ends before */
  list(before: number): JobListAnswer {
    const jobs = this.#store.page(before, PAGE_JOBS);
    const last = jobs.at(-1);
    return {
      jobs: jobs.map(summaryOf),
      next: jobs.length === PAGE_JOBS && last !== undefined && last.number > 1 ? last.number : null,
    };
  }

  /** What a job that is done wrote. */
  output(
    digest: Hex,
    stream: StreamName,
  ): { readonly bytes: Uint8Array } | { readonly rejection: Rejection } {
    const job = this.#store.job(digest);
    if (job === null) return { rejection: rejected("job_not_found", { job: digest }) };
    if (job.outputHash === null)
      return { rejection: rejected("job_output_missing", { job: digest, status: job.status }) };
    return { bytes: this.#store.output(digest, stream, job.outputHash) };
  }

  /** Takes back a job that nothing was bought for. */
  async cancel(digest: Hex): Promise<ToldJob> {
    let job = this.#store.job(digest);
    // Whether its purchase was accepted must be known first.
    if (job !== null && (job.isAsked || this.#runner.isActive(digest))) {
      await this.#advance(digest);
      job = this.#store.job(digest);
    }
    if (job === null) return { rejection: rejected("job_not_found", { job: digest }) };
    if (isOver(job)) return { rejection: rejected("job_over", { job: digest, status: job.status }) };
    if (job.status !== "queued" || job.isAsked)
      return { rejection: rejected("job_running", { job: digest }) };
    this.#runner.finish(job, "cancelled", null);
    await this.#arm();
    return this.read(digest);
  }

  async committed(digest: Hex, obligation: number, commitment: Hex): Promise<void> {
    this.#runner.committed(digest, obligation, commitment);
    await this.#goOn(digest);
  }

  async ran(digest: Hex, obligation: number, outcome: RunOutcome): Promise<void> {
    this.#runner.ran(digest, obligation, outcome);
    await this.#goOn(digest);
  }

  /** Brings on what is due, and is set for the next time whatever happens: the platform gives up on an alarm that throws. */
  override async alarm(): Promise<void> {
    try {
      const due = this.#store.due(Date.now());
      await Promise.all(due.map((digest) => this.#bringOn(digest)));
      this.#forgetOld();
      await this.#arm();
    } catch (fault) {
      console.error("a desk's alarm failed", fault);
      await this.ctx.storage.setAlarm(Date.now() + FAULT_PAUSE_MS);
    }
  }

  async #begin(order: JobOrder): Promise<ToldJob> {
    const { job: digest } = order;
    const refusal = this.#take(order);
    if (refusal !== null) return { rejection: refusal };
    const taken = new Promise<void>((resolve) => this.#taking.set(digest, resolve));
    // Handing it out may take its time; that it was bought is all that this answer needs.
    await Promise.race([this.#advance(digest), taken]);
    const job = this.#store.job(digest);
    // Refused before anything was bought, and before anybody was told that it was taken.
    if (job?.status === "failed" && job.problem !== null && this.#store.purchases(digest).length === 0) {
      this.#store.transaction(() => this.#store.forget(digest));
      return { rejection: job.problem };
    }
    return this.read(digest);
  }

  /** Why a new job is not taken, or null when it is kept. */
  #take(order: JobOrder): Rejection | null {
    const bytes = order.input.length + order.replicas * order.description.limits.outputBytes;
    const held = this.#store.underWay();
    if (held.jobs >= MAX_JOBS_UNDER_WAY)
      return rejected("jobs_exhausted", { limit: MAX_JOBS_UNDER_WAY, retryAfterSeconds: 1 });
    if (held.bytes + bytes > MAX_JOB_BYTES_UNDER_WAY)
      return rejected("jobs_exhausted", { limitBytes: MAX_JOB_BYTES_UNDER_WAY, retryAfterSeconds: 1 });
    this.#store.transaction(() => this.#store.add(order, bytes, Date.now() + FAULT_PAUSE_MS));
    return null;
  }

  /** The alarm is set before the first step, so that nothing depends on this instance. */
  async #advance(digest: Hex): Promise<void> {
    await this.#arm();
    await this.#runner.advance(digest);
    await this.#arm();
  }

  /** Does what follows without keeping the caller: it may be the very object that a step of the job is waiting for. */
  async #goOn(digest: Hex): Promise<void> {
    const job = this.#store.job(digest);
    if (job === null || isOver(job)) return;
    this.#store.wake(digest, Date.now());
    await this.#arm();
    this.#advance(digest).catch((fault) => console.error("a job could not go on", fault));
  }

  async #bringOn(digest: Hex): Promise<void> {
    const job = this.#store.job(digest);
    if (job === null) return;
    if (!isOver(job)) await this.#runner.advance(digest);
    else if (!this.#sending.has(digest)) void this.#send(job);
  }

  /** Tells the app; the next try is noted before this one is made, so that a lost instance costs no message. */
  async #send(job: JobRecord): Promise<void> {
    const { terms, webhookTries } = job;
    const { job: digest, webhook } = terms;
    if (webhook === null || job.webhookState !== "waiting") return this.#store.wake(digest, null);
    const pauseMs = WEBHOOK_PAUSES_MS[webhookTries] ?? null;
    const triedAt = { ...job, webhookTries: webhookTries + 1 };
    this.#store.put(triedAt, Date.now() + (pauseMs ?? 0) + WEBHOOK_TIMEOUT_MS);
    this.#sending.add(digest);
    try {
      const body = JSON.stringify(answerOf(this.#store, job, { withOutputs: false }));
      const sign = ed25519Signer(receiptSeed(this.env));
      const isDelivered = await sendWebhook(webhook, body, Date.now(), sign);
      if (this.#store.job(digest) === null) return;
      if (isDelivered) this.#store.put({ ...triedAt, webhookState: "delivered" }, null);
      else if (pauseMs === null) this.#store.put({ ...triedAt, webhookState: "given_up" }, null);
      else this.#store.put(triedAt, Date.now() + pauseMs);
    } finally {
      this.#sending.delete(digest);
      await this.#arm();
    }
  }

  #tell(job: JobRecord): ToldJob {
    return { job: answerOf(this.#store, job, { withOutputs: true }) };
  }

  #over({ terms: { job } }: JobRecord): void {
    this.#taken(job);
    for (const resolve of this.#waiting.get(job) ?? []) resolve();
    this.#waiting.delete(job);
    this.#forgetOld();
  }

  #taken(digest: Hex): void {
    this.#taking.get(digest)?.();
    this.#taking.delete(digest);
  }

  #whenOver(digest: Hex, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(digest) ?? new Set();
      this.#waiting.set(digest, waiting);
      const end = (): void => {
        clearTimeout(timer);
        waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      waiting.add(end);
    });
  }

  /** Forgets what was kept long enough, and the oldest of what is too much. */
  #forgetOld(): void {
    const untilMs = Date.now() - JOB_KEPT_SECONDS * 1000;
    for (;;) {
      const oldest = this.#store.oldest();
      if (oldest === null) return;
      const { jobs, bytes } = this.#store.kept();
      const isTooMuch = jobs > MAX_JOBS_KEPT || (bytes > MAX_JOB_BYTES_KEPT && jobs > 1);
      if (!isTooMuch && oldest.overMs > untilMs) return;
      this.#store.transaction(() => this.#store.forget(oldest.digest));
    }
  }

  async #arm(): Promise<void> {
    const oldestMs = this.#store.oldestOverMs();
    const times = [
      this.#store.nextWakeMs() ?? Number.POSITIVE_INFINITY,
      oldestMs === null ? Number.POSITIVE_INFINITY : oldestMs + JOB_KEPT_SECONDS * 1000,
    ];
    const nextMs = Math.min(...times);
    if (Number.isFinite(nextMs) && (await this.ctx.storage.getAlarm()) !== nextMs)
      await this.ctx.storage.setAlarm(nextMs);
  }
}

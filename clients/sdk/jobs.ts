// Owns jobs as an app sees them: have one run and wait for it, look at it, ask its price, cancel it, and check what a webhook
// says. It refuses answers that are about another job; a lost answer is asked for again under the same salt, which buys nothing twice.

import { bytesToHex } from "@noble/hashes/utils.js";
import type { z } from "zod";
import type {
  JobAnswer,
  JobListAnswer,
  JobOutput,
  JobQuoteAnswer,
  JobSummary,
} from "../../evidence/job-answer.ts";
import {
  verifyWebhookMessage,
  WEBHOOK_SIGNATURE_HEADER,
  WEBHOOK_TIME_HEADER,
} from "../../evidence/job-webhook.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { jobRequest } from "../../protocol/job-request.ts";
import { MAX_JOB_INPUT_BYTES } from "../../protocol/limits.ts";
import { isCount, isHex, isRecord } from "./answer-shape.ts";
import type { PolderClient } from "./client.ts";
import { moduleNameOf, uploadModule } from "./modules.ts";
import { PolderProblem, problemFrom, problemText, TransportFault } from "./problem.ts";

export type { JobAnswer, JobOutput, JobQuoteAnswer, JobSummary };

type RequestBody = z.input<typeof jobRequest>;

/** What an app asks for. `module`: its name, or its bytes, which are uploaded where they are not there yet. */
export type JobRequest = Omit<RequestBody, "module" | "input" | "waitSeconds"> & {
  readonly module: Hex | Uint8Array;
  /** Standard input. */
  readonly input?: Uint8Array | RequestBody["input"];
};

/** A job that was run to an end. */
export interface FinishedJob {
  readonly job: JobAnswer;
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** A job that nobody ran to an end, or that was cancelled; `job.problem` says why. */
export class JobFailed extends Error {
  override readonly name = "JobFailed";
  readonly job: JobAnswer;

  constructor(job: JobAnswer) {
    const { job: name, status, problem } = job;
    super(`job ${name} ${status}${problem === null ? "" : `: ${problemText(problem)}`}`);
    this.job = job;
  }
}

/** Seconds that one request waits; longer waits are several. */
const WAIT_SECONDS = 30;

export interface JobsOptions {
  /** Wall milliseconds after which `run` and `wait` give up waiting; the job goes on. Ten minutes. */
  readonly timeoutMs?: number;
}

/** The jobs of an account in a region. */
export class JobClient {
  readonly #client: PolderClient;
  readonly #path: string;
  readonly #region: string;
  readonly #apiKey: string;
  readonly #timeoutMs: number;

  constructor(
    client: PolderClient,
    region: string,
    apiKey: string,
    { timeoutMs = 600_000 }: JobsOptions = {},
  ) {
    this.#client = client;
    this.#region = region;
    this.#path = `/v1/regions/${region}/jobs`;
    this.#apiKey = apiKey;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Has a job run and waits for its end.
   * @throws PolderProblem where it is refused; JobFailed; TransportFault, also when the time is up
   */
  async run(request: JobRequest): Promise<FinishedJob> {
    const endMs = Date.now() + this.#timeoutMs;
    const first = await this.#send("", request, Math.min(WAIT_SECONDS, this.#timeoutMs / 1000));
    return finished(await this.#waitFor(first, endMs));
  }

  /** Has a job run without waiting for it. @throws PolderProblem, TransportFault */
  submit(request: JobRequest): Promise<JobAnswer> {
    return this.#send("", request, 0);
  }

  /** Waits for a job's end. @throws as `run` */
  async wait(job: Hex): Promise<FinishedJob> {
    const endMs = Date.now() + this.#timeoutMs;
    return finished(await this.#waitFor(await this.get(job), endMs));
  }

  /** How a job stands. @param waitSeconds how long the answer may wait for its end, at most 60 */
  async get(job: Hex, waitSeconds = 0): Promise<JobAnswer> {
    const query = waitSeconds === 0 ? "" : `?waitSeconds=${waitSeconds}`;
    const answer = jobIn(await this.#ask("GET", `/${job}${query}`));
    if (answer.job !== job) throw new TransportFault("the answer is another job");
    return answer;
  }

  /** What a job would cost now, or what it would be refused for. */
  async quote(request: JobRequest): Promise<JobQuoteAnswer> {
    const answer = await this.#withModule(request, (module) =>
      this.#ask<JobQuoteAnswer>("POST", "/quote", { ...bodyOf(request), module }),
    );
    if (!isCount(answer.costMicros) || !Array.isArray(answer.asks))
      throw new TransportFault("the answer is no quote");
    return answer;
  }

  /** Takes back a job that nothing was bought for. @throws PolderProblem `job_running`, `job_over` */
  async cancel(job: Hex): Promise<JobAnswer> {
    return jobIn(await this.#ask("DELETE", `/${job}`));
  }

  /** The account's jobs, the newest first. */
  async *list(): AsyncGenerator<JobSummary> {
    for (let next: number | null = null; ; ) {
      const page: JobListAnswer = await this.#ask("GET", next === null ? "" : `?before=${next}`);
      if (!Array.isArray(page.jobs)) throw new TransportFault("the answer has no jobs");
      yield* page.jobs;
      if (page.next === null) return;
      if (!isCount(page.next) || (next !== null && page.next >= next))
        throw new TransportFault("the pages of jobs do not go on");
      next = page.next;
    }
  }

  async #waitFor(first: JobAnswer, endMs: number): Promise<JobAnswer> {
    for (let answer = first; ; ) {
      if (answer.overS !== null) return answer;
      const leftSeconds = Math.ceil((endMs - Date.now()) / 1000);
      if (leftSeconds <= 0) throw new TransportFault(`job ${first.job} is not over yet`);
      answer = await this.get(first.job, Math.min(WAIT_SECONDS, leftSeconds));
    }
  }

  #send(path: string, request: JobRequest, waitSeconds: number): Promise<JobAnswer> {
    // One salt for all tries: an answer that was lost is that of the same job.
    const body = { ...bodyOf(request), waitSeconds: Math.floor(waitSeconds) };
    return this.#withModule(request, async (module) =>
      jobIn(await this.#ask("POST", path, { ...body, module })),
    );
  }

  /** Uploads a module of which bytes are given, where the deployment does not have it. */
  async #withModule<T>({ module }: JobRequest, ask: (name: Hex) => Promise<T>): Promise<T> {
    if (typeof module === "string") return ask(module);
    const name = moduleNameOf(module);
    try {
      return await ask(name);
    } catch (error) {
      if (!(error instanceof PolderProblem) || error.code !== "module_not_found") throw error;
      await uploadModule(this.#client, this.#region, this.#apiKey, module);
      return ask(name);
    }
  }

  #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers = { authorization: `Bearer ${this.#apiKey}` };
    return this.#client.send(method, `${this.#path}${path}`, body, headers);
  }
}

/** The bytes that an output stands for. */
export function outputBytes({ encoding, data }: JobOutput): Uint8Array {
  if (encoding === "utf8") return new TextEncoder().encode(data);
  return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
}

/**
 * What a webhook's request says, when the deployment signed it and it is of now; else null.
 * @param receiptKey the deployment's, from `PolderClient.deployment()`, or pinned.
 * @param body as it came, not parsed and written again.
 */
export async function verifyWebhook(
  receiptKey: Hex,
  headers: { get(name: string): string | null },
  body: string,
  nowS: number = Math.floor(Date.now() / 1000),
): Promise<JobAnswer | null> {
  const time = headers.get(WEBHOOK_TIME_HEADER);
  const signature = headers.get(WEBHOOK_SIGNATURE_HEADER);
  const isOwn = await verifyWebhookMessage(receiptKey, { time, signature, body }, nowS);
  return isOwn ? jobIn(JSON.parse(body) as object) : null;
}

function finished(job: JobAnswer): FinishedJob {
  const { result } = job;
  if (job.status !== "done" || result === null) throw new JobFailed(job);
  const { exitCode, stdout, stderr } = result;
  if (stdout === undefined || stderr === undefined) throw new TransportFault("the answer has no output");
  return { job, exitCode, stdout: outputBytes(stdout), stderr: outputBytes(stderr) };
}

/** @throws TransportFault for an answer that is no job */
function jobIn(answer: object): JobAnswer {
  const { job, status, overS, runs, result } = answer as Record<string, unknown>;
  const isJob =
    isHex(job, 32) &&
    typeof status === "string" &&
    (overS === null || isCount(overS)) &&
    Array.isArray(runs) &&
    (result === null || isRecord(result));
  if (!isJob) throw new TransportFault("the answer is no job");
  return answer as JobAnswer;
}

function bodyOf({ input, module: _module, ...rest }: JobRequest) {
  const salt: Hex = rest.salt ?? `0x${bytesToHex(crypto.getRandomValues(new Uint8Array(32)))}`;
  return { ...rest, salt, ...(input === undefined ? {} : { input: inputOf(input) }) };
}

function inputOf(input: NonNullable<JobRequest["input"]>): RequestBody["input"] {
  if (!(input instanceof Uint8Array)) return input;
  if (input.length > MAX_JOB_INPUT_BYTES)
    throw problemFrom(
      413,
      JSON.stringify({ code: "job_input_too_large", facts: { limitBytes: MAX_JOB_INPUT_BYTES } }),
    );
  return { base64: base64Of(input) };
}

function base64Of(bytes: Uint8Array): string {
  let characters = "";
  for (let at = 0; at < bytes.length; at += 8_192)
    characters += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(characters);
}

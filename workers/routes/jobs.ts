// Owns the paths of jobs: have one run, ask what it would cost, look at it, cancel it, read what it wrote. It refuses everybody
// but holders of a live key of the account whose jobs they are.

import { z } from "zod";
import type { Env } from "../../durable-objects/environment.ts";
import { type JobDesk, NEWEST, type ToldJob } from "../../durable-objects/job-desk.ts";
import type { JobOffer } from "../../durable-objects/job-quotes.ts";
import type { JobOrder } from "../../durable-objects/jobs/job-records.ts";
import {
  type JobAnswer,
  type JobQuoteAnswer,
  jobAnswer,
  jobListAnswer,
  jobQuoteAnswer,
} from "../../evidence/job-answer.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { type ErrorCode, type Rejection, rejected } from "../../protocol/errors.ts";
import { bounded, bytes32, regionId } from "../../protocol/fields.ts";
import { jobRequest } from "../../protocol/job-request.ts";
import { MAX_JOB_BODY_BYTES, MAX_JOB_WAIT_SECONDS } from "../../protocol/limits.ts";
import { apiKeyOf } from "../authentication.ts";
import { jobOrderOf, priceOf } from "../job-orders.ts";
import { numeral, regionParams } from "../parts.ts";
import { refuse } from "../problems.ts";
import { regionOf } from "../region-access.ts";
import { type Application, type RequestContext, route } from "../router.ts";

const tag = "jobs";
const jobParams = z.strictObject({ region: regionId, job: bytes32 });
const bodyLimit = { limitBytes: MAX_JOB_BODY_BYTES, code: "job_input_too_large" } as const;

/** Refusals that a higher price, or less fuel, would change. */
const PRICE_REFUSALS: ReadonlySet<ErrorCode> = new Set(["order_unmatched", "sellers_insufficient"]);

/** Registers the paths. */
export function jobRoutes(application: Application): void {
  runRoutes(application);
  quoteRoute(application);
  readRoutes(application);
}

interface Asked {
  readonly context: RequestContext;
  readonly env: Env;
  readonly params: { readonly region: string };
}

/** Only a live key of the account gets further, before a body is read. */
async function before({ context, env, params }: Asked): Promise<void> {
  const object = await regionOf(env, params.region);
  const { account, seed } = apiKeyOf(context);
  const refusal = await object.refuseKey(account, sessionKeyOf(seed));
  if (refusal !== null) refuse(refusal);
}

/** The desk of whoever asks. */
function deskOf({ context, env, params }: Asked): DurableObjectStub<JobDesk> {
  return env.JOB_DESK.getByName(`${params.region}/${apiKeyOf(context).account}`);
}

function told(answer: ToldJob): JobAnswer {
  return "rejection" in answer ? refuse(answer.rejection) : answer.job;
}

function runRoutes(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/jobs",
      tag,
      summary: "Have a job run",
      description:
        "Runs an uploaded module with the given input, by the providers whose asks in the book of `compute-job` are best, for at most `mostMicros`. Answered with 200 once the job is over, or after `waitSeconds` with 202, its state and its address in Location. A job whose salt is given is had only once, however often it is sent. With an API key as bearer token.",
      accepts: "api-key",
      before,
      params: regionParams,
      body: jobRequest,
      bodyLimit,
      answers: jobAnswer,
      otherStatus: 202,
    },
    async (request) => {
      const { context, params, body } = request;
      const order = await jobOrderOf(context, params.region, body);
      const desk = deskOf(request);
      const first = (await desk.submit(order)) as ToldJob;
      if ("rejection" in first) return refuse(await withLeast(request, order, first.rejection));
      const job = isOver(first.job) ? first.job : await waitFor(desk, first.job, body.waitSeconds);
      context.header("location", `/v1/regions/${params.region}/jobs/${job.job}`);
      return context.json(job, isOver(job) ? 200 : 202);
    },
  );
  route(
    application,
    {
      method: "delete",
      path: "/v1/regions/:region/jobs/:job",
      tag,
      summary: "Cancel a job that nothing was bought for",
      description: "Costs nothing while it waits for providers. One that is running is refused, and runs on.",
      accepts: "api-key",
      before,
      params: jobParams,
      answers: jobAnswer,
    },
    async (request) =>
      request.context.json(told((await deskOf(request).cancel(request.params.job)) as ToldJob)),
  );
}

function quoteRoute(application: Application): void {
  route(
    application,
    {
      method: "post",
      path: "/v1/regions/:region/jobs/quote",
      tag,
      summary: "What a job would cost now",
      description:
        "The same body as for having it run. Answers with the asks that it would take, what it would cost at most, or what it would be refused for. Nothing is bought or kept.",
      accepts: "api-key",
      before,
      params: regionParams,
      body: jobRequest,
      bodyLimit,
      answers: jobQuoteAnswer,
    },
    async (request) => {
      const { context, env, params, body } = request;
      const order = await jobOrderOf(context, params.region, body, 1);
      const object = await regionOf(env, params.region);
      const [submission] = order.submissions;
      const offer = (await object.quoteJob(submission as Submission)) as
        | JobOffer
        | { readonly rejection: Rejection };
      const asks = "rejection" in offer ? [] : [...offer.asks];
      return context.json({
        job: order.job,
        fuelMega: body.limits.fuelMega,
        replicas: body.replicas,
        priceMicrosPerTera: priceOf(body),
        costMicros: asks.reduce((sum, { costMicros }) => sum + costMicros, 0),
        asks,
        problem: "rejection" in offer ? await withLeast(request, order, offer.rejection) : null,
      } satisfies JobQuoteAnswer);
    },
  );
}

function readRoutes(application: Application): void {
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/jobs",
      tag,
      summary: "The account's jobs, the newest first",
      accepts: "api-key",
      before,
      params: regionParams,
      query: z.strictObject({ before: numeral(bounded(1, NEWEST).default(NEWEST)) }),
      answers: jobListAnswer,
    },
    async (request) => request.context.json(await deskOf(request).list(request.query.before)),
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/jobs/:job",
      tag,
      summary: "How a job stands, and what came of it",
      description:
        "Waits for its end where `waitSeconds` says so. A job that is over can be read for a day, unless a thousand newer ones are over.",
      accepts: "api-key",
      before,
      params: jobParams,
      query: z.strictObject({ waitSeconds: numeral(bounded(0, MAX_JOB_WAIT_SECONDS).default(0)) }),
      answers: jobAnswer,
    },
    async (request) => {
      const { context, params, query } = request;
      return context.json(
        told((await deskOf(request).wait(params.job, query.waitSeconds * 1000)) as ToldJob),
      );
    },
  );
  route(
    application,
    {
      method: "get",
      path: "/v1/regions/:region/jobs/:job/output",
      tag,
      summary: "What a job wrote, as it is",
      accepts: "api-key",
      before,
      params: jobParams,
      query: z.strictObject({ stream: z.enum(["stdout", "stderr"]).default("stdout") }),
      answers: { contentType: "application/octet-stream", description: "the bytes of the stream" },
    },
    async (request) => {
      const { context, params, query } = request;
      const found = (await deskOf(request).output(params.job, query.stream)) as
        | { readonly bytes: Uint8Array<ArrayBuffer> }
        | { readonly rejection: Rejection };
      if ("rejection" in found) return refuse(found.rejection);
      return context.body(found.bytes, 200, {
        "content-type": "application/octet-stream",
        // Whatever a job wrote, a browser is not to run it under this address.
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
      });
    },
  );
}

function isOver({ overS }: JobAnswer): boolean {
  return overS !== null;
}

/** The job when it is over, or as it stands then. It was taken: if its desk is lost meanwhile, it is only not over yet. */
async function waitFor(
  desk: DurableObjectStub<JobDesk>,
  taken: JobAnswer,
  seconds: number,
): Promise<JobAnswer> {
  if (seconds === 0) return taken;
  try {
    const later = (await desk.wait(taken.job, seconds * 1000)) as ToldJob;
    return "rejection" in later ? taken : later.job;
  } catch (fault) {
    console.error("a desk was lost while somebody waited", fault);
    return taken;
  }
}

/** What would do, beside the refusal of what would not. */
async function withLeast(
  { env, params }: Asked,
  { buyer, description, replicas }: JobOrder,
  { code, facts }: Rejection,
): Promise<Rejection> {
  if (!PRICE_REFUSALS.has(code)) return rejected(code, facts);
  const object = await regionOf(env, params.region);
  const leastMicros = await object.leastJobMicros(buyer, description.limits.fuelMega, replicas);
  return rejected(code, { ...facts, leastMicros });
}

// Owns the step from an app's request to a job's order: the whole description, its digest, and the signed commands that buy it.
// It refuses what no provider could run or nobody would sell, before anything is kept. Of the API key nothing is kept.

import { sha256Hex } from "../durable-objects/digest.ts";
import { marketClock } from "../durable-objects/environment.ts";
import { GRACE_MS, REVEAL_MS } from "../durable-objects/jobs/job-life.ts";
import type { JobOrder } from "../durable-objects/jobs/job-records.ts";
import { isWebhookAddress } from "../durable-objects/jobs/webhook.ts";
import { keptModule } from "../durable-objects/module-store.ts";
import type { Submission } from "../evidence/signed-command.ts";
import { marketTimeS } from "../protocol/clock.ts";
import type { Hex } from "../protocol/fields.ts";
import { inputBytes, type JobRequest } from "../protocol/job-request.ts";
import { type JobDescription, jobDigestOf } from "../protocol/jobs.ts";
import {
  MAX_COMMAND_LIFE_S,
  MAX_JOB_INPUT_BYTES,
  MAX_JOB_TRIES,
  MAX_REGION_MICROS,
} from "../protocol/limits.ts";
import { apiKeyOf, submissionOf } from "./authentication.ts";
import { Refusal } from "./problems.ts";
import type { RequestContext } from "./router.ts";

/** Wall seconds that a purchase may take to reach its region, besides what is waited for providers. */
const SPARE_SECONDS = 60;

/** The order of a request, with so many signed commands. @throws Refusal */
export async function jobOrderOf(
  context: RequestContext,
  region: string,
  request: JobRequest,
  tries = MAX_JOB_TRIES,
): Promise<JobOrder> {
  const { env } = context;
  const { account } = apiKeyOf(context);
  const input = requireInput(request);
  const webhook = request.webhook ?? null;
  if (webhook !== null && !isWebhookAddress(webhook, Number(env.CHAIN_ID)))
    throw new Refusal("webhook_refused", {});
  const priceMicrosPerTera = priceOf(request);
  if ((await keptModule(env, request.module)) === null)
    throw new Refusal("module_not_found", { module: request.module });
  const description = describe(request, input);
  const job = jobDigestOf(description);
  const purchase = {
    jobDigest: job,
    fuelMega: request.limits.fuelMega,
    priceMicrosPerTera,
    replicas: request.replicas,
    expiresAtS: expiryS(context, request),
  };
  const submissions: Submission[] = [];
  for (let place = 0; place < tries; place += 1)
    submissions.push((await submissionOf(context, region, "buy_job", purchase)).submission);
  return {
    region,
    buyer: account,
    job,
    description,
    input,
    replicas: request.replicas,
    mostMicros: request.mostMicros,
    submissions,
    patientUntilMs: Date.now() + request.patienceSeconds * 1000,
    createdS: marketTimeS(marketClock(env), Date.now()),
    webhook,
  };
}

/** Bytes of standard input. @throws Refusal where they are none, or too many */
export function requireInput({ input }: Pick<JobRequest, "input">): Uint8Array {
  const bytes = inputBytes(input);
  if (bytes === "too_large") throw new Refusal("job_input_too_large", { limitBytes: MAX_JOB_INPUT_BYTES });
  if (bytes === "malformed")
    throw new Refusal("malformed_request", {
      path: "input",
      expected: "base64 (RFC 4648, 4), or JSON that is not too deep",
    });
  return bytes;
}

/** The dearest ask that may be taken: all runs at it cost at most what is to be paid. @throws Refusal where that is none */
export function priceOf({ mostMicros, replicas, limits: { fuelMega } }: JobRequest): number {
  const price = (BigInt(Math.floor(mostMicros / replicas)) * 1_000_000n) / BigInt(fuelMega);
  if (price === 0n)
    throw new Refusal("job_price_too_low", { leastMicros: replicas * Math.ceil(fuelMega / 1_000_000) });
  return Number(price > BigInt(MAX_REGION_MICROS) ? BigInt(MAX_REGION_MICROS) : price);
}

function describe(request: JobRequest, input: Uint8Array): JobDescription {
  const { module, args, env, limits, startS, salt } = request;
  return {
    ...{ module, args, env, limits, startS },
    inputHash: `0x${sha256Hex(input)}`,
    salt: salt ?? freshSalt(),
  };
}

function freshSalt(): Hex {
  return `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")}`;
}

/** Long enough for every try, and never longer than a command may live. Market time. */
function expiryS({ env }: RequestContext, { patienceSeconds, limits }: JobRequest): number {
  const clock = marketClock(env);
  const trySeconds = limits.wallSeconds + (GRACE_MS + REVEAL_MS) / 1000;
  const wallSeconds = SPARE_SECONDS + patienceSeconds + MAX_JOB_TRIES * trySeconds;
  const life = Math.min(MAX_COMMAND_LIFE_S - 60, Math.ceil(wallSeconds * clock.rate));
  return marketTimeS(clock, Date.now()) + life;
}

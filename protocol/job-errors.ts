// Owns the lines of the table of errors about jobs on an account's desk: what is refused, and what a job that failed says of
// itself. It refuses to be read but through errors.ts, where the whole table stands in its order.

import { entry } from "./error-entry.ts";

export const JOB_ERRORS = {
  job_input_too_large: entry(413, "The job's input is larger than facts.limitBytes."),
  webhook_refused: entry(
    400,
    "The webhook is no https address; http is for loopback on the local chain alone, and names and passwords for none.",
  ),
  job_price_too_low: entry(
    409,
    "What is to be paid at most is less than the least price for so much fuel; facts.leastMicros is that.",
  ),
  jobs_exhausted: entry(
    429,
    "The account has as many jobs, or bytes of them, under way as it may; facts name the limit.",
    true,
  ),
  job_not_found: entry(
    404,
    "The account has no such job, or it has been over for so long that it was forgotten.",
  ),
  job_output_missing: entry(409, "The job has no output: it is not done."),
  job_running: entry(409, "The job was bought and is running; only one that waits can be cancelled."),
  job_over: entry(409, "The job is over; facts.status says how."),
  job_not_run: entry(
    503,
    "The providers that were asked had no room, were away, gave up or were late; nothing is owed to them.",
    true,
  ),
  job_without_agreement: entry(
    409,
    "The providers that ran the job did not agree by majority; none is paid unless an audit bears it out.",
  ),
} as const;

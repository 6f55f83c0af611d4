// Owns the lines of the table of errors about jobs: their modules, what a desk refuses, and what a job that failed says of
// itself. It refuses to be read but through errors.ts, where the whole table stands in its order.

import { entry } from "./error-entry.ts";

/** A module for jobs: refused at upload, before anything of it is kept. */
export const MODULE_ERRORS = {
  module_too_large: entry(413, "The module is larger than facts.limitBytes."),
  module_hash_mismatch: entry(
    400,
    "The bytes have another SHA-256 than the path says; facts.sha256 is theirs.",
  ),
  module_invalid: entry(
    400,
    "Not a valid WebAssembly module; facts.reason says what is wrong, facts.offset at which byte.",
  ),
  module_feature_refused: entry(
    400,
    "The module uses a part of WebAssembly that jobs may not use; facts.feature is its proposal.",
  ),
  module_limit_exceeded: entry(
    400,
    "The module has more of something than any job needs; facts name it and the most there may be.",
  ),
  module_import_refused: entry(
    400,
    "The module imports what no job is given: facts.module and facts.name; jobs have parts of WASI preview 1 only.",
  ),
  module_not_command: entry(
    400,
    "Not a WASI command: facts.missing names the export it lacks, or has of another type.",
  ),
  module_not_found: entry(404, "No module of this SHA-256 was uploaded."),
} as const;

/** On an account's desk. */
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

// Owns the lines of the table of errors about jobs: results, audits, an account's desk, and what a job that failed says of
// itself. It refuses to be read but through errors.ts, where the whole table stands in its order.

import { entry } from "./error-entry.ts";

export const JOB_ERRORS = {
  // What the market refuses of results and of their audits.
  result_required: entry(
    409,
    "A job is paid for its reported result; a settlement can only give it up, by its seller and before that.",
  ),
  result_of_other_job: entry(
    409,
    "The obligation is for another job than the result, or for none in particular; facts name its job.",
  ),
  result_reported_before: entry(
    409,
    "A result was reported for this obligation; facts have it, and it stands.",
  ),
  result_not_attested: entry(
    403,
    "A result counts when the region's own key attests that its outputs were delivered; reports go through the seller's socket.",
  ),
  result_not_by_node_key: entry(
    403,
    "The seller has a stake, and its results are signed with that stake's node key, which facts name.",
  ),
  rewriter_differs: entry(
    409,
    "The node counts fuel by another version of the rewriter than this deployment: install the release that facts.expected is of.",
  ),
  result_not_awaited: entry(
    409,
    "Nothing waits to be audited here: its seller, or another of the same job, may still report.",
    true,
  ),
  audit_epoch_out_of_bounds: entry(
    409,
    "Audits are bound for the running epoch or the next one; facts have both.",
  ),
  audits_committed_before: entry(409, "Audits of this epoch, or of a later one, are bound already."),
  audits_not_committed: entry(
    409,
    "No secret was bound for the epoch before the job was sold; facts name it.",
  ),
  audits_not_bound: entry(
    503,
    "The region has not bound the draw of this epoch's audits yet, and sells no job before that; it does so in seconds.",
    true,
  ),
  audits_not_over: entry(
    409,
    "What was sold in the epoch may still be reported; its secret is shown from facts.fromS on.",
    true,
  ),
  audits_revealed_before: entry(409, "The epoch's secret was shown already."),
  audit_secret_wrong: entry(409, "This is not the secret that the epoch was bound to."),
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

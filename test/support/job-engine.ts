// Owns what of the compute room runs in other runtimes in tests: one entry over plain values, to be bundled. It refuses
// to add anything to what runs here.

import { rewriteCommand } from "../../compute/command.ts";
import { type Job, JobNotRun, type JobResult } from "../../compute/host/job.ts";
import { runJob } from "../../compute/run-job.ts";

/** A job, or its result, as JSON carries it: bytes as arrays of numbers. */
export interface SentJob extends Omit<Job, "stdin" | "seed"> {
  readonly stdin: readonly number[];
  readonly seed: readonly number[];
}

export interface SentResult extends Omit<JobResult, "stdout" | "stderr" | "trap"> {
  readonly stdout: readonly number[];
  readonly stderr: readonly number[];
}

export const sendJob = (job: Job): SentJob => ({ ...job, stdin: [...job.stdin], seed: [...job.seed] });

/** A result without the engine's words for a trap. */
export function sendResult({ trap: _words, ...result }: JobResult): SentResult {
  return { ...result, stdout: [...result.stdout], stderr: [...result.stderr] };
}

export function runSent(module: WebAssembly.Module, job: SentJob): SentResult {
  return sendResult(
    runJob(module, { ...job, stdin: Uint8Array.from(job.stdin), seed: Uint8Array.from(job.seed) }),
  );
}

export { JobNotRun, rewriteCommand };

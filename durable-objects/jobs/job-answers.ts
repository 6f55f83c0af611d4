// Owns how a job on a desk is told to its app. It refuses nothing.

import type { JobAnswer, JobOutput, JobSummary } from "../../evidence/job-answer.ts";
import type { Receipt } from "../../evidence/receipt.ts";
import { costMicros, worth } from "../../market/continuous/amounts.ts";
import type { JobRun } from "../../protocol/jobs.ts";
import { fuelMegaOf } from "../../protocol/run-results.ts";
import type { JobRecord, RunRecord } from "./job-records.ts";
import type { JobStore } from "./job-store.ts";

/** A job with its runs and purchases; its outputs where they are wanted. */
export function answerOf(
  store: JobStore,
  job: JobRecord,
  { withOutputs }: { readonly withOutputs: boolean },
): JobAnswer {
  const { terms, problem, webhookState } = job;
  const runs = store.runs(terms.job);
  const result = resultOf(store, job, withOutputs);
  return {
    ...summaryOf(job),
    fuelMega: terms.description.limits.fuelMega,
    result,
    owedMicros: result === null ? null : owedMicros(runs, result.outputHash),
    runs: runs.map(runOf),
    purchases: store
      .purchases(terms.job)
      .map(({ receipt, ...purchase }) => ({ ...purchase, receipt: receipt as Receipt })),
    problem: problem === null ? null : { code: problem.code, facts: { ...problem.facts } },
    webhook:
      terms.webhook === null || webhookState === null ? null : { url: terms.webhook, state: webhookState },
  };
}

/** A line of the list. */
export function summaryOf({ terms, status, overS }: JobRecord): JobSummary {
  const { job, description, replicas, mostMicros, createdS } = terms;
  return { job, status, module: description.module, replicas, mostMicros, createdS, overS };
}

function resultOf(store: JobStore, { terms, outputHash }: JobRecord, withOutputs: boolean) {
  const found = outputHash === null ? null : store.result(terms.job, outputHash);
  if (found === null || outputHash === null) return null;
  if (!withOutputs) return found;
  return {
    ...found,
    stdout: outputOf(store.output(terms.job, "stdout", outputHash)),
    stderr: outputOf(store.output(terms.job, "stderr", outputHash)),
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** As text where that gives back the very same bytes. */
export function outputOf(bytes: Uint8Array): JobOutput {
  try {
    return { encoding: "utf8", data: decoder.decode(bytes) };
  } catch {
    return { encoding: "base64", data: Buffer.from(bytes).toString("base64") };
  }
}

function owedMicros(runs: readonly RunRecord[], outputHash: string): number {
  return runs
    .filter((run) => run.state === "reported" && run.outputHash === outputHash)
    .reduce((sum, run) => sum + costMicros(worth(fuelMegaOf(run.fuelUsed ?? 0), run.priceMicrosPerTera)), 0);
}

const SHOWN_STATES = {
  bought: "running",
  accepted: "running",
  committed: "running",
  revealing: "running",
  reported: "reported",
  gave_up: "gave_up",
  late: "late",
} as const satisfies Record<RunRecord["state"], JobRun["state"]>;

function runOf(run: RunRecord): JobRun {
  return {
    provider: run.provider,
    obligation: run.obligation,
    priceMicrosPerTera: run.priceMicrosPerTera,
    fuelMega: run.fuelUsed === null ? null : fuelMegaOf(run.fuelUsed),
    outputHash: run.outputHash,
    state: SHOWN_STATES[run.state],
  };
}

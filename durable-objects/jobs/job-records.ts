// Owns a job as its desk keeps it: what was ordered, how it stands, and its runs. It refuses nothing; what follows from a record
// is for job-life.ts to say.

import type { JobEnd } from "../../compute/host/job.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import type { Rejection } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { JobDescription, JobStatus } from "../../protocol/jobs.ts";

/** A job as it is handed to its desk, before anything is bought. */
export interface JobOrder {
  readonly region: string;
  readonly buyer: Hex;
  readonly job: Hex;
  readonly description: JobDescription;
  readonly input: Uint8Array;
  readonly replicas: number;
  readonly mostMicros: number;
  /** Signed commands that buy it, one for each try, none used so far. */
  readonly submissions: readonly Submission[];
  /** Wall milliseconds until which it waits for providers. */
  readonly patientUntilMs: number;
  readonly createdS: number;
  readonly webhook: string | null;
}

/** What does not change of a job. */
export type JobTerms = Omit<JobOrder, "input" | "submissions">;

export type WebhookState = "waiting" | "delivered" | "given_up";

export interface JobRecord {
  /** Ascending in the order in which they came. */
  readonly number: number;
  readonly terms: JobTerms;
  readonly status: JobStatus;
  /** Which of its signed commands is used next, or was used last. */
  readonly attempt: number;
  /** True from before the command is sent until its refusal is known: it may have been accepted. */
  readonly isAsked: boolean;
  /** Refusals in a row, and wall milliseconds before which it is not asked again. */
  readonly refusals: number;
  readonly notBeforeMs: number;
  /** Wall milliseconds until which one that was bought before waits for others. */
  readonly retryUntilMs: number;
  readonly problem: Rejection | null;
  /** Hash of the result that counts. */
  readonly outputHash: Hex | null;
  readonly overS: number | null;
  readonly overMs: number | null;
  readonly webhookState: WebhookState | null;
  readonly webhookTries: number;
}

/**
 * Where a run stands. `bought`: its provider was not told yet; `accepted`: it works; `committed`: it has bound its result;
 * `revealing`: it was asked to show it; `late`: its time was up, and nothing came.
 */
export type RunState = "bought" | "accepted" | "committed" | "revealing" | "reported" | "gave_up" | "late";

export interface RunRecord {
  readonly obligation: number;
  readonly attempt: number;
  readonly provider: Hex;
  readonly priceMicrosPerTera: number;
  readonly fuelMega: number;
  readonly deadlineS: number;
  readonly state: RunState;
  /** Calls to its provider's object that failed. */
  readonly faults: number;
  /** Wall milliseconds at which it is late. */
  readonly dueMs: number;
  readonly commitment: Hex | null;
  readonly outputHash: Hex | null;
  readonly fuelUsed: number | null;
}

/** What came of a run, apart from its outputs. */
export interface ResultRecord {
  readonly outputHash: Hex;
  readonly end: JobEnd;
  readonly exitCode: number | null;
  readonly fuelUsed: number;
  readonly trap: string | null;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** A purchase as the region answered it. */
export interface PurchaseRecord {
  readonly commandId: Hex;
  readonly entry: number;
  readonly atS: number;
  readonly receipt: unknown;
}

/** True for a job that nothing will happen to any more. */
export function isOver({ status }: { readonly status: JobStatus }): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

// Owns what is to be done next for a job, from its record alone: buy, hand out, ask to reveal, try again, or end. It refuses to
// do anything itself, so that after a crash the same record leads to the same step.

import type { Hex } from "../../protocol/fields.ts";
import { divDown } from "../../protocol/units.ts";
import type { JobRecord, RunRecord } from "./job-records.ts";

/** Beyond a job's own wall time: fetching a module, starting, and the way back. */
export const GRACE_MS = 15_000;

/** How long a provider may take to show a result that it has bound. */
export const REVEAL_MS = 20_000;

/** Calls to a provider's object that may fail before it counts as away. */
export const MAX_FAULTS = 3;

/** Between two such calls, and before a purchase whose answer was lost is asked for again. */
export const FAULT_PAUSE_MS = 1_000;

/** Pause before a provider that failed a job is asked again, doubled each time: its asks are on their way out of the book. */
const REPEAT_PAUSE_MS = 1_000;

/** How long a job that was bought looks for somebody else, however little patience it has: nodes that lost their connection are back. */
export const RETRY_PATIENCE_MS = 20_000;

/** Longest pause between two looks for providers. */
const LONGEST_PAUSE_MS = 15_000;

export type Step =
  | { readonly kind: "buy" }
  | { readonly kind: "hand_out"; readonly runs: readonly RunRecord[] }
  | { readonly kind: "reveal"; readonly runs: readonly RunRecord[] }
  /** Their time is up. */
  | { readonly kind: "give_up_on"; readonly runs: readonly RunRecord[] }
  | { readonly kind: "try_again"; readonly notBeforeMs: number }
  | { readonly kind: "end"; readonly outputHash: Hex }
  | { readonly kind: "fail"; readonly code: "job_not_run" | "job_without_agreement" }
  | { readonly kind: "wait"; readonly untilMs: number };

/** Runs of a job that must have the same result for it to be the job's. */
export function agreementOf(replicas: number): number {
  return divDown(replicas, 2) + 1;
}

/**
 * The next step of a job that is not over.
 * @param tries how many signed commands it has.
 */
export function nextStep(job: JobRecord, tries: number, runs: readonly RunRecord[], nowMs: number): Step {
  const { replicas } = job.terms;
  const needed = agreementOf(replicas);
  const current = runs.filter(({ attempt }) => attempt === job.attempt);
  // Of one provider the first result counts, whichever try it is of; replicas are compared within a try, whose members
  // had bound their results before any was shown.
  const found = agreed(replicas === 1 ? runs : current, needed);
  if (found !== null) return { kind: "end", outputHash: found };
  const overdue = runs.filter(({ state, dueMs }) => isTimed(state) && dueMs <= nowMs);
  if (overdue.length > 0) return { kind: "give_up_on", runs: overdue };
  const bound = runs.filter(({ state, attempt }) => state === "committed" && isBound(runs, attempt));
  if (bound.length > 0) return { kind: "reveal", runs: bound };
  if (current.length === 0)
    return job.notBeforeMs > nowMs ? { kind: "wait", untilMs: job.notBeforeMs } : { kind: "buy" };
  const waiting = current.filter(isOpen).length;
  if (mostEqual(current) + waiting < needed) {
    if (job.attempt + 1 < tries)
      return { kind: "try_again", notBeforeMs: nowMs + repeatPauseMs(job, runs, current) };
    const isDisputed = current.filter(({ state }) => state === "reported").length >= needed;
    return { kind: "fail", code: isDisputed ? "job_without_agreement" : "job_not_run" };
  }
  const fresh = current.filter(({ state }) => state === "bought");
  const ready = fresh.filter(({ dueMs }) => dueMs <= nowMs);
  if (ready.length > 0) return { kind: "hand_out", runs: ready };
  return { kind: "wait", untilMs: untilOf(runs) };
}

function untilOf(runs: readonly RunRecord[]): number {
  const timed = runs.filter(({ state }) => state === "bought" || isTimed(state));
  return Math.min(...timed.map(({ dueMs }) => dueMs));
}

/** Somebody new is asked at once. Whoever failed this job before is still the best ask: that must have time to change. */
function repeatPauseMs(
  { attempt }: JobRecord,
  runs: readonly RunRecord[],
  current: readonly RunRecord[],
): number {
  const earlier = new Set(runs.filter((run) => run.attempt < attempt).map(({ provider }) => provider));
  const isRepeated = current.some(({ provider }) => earlier.has(provider));
  return isRepeated ? Math.min(LONGEST_PAUSE_MS, REPEAT_PAUSE_MS * 2 ** attempt) : 0;
}

/** Wall milliseconds to wait after so many refusals in a row. */
export function refusalPauseMs(refusals: number, toldSeconds: unknown): number {
  const told = typeof toldSeconds === "number" && toldSeconds > 0 ? Math.min(60, toldSeconds) * 1000 : 0;
  return Math.max(told, Math.min(LONGEST_PAUSE_MS, 500 * 2 ** refusals));
}

/** True while something may still come of a run. */
export function isOpen({ state }: RunRecord): boolean {
  return state === "bought" || state === "committed" || isTimed(state);
}

/** One that has bound its result waits for the others, who have their time. */
function isTimed(state: RunRecord["state"]): boolean {
  return state === "accepted" || state === "revealing";
}

/** No member of a try works any more without having bound its result. */
function isBound(runs: readonly RunRecord[], attempt: number): boolean {
  return runs.every((run) => run.attempt !== attempt || (run.state !== "bought" && run.state !== "accepted"));
}

function agreed(runs: readonly RunRecord[], needed: number): Hex | null {
  const [hash, votes] = counted(runs)[0] ?? [null, 0];
  return votes >= needed ? hash : null;
}

function mostEqual(runs: readonly RunRecord[]): number {
  return counted(runs)[0]?.[1] ?? 0;
}

/** Results by how many runs have them, most first. */
function counted(runs: readonly RunRecord[]): [Hex, number][] {
  const votes = new Map<Hex, number>();
  for (const { state, outputHash } of runs)
    if (state === "reported" && outputHash !== null) votes.set(outputHash, (votes.get(outputHash) ?? 0) + 1);
  return [...votes].sort(([, a], [, b]) => b - a);
}

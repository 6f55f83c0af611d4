// Owns how a refusal reaches a caller of the SDK: an error with the code and facts of the closed table. It refuses to
// invent codes; an answer that is no problem document is a transport fault.

import { ERRORS, type ErrorCode, type Facts, isErrorCode } from "../../protocol/errors.ts";
import { isCount, recordOf } from "./answer-shape.ts";

/** A refusal by the gateway or a region. */
export class PolderProblem extends Error {
  override readonly name = "PolderProblem";
  readonly code: ErrorCode;
  readonly status: number;
  /** The same request may succeed later. */
  readonly transient: boolean;
  readonly facts: Facts;

  constructor(code: ErrorCode, status: number, transient: boolean, facts: Facts, title: string) {
    super(problemText({ code, facts }, title));
    this.code = code;
    this.status = status;
    this.transient = transient;
    this.facts = facts;
  }
}

/** A refusal in one line: its code, what it means, and its facts. */
export function problemText(
  { code, facts }: { readonly code: ErrorCode; readonly facts: Facts },
  title: string = ERRORS[code].meaning,
): string {
  return `${code}: ${title}${Object.keys(facts).length === 0 ? "" : ` ${JSON.stringify(facts)}`}`;
}

/** An answer that did not come, or was not one of ours. */
export class TransportFault extends Error {
  override readonly name = "TransportFault";
}

/** Reads the text of a problem document (RFC 9457). */
export function problemFrom(status: number, text: string): PolderProblem | TransportFault {
  // What is not JSON, or no problem of ours, was said by some other server.
  return (
    problemIn(recordOf(text), status) ??
    new TransportFault(`unexpected answer ${status}: ${text.slice(0, 200)}`)
  );
}

/**
 * A parsed problem document, or null for anything else; `status` is the answer's own where it came with one. Title and
 * facts are whatever a server sends: what is not of their types is left out.
 */
export function problemIn(problem: unknown, status?: number): PolderProblem | null {
  if (typeof problem !== "object" || problem === null) return null;
  const { code, transient, facts, title, status: told } = problem as Record<string, unknown>;
  if (!isErrorCode(code)) return null;
  const entry = ERRORS[code];
  return new PolderProblem(
    code,
    status ?? (isCount(told) ? told : entry.status),
    transient === true,
    plainFacts(facts),
    typeof title === "string" ? title : entry.meaning,
  );
}

function plainFacts(facts: unknown): Facts {
  if (typeof facts !== "object" || facts === null || Array.isArray(facts)) return {};
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value === null || typeof value !== "object"),
  ) as Facts;
}

/** What passes by itself, but in hours: a window that is not over, a day's budget, sellers who are not there. */
const PASSING_LATE: ReadonlySet<ErrorCode> = new Set([
  "window_not_over",
  "relay_budget_spent",
  "sellers_insufficient",
]);

/** Whether trying the same again cannot help, or not soon. */
export function isLasting(error: PolderProblem | TransportFault): boolean {
  return error instanceof PolderProblem && (!error.transient || PASSING_LATE.has(error.code));
}

/** A region that restarts is back within seconds: longer pauses only make its callers late. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * A flood window lasts ten seconds. Whoever tells a caller to wait longer than this is not believed: it would stand
 * still, and past 2³¹ ms a timer goes off at once.
 */
const LONGEST_TOLD_PAUSE_MS = 60_000;

/** Milliseconds to wait before the same is tried again; `attempt` counts from 0. */
export function pauseMs(error: PolderProblem | TransportFault, attempt: number): number {
  const told = error instanceof PolderProblem ? error.facts.retryAfterSeconds : 0;
  const waitMs = typeof told === "number" && told > 0 ? Math.min(LONGEST_TOLD_PAUSE_MS, told * 1000) : 0;
  return Math.max(waitMs, Math.min(LONGEST_PAUSE_MS, 50 * 2 ** attempt));
}

/** Does a step that may have been done before: a refusal that says so is none. @throws PolderProblem with another code */
export async function passing(code: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof PolderProblem && error.code === code)) throw error;
  }
}

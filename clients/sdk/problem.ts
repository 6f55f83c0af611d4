// Owns how a refusal reaches a caller of the SDK: an error with the code and facts of the closed table. It refuses to
// invent codes; an answer that is no problem document is a transport fault.

import { type ErrorCode, type Facts, isErrorCode } from "../../protocol/errors.ts";

/** A refusal by the gateway or a region. */
export class PolderProblem extends Error {
  override readonly name = "PolderProblem";
  readonly code: ErrorCode;
  readonly status: number;
  /** The same request may succeed later. */
  readonly transient: boolean;
  readonly facts: Facts;

  constructor(code: ErrorCode, status: number, transient: boolean, facts: Facts, title: string) {
    super(`${code}: ${title}${Object.keys(facts).length === 0 ? "" : ` ${JSON.stringify(facts)}`}`);
    this.code = code;
    this.status = status;
    this.transient = transient;
    this.facts = facts;
  }
}

/** An answer that did not come, or was not one of ours. */
export class TransportFault extends Error {
  override readonly name = "TransportFault";
}

/** Reads the text of a problem document (RFC 9457). */
export function problemFrom(status: number, text: string): PolderProblem | TransportFault {
  try {
    return problemOfAnswer(JSON.parse(text), status);
  } catch {
    // Not JSON: some other server answered.
    return new TransportFault(`unexpected answer ${status}: ${text.slice(0, 200)}`);
  }
}

/** Reads a problem document; `status` is the answer's own where it came with one. */
export function problemOfAnswer(problem: unknown, status?: number): PolderProblem | TransportFault {
  const { code, transient, facts, title, status: told } = (problem ?? {}) as Record<string, unknown>;
  return isErrorCode(code)
    ? new PolderProblem(
        code,
        status ?? Number(told),
        transient === true,
        (facts ?? {}) as Facts,
        String(title),
      )
    : new TransportFault(`unexpected answer ${status ?? ""}: ${JSON.stringify(problem)?.slice(0, 200)}`);
}

/** Whether trying the same again cannot help, or not soon: a window that is not over takes its time. */
export function isLasting(error: PolderProblem | TransportFault): boolean {
  return error instanceof PolderProblem && (!error.transient || error.code === "window_not_over");
}

/** A region that restarts is back within seconds: longer pauses only make its callers late. */
const LONGEST_PAUSE_MS = 2_000;

/** Milliseconds to wait before the same is tried again; `attempt` counts from 0. */
export function pauseMs(error: PolderProblem | TransportFault, attempt: number): number {
  const waitSeconds = error instanceof PolderProblem ? Number(error.facts.retryAfterSeconds ?? 0) : 0;
  return Math.max(waitSeconds * 1000, Math.min(LONGEST_PAUSE_MS, 50 * 2 ** attempt));
}

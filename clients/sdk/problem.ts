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

/** Reads a problem document (RFC 9457). */
export function problemFrom(status: number, text: string): PolderProblem | TransportFault {
  try {
    const { code, transient, facts, title } = JSON.parse(text) as Record<string, unknown>;
    if (isErrorCode(code))
      return new PolderProblem(code, status, transient === true, (facts ?? {}) as Facts, String(title));
  } catch {
    // Not JSON: some other server answered.
  }
  return new TransportFault(`unexpected answer ${status}: ${text.slice(0, 200)}`);
}

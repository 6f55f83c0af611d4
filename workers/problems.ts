// Owns how a refusal leaves over HTTP: problem details (RFC 9457) with the code of the closed table. It refuses to
// leak what a fault of ours was about; that goes to the log.

import type { Context } from "hono";
import { z } from "zod";
import { ModuleRefused } from "../compute/refusal.ts";
import { ClockRefused } from "../protocol/clock.ts";
import {
  ERRORS,
  type ErrorCode,
  type Facts,
  isErrorCode,
  problemOf,
  type Rejection,
  rejected,
} from "../protocol/errors.ts";
import { malformedRequest } from "../protocol/malformed.ts";

/** Thrown by handlers to answer with a rejection; caught once, at the front. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly rejection: Rejection;

  constructor(code: ErrorCode, facts: Facts = {}) {
    super(code);
    this.rejection = rejected(code, facts);
  }
}

/** Throws a rejection that a region or a verifier gave as a value. */
export function refuse({ code, facts }: { readonly code: ErrorCode; readonly facts: Facts }): never {
  throw new Refusal(code, facts);
}

/** Answers with a rejection as problem details. */
export function problem(context: Context, rejection: Rejection): Response {
  const body = problemOf(rejection);
  context.header("content-type", "application/problem+json");
  if (typeof rejection.facts.retryAfterSeconds === "number") {
    context.header("retry-after", String(rejection.facts.retryAfterSeconds));
  }
  return context.body(JSON.stringify(body), body.status as 400);
}

/** Answers whatever a handler threw. */
export function problemOfError(error: unknown, context: Context): Response {
  if (error instanceof Refusal) return problem(context, error.rejection);
  if (error instanceof ModuleRefused) return problem(context, error.rejection);
  if (error instanceof ClockRefused)
    return problem(context, rejected("clock_refused", { reason: error.message }));
  console.error("a request failed", error);
  return problem(context, rejected("internal_fault"));
}

/** The first thing a decoder found wrong. */
export function malformed(error: z.ZodError, root = ""): Refusal {
  const { code, facts } = malformedRequest(error, root);
  return new Refusal(code, facts);
}

const codes = Object.keys(ERRORS).filter(isErrorCode);

/** A problem as the OpenAPI document shows it. */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(codes as [ErrorCode, ...ErrorCode[]]),
    transient: z.boolean(),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details; codes are listed at /docs/errors" });

// Owns what several paths have in common: their parameters, and how a region's outcome becomes a response. It refuses
// nothing by itself.

import { z } from "zod";
import type { Outcome } from "../durable-objects/outcome.ts";
import { NO_END_SLOT } from "../protocol/events.ts";
import { regionId, slotNumber } from "../protocol/fields.ts";
import { refuse } from "./problems.ts";
import type { RequestContext } from "./router.ts";

/**
 * A number in a path or a query, in plain decimal: `Number` alone takes an empty text, spaces, hex and exponents, so a
 * price that was left out would be a price of zero.
 */
export const numeral = <T extends z.ZodType>(schema: T) =>
  z.preprocess(
    (text) => (typeof text === "string" && /^-?(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) + 0 : text),
    schema,
  );

export const regionParams = z.strictObject({ region: regionId });

/** A span of slots or epochs: `from` counts, `until` does not. */
export const page = z.strictObject({
  from: numeral(slotNumber.default(0)),
  until: numeral(slotNumber.default(NO_END_SLOT - 1)),
});

/** Answers with what a region accepted, or with why it refused. */
export function accepted(context: RequestContext, outcome: Outcome, status: 200 | 201 = 200): Response {
  return "rejection" in outcome ? refuse(outcome.rejection) : context.json(outcome.answer, status);
}

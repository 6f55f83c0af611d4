// Owns what several paths have in common: their parameters, and how a region's outcome becomes a response. It refuses
// nothing by itself.

import { z } from "zod";
import type { Outcome } from "../durable-objects/outcome.ts";
import { NO_END_SLOT } from "../protocol/events.ts";
import { regionId, slotNumber } from "../protocol/fields.ts";
import { refuse } from "./problems.ts";
import type { RequestContext } from "./router.ts";

export const regionParams = z.strictObject({ region: regionId });

/** A span of slots or epochs: `from` counts, `until` does not. */
export const page = z.strictObject({
  from: z.coerce.number().pipe(slotNumber).default(0),
  until: z.coerce
    .number()
    .pipe(slotNumber)
    .default(NO_END_SLOT - 1),
});

/** Answers with what a region accepted, or with why it refused. */
export function accepted(context: RequestContext, outcome: Outcome, status: 200 | 201 = 200): Response {
  return "rejection" in outcome ? refuse(outcome.rejection) : context.json(outcome.answer, status);
}

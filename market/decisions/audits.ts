// Owns the audit of jobs' results: which are run again, and what came of it.

import { rejected } from "../../protocol/errors.ts";
import type { Decision } from "../decision.ts";

export function notYet(): Decision {
  return { rejection: rejected("order_unmatched") };
}

// Owns jobs: buying the running of one, and what its sellers report.

import { rejected } from "../../protocol/errors.ts";
import type { Decision } from "../decision.ts";

export function notYet(): Decision {
  return { rejection: rejected("order_unmatched") };
}

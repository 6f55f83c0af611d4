// Owns what somebody at a command line may do about a refusal: one line for each that a command of this program helps with. It
// refuses to repeat what a refusal says already.

import type { ErrorCode, Facts } from "../../protocol/errors.ts";
import { money } from "./figures.ts";

type Refused = { readonly code: ErrorCode; readonly facts: Facts };

const STEPS: Partial<Readonly<Record<ErrorCode, string | ((facts: Facts) => string | null)>>> = {
  region_not_found: "polder region list names the regions there are",
  account_unknown: "it is opened by polder deposit",
  funds_insufficient: "more comes in with polder deposit; what is free is in polder funds",
  session_unknown: "is the key of this deployment and region? polder key create makes one",
  session_expired: "polder key create makes another key",
  session_revoked: "polder key create makes another key",
  session_scope: "polder key create makes a key with other limits",
  module_not_found: "polder module upload FILE, or name the file itself",
  order_unmatched: dearer,
  sellers_insufficient: dearer,
  job_price_too_low: dearer,
  job_not_run:
    "each try is paid back; --patience waits for other providers, --seconds and --fuel let a run take longer",
  stake_too_small: "polder provider stake adds to what is at stake; it counts when its block is final",
};

function dearer({ leastMicros }: Facts): string | null {
  return typeof leastMicros === "number" ? `--most ${money(leastMicros)} would do now` : null;
}

/** What to try next; null where no command helps. */
export function nextStep({ code, facts }: Refused): string | null {
  const step = STEPS[code] ?? null;
  return typeof step === "function" ? step(facts) : step;
}

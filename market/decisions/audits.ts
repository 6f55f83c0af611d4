// Owns the audit of jobs' results: an epoch's draw is bound beforehand and shown afterwards, and what was run again decides. It
// refuses a secret that was bound too late, shown too early or exchanged, and an audit of what is not waiting to be paid.

import { auditCommitmentOf } from "../../protocol/audits.ts";
import type { CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import { slotAt } from "../../protocol/units.ts";
import type { Decision, Occasion } from "../decision.ts";
import { epochOf } from "../parameters.ts";
import { auditOf, revealableFromS } from "../resources/audits.ts";
import { drawTermsAt, soldAtS } from "../resources/draw-terms.ts";
import { close, isSame, type JobResult, resultsOf } from "../resources/job-results.ts";
import { type Obligation, obligationAt, openRow } from "../resources/obligations.ts";
import { Settlements } from "../resources/settlements.ts";
import { type RegionState, termsOf } from "../state.ts";

/** Binds the draw of an epoch: the running one's or the next one's, once, and ascending. */
export function commitAudits({ state, command, atS }: Occasion<CommandOf<"commit_audits">>): Decision {
  const { epoch, commitment } = command;
  const running = epochOf(state, slotAt(atS));
  if (epoch < running || epoch > running + 1)
    return {
      rejection: rejected("audit_epoch_out_of_bounds", { epoch, least: running, most: running + 1 }),
    };
  const { audits } = state.tables;
  const newest = audits.rows === 0 ? -1 : (audits.columns.epoch[audits.rows - 1] as number);
  if (epoch <= newest) return { rejection: rejected("audits_committed_before", { epoch, newest }) };
  return { events: [{ type: "audits_committed", epoch, commitment }] };
}

/** Shows the secret of an epoch when nothing that was sold in it can be reported any more. */
export function revealAudits({ state, command, atS }: Occasion<CommandOf<"reveal_audits">>): Decision {
  const { epoch, secret } = command;
  const audit = auditOf(state.tables.audits, epoch);
  if (audit === null) return { rejection: rejected("audits_not_committed", { epoch }) };
  if (audit.isRevealed) return { rejection: rejected("audits_revealed_before", { epoch }) };
  const fromS = revealableFromS(termsOf(state).epochSlots, epoch);
  if (atS < fromS) return { rejection: rejected("audits_not_over", { epoch, fromS }) };
  if (auditCommitmentOf(secret) !== audit.commitment)
    return { rejection: rejected("audit_secret_wrong", { commitment: audit.commitment }) };
  return { events: [{ type: "audits_revealed", epoch, secret }] };
}

/**
 * Takes what the referee got when it ran a job again: it decides every result of that job that waits. Those that are equal are
 * paid; the others are not, and their sellers have failed.
 */
export function recordAudit({ state, command }: Occasion<CommandOf<"record_audit">>): Decision {
  const { obligationId } = command;
  const { obligations, purchases } = state.tables;
  const row = openRow(obligations, obligationId);
  if (row < 0) return { rejection: rejected("obligation_not_found", { obligationId }) };
  const results = obligations.columns.reportedMega[row] === 0 ? null : resultsOf(state, row);
  if (results === null) return { rejection: rejected("result_not_awaited", { obligationId }) };
  const unbound = refuseUnbound(state, obligationAt(obligations, row));
  if (unbound !== null) return { rejection: unbound };
  const settlements = new Settlements(purchases);
  return { events: results.map((result) => judged(settlements, result, command)) };
}

function judged(settlements: Settlements, result: JobResult, command: CommandOf<"record_audit">) {
  return close(settlements, result, isSame(result.report, command) ? "audit_passed" : "audit_failed");
}

/** Results that differ are run again whenever somebody does; all others only as they were drawn, by a secret bound before. */
function refuseUnbound(state: RegionState, { isDisputed, deadlineS }: Obligation): Rejection | null {
  if (isDisputed) return null;
  const tradedAtS = soldAtS(deadlineS);
  const { epoch } = drawTermsAt(state, tradedAtS);
  const audit = auditOf(state.tables.audits, epoch);
  return audit !== null && audit.committedAtS <= tradedAtS
    ? null
    : rejected("audits_not_committed", { epoch, tradedAtS });
}

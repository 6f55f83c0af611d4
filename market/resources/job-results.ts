// Owns when the reported results of a job are paid: once all who run it have reported or will not, those on which a strict
// majority agrees; one alone when its time to be challenged is over. It refuses to pay where results differ and nobody knows
// better, and to call a minority wrong: only running the job again shows that.

import type { EventOf, MarketEvent } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import type { ResultVerdict } from "../../protocol/resource-events.ts";
import type { RegionState } from "../state.ts";
import { type Obligation, obligationAt, type Report, reportAt, rowsOfPurchase } from "./obligations.ts";
import { jobAt, purchaseRow } from "./purchases.ts";
import type { Settlements } from "./settlements.ts";

/** An open obligation of a job, with what its seller says came of it. */
export interface JobResult {
  readonly obligation: Obligation;
  readonly jobDigest: Hex;
  readonly report: Report;
}

/** Verdicts by which a result is paid. */
const PAID: ReadonlySet<ResultVerdict> = new Set(["unchallenged", "agreed", "audit_passed"]);

/**
 * The results of a job's purchase, where everybody who still owes one has reported; null while somebody has not.
 * @param row one of the purchase's obligations
 * @param isGone rows that close in the same entry
 */
export function resultsOf(
  state: RegionState,
  row: number,
  isGone: (row: number) => boolean = () => false,
): JobResult[] | null {
  const rows = rowsOfPurchase(state.tables.obligations, row).filter((other) => !isGone(other));
  const results = rows.map((other) => resultAt(state, other));
  return results.every((result) => result !== null) ? results : null;
}

/** What was reported of a row, or null. */
export function resultAt({ tables: { obligations, purchases } }: RegionState, row: number): JobResult | null {
  const report = reportAt(obligations, row);
  if (report === null) return null;
  const obligation = obligationAt(obligations, row);
  const job = jobAt(purchases, purchaseRow(purchases, obligation.purchase));
  if (job === null) throw new Error(`obligation ${obligation.id} has a result and no job`);
  return { obligation, jobDigest: job.jobDigest, report };
}

/** What follows from a job's results once all of them are there. */
export function judge(results: readonly JobResult[], settlements: Settlements, atS: number): MarketEvent[] {
  if (results.length === 0) return [];
  const agreed = results.length === 1 ? null : majority(results);
  if (agreed === null)
    return [
      {
        type: "results_awaited",
        obligations: results.map(({ obligation }) => obligation.id),
        payableAtS: atS + RESULT_CHALLENGE_SECONDS,
        isDisputed: results.length > 1,
      },
    ];
  return results.map((result) =>
    close(settlements, result, isSame(result.report, agreed) ? "agreed" : "disagreed"),
  );
}

/** What follows for those who also run a row's job, when nothing comes of the row itself. */
export function judgeOthers(
  state: RegionState,
  row: number,
  settlements: Settlements,
  atS: number,
): MarketEvent[] {
  const results = resultsOf(state, row, (other) => other === row);
  return results === null ? [] : judge(results, settlements, atS);
}

/** Closes an obligation by what is known of its result: paid, or given back. */
export function close(
  settlements: Settlements,
  { obligation, jobDigest, report }: JobResult,
  verdict: ResultVerdict,
): EventOf<"obligation_settled"> {
  const isPaid = PAID.has(verdict);
  return settlements.settle(obligation, {
    deliveredMega: isPaid ? report.fuelMega : 0,
    means: isPaid ? "job_result" : "none",
    jobDigest,
    outputHash: report.outputHash,
    isClosed: true,
    isFailure: verdict === "audit_failed",
    verdict,
  });
}

/** True for equal outputs at equal fuel: what a job comes to has both. */
export function isSame(one: Report, other: Report): boolean {
  return one.outputHash === other.outputHash && one.fuelMega === other.fuelMega;
}

/** The report that more than half of them equal, or null. */
function majority(results: readonly JobResult[]): Report | null {
  for (const { report } of results) {
    const votes = results.filter((other) => isSame(other.report, report)).length;
    if (2 * votes > results.length) return report;
  }
  return null;
}

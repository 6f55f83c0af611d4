// Owns what a region's state leaves its auditor to do: epochs to bind and to show, and reported results that an audit can still
// decide. It refuses results that wait for other sellers of their job, and to say which are drawn.

import { auditOf, revealableFromS } from "../../market/resources/audits.ts";
import { type DrawTerms, drawTermsAt, soldAtS } from "../../market/resources/draw-terms.ts";
import { resultsOf } from "../../market/resources/job-results.ts";
import { obligationAt } from "../../market/resources/obligations.ts";
import { addressOf, type RegionState, termsOf } from "../../market/state.ts";
import type { Hex } from "../../protocol/fields.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import { slotStartS } from "../../protocol/units.ts";

/** A result that waits to be paid or given back. */
export interface AwaitedResult extends DrawTerms {
  readonly obligationId: number;
  /** The buy order: results of one job have one. */
  readonly purchase: number;
  readonly seller: Hex;
  readonly fuelMega: number;
  /** Since when it stands for itself: its report, or the moment that the last other seller was gone. Market time. */
  readonly sinceS: number;
  /** Until when an audit counts. Market time. */
  readonly payableAtS: number;
  /** Others of the same job differ from it, and none has a majority: whoever is right is found without a draw. */
  readonly isDisputed: boolean;
}

/** A place in the order in which results become payable. */
export interface ResultPlace {
  readonly payableAtS: number;
  readonly obligationId: number;
}

/** What there is to do, at a market time. */
export interface AuditWork {
  readonly atS: number;
  /** Epochs whose draw must be bound, ascending. */
  readonly bind: readonly number[];
  /** Epochs whose secret may be shown. */
  readonly reveal: readonly number[];
  /** Ascending by place. */
  readonly results: readonly AwaitedResult[];
  /** True: there are more behind the last one. */
  readonly hasMore: boolean;
}

const PAGE_RESULTS = 256;

/** What there is to do; of results, those behind a place. Null before the region is opened. */
export function auditWork(state: RegionState, after: ResultPlace, atS: number): AuditWork | null {
  if (state.header.opened === null) return null;
  return {
    atS,
    bind: unboundEpochs(state, atS),
    reveal: hiddenEpochs(state, atS),
    ...resultsBehind(state, after),
  };
}

/** The running epoch and the next one, where results are drawn in them. */
function unboundEpochs(state: RegionState, atS: number): number[] {
  const { audits } = state.tables;
  const now = drawTermsAt(state, atS);
  const next = drawTermsAt(state, slotStartS((now.epoch + 1) * termsOf(state).epochSlots));
  const newest = audits.rows === 0 ? -1 : (audits.columns.epoch[audits.rows - 1] as number);
  return [now, next]
    .filter(({ epoch, auditRateBps }) => auditRateBps > 0 && epoch > newest)
    .map(({ epoch }) => epoch);
}

function hiddenEpochs(state: RegionState, atS: number): number[] {
  const { audits } = state.tables;
  const { epochSlots } = termsOf(state);
  const epochs = Array.from(audits.columns.epoch.subarray(0, audits.rows));
  return epochs.filter(
    (epoch) => revealableFromS(epochSlots, epoch) <= atS && auditOf(audits, epoch)?.isRevealed === false,
  );
}

function resultsBehind(state: RegionState, after: ResultPlace): Pick<AuditWork, "results" | "hasMore"> {
  const { obligations } = state.tables;
  const { payableAtS, reportedMega, quantityMega, id } = obligations.columns;
  const rows: number[] = [];
  for (let row = 0; row < obligations.rows; row += 1) {
    const isReported = (reportedMega[row] as number) > 0 && (quantityMega[row] as number) > 0;
    const place = { payableAtS: payableAtS[row] as number, obligationId: id[row] as number };
    if (isReported && comparePlaces(place, after) > 0) rows.push(row);
  }
  rows.sort(
    (one, other) =>
      (payableAtS[one] as number) - (payableAtS[other] as number) ||
      (id[one] as number) - (id[other] as number),
  );
  const results: AwaitedResult[] = [];
  for (const [place, row] of rows.entries()) {
    if (results.length === PAGE_RESULTS) return { results, hasMore: place < rows.length };
    const result = awaitedAt(state, row);
    if (result !== null) results.push(result);
  }
  return { results, hasMore: false };
}

/** Negative where the first place comes before the second. */
export function comparePlaces(one: ResultPlace, other: ResultPlace): number {
  return one.payableAtS - other.payableAtS || one.obligationId - other.obligationId;
}

/** A reported row, or null while another seller of its job may still report. */
function awaitedAt(state: RegionState, row: number): AwaitedResult | null {
  if (resultsOf(state, row) === null) return null;
  const { id, purchase, seller, reportedMega, deadlineS, payableAtS, isDisputed } = obligationAt(
    state.tables.obligations,
    row,
  );
  return {
    ...drawTermsAt(state, soldAtS(deadlineS)),
    ...{ obligationId: id, purchase, fuelMega: reportedMega, payableAtS, isDisputed },
    seller: addressOf(state, seller),
    sinceS: payableAtS - RESULT_CHALLENGE_SECONDS,
  };
}

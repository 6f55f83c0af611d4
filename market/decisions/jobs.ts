// Owns jobs: buying the running of one, what its sellers report, and what becomes of a run of which nothing came. It refuses to buy a
// part of what was asked for, or before the draw of audits is bound; a result that nobody but its seller has seen, one of another job,
// and a second word on the same one.

import type { CommandOf } from "../../protocol/commands.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { MarketEvent } from "../../protocol/events.ts";
import { type Hex, NO_HASH } from "../../protocol/fields.ts";
import { MAX_JOB_ASKS_SEEN, MAX_REGION_MICROS, RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import { productNumber, productOf } from "../../protocol/products.ts";
import type { EvidenceFacts, VerifiedSigner } from "../../protocol/verified-facts.ts";
import { worth } from "../continuous/amounts.ts";
import { type BookOrder, BUY, type Outcome, type RestingOrder, SELL } from "../continuous/book.ts";
import type { Decision, Occasion } from "../decision.ts";
import { providerOf } from "../providers.ts";
import { auditOf } from "../resources/audits.ts";
import { drawTermsAt } from "../resources/draw-terms.ts";
import { type JobResult, judge, judgeOthers, resultsOf } from "../resources/job-results.ts";
import { sellersPassedOver } from "../resources/missed-runs.ts";
import {
  type Obligation,
  obligationAt,
  openRow,
  reportAt,
  rowsOfPurchase,
  sellersOwing,
} from "../resources/obligations.ts";
import { jobAt, purchaseRow, purchasesOfJob } from "../resources/purchases.ts";
import { lapse } from "../resources/resource-due.ts";
import { Settlements } from "../resources/settlements.ts";
import { type RegionState, termsOf } from "../state.ts";
import { heldFor, takenEvents } from "./order-limits.ts";
import { refuseSeller } from "./seller-standing.ts";

const PRODUCT = "compute-job";

type Buying = Occasion<CommandOf<"buy_job">>;
type Reporting = Occasion<CommandOf<"report_result">>;
type Releasing = Occasion<CommandOf<"release_run">>;

/** Buys a job's fuel of each of so many sellers, the best asks first: all of it, or nothing. */
export function buyJob(occasion: Buying): Decision {
  const { command } = occasion;
  const { fuelMega, replicas, priceMicrosPerTera, jobDigest } = command;
  if (worth(fuelMega * replicas, priceMicrosPerTera) > MAX_REGION_MICROS)
    return { rejection: rejected("order_too_large", { limit: MAX_REGION_MICROS }) };
  const unbound = refuseUnbound(occasion);
  if (unbound !== null) return { rejection: unbound };
  const asks = bestAsks(occasion);
  if ("rejection" in asks) return asks;
  const order = jobOrder(occasion);
  const outcome: Outcome = {
    orders: asks.map(({ id }) => id),
    quantityMega: asks.map(() => fuelMega),
    priceMicrosPerTera: asks.map((ask) => ask.priceMicrosPerTera),
    filledMega: order.quantityMega,
    restingMega: 0,
    unfilledMega: 0,
    shortfall: null,
    reachedMega: order.quantityMega,
  };
  const bearing = heldFor(occasion, order, outcome);
  if ("rejection" in bearing) return bearing;
  const job = { jobDigest, replicas };
  return { events: takenEvents(occasion, PRODUCT, order, outcome, bearing.heldMicros, job) };
}

/** Where results are drawn, nothing is sold before the draw is bound: otherwise the region could choose its secret afterwards. */
function refuseUnbound({ state, atS }: Buying): Rejection | null {
  const { epoch, auditRateBps } = drawTermsAt(state, atS);
  const isBound = auditRateBps === 0 || auditOf(state.tables.audits, epoch) !== null;
  return isBound ? null : rejected("audits_not_bound", { epoch });
}

/**
 * One ask of each of `replicas` sellers who can take the whole job, the best first: at one price whoever has the fewest jobs before it,
 * so that work spreads over machines; of equally busy ones the book's order. Whoever owes the buyer a run of this very job, or has let
 * it down, is passed over.
 */
function bestAsks(occasion: Buying): RestingOrder[] | { readonly rejection: Rejection } {
  const { state, command } = occasion;
  const { replicas, priceMicrosPerTera: limit } = command;
  const found: RestingOrder[] = [];
  let level: RestingOrder[] = [];
  let seen = 0;
  const takeLevel = (): void => {
    const { obligations } = state.indexes;
    // Stable: the book's order stays where that is all there is between two.
    level.sort((left, right) => obligations.running(left.account) - obligations.running(right.account));
    found.push(...level.slice(0, replicas - found.length));
    level = [];
  };
  const mayTake = sellersFor(occasion);
  for (const ask of state.indexes.book.orders(productNumber(PRODUCT), SELL)) {
    if (level.length > 0 && ask.priceMicrosPerTera !== level[0]?.priceMicrosPerTera) takeLevel();
    if (ask.priceMicrosPerTera > limit || found.length === replicas) break;
    seen += 1;
    if (seen > MAX_JOB_ASKS_SEEN) break;
    if (mayTake(ask)) level.push(ask);
  }
  takeLevel();
  if (found.length === replicas) return found;
  if (seen > MAX_JOB_ASKS_SEEN)
    return {
      rejection: rejected("sweep_limit_reached", { limit: MAX_JOB_ASKS_SEEN, sellers: found.length }),
    };
  return {
    rejection:
      found.length === 0
        ? rejected("order_unmatched", { priceMicrosPerTera: limit })
        : rejected("sellers_insufficient", { sellers: found.length, replicas }),
  };
}

/** Whether an ask can take the whole job; each seller once. */
function sellersFor({ state, command, account, atS }: Buying): (ask: RestingOrder) => boolean {
  const { obligations, purchases, missedRuns } = state.tables;
  const { jobDigest, fuelMega } = command;
  const owing = sellersOwing(obligations, purchasesOfJob(purchases, account, jobDigest));
  const passedOver = sellersPassedOver(missedRuns, account, jobDigest, atS);
  const excluded = new Set([account, ...owing, ...passedOver]);
  return ({ account: seller, restingMega }) => {
    if (excluded.has(seller) || restingMega < fuelMega || refuseSeller(state, seller, atS) !== null)
      return false;
    excluded.add(seller);
    return true;
  };
}

function jobOrder({ state, command, account, signer, entry, atS }: Buying): BookOrder {
  return {
    id: entry,
    account,
    session: sessionOf(state, signer),
    product: productNumber(PRODUCT),
    side: BUY,
    quantityMega: command.fuelMega * command.replicas,
    priceMicrosPerTera: command.priceMicrosPerTera,
    timeInForce: "fill_or_kill",
    goodTillS: 0,
    placedAtS: atS,
    rank: 0,
  };
}

function sessionOf({ tables, indexes }: RegionState, signer: VerifiedSigner): number {
  if (signer.scheme === "wallet") return 0;
  return tables.sessions.columns.id[indexes.sessionByKey.get(signer.key) as number] as number;
}

/** Takes a seller's word for what came of a job. With the last of a job's results it is decided who is paid. */
export function reportResult(occasion: Reporting): Decision {
  const { state, command, atS } = occasion;
  const { obligationId, fuelMega, outputHash } = command;
  const { obligations, purchases } = state.tables;
  const row = openRow(obligations, obligationId);
  if (row < 0) return { rejection: rejected("obligation_not_found", { obligationId }) };
  const obligation = obligationAt(obligations, row);
  const refusal = refuseReport(occasion, row, obligation);
  if (refusal !== null) return { rejection: refusal };
  const results = resultsWith(occasion, row, { obligation, jobDigest: command.jobDigest, report: command });
  const isLast = results !== null;
  const payableAtS = (isLast ? atS : obligation.deadlineS) + RESULT_CHALLENGE_SECONDS;
  const events: MarketEvent[] = [
    { type: "result_reported", obligation: obligationId, fuelMega, outputHash, payableAtS },
  ];
  // One alone waits from here on, as its report says.
  if (isLast && results.length > 1) events.push(...judge(results, new Settlements(purchases), atS));
  return { events };
}

function refuseReport(
  { state, command, account, signer, evidence }: Reporting,
  row: number,
  { seller, quantityMega, deliveredMega }: Obligation,
): Rejection | null {
  const { obligationId, fuelMega } = command;
  if (account !== seller) return rejected("obligation_not_owned", { obligationId });
  const isOver = refuseWord(state, row, command.jobDigest);
  if (isOver !== null) return isOver;
  if (fuelMega > quantityMega)
    return rejected("delivery_out_of_bounds", { settledMega: deliveredMega, tradedMega: quantityMega });
  if (!isAttested(command, evidence, termsOf(state).receiptKey))
    return rejected("result_not_attested", { obligationId });
  const provider = providerOf(state, seller);
  const isNode = signer.scheme === "session" && signer.key === provider?.nodeKey;
  return provider === null || isNode
    ? null
    : rejected("result_not_by_node_key", { nodeKey: provider.nodeKey });
}

/** Why nothing can be said of a row any more, or not about this job; null where something can. */
function refuseWord({ tables }: RegionState, row: number, jobDigest: Hex): Rejection | null {
  const { obligations, purchases } = tables;
  const job = jobAt(purchases, purchaseRow(purchases, obligations.columns.purchase[row] as number));
  if (job?.jobDigest !== jobDigest)
    return rejected("result_of_other_job", job === null ? {} : { jobDigest: job.jobDigest });
  const before = reportAt(obligations, row);
  return before === null ? null : rejected("result_reported_before", { ...before });
}

/** Whether the region's own key bears out that the outputs of this very result were delivered to it. */
function isAttested(
  { obligationId, fuelMega, jobDigest, outputHash }: CommandOf<"report_result">,
  evidence: EvidenceFacts | null,
  receiptKey: Hex,
): boolean {
  return (
    evidence?.kind === "delivery" &&
    evidence.means === "job_result" &&
    evidence.obligation === obligationId &&
    evidence.deliveredMega === fuelMega &&
    evidence.jobDigest === jobDigest &&
    evidence.outputHash === outputHash &&
    evidence.agreedBy.some((signer) => signer.scheme === "session" && signer.key === receiptKey)
  );
}

/**
 * Ends a run of which the edge saw nothing sound in time, or a lease whose machine is gone: what is left of its money goes back at once,
 * and what the others reported of a job may now be all there is.
 */
export function releaseRun({ state, command, atS }: Releasing): Decision {
  const { obligationId, jobDigest, hasFailed } = command;
  const { obligations, purchases } = state.tables;
  const row = openRow(obligations, obligationId);
  if (row < 0) return { rejection: rejected("obligation_not_found", { obligationId }) };
  const isLease = productOf(obligations.columns.product[row] as number).isLease;
  const refusal = isLease && jobDigest === NO_HASH ? null : refuseWord(state, row, jobDigest);
  if (refusal !== null) return { rejection: refusal };
  const settlements = new Settlements(purchases);
  const released = lapse(state, [row], settlements, hasFailed ? 1 : 0);
  return { events: [released, ...judgeOthers(state, row, settlements, atS)] };
}

/** The results of a job with the one that is being reported, where the others are all there; else null. */
function resultsWith({ state }: Reporting, row: number, own: JobResult): JobResult[] | null {
  const others = resultsOf(state, row, (other) => other === row);
  if (others === null) return null;
  const place = rowsOfPurchase(state.tables.obligations, row).indexOf(row);
  return [...others.slice(0, place), own, ...others.slice(place)];
}

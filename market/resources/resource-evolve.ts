// Owns how the events of promised resources change the state: orders that rest, trades, settlements. It refuses to decide:
// every amount that moves is in the event.

import type { EventOf } from "../../protocol/events.ts";
import { type PromisedResource, productNumber, productOf } from "../../protocol/products.ts";
import type { ResultVerdict } from "../../protocol/resource-events.ts";
import { worth } from "../continuous/amounts.ts";
import { BUY, SELL } from "../continuous/book.ts";
import { hold, release } from "../ledger.ts";
import { type RegionState, termsOf } from "../state.ts";
import { writeHex } from "../table.ts";
import { writeCommitment, writeReveal } from "./audits.ts";
import { keepMissedRun } from "./missed-runs.ts";
import { type Obligation, obligationAt, openRow } from "./obligations.ts";
import { cellOf } from "./providers.ts";
import { isDone, jobAt, purchaseRow } from "./purchases.ts";
import { countResting } from "./resource-state.ts";
import { countMega, spend } from "./session-counts.ts";

type ResourceEvent =
  | "resource_order_placed"
  | "resource_traded"
  | "resource_order_ended"
  | "obligation_settled"
  | "obligations_lapsed"
  | "result_reported"
  | "results_awaited"
  | "audits_committed"
  | "audits_revealed";

/** By event type, for `evolve`. */
export const RESOURCE_EVOLVERS: {
  readonly [T in ResourceEvent]: (state: RegionState, event: EventOf<T>) => void;
} = {
  resource_order_placed(state, event) {
    const { order, account, session, filledMega, restingMega, heldMicros, priceMicrosPerTera } = event;
    const { atS } = state.header;
    if (event.side === "buy") {
      const { purchases } = state.tables;
      const row = purchases.append();
      purchases.columns.id[row] = order;
      purchases.columns.account[row] = account;
      purchases.columns.session[row] = session;
      purchases.columns.restingWorth[row] = worth(restingMega, priceMicrosPerTera);
      if (event.job !== undefined) {
        writeHex(purchases.columns.jobDigest, row, event.job.jobDigest);
        purchases.columns.replicas[row] = event.job.replicas;
      }
      hold(state, { account, amountMicros: heldMicros });
      spend(state, session, heldMicros);
    }
    countMega(state, session, filledMega + restingMega, atS);
    if (restingMega === 0) return;
    const { quantityMega, goodTillS, rank } = event;
    state.indexes.book.rest(
      {
        id: order,
        account,
        session,
        product: productNumber(event.product),
        side: event.side === "buy" ? BUY : SELL,
        quantityMega,
        priceMicrosPerTera,
        timeInForce: "good_till_time",
        goodTillS,
        placedAtS: atS,
        rank,
      },
      restingMega,
    );
    countResting(state.indexes, account, 1);
  },

  resource_traded(state, event) {
    event.orders.forEach((resting, index) => {
      trade(state, event, resting, index);
    });
    state.header.nextObligation = event.firstObligation + event.orders.length;
  },

  resource_order_ended(state, { order, unfilledMega, releasedMicros }) {
    const { book } = state.indexes;
    const resting = book.find(order);
    // What never rested has left nothing behind.
    if (resting === null) return;
    const { account, session, side, placedAtS } = resting;
    book.remove(order);
    countResting(state.indexes, account, -1);
    countMega(state, session, 0 - unfilledMega, placedAtS);
    if (side === SELL) return;
    const { purchases } = state.tables;
    purchases.columns.restingWorth[purchaseRow(purchases, order)] = 0;
    release(state, account, [{ account, amountMicros: releasedMicros }]);
    spend(state, session, 0 - releasedMicros);
    dropDonePurchases(state);
  },

  obligation_settled(state, event) {
    const { deliveredMega, paidMicros, feeMicros, releasedMicros, isClosed, isFailure } = event;
    const { obligations } = state.tables;
    const row = openRow(obligations, event.obligation);
    const obligation = obligationAt(obligations, row);
    const { buyer, seller, product, purchase } = obligation;
    obligations.columns.deliveredMega[row] = obligation.deliveredMega + deliveredMega;
    obligations.columns.paidMicros[row] = obligation.paidMicros + paidMicros;
    const { purchases } = state.tables;
    const bought = purchaseRow(purchases, purchase);
    const paidWorth = worth(deliveredMega, obligation.priceMicrosPerTera);
    add(purchases.columns.settledWorth, bought, paidWorth);
    add(purchases.columns.openWorth, bought, 0 - paidWorth);
    release(state, buyer, [
      { account: seller, amountMicros: paidMicros - feeMicros },
      { account: state.header.treasuryAccount, amountMicros: feeMicros },
      { account: buyer, amountMicros: releasedMicros },
    ]);
    countDelivery(state, seller, productOf(product).resource, event);
    if (!isClosed) return;
    countVerdict(state, seller, event.verdict);
    // What a buyer vouched for, of a job that was bought of one seller in the book.
    if (event.verdict === undefined && !isFailure && !productOf(product).isLease)
      add(state.tables.providers.columns.jobs, providerRow(state, seller), 1);
    if (isFailure && event.verdict === undefined) keepMissed(state, obligation, false);
    close(state, row, obligation.quantityMega - obligation.deliveredMega - deliveredMega, isFailure);
    spend(state, purchases.columns.session[bought] as number, 0 - releasedMicros);
    dropDonePurchases(state);
  },

  obligations_lapsed(state, { obligations: ids, releasedMicros, failures }) {
    const { obligations, purchases, providers } = state.tables;
    ids.forEach((id, index) => {
      const row = openRow(obligations, id);
      const obligation = obligationAt(obligations, row);
      const { buyer, seller, purchase, quantityMega, deliveredMega } = obligation;
      const isFailure = failures[index] === 1;
      const amountMicros = releasedMicros[index] as number;
      release(state, buyer, [{ account: buyer, amountMicros }]);
      spend(state, purchases.columns.session[purchaseRow(purchases, purchase)] as number, 0 - amountMicros);
      if (isFailure) add(providers.columns.lapses, providerRow(state, seller), 1);
      keepMissed(state, obligation, isFailure);
      close(state, row, quantityMega - deliveredMega, isFailure);
    });
    dropDonePurchases(state);
  },

  result_reported(state, { obligation, fuelMega, outputHash, payableAtS }) {
    const { obligations, providers } = state.tables;
    const row = openRow(obligations, obligation);
    const { seller, product, deadlineS } = obligationAt(obligations, row);
    obligations.columns.reportedMega[row] = fuelMega;
    writeHex(obligations.columns.reportedHash, row, outputHash);
    state.indexes.obligations.postpone(row, payableAtS);
    const provider = providerRow(state, seller);
    const tradedAtS = deadlineS - productOf(product).deliverySeconds;
    add(providers.columns.reports, provider, 1);
    add(providers.columns.reportSeconds, provider, state.header.atS - tradedAtS);
  },

  audits_committed(state, event) {
    writeCommitment(state.tables.audits, event, termsOf(state).epochSlots, state.header.atS);
  },

  audits_revealed(state, { epoch }) {
    writeReveal(state.tables.audits, epoch);
  },

  results_awaited(state, { obligations: ids, payableAtS, isDisputed }) {
    const { obligations } = state.tables;
    for (const id of ids) {
      const row = openRow(obligations, id);
      obligations.columns.isDisputed[row] = isDisputed ? 1 : 0;
      state.indexes.obligations.postpone(row, payableAtS);
    }
  },
};

/** One fill becomes an obligation, and the buyer's order owes for it. */
function trade(state: RegionState, event: EventOf<"resource_traded">, resting: number, index: number): void {
  const { book } = state.indexes;
  const met = book.find(resting);
  if (met === null) throw new Error(`order ${resting} traded and does not rest`);
  const quantityMega = event.quantityMega[index] as number;
  const priceMicrosPerTera = event.priceMicrosPerTera[index] as number;
  const isBuyer = event.side === "buy";
  const { obligations, purchases } = state.tables;
  const purchase = isBuyer ? event.order : resting;
  const bought = purchaseRow(purchases, purchase);
  const worthMicros = worth(quantityMega, priceMicrosPerTera);
  add(purchases.columns.openWorth, bought, worthMicros);
  if (!isBuyer) add(purchases.columns.restingWorth, bought, 0 - worthMicros);
  book.fill(resting, quantityMega);
  if (quantityMega === met.restingMega) countResting(state.indexes, met.account, -1);
  const row = obligations.append();
  const { columns } = obligations;
  columns.id[row] = event.firstObligation + index;
  columns.purchase[row] = purchase;
  columns.sale[row] = isBuyer ? resting : event.order;
  columns.buyer[row] = isBuyer ? event.account : met.account;
  columns.seller[row] = isBuyer ? met.account : event.account;
  columns.product[row] = productNumber(event.product);
  columns.priceMicrosPerTera[row] = priceMicrosPerTera;
  columns.quantityMega[row] = quantityMega;
  columns.takeRateBps[row] = event.takeRateBps;
  columns.deadlineS[row] = event.deadlineS;
  state.indexes.obligations.add(row);
}

/** Closes an obligation of which `openMega` was never delivered. */
function close(state: RegionState, row: number, openMega: number, isFailure: boolean): void {
  const { obligations, purchases, providers } = state.tables;
  const { purchase, priceMicrosPerTera, seller }: Obligation = obligationAt(obligations, row);
  add(purchases.columns.openWorth, purchaseRow(purchases, purchase), 0 - worth(openMega, priceMicrosPerTera));
  state.indexes.obligations.close(row);
  if (isFailure) add(providers.columns.failures, providerRow(state, seller), 1);
}

/** Notes a job's run of which nothing came, while its trade could still last: at the deadline there is nothing to keep it from. */
function keepMissed(state: RegionState, obligation: Obligation, hasFailed: boolean): void {
  const { purchase, buyer, seller, deadlineS: untilS } = obligation;
  const { purchases, missedRuns } = state.tables;
  const job = jobAt(purchases, purchaseRow(purchases, purchase));
  const { atS } = state.header;
  if (job === null || untilS <= atS) return;
  keepMissedRun(missedRuns, { jobDigest: job.jobDigest, buyer, seller, untilS, hasFailed }, atS);
}

function countDelivery(
  state: RegionState,
  seller: number,
  resource: PromisedResource,
  { deliveredMega: units, paidMicros, feeMicros }: EventOf<"obligation_settled">,
): void {
  if (units === 0) return;
  const row = providerRow(state, seller);
  const { columns } = state.tables.providers;
  addUnits(columns.units, cellOf(row, resource), units);
  addUnits(columns.earnedMicros, cellOf(row, resource), paidMicros - feeMicros);
  addUnits(columns.epochUnits, cellOf(row, resource), units);
  add(columns.epochFeesMicros, cellOf(row, resource), feeMicros);
  add(columns.epochSalesMicros, cellOf(row, resource), paidMicros);
}

/** Counts what was found of a job's result. */
function countVerdict(state: RegionState, seller: number, verdict: ResultVerdict | undefined): void {
  if (verdict === undefined || verdict === "undecided") return;
  const { columns } = state.tables.providers;
  const row = providerRow(state, seller);
  if (verdict === "disagreed") add(columns.disagreements, row, 1);
  else if (verdict === "audit_failed") add(columns.auditsFailed, row, 1);
  else add(columns.jobs, row, 1);
  if (verdict === "audit_passed") add(columns.auditsPassed, row, 1);
}

function providerRow({ tables, indexes }: RegionState, account: number): number {
  const known = indexes.providerByAccount.get(account);
  if (known !== undefined) return known;
  const row = tables.providers.append();
  tables.providers.columns.account[row] = account;
  indexes.providerByAccount.set(account, row);
  return row;
}

/** Purchases that nothing is open of leave in bulk: each one left has an obligation or an order that rests. */
function dropDonePurchases({ tables: { purchases }, indexes }: RegionState): void {
  if (purchases.rows < 1_024 || purchases.rows < 3 * (indexes.book.size + indexes.obligations.size)) return;
  purchases.retain((row) => !isDone(purchases, row));
}

/** Units at a price of next to nothing could be counted past 2⁵³ at little cost; from here on they count no further. */
const MOST_UNITS = 4_000_000_000_000_000;

function addUnits(column: Float64Array, index: number, units: number): void {
  column[index] = Math.min(MOST_UNITS, (column[index] as number) + units);
}

function add(column: Float64Array | Uint32Array, index: number, change: number): void {
  column[index] = (column[index] as number) + change;
}

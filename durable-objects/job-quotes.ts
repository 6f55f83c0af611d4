// Owns what a job would cost now: the purchase is decided as it would be, and nothing is written. It refuses what the market
// would refuse, with the same words.

import type { Submission } from "../evidence/signed-command.ts";
import { costMicros, worth } from "../market/continuous/amounts.ts";
import { SELL } from "../market/continuous/book.ts";
import { liveRow } from "../market/continuous/resting-orders.ts";
import { decide } from "../market/decide.ts";
import { addressOf, type RegionState } from "../market/state.ts";
import type { CommandOf } from "../protocol/commands.ts";
import type { Rejection } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import { productNumber } from "../protocol/products.ts";

export type BuyJob = CommandOf<"buy_job">;

/** One run as it is to be had. */
export interface JobAsk {
  readonly seller: Hex;
  readonly priceMicrosPerTera: number;
  readonly costMicros: number;
}

export interface JobOffer {
  readonly asks: readonly JobAsk[];
}

/** Asks that are looked at for the least price: dust in front of the book must not hold up its region. */
const MOST_ASKS = 1_000;

/** What a purchase would be decided as. */
export function quoteOf(
  state: RegionState,
  { command, commandId, signer, evidence }: Submission,
  atS: number,
): JobOffer | { readonly rejection: Rejection } {
  const decision = decide(state, { command, commandId, signer, evidence }, atS);
  if ("rejection" in decision) return decision;
  const { restingOrders } = state.tables;
  const asks: JobAsk[] = [];
  for (const event of decision.events) {
    if (event.type !== "resource_traded") continue;
    event.orders.forEach((order, index) => {
      const row = liveRow(restingOrders, order);
      const priceMicrosPerTera = event.priceMicrosPerTera[index] as number;
      asks.push({
        seller: addressOf(state, restingOrders.columns.account[row] as number),
        priceMicrosPerTera,
        costMicros: costMicros(worth(event.quantityMega[index] as number, priceMicrosPerTera)),
      });
    });
  }
  return { asks };
}

/** The least that so many sellers would run a job for, together; null where they are too few. */
export function leastMicrosOf(
  state: RegionState,
  buyer: Hex,
  fuelMega: number,
  replicas: number,
): number | null {
  const own = state.indexes.accountByAddress.get(buyer);
  const sellers = new Set<number>();
  let micros = 0;
  let seen = 0;
  for (const ask of state.indexes.book.orders(productNumber("compute-job"), SELL)) {
    seen += 1;
    if (seen > MOST_ASKS) return null;
    if (ask.account === own || sellers.has(ask.account) || ask.restingMega < fuelMega) continue;
    sellers.add(ask.account);
    micros = replicas * costMicros(worth(fuelMega, ask.priceMicrosPerTera));
    // All runs may cost what the dearest of them does: one limit holds for all.
    if (sellers.size === replicas) return micros;
  }
  return null;
}

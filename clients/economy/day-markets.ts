// Owns one day of each market: who sells how much, what buyers pay, and where it goes, by the market's own auction, amounts and
// fees. It refuses to move money: it says what would be.

import { netAskPrice, netBidPrice } from "../../market/auction/ask-price.ts";
import { clearAuction } from "../../market/auction/auction.ts";
import type { Steps } from "../../market/auction/book.ts";
import { buyerPays, networkShare, saleMicros, sellerFee } from "../../market/auction/settlement.ts";
import { costMicros, feeMicros, worth } from "../../market/continuous/amounts.ts";
import type { Parameters } from "../../protocol/commands.ts";
import { divDown } from "../../protocol/units.ts";
import { defaultLimits } from "../household/default-orders.ts";
import { BUYER_FEED_IN_MICROS, type DemandAssumption } from "./assumptions.ts";
import { capacityOn, type Provider } from "./pool.ts";

/** What a day of a market did. Micros; per provider by its place in the pool. */
export interface DayTrade {
  soldUnits: number;
  paidMicros: number;
  receivedMicros: number;
  feeMicros: number;
  networkMicros: number;
  dustMicros: number;
  readonly units: Float64Array;
  readonly received: Float64Array;
  readonly fees: Float64Array;
}

/** A day of a market on which so much is wanted. */
export type DayMarket = (pool: readonly Provider[], wantedUnits: number, sun: number) => DayTrade;

/** The most that each group of buyers pays elsewhere, the highest first. */
export function elsewherePrices({ groups, elsewhereMicros: [low, high] }: DemandAssumption): number[] {
  return Array.from({ length: groups }, (_, index) => high - divDown((high - low) * index, groups - 1));
}

function noTrade(size: number): DayTrade {
  const none = {
    soldUnits: 0,
    paidMicros: 0,
    receivedMicros: 0,
    feeMicros: 0,
    networkMicros: 0,
    dustMicros: 0,
  };
  const column = () => new Float64Array(size);
  return { ...none, units: column(), received: column(), fees: column() };
}

const columns = (size: number): Steps => ({
  count: 0,
  netPriceMicros: new Int32Array(size),
  quantityWh: new Int32Array(size),
});

/** The metered auction, once for a whole day, on everybody's default orders. */
export function energyMarket(parameters: Parameters, demand: DemandAssumption): DayMarket {
  const { networkFeeMicrosPerKwh, takeRateBps, clearingPriceK } = parameters;
  const bidPrices = elsewherePrices(demand).flatMap((retailMicrosPerKwh) => {
    const limits = defaultLimits({
      retailMicrosPerKwh,
      feedInMicrosPerKwh: BUYER_FEED_IN_MICROS,
      networkFeeMicrosPerKwh,
      takeRateBps,
    });
    return limits === null ? [] : [netBidPrice(limits.buyMicrosPerKwh, networkFeeMicrosPerKwh)];
  });
  return (pool, wantedUnits, sun) => {
    const trade = noTrade(pool.length);
    // Columns are filled by hand: this runs for every day of every run.
    const sellers: number[] = [];
    const asks = columns(pool.length);
    for (const [place, provider] of pool.entries()) {
      if (!provider.isIn || provider.askMicros === null) continue;
      asks.netPriceMicros[asks.count] = netAskPrice(provider.askMicros, takeRateBps);
      asks.quantityWh[asks.count] = capacityOn(provider, sun);
      asks.count += 1;
      sellers.push(place);
    }
    const bids = columns(bidPrices.length);
    bids.count = bidPrices.length;
    bids.netPriceMicros.set(bidPrices);
    bids.quantityWh.fill(divDown(wantedUnits, demand.groups));
    const { priceMicros, bidFilledWh, askFilledWh } = clearAuction({ bids, asks }, clearingPriceK);
    if (priceMicros === null) return trade;
    for (const wh of bidFilledWh) {
      trade.paidMicros += buyerPays(wh, priceMicros, networkFeeMicrosPerKwh);
      trade.networkMicros += networkShare(wh, networkFeeMicrosPerKwh);
    }
    for (const [index, place] of sellers.entries()) {
      const wh = askFilledWh[index] as number;
      const sale = saleMicros(wh, priceMicros);
      credit(trade, place, wh, sale, sellerFee(sale, takeRateBps));
    }
    trade.dustMicros = trade.paidMicros - trade.receivedMicros - trade.feeMicros - trade.networkMicros;
    return trade;
  };
}

/** A market in which the cheapest ask is met first, at its own price, by whoever would pay most elsewhere. */
export function askMarket({ takeRateBps }: Parameters, demand: DemandAssumption): DayMarket {
  const reserves = elsewherePrices(demand);
  return (pool, wantedUnits) => {
    const trade = noTrade(pool.length);
    const each = divDown(wantedUnits, demand.groups);
    let group = 0;
    let wanted = each;
    for (const [place, { isIn, askMicros, capacity }] of pool.entries()) {
      if (!isIn || askMicros === null) continue;
      let left = capacity;
      while (left > 0 && group < reserves.length && askMicros <= (reserves[group] as number)) {
        const units = Math.min(left, wanted);
        if (units > 0) {
          const paid = costMicros(worth(units, askMicros));
          trade.paidMicros += paid;
          credit(trade, place, units, paid, feeMicros(paid, takeRateBps));
        }
        left -= units;
        wanted -= units;
        if (wanted > 0) continue;
        group += 1;
        wanted = each;
      }
      if (left > 0) break;
    }
    return trade;
  };
}

function credit(trade: DayTrade, place: number, units: number, sale: number, fee: number): void {
  trade.soldUnits += units;
  trade.receivedMicros += sale - fee;
  trade.feeMicros += fee;
  trade.units[place] = (trade.units[place] as number) + units;
  trade.received[place] = (trade.received[place] as number) + sale - fee;
  trade.fees[place] = (trade.fees[place] as number) + fee;
}

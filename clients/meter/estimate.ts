// Owns what a home would have gained in a region over its recorded quarter-hours, month by month, against its own tariff.
// It refuses formulas of its own: limits, price and roundings are those of the default order, the auction and the bill.

import { netAskPrice, netBidPrice } from "../../market/auction/ask-price.ts";
import { clearAuction } from "../../market/auction/auction.ts";
import { buyerPays, sellerReceives } from "../../market/auction/settlement.ts";
import { defaultLimits } from "../household/default-orders.ts";
import { feedInAt, retailAt, type Tariff, tariffCostMicros } from "../household/tariff.ts";
import type { MarketShare } from "./market-share.ts";
import { type MeterClock, monthOf } from "./meter-clock.ts";
import type { HouseholdSlots } from "./meter-slots.ts";

export interface EstimateTerms {
  /** The home's own. */
  readonly tariff: Tariff;
  /** Of those it would trade with, who post the default order, too. */
  readonly counterpart: Tariff;
  readonly networkFeeMicrosPerKwh: number;
  readonly takeRateBps: number;
  /** Where in the crossing the price lies, 0 to 10,000; half is mid-gap. */
  readonly clearingPriceK: number;
  readonly share: MarketShare;
  /** Whose months they are. */
  readonly clock: MeterClock;
}

/** One month, or all of them. Money in micros, a gain above zero is the home's. */
export interface EstimateRow {
  /** `2023-03` */
  readonly month: string;
  readonly slots: number;
  readonly surplusWh: number;
  readonly needWh: number;
  readonly soldWh: number;
  readonly boughtWh: number;
  readonly tariffMicros: number;
  readonly marketMicros: number;
  readonly gainMicros: number;
}

export interface Estimate {
  readonly months: readonly EstimateRow[];
  readonly total: EstimateRow;
  /** Quarter-hours without a price in the tariff; they are in no figure. */
  readonly unpricedSlots: number;
  /** Quarter-hours in which the two tariffs leave nothing to trade. */
  readonly tradelessSlots: number;
}

type Sums = { -readonly [Key in keyof EstimateRow]: EstimateRow[Key] };

/** What a slot trades and costs. Wh traded above zero are sold. */
interface SlotOutcome {
  readonly tradedWh: number;
  readonly tariffMicros: number;
  readonly marketMicros: number;
}

/** Goes through a home's quarter-hours. Throws RangeError for terms outside the market's limits. */
export function estimate(household: HouseholdSlots, terms: EstimateTerms): Estimate {
  const months = new Map<string, Sums>();
  const total = emptySums("all");
  const prices = new TradePrices(terms);
  const parts = new TradedParts(terms.share);
  let unpricedSlots = 0;
  let tradelessSlots = 0;
  for (const slot of household.slots) {
    const netWh = household.read(slot)?.netWh ?? 0;
    if (!hasPrice(terms.tariff, slot) || !hasPrice(terms.counterpart, slot)) {
      unpricedSlots += 1;
      continue;
    }
    const price = netWh === 0 ? null : prices.at(slot, netWh > 0);
    if (netWh !== 0 && price === null) tradelessSlots += 1;
    const tradedWh = price === null ? 0 : parts.next(slot, netWh);
    const outcome = outcomeOf(slot, netWh, tradedWh, price, terms);
    const month = monthOf(slot, terms.clock);
    let sums = months.get(month);
    if (sums === undefined) {
      sums = emptySums(month);
      months.set(month, sums);
    }
    addTo(sums, netWh, outcome);
    addTo(total, netWh, outcome);
  }
  return { months: [...months.values()], total, unpricedSlots, tradelessSlots };
}

/** Prices at which two default orders meet, by the auction that clears a region. Micros per kWh. */
class TradePrices {
  readonly #terms: EstimateTerms;
  readonly #known = new Map<string, number | null>();

  constructor(terms: EstimateTerms) {
    this.#terms = terms;
  }

  /** The price in a slot in which the home sells or buys, or null where its order and the counterpart's do not cross. */
  at(slot: number, isSale: boolean): number | null {
    const { tariff, counterpart, networkFeeMicrosPerKwh, takeRateBps } = this.#terms;
    const own = this.#limits(tariff, slot);
    const other = this.#limits(counterpart, slot);
    if (own === null || other === null) return null;
    const sell = (isSale ? own : other).sellMicrosPerKwh;
    const buy = (isSale ? other : own).buyMicrosPerKwh;
    const key = `${sell} ${buy}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const step = (price: number) => ({
      count: 1,
      netPriceMicros: Int32Array.of(price),
      quantityWh: Int32Array.of(1),
    });
    const book = {
      asks: step(netAskPrice(sell, takeRateBps)),
      bids: step(netBidPrice(buy, networkFeeMicrosPerKwh)),
    };
    const price = clearAuction(book, this.#terms.clearingPriceK).priceMicros;
    this.#known.set(key, price);
    return price;
  }

  #limits(tariff: Tariff, slot: number) {
    const { networkFeeMicrosPerKwh, takeRateBps } = this.#terms;
    return defaultLimits({
      retailMicrosPerKwh: retailAt(tariff, slot),
      feedInMicrosPerKwh: feedInAt(tariff, slot),
      networkFeeMicrosPerKwh,
      takeRateBps,
    });
  }
}

/** Whole Wh of a home's surplus or need that trade, so that over time they are the share and not a Wh less in each slot. */
class TradedParts {
  readonly #share: MarketShare;
  #restSold = 0;
  #restBought = 0;

  constructor(share: MarketShare) {
    this.#share = share;
  }

  /** Wh above zero are sold. */
  next(slot: number, netWh: number): number {
    if (netWh > 0) {
      const wh = netWh * this.#share.ofSurplus(slot) + this.#restSold;
      const whole = Math.floor(wh);
      this.#restSold = wh - whole;
      return whole;
    }
    const wh = -netWh * this.#share.ofNeed(slot) + this.#restBought;
    const whole = Math.floor(wh);
    this.#restBought = wh - whole;
    return 0 - whole;
  }
}

function outcomeOf(
  slot: number,
  netWh: number,
  tradedWh: number,
  price: number | null,
  { tariff, networkFeeMicrosPerKwh, takeRateBps }: EstimateTerms,
): SlotOutcome {
  const tariffMicros = tariffCostMicros(tariff, slot, netWh);
  if (price === null || tradedWh === 0) return { tradedWh: 0, tariffMicros, marketMicros: tariffMicros };
  const rest = tariffCostMicros(tariff, slot, netWh - tradedWh);
  const trade =
    tradedWh > 0
      ? 0 - sellerReceives(tradedWh, price, takeRateBps)
      : buyerPays(-tradedWh, price, networkFeeMicrosPerKwh);
  return { tradedWh, tariffMicros, marketMicros: rest + trade };
}

function addTo(sums: Sums, netWh: number, { tradedWh, tariffMicros, marketMicros }: SlotOutcome): void {
  sums.slots += 1;
  sums.surplusWh += Math.max(0, netWh);
  sums.needWh += Math.max(0, -netWh);
  sums.soldWh += Math.max(0, tradedWh);
  sums.boughtWh += Math.max(0, -tradedWh);
  sums.tariffMicros += tariffMicros;
  sums.marketMicros += marketMicros;
  sums.gainMicros += tariffMicros - marketMicros;
}

function emptySums(month: string): Sums {
  return {
    month,
    slots: 0,
    surplusWh: 0,
    needWh: 0,
    soldWh: 0,
    boughtWh: 0,
    tariffMicros: 0,
    marketMicros: 0,
    gainMicros: 0,
  };
}

function hasPrice(tariff: Tariff, slot: number): boolean {
  const { retail } = tariff;
  if (retail.kind !== "series") return true;
  return retail.microsPerKwh[Math.floor((slot - retail.startSlot) / retail.slotsPerValue)] !== undefined;
}

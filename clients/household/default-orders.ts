// Owns the order an agent posts when its owner has no wish: one step, a quarter of the gap inside its own tariff. It
// refuses to post where nothing could trade, or where the market's rounding could eat the gain.

import type { LadderStep } from "../../protocol/commands.ts";
import type { Side } from "../../protocol/fields.ts";
import { MAX_TAKE_RATE_BPS, MAX_WH_PER_ACCOUNT_SLOT } from "../../protocol/limits.ts";
import { divDown, divUp, SLOT_SECONDS, slotStartS } from "../../protocol/units.ts";
import { feedInAt, retailAt, type Tariff } from "./tariff.ts";

const SLOTS_PER_HOUR = 4;
const BASIS = 10_000;

/**
 * Least distance of a limit from the tariff, micros per kWh (0.2 cent). Each payment is rounded against the household:
 * once for what it traded, once for the rest under its tariff, and a seller once more for the fee. For a fill of 1 Wh
 * these roundings can make the slot dearer than the tariff alone by a micro or two. It cannot happen once the margin
 * times the Wh filled reaches 999 (a buyer, a seller without a fee) or 1,999 (a seller with a fee). So below this
 * margin there is no order; only a gap under 0.8 cent per kWh is given up.
 */
export const LEAST_MARGIN_MICROS_PER_KWH = 2_000;

export interface DesiredOrder {
  readonly side: Side;
  readonly steps: readonly LadderStep[];
  readonly validFromS: number;
  readonly validUntilS: number;
  /** UTC hours of day, ascending; empty means all. */
  readonly hours: readonly number[];
}

export interface Limits {
  /** What a seller wants to receive at least, after the fee. Micros per kWh. */
  readonly sellMicrosPerKwh: number;
  /** What a buyer pays at most, network fee included. Micros per kWh. */
  readonly buyMicrosPerKwh: number;
}

export interface LimitTerms {
  readonly retailMicrosPerKwh: number;
  readonly feedInMicrosPerKwh: number;
  readonly networkFeeMicrosPerKwh: number;
  readonly takeRateBps: number;
}

/**
 * The limits of both sides under one tariff: a quarter of the gap (retail − network fee − feed-in) inside it. Null
 * where the quarter is below `LEAST_MARGIN_MICROS_PER_KWH` (so for any gap of zero or less), and where the buyer's
 * price without the network fee does not reach the seller's with the fee: two such orders could never trade.
 */
export function defaultLimits(terms: LimitTerms): Limits | null {
  const { retailMicrosPerKwh, feedInMicrosPerKwh, networkFeeMicrosPerKwh, takeRateBps } = terms;
  if (!(takeRateBps >= 0 && takeRateBps <= MAX_TAKE_RATE_BPS)) {
    throw new RangeError(`take rate outside 0..${MAX_TAKE_RATE_BPS} bps: ${takeRateBps}`);
  }
  const quarter = divDown(retailMicrosPerKwh - networkFeeMicrosPerKwh - feedInMicrosPerKwh, 4);
  if (quarter < LEAST_MARGIN_MICROS_PER_KWH) return null;
  const sell = feedInMicrosPerKwh + quarter;
  const buy = retailMicrosPerKwh - quarter;
  const ask = sell <= 0 ? sell : divUp(sell * BASIS, BASIS - takeRateBps);
  if (buy - networkFeeMicrosPerKwh < ask) return null;
  return { sellMicrosPerKwh: sell, buyMicrosPerKwh: buy };
}

export interface DefaultOrderTerms {
  readonly tariff: Tariff;
  readonly networkFeeMicrosPerKwh: number;
  readonly takeRateBps: number;
  /** First slot to cover. */
  readonly fromSlot: number;
  /** First slot not to cover. */
  readonly untilSlot: number;
  /** Most Wh a slot may trade: the meter's limit; by default the market's. */
  readonly sellCapWhPerSlot?: number;
  readonly buyCapWhPerSlot?: number;
}

/** A stretch of time and the UTC hours of day in it (empty for all) in which one price is in force. Slots. */
interface Span {
  readonly from: number;
  readonly until: number;
  readonly hours: readonly number[];
}

/** The slots of a price as unbroken runs, each with no hours. */
function runsOf(holds: readonly boolean[], fromSlot: number): Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < holds.length; i++) {
    if (!holds[i]) continue;
    const from = i;
    while (holds[i + 1]) i++;
    spans.push({ from: fromSlot + from, until: fromSlot + i + 1, hours: [] });
  }
  return spans;
}

/** One UTC hour of the span, as far as the span reaches into it. `all`, `some` or `none` of its slots hold the price. */
interface Block {
  readonly hour: number;
  readonly from: number;
  readonly until: number;
  readonly holds: "all" | "some" | "none";
}

function blocksOf(holds: readonly boolean[], fromSlot: number): Block[] {
  const blocks: Block[] = [];
  const untilSlot = fromSlot + holds.length;
  for (let from = fromSlot; from < untilSlot; ) {
    const index = Math.floor(from / SLOTS_PER_HOUR);
    const until = Math.min((index + 1) * SLOTS_PER_HOUR, untilSlot);
    const slots = holds.slice(from - fromSlot, until - fromSlot);
    const part = slots.every(Boolean) ? "all" : slots.some(Boolean) ? "some" : "none";
    blocks.push({ hour: index % 24, from, until, holds: part });
    from = until;
  }
  return blocks;
}

/**
 * The slots of a price as sets of hours, each for as long as the same hours hold it day after day; hours that hold it
 * in part (a zone half an hour off UTC) are runs of their own. Taking each stretch as far as it goes makes the fewest.
 */
function hourSetsOf(holds: readonly boolean[], fromSlot: number): Span[] {
  const spans: Span[] = [];
  const partial = holds.map(() => false);
  let pattern = new Map<number, boolean>();
  let open: { from: number; until: number } | null = null;
  const close = () => {
    if (open === null) return;
    const held = [...pattern].filter(([, is]) => is).map(([hour]) => hour);
    const hours = held.length === pattern.size ? [] : held.sort((a, b) => a - b);
    spans.push({ ...open, hours });
    open = null;
  };
  for (const block of blocksOf(holds, fromSlot)) {
    const whole = block.holds === "all";
    if (block.holds === "some") {
      for (let s = block.from; s < block.until; s++) partial[s - fromSlot] = holds[s - fromSlot] as boolean;
    }
    if (open !== null && pattern.get(block.hour) === !whole) close();
    if (open === null && !whole) continue;
    if (open === null) {
      pattern = new Map();
      open = { from: block.from, until: block.until };
    } else if (whole) {
      open.until = block.until;
    }
    pattern.set(block.hour, whole);
  }
  close();
  return [...spans, ...runsOf(partial, fromSlot)];
}

function spansOf(holds: readonly boolean[], fromSlot: number): Span[] {
  const runs = runsOf(holds, fromSlot);
  const sets = hourSetsOf(holds, fromSlot);
  return runs.length <= sets.length ? runs : sets;
}

/**
 * The default orders of the slots [fromSlot, untilSlot), few in number: each slot in which `defaultLimits` exist is
 * covered by exactly one order per side, and the others by none. Sorted by side (sell first), then start.
 *
 * Orders of households with the same tariff cross in every slot. Between different tariffs nothing is promised.
 * A region bounds live orders per account (`MAX_ORDERS_PER_ACCOUNT`): with prices that change from day to day, ask
 * for a few days at a time. Throws RangeError for an empty or backward span and where the tariff has no price.
 */
export function defaultOrders(terms: DefaultOrderTerms): DesiredOrder[] {
  const { tariff, networkFeeMicrosPerKwh, takeRateBps, fromSlot, untilSlot } = terms;
  if (
    !Number.isSafeInteger(fromSlot) ||
    !Number.isSafeInteger(untilSlot) ||
    fromSlot < 0 ||
    untilSlot <= fromSlot
  ) {
    throw new RangeError(`not a span of slots: ${fromSlot}..${untilSlot}`);
  }
  const limits = Array.from({ length: untilSlot - fromSlot }, (_, i) =>
    defaultLimits({
      retailMicrosPerKwh: retailAt(tariff, fromSlot + i),
      feedInMicrosPerKwh: feedInAt(tariff, fromSlot + i),
      networkFeeMicrosPerKwh,
      takeRateBps,
    }),
  );
  const sellCap = terms.sellCapWhPerSlot ?? MAX_WH_PER_ACCOUNT_SLOT;
  const buyCap = terms.buyCapWhPerSlot ?? MAX_WH_PER_ACCOUNT_SLOT;
  return [
    ...ordersOf(
      "sell",
      limits.map((both) => both?.sellMicrosPerKwh ?? null),
      fromSlot,
      sellCap,
    ),
    ...ordersOf(
      "buy",
      limits.map((both) => both?.buyMicrosPerKwh ?? null),
      fromSlot,
      buyCap,
    ),
  ];
}

function ordersOf(
  side: Side,
  prices: readonly (number | null)[],
  fromSlot: number,
  cap: number,
): DesiredOrder[] {
  // A side that may trade nothing (a meter without panels) has no order, because a step of 0 Wh is not one.
  const capWhPerSlot = Math.min(cap, MAX_WH_PER_ACCOUNT_SLOT);
  if (capWhPerSlot < 1) return [];
  const orders: DesiredOrder[] = [];
  for (const price of new Set(prices)) {
    if (price === null) continue;
    const holds = prices.map((other) => other === price);
    for (const span of spansOf(holds, fromSlot)) {
      orders.push({
        side,
        steps: [{ limitPriceMicrosPerKwh: price, capWhPerSlot }],
        validFromS: slotStartS(span.from),
        validUntilS: slotStartS(span.until),
        hours: span.hours,
      });
    }
  }
  return orders.sort((a, b) => a.validFromS - b.validFromS || a.validUntilS - b.validUntilS);
}

/** True where an order is in force in a slot: valid when the slot starts, and at that UTC hour. */
export function isInForce(order: DesiredOrder, slot: number): boolean {
  const startS = slotStartS(slot);
  if (startS < order.validFromS || startS >= order.validUntilS) return false;
  const hour = Math.floor(startS / (SLOT_SECONDS * SLOTS_PER_HOUR)) % 24;
  return order.hours.length === 0 || order.hours.includes(hour);
}

/** Orders are renewed this far ahead, and at the latest when less than a window of it is left. */
export const HORIZON_SLOTS = 28 * 96;
/** Orders of one renewal; with the ones still in force an account stays below its limit. */
const MOST_ORDERS_AHEAD = 14;
/** A span that is not halved further, however many orders it takes. */
const LEAST_HORIZON_SLOTS = 24;

/** The default orders from a slot on, for as long ahead as few orders say it, and where they end. */
export function ordersAhead(
  terms: Omit<DefaultOrderTerms, "fromSlot" | "untilSlot">,
  fromSlot: number,
  endSlot: number,
): { readonly orders: readonly DesiredOrder[]; readonly untilSlot: number } {
  const { tariff, networkFeeMicrosPerKwh, takeRateBps } = terms;
  for (let horizon = HORIZON_SLOTS; ; horizon = Math.ceil(horizon / 2)) {
    const untilSlot = Math.min(endSlot, fromSlot + horizon);
    const orders = defaultOrders({ tariff, networkFeeMicrosPerKwh, takeRateBps, fromSlot, untilSlot });
    if (orders.length <= MOST_ORDERS_AHEAD || horizon <= LEAST_HORIZON_SLOTS) return { orders, untilSlot };
  }
}

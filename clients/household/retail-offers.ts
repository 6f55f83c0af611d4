// Owns reading a named offer out of a list of retail tariffs (the layout of UNSW's tariff files) and prices of the
// Australian wholesale market. It refuses offers whose feed-in changes, and hours for which an offer has no price.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { SLOT_SECONDS, slotStartS } from "../../protocol/units.ts";
import { DataError } from "../scenario/data-set.ts";
import { readTable } from "../scenario/data-table.ts";
import { dayOfQuarter, localQuarter, weekdayOf } from "./local-time.ts";
import type { Tariff } from "./tariff.ts";

/** Slots that a tariff is needed for: `untilSlot` is the first beyond. */
export interface SlotSpan {
  readonly fromSlot: number;
  readonly untilSlot: number;
}

/** A tariff and what was assumed when it was read. */
export interface ReadTariff {
  readonly tariff: Tariff;
  readonly assumptions: readonly string[];
}

const perKwh = z.object({ Value: z.number().min(-10).max(10), Unit: z.literal("$/kWh") });
/** Some files have a space in the middle. */
const clock = z.string().regex(/^([01]?[0-9]|2[0-4]): ?[0-5][0-9]$/);
const period = perKwh.extend({
  Month: z.array(z.int().min(1).max(12)),
  Weekday: z.boolean(),
  Weekend: z.boolean(),
  TimeIntervals: z.record(z.string(), z.tuple([clock, clock])),
});
const blocks = z.record(z.string(), perKwh);
const offerSchema = z.object({
  "Tariff ID": z.string(),
  Name: z.string(),
  State: z.enum(["ACT", "NSW", "QLD", "SA", "TAS", "VIC"]),
  Parameters: z.object({
    FiT: perKwh.optional(),
    FiT_TOU: z.unknown().optional(),
    FlatRate: perKwh.optional(),
    TOU: z.record(z.string(), period).optional(),
    BlockDaily: blocks.optional(),
    BlockQuarterly: blocks.optional(),
  }),
});
type Offer = z.infer<typeof offerSchema>;
type Period = z.infer<typeof period>;

const ZONES = {
  ACT: "Australia/Sydney",
  NSW: "Australia/Sydney",
  QLD: "Australia/Brisbane",
  SA: "Australia/Adelaide",
  TAS: "Australia/Hobart",
  VIC: "Australia/Melbourne",
} as const;
const MINUTES_PER_QUARTER = 15;

/**
 * The offer of a name or id in a list of retail tariffs, priced for a span of slots. Prices are doubles in the file, and
 * are taken to the nearest micro. Throws DataError that names the offer or the field.
 */
export function readOffer(path: string, name: string, span: SlotSpan): ReadTariff {
  const file = basename(path);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new DataError(file, `cannot be read: ${(error as Error).message}`);
  }
  const list = z
    .array(z.object({ Tariffs: z.array(z.looseObject({ Name: z.string() })) }))
    .safeParse(content);
  if (!list.success) throw new DataError(file, "is no list of tariffs");
  const offers = list.data.flatMap(({ Tariffs }) => Tariffs);
  const found = offers.filter((offer) => offer.Name === name || offer["Tariff ID"] === name);
  if (found.length !== 1) throw new DataError(file, `has ${found.length} tariffs called ${name}, not one`);
  const offer = offerSchema.safeParse(found[0]);
  if (!offer.success) throw new DataError(file, `${name}: ${z.prettifyError(offer.error)}`);
  return tariffOf(file, offer.data, span);
}

function tariffOf(file: string, offer: Offer, span: SlotSpan): ReadTariff {
  const { FiT, FiT_TOU, FlatRate, TOU, BlockDaily, BlockQuarterly } = offer.Parameters;
  const assumptions = ["daily charges are left aside: they are the same with and without the market"];
  if (FiT_TOU !== undefined) throw new DataError(file, `${offer.Name}: its feed-in changes over the day`);
  if (FiT === undefined) assumptions.push("the tariff states no feed-in: export earns nothing under it");
  const common = {
    name: offer.Name,
    currency: "AUD",
    feedInMicrosPerKwh: microsOf(FiT?.Value ?? 0),
  };
  const block = Object.values(BlockDaily ?? BlockQuarterly ?? {})[0];
  if (block !== undefined)
    assumptions.push("of a tariff by blocks the first block's price is taken for every kWh");
  const flat = FlatRate ?? block;
  if (flat !== undefined)
    return {
      tariff: { ...common, retail: { kind: "flat", microsPerKwh: microsOf(flat.Value) } },
      assumptions,
    };
  if (TOU === undefined) throw new DataError(file, `${offer.Name}: has no price of energy`);
  const microsPerKwh = timesOfUse(Object.values(TOU), ZONES[offer.State], span);
  if (microsPerKwh === null)
    throw new DataError(file, `${offer.Name}: has no price for some hours of the span`);
  return {
    tariff: {
      ...common,
      retail: { kind: "series", startSlot: span.fromSlot, slotsPerValue: 1, microsPerKwh },
    },
    assumptions: [
      ...assumptions,
      `its times of use are local times of ${ZONES[offer.State]}; holidays are weekdays`,
    ],
  };
}

/** The price of each slot by the first period that it falls in; null where one falls in none. */
function timesOfUse(periods: readonly Period[], timeZone: string, span: SlotSpan): number[] | null {
  const prices: number[] = [];
  for (let slot = span.fromSlot; slot < span.untilSlot; slot += 1) {
    const quarter = localQuarter(timeZone, slot);
    const day = dayOfQuarter(quarter);
    const weekday = weekdayOf(day);
    const isWeekend = weekday === 0 || weekday === 6;
    const month = new Date(slotStartS(day * 96) * 1000).getUTCMonth() + 1;
    const minute = (quarter - day * 96) * MINUTES_PER_QUARTER;
    const period = periods.find(
      ({ Month, Weekday, Weekend, TimeIntervals }) =>
        Month.includes(month) && (isWeekend ? Weekend : Weekday) && holds(TimeIntervals, minute),
    );
    if (period === undefined) return null;
    prices.push(microsOf(period.Value));
  }
  return prices;
}

function holds(intervals: Period["TimeIntervals"], minute: number): boolean {
  return Object.values(intervals).some(([from, until]) => {
    const [begin, end] = [minutesOf(from), minutesOf(until)];
    // From 22:00 until 07:00 goes over midnight; the same time twice is the whole day.
    return begin < end ? minute >= begin && minute < end : minute >= begin || minute < end;
  });
}

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(":").map(Number);
  return hours * 60 + minutes;
}

function microsOf(value: number): number {
  return Math.round(value * 1e6) + 0;
}

export interface WholesaleTerms {
  /** What grid and supplier add to each kWh. */
  readonly adderMicrosPerKwh: number;
  readonly feedInMicrosPerKwh: number;
}

/** More than any price the market allows, AUD per MWh. */
const MAX_RRP = 100_000;
const MARKET_OFFSET_S = 10 * 3_600;
const MAX_MICROS = 10_000_000;

/**
 * A tariff that passes the wholesale price on: the mean of the three five-minute prices (`RRP`, AUD per MWh;
 * `SETTLEMENTDATE`, end of the five minutes at UTC+10) of each quarter-hour, plus an adder. Quarter-hours without three
 * prices, or beyond what the market allows, have none. Throws DataError that names the cell.
 */
export function readWholesale(path: string, terms: WholesaleTerms): ReadTariff {
  const table = readTable(path, ["SETTLEMENTDATE", "RRP"]);
  const prices = new Map<number, number[]>();
  for (let row = 0; row < table.rows; row += 1) {
    const written = table.text(row, "SETTLEMENTDATE");
    const isWritten = /^[0-9]{4}\/[0-9]{2}\/[0-9]{2} [0-9]{2}:[0-9]{2}:00$/.test(written);
    const endS = Date.parse(`${written.replace(/\//g, "-").replace(" ", "T")}Z`) / 1000 - MARKET_OFFSET_S;
    if (!isWritten || !Number.isInteger(endS)) throw table.error(row, "SETTLEMENTDATE", "is no moment");
    const slot = Math.floor((endS - 1) / SLOT_SECONDS);
    prices.set(slot, [...(prices.get(slot) ?? []), table.number(row, "RRP", -MAX_RRP, MAX_RRP)]);
  }
  if (prices.size === 0) throw new DataError(table.file, "has no prices");
  const startSlot = Math.min(...prices.keys());
  const microsPerKwh: number[] = [];
  let beyond = 0;
  for (const [slot, three] of prices) {
    if (three.length !== 3) continue;
    const mean = three.reduce((sum, price) => sum + price, 0) / 3;
    const micros = Math.round(mean * 1_000) + terms.adderMicrosPerKwh;
    if (Math.abs(micros) > MAX_MICROS) beyond += 1;
    // A quarter-hour without a price stays a hole in the series.
    else microsPerKwh[slot - startSlot] = micros;
  }
  const adder = terms.adderMicrosPerKwh / 1e6;
  return {
    tariff: {
      name: table.file,
      currency: "AUD",
      feedInMicrosPerKwh: terms.feedInMicrosPerKwh,
      retail: { kind: "series", startSlot, slotsPerValue: 1, microsPerKwh },
    },
    assumptions: [
      `import costs the wholesale price of the quarter-hour plus ${adder} per kWh for grid and supplier`,
      ...(beyond === 0 ? [] : [`${beyond} quarter-hours cost more than the market allows and are left out`]),
    ],
  };
}

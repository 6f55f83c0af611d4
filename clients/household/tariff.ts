// Owns what a household pays and earns without the market: a tariff file, its price in any slot, its cost of a net
// reading. It refuses to round a price: what does not fit whole micros per kWh is an error.

import { z } from "zod";
import { costUnderTariffMicros } from "../../market/tariff-cost.ts";
import { MAX_ABSOLUTE_PRICE_MICROS_PER_KWH } from "../../protocol/limits.ts";
import { localHour } from "./local-time.ts";

/** Longest price series a file may hold: ten years of quarter-hours. */
const MAX_SERIES_VALUES = 10 * 366 * 96;

/** Price of imported energy over time, micros per kWh. */
export type Retail =
  | { readonly kind: "flat"; readonly microsPerKwh: number }
  | {
      readonly kind: "hourly";
      readonly timeZone: string;
      /** 24 prices, by the local hour in which a slot starts. */
      readonly microsPerKwh: readonly number[];
    }
  | {
      readonly kind: "series";
      /** Slot of the first value; each value holds for `slotsPerValue` slots. */
      readonly startSlot: number;
      readonly slotsPerValue: number;
      readonly microsPerKwh: readonly number[];
    };

export interface Tariff {
  readonly name: string;
  readonly currency: string;
  /** Paid for exported energy; may be negative. */
  readonly feedInMicrosPerKwh: number;
  readonly retail: Retail;
}

/**
 * Micros of a decimal amount: "0.21" → 210000. Throws RangeError for anything but a plain decimal (no sign but a minus,
 * no exponent, no bare point), for a digit below a micro, and beyond safe integers. It never rounds.
 */
export function parseDecimalMicros(text: string): number {
  const match = /^(-?)(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,30}))?$/.exec(text);
  if (match === null) throw new RangeError(`not a plain decimal: ${JSON.stringify(text.slice(0, 40))}`);
  const [, sign = "", whole = "0", decimals = ""] = match;
  const fraction = decimals.replace(/0+$/, "");
  if (fraction.length > 6) throw new RangeError(`finer than a micro: ${text}`);
  const micros = Number(whole) * 1_000_000 + Number(fraction.padEnd(6, "0"));
  if (!Number.isSafeInteger(micros)) throw new RangeError(`too large: ${text}`);
  return sign === "-" && micros !== 0 ? -micros : micros;
}

/** A price per kWh in a file: decimal text within what the market allows, as micros. */
export const pricePerKwh = z
  .string('write a price as decimal text, such as "0.21"')
  .transform((text, context) => {
    try {
      const micros = parseDecimalMicros(text);
      if (Math.abs(micros) <= MAX_ABSOLUTE_PRICE_MICROS_PER_KWH) return micros;
      context.addIssue({
        code: "custom",
        message: `beyond ±${MAX_ABSOLUTE_PRICE_MICROS_PER_KWH / 1e6} per kWh: ${text}`,
      });
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as RangeError).message });
    }
    return z.NEVER;
  });

const timeZone = z.string().refine((name) => {
  try {
    localHour(name, 0);
    return true;
  } catch {
    return false;
  }
}, "unknown time zone");

/**
 * A tariff file, currency units per kWh as decimal text, unknown fields refused:
 * `{ name, currency, feedInPerKwh: "0.08", retail: { kind: "flat", perKwh: "0.30" } }`, or a retail of
 * `{ kind: "hourly", timeZone: "Europe/Amsterdam", perKwh: [24 prices] }`, or of
 * `{ kind: "series", startSlot, slotsPerValue, perKwh: [prices] }`.
 */
export const tariffFileSchema = z
  .strictObject({
    name: z.string().min(1).max(80),
    currency: z.string().regex(/^[A-Za-z]{2,8}$/),
    feedInPerKwh: pricePerKwh,
    retail: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("flat"), perKwh: pricePerKwh }),
      z.strictObject({ kind: z.literal("hourly"), timeZone, perKwh: z.array(pricePerKwh).length(24) }),
      z.strictObject({
        kind: z.literal("series"),
        startSlot: z.int().min(0),
        slotsPerValue: z.int().min(1).max(96),
        perKwh: z.array(pricePerKwh).min(1).max(MAX_SERIES_VALUES),
      }),
    ]),
  })
  .transform(({ name, currency, feedInPerKwh, retail }): Tariff => {
    const common = { name, currency, feedInMicrosPerKwh: feedInPerKwh };
    if (retail.kind === "flat") return { ...common, retail: { kind: "flat", microsPerKwh: retail.perKwh } };
    const { perKwh, ...rest } = retail;
    return { ...common, retail: { ...rest, microsPerKwh: perKwh } };
  });

/** Decodes the content of a tariff file (parsed JSON). Throws ZodError that names the field. */
export function parseTariff(content: unknown): Tariff {
  return tariffFileSchema.parse(content);
}

/** Price of imported energy in a slot, micros per kWh. Throws RangeError where a series has no price. */
export function retailAt(tariff: Tariff, slot: number): number {
  const { retail } = tariff;
  if (retail.kind === "flat") return retail.microsPerKwh;
  const index =
    retail.kind === "hourly"
      ? localHour(retail.timeZone, slot)
      : Math.floor((slot - retail.startSlot) / retail.slotsPerValue);
  const micros = retail.microsPerKwh[index];
  if (micros === undefined) throw new RangeError(`tariff ${tariff.name} has no price for slot ${slot}`);
  return micros;
}

/** What exported energy earns in a slot, micros per kWh. The slot is there because callers must not assume it constant. */
export function feedInAt(tariff: Tariff, _slot: number): number {
  return tariff.feedInMicrosPerKwh;
}

/**
 * Micros that a slot costs under the tariff alone; negative is income. `netWh` as metered: export positive. Import is
 * rounded up and feed-in down, as the market rounds, so that the two bills can be compared.
 */
export function tariffCostMicros(tariff: Tariff, slot: number, netWh: number): number {
  return costUnderTariffMicros(netWh, retailAt(tariff, slot), feedInAt(tariff, slot));
}

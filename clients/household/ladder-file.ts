// Owns the file in which an owner writes ladders of its own. It refuses unknown fields and prices that would be
// rounded.

import { z } from "zod";
import { hourOfDay, side, slotWh } from "../../protocol/fields.ts";
import { MAX_LADDER_STEPS, MAX_WH_PER_ACCOUNT_SLOT } from "../../protocol/limits.ts";
import type { DesiredOrder } from "./default-orders.ts";
import { pricePerKwh } from "./tariff.ts";

const ladder = z
  .strictObject({
    side,
    steps: z
      .array(
        z.strictObject({ limitPerKwh: pricePerKwh, capWhPerSlot: slotWh.default(MAX_WH_PER_ACCOUNT_SLOT) }),
      )
      .min(1)
      .max(MAX_LADDER_STEPS),
    hours: z.array(hourOfDay).max(24).default([]),
  })
  .transform(
    ({ side: ownSide, steps, hours }): DesiredOrder => ({
      side: ownSide,
      steps: steps.map(({ limitPerKwh, capWhPerSlot }) => ({
        limitPriceMicrosPerKwh: limitPerKwh,
        capWhPerSlot,
      })),
      validFromS: 0,
      validUntilS: 0,
      hours,
    }),
  );

/**
 * Decodes a ladder file: `[{ side: "sell", steps: [{ limitPerKwh: "0.12", capWhPerSlot: 500 }], hours: [10, 11] }]`,
 * prices in currency units per kWh as decimal text, hours in UTC (none for all). Throws ZodError that names the field.
 */
export function parseLadders(content: unknown): DesiredOrder[] {
  return z.array(ladder).min(1).max(16).parse(content);
}

// Owns how an amount of energy is written in a certificate's terms: a number with its unit, exactly. It refuses to round,
// and an amount without a unit.

import { EPOCH_WH_BITS } from "../../evidence/certificate-statement.ts";
import { parseDecimalMicros } from "../household/tariff.ts";

/** Micro-units in a Wh: a MWh has as many micros as Wh. */
const MICROS_PER_WH = { MWh: 1, kWh: 1_000, Wh: 1_000_000 } as const;
const MOST_WH = 2 ** EPOCH_WH_BITS - 1;

/**
 * Whole Wh of a text such as `500kWh`, `0.5 MWh` or `500000Wh`.
 * @throws RangeError for anything else, a part of a Wh, nothing, or 2⁴⁰ Wh and more
 */
export function parseEnergy(text: string): number {
  const match = /^([0-9.]+) ?(MWh|kWh|Wh)$/.exec(text);
  if (match === null)
    throw new RangeError("write an amount with its unit, such as 500kWh, 0.5MWh or 500000Wh");
  const [, amount = "", unit = "Wh"] = match;
  const wh = parseDecimalMicros(amount) / MICROS_PER_WH[unit as keyof typeof MICROS_PER_WH];
  if (!Number.isSafeInteger(wh)) throw new RangeError(`${text} is not a whole number of Wh`);
  if (wh < 1 || wh > MOST_WH) throw new RangeError(`must be from 1 to ${MOST_WH} Wh`);
  return wh;
}

/** Wh as people read them, exactly: `999 Wh`, `500 kWh`, `812.35 kWh`. */
export function energyText(wh: number): string {
  if (wh < 1_000) return `${wh} Wh`;
  const digits = String(wh);
  const fraction = digits.slice(-3).replace(/0+$/, "");
  return `${digits.slice(0, -3)}${fraction === "" ? "" : `.${fraction}`} kWh`;
}

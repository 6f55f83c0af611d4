// Owns how figures are written for people. It refuses floating point for money: micros are cut as text.

import Table from "cli-table3";
import colours from "picocolors";
import { decimalOfMicros, slotStartS } from "../../protocol/units.ts";

/** Micros as a decimal with up to six places, exact: what does not fit is cut off. */
export function money(micros: number | bigint, places = 6): string {
  const decimal = decimalOfMicros(micros);
  // Without places the point goes too.
  return decimal.slice(0, decimal.length - 6 + (places === 0 ? -1 : places));
}

/** Wh as kWh with three places, exact. */
export function kwh(wh: number): string {
  const digits = String(Math.abs(wh)).padStart(4, "0");
  return `${wh < 0 ? "-" : ""}${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

/** A slot's start in a time zone. */
export function slotTime(slot: number, timeZone: string): string {
  return instant(slotStartS(slot), timeZone);
}

/** An instant of market time in a time zone. */
export function instant(atS: number, timeZone: string): string {
  return new Date(atS * 1000).toLocaleString("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
}

/** A plain table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const style = colours.isColorSupported ? { head: ["bold"], border: ["dim"] } : { head: [], border: [] };
  const drawn = new Table({ head: [...head], style: { ...style, compact: true } });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString();
}

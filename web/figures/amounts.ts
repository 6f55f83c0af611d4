// Owns how money, prices and energy are written: from integers, digit by digit. It refuses fractions, so that nothing on
// the page is ever a rounded float.

const MICRO_DIGITS = 6;
const KILO_DIGITS = 3;
const MINUS = "\u2212";
const NARROW_SPACE = "\u202f";

interface Digits {
  readonly sign: string;
  /** With thousands apart. */
  readonly whole: string;
  /** Exactly as many digits as the scale has. */
  readonly fraction: string;
}

function digitsOf(value: number, scale: number): Digits {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
  const digits = String(Math.abs(value)).padStart(scale + 1, "0");
  const whole = digits.slice(0, -scale).replace(/\B(?=(\d{3})+$)/g, ",");
  return { sign: value < 0 ? MINUS : "", whole, fraction: digits.slice(-scale) };
}

/** Drops zeros at the end, but keeps `least` digits. */
function trimmed(fraction: string, least: number): string {
  let end = fraction.length;
  while (end > least && fraction[end - 1] === "0") end -= 1;
  return fraction.slice(0, end);
}

const symbols = new Map<string, string>();

/** The sign a currency is written with, before the number; codes that are no ISO 4217 stand as they are. */
export function symbolOf(currency: string): string {
  let symbol = symbols.get(currency);
  if (symbol === undefined) {
    symbol = currency;
    try {
      const format = new Intl.NumberFormat("en", {
        style: "currency",
        currency,
        currencyDisplay: "narrowSymbol",
      });
      symbol = format.formatToParts(0).find(({ type }) => type === "currency")?.value ?? currency;
    } catch {
      // Test assets may have codes of four or five letters.
    }
    if (/[A-Za-z]$/.test(symbol)) symbol += "\u00a0";
    symbols.set(currency, symbol);
  }
  return symbol;
}

/** An amount in two parts: down to the hundredth, and the digits below it. Together they are exact. */
export interface Money {
  readonly head: string;
  readonly tail: string;
}

/**
 * An amount of money, exactly.
 * @param micros safe integer of 10⁻⁶ of the currency.
 * @param isChange true writes a plus before what is gained.
 */
export function moneyOf(micros: number, currency: string, isChange = false): Money {
  const { sign, whole, fraction } = digitsOf(micros, MICRO_DIGITS);
  const plus = isChange && micros > 0 ? "+" : "";
  return {
    head: `${sign}${plus}${symbolOf(currency)}${whole}.${fraction.slice(0, 2)}`,
    tail: fraction.slice(2),
  };
}

/** Money as one text with all six digits. */
export function moneyText(micros: number, currency: string, isChange = false): string {
  const { head, tail } = moneyOf(micros, currency, isChange);
  return head + tail;
}

/** A price in micros per kWh, such as €0.1734; at least two digits, and as many as it has. */
export function priceText(microsPerKwh: number, currency: string): string {
  const { sign, whole, fraction } = digitsOf(microsPerKwh, MICRO_DIGITS);
  return `${sign}${symbolOf(currency)}${whole}.${trimmed(fraction, 2)}`;
}

/** Energy: Wh below a kWh, else kWh with as many of its three digits as it has. */
export function energyText(wh: number): string {
  const { sign, whole, fraction } = digitsOf(wh, KILO_DIGITS);
  if (Math.abs(wh) < 1000) return `${sign}${Math.abs(wh)}${NARROW_SPACE}Wh`;
  const digits = trimmed(fraction, 0);
  return `${sign}${whole}${digits === "" ? "" : `.${digits}`}${NARROW_SPACE}kWh`;
}

/** Mean power of a quarter-hour, in W below a kW, else in kW. */
export function powerText(whPerSlot: number): string {
  return energyText(whPerSlot * 4).replace(/Wh$/, "W");
}

/** What part of a whole this is, in percent, rounded down to a tenth: 100 % only when nothing is missing. */
export function shareText(part: number, whole: number): string | null {
  if (whole <= 0) return null;
  const tenths = Number((BigInt(part) * 1000n) / BigInt(whole));
  return `${Math.floor(tenths / 10)}${tenths % 10 === 0 ? "" : `.${tenths % 10}`}${NARROW_SPACE}%`;
}

/** Hundredths of a percent, such as a take rate. */
export function basisPointsText(bps: number): string {
  const { whole, fraction } = digitsOf(bps, 2);
  const digits = trimmed(fraction, 0);
  return `${whole}${digits === "" ? "" : `.${digits}`}${NARROW_SPACE}%`;
}

/** Token base units (18 decimals, decimal string) as tokens, rounded down to four digits. */
export function tokensText(baseUnits: bigint): string {
  const tenThousandths = baseUnits / 10n ** 14n;
  const fraction = trimmed(String(tenThousandths % 10_000n).padStart(4, "0"), 0);
  const whole = String(tenThousandths / 10_000n).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** A count with its noun. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${String(count).replace(/\B(?=(\d{3})+$)/g, ",")} ${count === 1 ? one : many}`;
}

/** An account's address, short enough for a table: its first six digits and its last four. */
export function shortAccount(account: string): string {
  return `${account.slice(0, 8)}\u2026${account.slice(-4)}`;
}

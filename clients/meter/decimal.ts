// Owns decimal text as whole µWh: exact where the text is as fine as a µWh, else rounded to the nearest. It refuses
// everything that is not one plain number; NaN says so, because the caller knows line and field.

const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const SPACE = 32;
/** Digits that a double holds exactly, whichever they are. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: 23 }, (_, power) => 10 ** power);
const PLAIN = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$/;

/**
 * `text` between two indices, times 10^power, rounded to a whole number; NaN for what is no number, infinite
 * beyond safe integers. Spaces around it are no part of it. For kWh as µWh the power is 9, for Wh 6.
 *
 * @param separator code of the decimal separator, a point or a comma
 */
export function scaledDecimal(
  text: string,
  from: number,
  until: number,
  power: number,
  separator: 44 | 46 = POINT,
): number {
  let at = from;
  let end = until;
  while (at < end && text.charCodeAt(at) === SPACE) at += 1;
  while (end > at && text.charCodeAt(end - 1) === SPACE) end -= 1;
  const begin = at;
  const first = text.charCodeAt(at);
  if (at < end && (first === 43 || first === 45)) at += 1;
  let mantissa = 0;
  let digits = 0;
  let decimals = -1;
  let isAny = false;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code - ZERO;
    if (digit >= 0 && digit <= 9) {
      isAny = true;
      mantissa = mantissa * 10 + digit;
      if (mantissa > 0) digits += 1;
      if (decimals >= 0) decimals += 1;
    } else if (code === separator && decimals < 0) decimals = 0;
    else return slowly(text.slice(begin, end), power, separator);
  }
  if (!isAny) return Number.NaN;
  if (digits > EXACT_DIGITS) return slowly(text.slice(begin, end), power, separator);
  const size = shifted(mantissa, power - Math.max(0, decimals));
  return safe(first === 45 ? -size : size);
}

function shifted(mantissa: number, power: number): number {
  if (mantissa === 0) return 0;
  if (power >= 0) return mantissa * (POWERS[power] ?? Number.POSITIVE_INFINITY);
  return Math.round(mantissa / (POWERS[-power] ?? Number.POSITIVE_INFINITY));
}

/** Exponents, and more digits than a double has. */
function slowly(text: string, power: number, separator: number): number {
  const plain = separator === COMMA ? text.replace(",", ".") : text;
  if ((separator === COMMA && text.includes(".")) || !PLAIN.test(plain)) return Number.NaN;
  return safe(Math.round(Number(plain) * 10 ** power));
}

function safe(value: number): number {
  if (Number.isSafeInteger(value)) return value + 0;
  return Number.isNaN(value) ? value : Math.sign(value) * Number.POSITIVE_INFINITY;
}

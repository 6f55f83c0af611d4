// Owns how money is split by energy without leaning to a side: to the nearest micro, halves to the even one. It refuses a
// part that is not within the whole.

/**
 * `amountMicros × part ÷ whole` to the nearest micro, halves to the even one, so that over many of them nobody gains by
 * rounding. Part and whole in one unit, whole numbers.
 *
 * @throws RangeError unless 0 ≤ part ≤ whole and whole > 0
 */
export function fairShare(amountMicros: number, part: number, whole: number): number {
  if (!(part >= 0 && part <= whole && whole > 0)) throw new RangeError(`not a part: ${part} of ${whole}`);
  const dividend = BigInt(Math.abs(amountMicros)) * BigInt(part);
  const divisor = BigInt(whole);
  const floor = dividend / divisor;
  const twice = 2n * (dividend - floor * divisor);
  const isUp = twice > divisor || (twice === divisor && floor % 2n === 1n);
  return Math.sign(amountMicros) * Number(isUp ? floor + 1n : floor) + 0;
}

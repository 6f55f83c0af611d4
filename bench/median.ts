// Owns the two figures drawn from repeated samples. It refuses an empty sample: a median of nothing is a bug.

/** The middle of a sample (the mean of the two middle ones where it is even). */
export function median(sample: readonly number[]): number {
  const sorted = ascending(sample);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The value that a share (0 to 1) of the sample does not pass. */
export function percentile(sample: readonly number[], share: number): number {
  const sorted = ascending(sample);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? (sorted[0] as number);
}

function ascending(sample: readonly number[]): number[] {
  if (sample.length === 0) throw new RangeError("an empty sample has no middle");
  return [...sample].sort((left, right) => left - right);
}

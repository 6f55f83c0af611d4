// Owns what is the same in every seed and dear to make: signatures, trees, proofs, verdicts. It refuses to grow for ever.

const MOST_KEPT = 20_000;

/** The value of a name, made at its first use. What makes it must be a function of the name alone. */
export function kept<T>(values: Map<string, T>, name: string, make: () => T): T {
  const before = values.get(name);
  if (before !== undefined) return before;
  const value = make();
  if (values.size < MOST_KEPT) values.set(name, value);
  return value;
}

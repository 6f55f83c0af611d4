// Owns the form of a line in the table of errors. It refuses nothing.

export interface ErrorEntry {
  readonly status: number;
  /** True when the same request may succeed later without being changed. */
  readonly transient: boolean;
  readonly meaning: string;
}

export function entry(status: number, meaning: string, transient = false): ErrorEntry {
  return { status, transient, meaning };
}

/** A code of earlier rules. */
export function retired(status: number): ErrorEntry {
  return entry(status, "Not answered any more.");
}

// Owns the count of what was left out, and why, in bounded space. It refuses to keep every line of it: some examples
// stand for each reason.

import type { Note } from "./interval.ts";

/** Everything of one reason. */
export interface NoteGroup {
  readonly isLoss: boolean;
  readonly field: string;
  readonly reason: string;
  readonly count: number;
  /** The first few. */
  readonly examples: readonly { readonly file: string; readonly line: number; readonly found?: string }[];
}

const MAX_EXAMPLES = 3;
/** Reasons name registers and units, which a file makes up; beyond this they are counted together. */
const MAX_GROUPS = 64;
const MAX_SENTENCES = 20;

/** Groups notes by their reason. */
export class NoteBook {
  readonly #groups = new Map<string, { count: number; first: Note; examples: Note[] }>();

  add(note: Note): void {
    // "value 17" and "value 18" are one field here; the examples say which.
    const field = note.field.replace(/ [0-9]+$/, "");
    const named = `${note.isLoss}\0${field}\0${note.reason}`;
    const isNew = !this.#groups.has(named) && this.#groups.size >= MAX_GROUPS;
    const key = isNew ? `${note.isLoss}` : named;
    const group = this.#groups.get(key) ?? {
      count: 0,
      first: isNew ? { ...note, field: "", reason: "further reasons" } : { ...note, field },
      examples: [],
    };
    group.count += 1;
    if (group.examples.length < MAX_EXAMPLES) group.examples.push(note);
    this.#groups.set(key, group);
  }

  /** Losses first, the most frequent first. */
  groups(): NoteGroup[] {
    return [...this.#groups.values()]
      .map(({ count, first, examples }) => ({
        isLoss: first.isLoss,
        field: first.field,
        reason: first.reason,
        count,
        examples: examples.map(({ file, line, found }) => ({
          file,
          line,
          ...(found === undefined ? {} : { found }),
        })),
      }))
      .sort((a, b) => Number(b.isLoss) - Number(a.isLoss) || b.count - a.count);
  }
}

/** The groups as sentences, the first of them where there are very many. */
export function sentencesOf(groups: readonly NoteGroup[]): string[] {
  const some = groups.slice(0, MAX_SENTENCES).map(sentenceOf);
  return groups.length > MAX_SENTENCES
    ? [...some, `and ${groups.length - MAX_SENTENCES} reasons more`]
    : some;
}

/** A group as one line for people. */
export function sentenceOf({ field, reason, count, examples }: NoteGroup): string {
  const places = examples
    .map(({ file, line, found }) => `${file}${line === 0 ? "" : `:${line}`}${found ? ` (${found})` : ""}`)
    .join(", ");
  const more = count > examples.length ? ", …" : "";
  return `${count} × ${field === "" ? "" : `${field} `}${reason}: ${places}${more}`;
}

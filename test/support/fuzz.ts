// Owns what liars, bad disks and bad editors make of values and texts, and what every decoder owes: an answer or its
// named refusal, an untouched input, and a value that survives its own encoding. It refuses to be kind.

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect } from "vitest";

const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

/** Values that have broken decoders: edges of numbers, names of the prototype, look-alike digits, depth and length. */
export const HOSTILE: readonly unknown[] = [
  null,
  true,
  "",
  0,
  -0,
  -1,
  0.5,
  1e21,
  2 ** 53,
  -(2 ** 53),
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "NaN",
  "1e400",
  "-0",
  "0x10",
  " 1",
  "1\n",
  "\u0663\u0664",
  "\uff11\uff12",
  "\ud800",
  "a\u0000b",
  "\u202e1",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  {},
  [],
  JSON.parse('{"__proto__":{"polluted":1}}'),
  { toString: 5, valueOf: null },
  { length: 3 },
  [null],
  nested(200),
  "9".repeat(400),
  "x".repeat(20_000),
  new Array(5_000).fill(0),
];

const NAMES = ["__proto__", "constructor", "toString", "type", "kind", "id", "", "0", "length", "\ud800"];

/** Anything that JSON can carry, hostile ones often among it. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.oneof(fc.double(), fc.maxSafeInteger(), fc.string({ unit: "binary" })) },
);

interface Change {
  readonly kind: "replace" | "remove" | "add" | "rename" | "repeat" | "nudge" | "case";
  readonly at: number;
  readonly value: unknown;
  readonly name: string;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("replace", "replace", "remove", "add", "rename", "repeat", "nudge", "case"),
  at: fc.nat(),
  value: hostile,
  name: fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 6 })),
});

type Holder = Record<string, unknown>;

/** Every place in a value: its holder and key. */
function placesOf(value: unknown, places: [Holder, string][] = []): [Holder, string][] {
  if (typeof value !== "object" || value === null) return places;
  for (const key of Object.keys(value).slice(0, 200)) {
    places.push([value as Holder, key]);
    if (places.length < 500) placesOf((value as Holder)[key], places);
  }
  return places;
}

/** As JSON.parse puts it: a name like `__proto__` becomes a field and not a prototype. */
function put(holder: Holder, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A value with one thing changed in it. */
function changed(root: unknown, { kind, at, value, name }: Change): unknown {
  const box: Holder = { root: structuredClone(root) };
  const places = placesOf(box);
  const [holder, key] = places[at % places.length] as [Holder, string];
  const old = holder[key];
  if (kind === "replace") put(holder, key, value);
  else if (kind === "remove" && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (kind === "remove" && holder !== box) delete holder[key];
  else if (kind === "add" && Array.isArray(old)) put(holder, key, [...old, value]);
  else if (kind === "add" && typeof old === "object" && old !== null) put(old as Holder, name, value);
  else if (kind === "rename" && holder !== box && !Array.isArray(holder)) {
    delete holder[key];
    put(holder, name, old);
  } else if (kind === "repeat" && Array.isArray(old)) put(holder, key, [...old, ...old]);
  else if (kind === "nudge" && typeof old === "number") put(holder, key, old + ((at % 3) - 1 || 0.25));
  else if (kind === "nudge" && typeof old === "string") put(holder, key, nudged(old, at));
  else if (kind === "case" && typeof old === "string") put(holder, key, old.toUpperCase());
  return box.root;
}

/** A text with one letter changed, doubled, or cut off behind. */
function nudged(text: string, at: number): string {
  const index = text.length === 0 ? 0 : at % text.length;
  if (at % 3 === 0) return text.slice(0, index);
  const letter = at % 3 === 1 ? text.slice(index, index + 1).repeat(2) : String(at % 10);
  return text.slice(0, index) + letter + text.slice(index + 1);
}

/** Valid values with one to four things changed. */
export function mutated(valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(valid, fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([value, changes]) => changes.reduce<unknown>(changed, value));
}

const SPLICED = [
  "NaN",
  "1e400",
  "-0",
  "-",
  "9".repeat(40),
  ",",
  '"',
  "\n",
  "\r",
  "\u0000",
  "{",
  "}",
  "[[[[",
  '"__proto__":1,',
  "null",
  "\u0661",
  "\ud800",
  "\ufeff",
];

/** Valid texts with bytes flipped, pieces cut, doubled or put in. */
export function mutatedText(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.record({
    kind: fc.nat(3),
    at: fc.nat(),
    code: fc.nat(300),
    piece: fc.constantFrom(...SPLICED),
  });
  return fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((now, { kind, at, code, piece }) => {
      const index = now.length === 0 ? 0 : at % now.length;
      if (kind === 0) return now.slice(0, index) + String.fromCharCode(code) + now.slice(index + 1);
      if (kind === 1) return now.slice(0, index) + piece + now.slice(index);
      if (kind === 2) return now.slice(0, index) + now.slice(index + 1 + (code % 20));
      return (
        now.slice(0, index) + now.slice(index, index + (code % 60)).repeat(2) + now.slice(index + (code % 60))
      );
    }, text),
  );
}

/** Every number inside a value. */
export function* numbersIn(value: unknown): Generator<number> {
  if (typeof value === "number") yield value;
  else if (typeof value === "object" && value !== null)
    for (const inner of Object.values(value)) yield* numbersIn(inner);
}

/** True when a value comes out of its own JSON as it went in, minus zeroes told apart. */
export function survivesJson(value: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);
}

/** Runs a decoder and expects its input to be as it was; the answer, or what it threw. */
export function untouched<T>(
  input: unknown,
  decode: (input: unknown) => T,
): { value: T } | { error: unknown } {
  const before = structuredClone(input);
  let result: { value: T } | { error: unknown };
  try {
    result = { value: decode(input) };
  } catch (error) {
    result = { error };
  }
  expect(isDeepStrictEqual(input, before), "the input was changed").toBe(true);
  return result;
}

/**
 * What a decoder owes for any input: it throws nothing but `refusals`; what it accepts it accepts again from its own
 * JSON as an equal value; every number in it is a safe integer unless `isNumber` allows others. True when accepted.
 */
export function expectDecoded(
  input: unknown,
  decode: (input: unknown) => unknown,
  refusals: readonly (new (...args: never[]) => Error)[],
  isNumber: (value: number) => boolean = Number.isSafeInteger,
): boolean {
  const result = untouched(input, decode);
  if ("error" in result) {
    const { error } = result;
    if (!refusals.some((refusal) => error instanceof refusal)) throw error;
    return false;
  }
  for (const number of numbersIn(result.value)) expect(isNumber(number), String(number)).toBe(true);
  expect(survivesJson(result.value), "another value after its own JSON").toBe(true);
  return true;
}

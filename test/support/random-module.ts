// Owns random valid modules as text: every kind of block, branch, call, float and vector instruction, NaNs with payloads,
// memory that grows. It refuses to run for ever: every way round and every call takes one of a global number of hops.

import { RandomExpressions } from "./random-expressions.ts";
import type { Type } from "./random-instructions.ts";

interface Signature {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

const HOPS = 400;
const TYPES: readonly Type[] = ["i32", "i64", "f32", "f64", "v128"];
/** Where `_start` leaves results and globals; expressions store below. */
const RESULTS_AT = 32_768;

/** A stream of 32-bit numbers that a seed fixes (xorshift). */
export function randomStream(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 97) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A command whose memory at its end says everything about what it computed. */
export function randomModule(seed: number): string {
  const random = randomStream(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const listOf = (most: number): Type[] => Array.from({ length: random(most + 1) }, () => pick(TYPES));
  const signatures: Signature[] = Array.from({ length: 3 + random(4) }, () => ({
    params: listOf(3),
    results: listOf(2),
  }));
  const bodies = signatures.map((signature, index) => {
    const locals = listOf(6);
    const body = new RandomExpressions(random, signatures, signature, locals, 80 + random(160));
    const params = signature.params.map((type) => `(param ${type})`).join(" ");
    const results = signature.results.map((type) => `(result ${type})`).join(" ");
    const declared = locals.map((type) => `(local ${type})`).join(" ");
    const zeros = signature.results.map(zero).join("\n");
    return `(func $f${index} (type $t${index}) ${params} ${results} ${declared}
      global.get $hops i32.eqz if ${zeros} return end
      global.get $hops i32.const 1 i32.sub global.set $hops
      ${body.statements(2 + random(4))}
      ${signature.results.map((type) => body.expression(type, 4)).join("\n")})`;
  });
  const types = signatures.map(
    ({ params, results }, index) =>
      `(type $t${index} (func ${params.map((type) => `(param ${type})`).join(" ")} ${results.map((type) => `(result ${type})`).join(" ")}))`,
  );
  const names = signatures.map((_, index) => `$f${index}`).join(" ");
  return `(module ${types.join("\n")}
    (memory (export "memory") 1 3)
    (table $table ${signatures.length} funcref)
    (elem (table $table) (i32.const 0) func ${random(5) > 0 ? names : "$f0"})
    (data $data "polder and the sea")
    (global $hops (mut i32) (i32.const ${HOPS}))
    ${TYPES.map((type) => `(global $${type} (mut ${type}) ${zero(type)})`).join("\n")}
    ${bodies.join("\n")}
    (func $start (export "_start") ${signatures.map((_, index) => call(index, signatures)).join("\n")} ${globals()}))`;
}

function zero(type: Type): string {
  return type === "v128" ? "v128.const i64x2 0 0" : `${type}.const 0`;
}

/** Calls a function with its own place as arguments, and stores what it gives. */
function call(index: number, signatures: readonly Signature[]): string {
  const { params, results } = signatures[index] as Signature;
  const operands = params.map((type) =>
    type === "v128" ? `v128.const f32x4 ${index} nan 1 nan:0x200001` : `${type}.const ${index + 1}`,
  );
  const stores = [...results].reverse().map((type, place) => {
    const at = RESULTS_AT + 256 * index + 16 * place;
    return `global.set $${type} i32.const ${at} global.get $${type} ${type}.store`;
  });
  return [...operands, `call $f${index}`, ...stores].join("\n");
}

function globals(): string {
  return TYPES.map(
    (type, place) => `i32.const ${RESULTS_AT + 8_192 + 16 * place} global.get $${type} ${type}.store`,
  ).join("\n");
}

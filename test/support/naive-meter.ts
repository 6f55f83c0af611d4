// Owns an independent account of what a module costs and which NaNs it makes: text before every instruction that adds its
// weight, text after every arithmetic one that makes its NaN canonical. It refuses to be clever, or to share a line with
// the rewriter: it works on another disassembler's text, with the schedule written down again by name.

import { assemble, disassemble } from "../../tools/job-sources.ts";

/** The schedule by name: the first pattern that fits. */
const SCHEDULE: readonly (readonly [RegExp, number])[] = [
  [/^(unreachable|nop|block|loop|else|end|drop)$/, 0],
  [/^call$/, 6],
  [/^call_indirect$/, 10],
  [/^table\.[gs]et$/, 4],
  [/^i32\.(div|rem)_[su]$/, 8],
  [/^i64\.(div|rem)_[su]$/, 16],
  [/^f32\.(sqrt|div)$/, 8],
  [/^f64\.sqrt$/, 10],
  [/^f64\.div$/, 8],
  [/^f(32|64)\.(min|max|ceil|floor|trunc|nearest)$/, 2],
  [/^i(32|64)\.trunc_(sat_)?f(32|64)_[su]$/, 3],
  [/^memory\.grow$/, 50],
  [/^(memory\.(init|copy|fill)|table\.(init|copy|grow|fill))$/, 20],
  [/^v128\.(const|not|and|andnot|or|xor|bitselect)$/, 1],
  [/^i8x16\.(shuffle|swizzle)$/, 4],
  [/^f32x4\.(sqrt|div)$/, 12],
  [/^f64x2\.(sqrt|div)$/, 16],
  [/^i8x16\.popcnt$/, 4],
  [/^i64x2\.mul$/, 4],
  [/^i64x2\.shr_u$/, 6],
  [/^i32x4\.trunc_sat_f(32x4_[su]|64x2_[su]_zero)$/, 6],
  [/^f(32x4\.convert_i32x4_[su]|64x2\.convert_low_i32x4_[su])$/, 6],
  [/^(v128|i8x16|i16x8|i32x4|i64x2|f32x4|f64x2)\./, 2],
  [/./, 1],
];

const CHOSEN =
  /^(f32|f64|f32x4|f64x2)\.(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|demote_f64|promote_f32|demote_f64x2_zero|promote_low_f32x4)$/;

const INSTRUCTION = /^\s+([a-z0-9_]+(?:\.[a-z0-9_]+)?)\b/;

/** Fees by length: of the last operand, and of pages that were given. */
const LENGTHS: readonly (readonly [RegExp, number])[] = [
  [/^memory\.(init|copy|fill)$/, 1],
  [/^table\.(init|copy|fill|grow)$/, 16],
];
const PAGE_FUEL = 32_768;

const add = (fuel: string): string => `global.get $naive\n${fuel}\ni64.add\nglobal.set $naive`;

function before(name: string): string[] {
  const weight = SCHEDULE.find(([pattern]) => pattern.test(name))?.[1] ?? 1;
  const lines = weight > 0 ? [add(`i64.const ${weight}`)] : [];
  const each = LENGTHS.find(([pattern]) => pattern.test(name))?.[1];
  if (each !== undefined) {
    const fuel = `global.get $length\ni64.extend_i32_u\ni64.const ${each}\ni64.mul`;
    lines.push(`global.set $length\n${add(fuel)}\nglobal.get $length`);
  }
  if (name === "memory.grow") lines.push("global.set $length\nglobal.get $length");
  return lines;
}

function after(name: string): string[] {
  if (name === "memory.grow") {
    const fuel = `global.get $length\ni64.extend_i32_u\ni64.const ${PAGE_FUEL}\ni64.mul`;
    return [
      `global.set $grown\nglobal.get $grown\ni32.const -1\ni32.ne\nif\n${add(fuel)}\nend\nglobal.get $grown`,
    ];
  }
  return CHOSEN.test(name) ? [`call $canonical_${name.split(".")[0]}`] : [];
}

const CANONICAL = `
(func $canonical_f32 (param f32) (result f32)
  local.get 0 f32.const nan local.get 0 local.get 0 f32.eq select)
(func $canonical_f64 (param f64) (result f64)
  local.get 0 f64.const nan local.get 0 local.get 0 f64.eq select)
(func $canonical_f32x4 (param v128) (result v128)
  local.get 0 v128.const f32x4 nan nan nan nan local.get 0 local.get 0 f32x4.eq v128.bitselect)
(func $canonical_f64x2 (param v128) (result v128)
  local.get 0 v128.const f64x2 nan nan local.get 0 local.get 0 f64x2.eq v128.bitselect)
(global $naive (mut i64) (i64.const 0))
(global $length (mut i32) (i32.const 0))
(global $grown (mut i32) (i32.const 0))
(export "naive" (global $naive))`;

/** The module with a counter of its own, exported as "naive", and canonical NaNs. */
export function meterNaively(bytes: Uint8Array): Uint8Array {
  const lines: string[] = [];
  let isInBody = false;
  for (const line of disassemble(bytes).split("\n")) {
    if (/^ {2}\((?!func)/.test(line)) isInBody = false;
    if (/^ {2}\(func /.test(line)) isInBody = true;
    const name = isInBody ? INSTRUCTION.exec(line)?.[1] : undefined;
    if (name === undefined) {
      lines.push(line);
      continue;
    }
    // The last instruction's line closes the function, and may close the module.
    const open = line.replace(/\(;.*?;\)/g, "");
    const closing = (open.match(/\)/g) ?? []).length - (open.match(/\(/g) ?? []).length;
    const bare = closing > 0 ? line.trimEnd().slice(0, -closing) : line;
    lines.push(...before(name), bare, ...after(name));
    if (closing > 0) lines.push(")".repeat(closing));
  }
  const text = lines.join("\n").trimEnd();
  return assemble(`${text.slice(0, -1)}${CANONICAL})`);
}

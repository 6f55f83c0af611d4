// Owns the bits of NaNs: those that an engine may choose come out canonical, those that a program made come out as they
// were. It refuses to look at values as numbers: engines lose bits there.

import { describe, expect, test } from "vitest";
import { rewriteCommand } from "../../compute/command.ts";
import { assemble } from "../../tools/job-sources.ts";
import { runBare } from "../support/job-runs.ts";

const SINGLE = 0x7fc00000n;
const DOUBLE = 0x7ff8000000000000n;

/** Runs instructions that leave a value of this type, and answers its bits from memory. */
function bitsOf(type: "f32" | "f64" | "v128", code: string, more = ""): bigint {
  const text = `(module (memory (export "memory") 1) ${more}
    (data (i32.const 64) "\\01\\00\\c0\\ff\\01\\00\\00\\00\\00\\00\\f4\\ff\\02\\00\\a0\\7f\\03\\00\\80\\ff")
    (global $single (mut f32) (f32.const nan:0x200001)) (global $double (mut f64) (f64.const -nan:0x4))
    (func (export "_start") (local $f f32) (local $d f64) (local $v v128) (local $i i32)
      i32.const 0 ${code} ${type}.store))`;
  const { memory, trap } = runBare(rewriteCommand(assemble(text)));
  expect(trap).toBeNull();
  const view = new DataView(memory.buffer);
  if (type === "f32") return BigInt(view.getUint32(0, true));
  const low = view.getBigUint64(0, true);
  return type === "f64" ? low : low | (view.getBigUint64(8, true) << 64n);
}

/** The same bits four or two times. */
const lanes = (bits: bigint, width: bigint): bigint =>
  Array.from({ length: Number(128n / width) }, (_, lane) => bits << (BigInt(lane) * width)).reduce(
    (sum, part) => sum | part,
    0n,
  );

const UNARY = ["ceil", "floor", "trunc", "nearest", "sqrt"];
const BINARY = ["add", "sub", "mul", "div", "min", "max"];

describe("chosen bits are canonical", () => {
  test.each(["f32", "f64"] as const)("behavior: every operation of %s on NaNs with payloads", (type) => {
    const nans =
      type === "f32" ? ["nan:0x200001", "-nan:0x600001", "-nan"] : ["nan:0x4", "-nan:0x8000000000001"];
    const canonical = type === "f32" ? SINGLE : DOUBLE;
    for (const nan of nans) {
      for (const name of UNARY)
        expect(bitsOf(type, `${type}.const ${nan} ${type}.${name}`), name).toBe(canonical);
      for (const name of BINARY) {
        expect(bitsOf(type, `${type}.const ${nan} ${type}.const 1 ${type}.${name}`), name).toBe(canonical);
        expect(bitsOf(type, `${type}.const 1 ${type}.const ${nan} ${type}.${name}`), name).toBe(canonical);
      }
    }
  });

  test("behavior: NaNs out of numbers, which x86 makes negative", () => {
    expect(bitsOf("f64", "f64.const 0 f64.const 0 f64.div")).toBe(DOUBLE);
    expect(bitsOf("f64", "f64.const -1 f64.sqrt")).toBe(DOUBLE);
    expect(bitsOf("f64", "f64.const inf f64.const inf f64.sub")).toBe(DOUBLE);
    expect(bitsOf("f32", "f32.const 0 f32.const inf f32.mul")).toBe(SINGLE);
    expect(bitsOf("f32", "f64.const -nan:0x8000000000001 f32.demote_f64")).toBe(SINGLE);
    expect(bitsOf("f64", "f32.const -nan:0x200001 f64.promote_f32")).toBe(DOUBLE);
  });

  test("behavior: every lane of every vector operation", () => {
    const singles = "v128.const f32x4 -nan:0x200001 nan:0x1 -nan nan:0x600001";
    const doubles = "v128.const f64x2 -nan:0x4 nan:0x8000000000001";
    for (const name of UNARY) {
      expect(bitsOf("v128", `${singles} f32x4.${name}`), name).toBe(lanes(SINGLE, 32n));
      expect(bitsOf("v128", `${doubles} f64x2.${name}`), name).toBe(lanes(DOUBLE, 64n));
    }
    for (const name of BINARY) {
      expect(bitsOf("v128", `${singles} v128.const i64x2 0 0 f32x4.${name}`), name).toBe(lanes(SINGLE, 32n));
      expect(bitsOf("v128", `v128.const i64x2 0 0 ${doubles} f64x2.${name}`), name).toBe(lanes(DOUBLE, 64n));
    }
    expect(bitsOf("v128", `${doubles} f32x4.demote_f64x2_zero`)).toBe(SINGLE | (SINGLE << 32n));
    expect(bitsOf("v128", `${singles} f64x2.promote_low_f32x4`)).toBe(lanes(DOUBLE, 64n));
  });

  test("behavior: whichever way they are looked at", () => {
    const chosen = "f64.const 0 f64.const 0 f64.div";
    const reinterpreted = "i64.reinterpret_f64 f64.reinterpret_i64";
    const one = `(func $one (param f64) (result f64) local.get 0)`;
    const two = `(func $two (result f64 f64) ${chosen} f64.const 1)`;
    for (const code of [
      `${chosen} ${reinterpreted}`,
      `${chosen} local.set $d local.get $d`,
      `${chosen} local.tee $d drop local.get $d ${reinterpreted}`,
      `${chosen} f64.const 2 i32.const 1 select`,
      `${chosen} global.set $double global.get $double`,
      `${chosen} call $one`,
      "call $two drop",
      `block (result f64) ${chosen} i32.const 1 br_if 0 end`,
      `${chosen} i32.const 1 if (param f64) (result f64) else drop f64.const 1 end`,
      `${chosen} f64x2.splat f64x2.extract_lane 1`,
      `v128.const i64x2 0 0 ${chosen} f64x2.replace_lane 0 i64x2.extract_lane 0 f64.reinterpret_i64`,
      `${chosen} f64.abs`,
      `${chosen} f64.const 1 f64.copysign`,
      // Through a local that goes round a loop.
      `loop local.get $d f64.const inf f64.add f64.const -inf f64.add local.set $d
        local.get $i i32.const 1 i32.add local.tee $i i32.const 3 i32.lt_u br_if 0 end local.get $d`,
    ])
      expect(bitsOf("f64", code, `${one}${two}`), code).toBe(DOUBLE);
  });

  test("behavior: signs are changed after they were fixed, not before", () => {
    const negative = DOUBLE | (1n << 63n);
    const chosen = "f64.const 0 f64.const 0 f64.div";
    expect(bitsOf("f64", `${chosen} f64.neg`)).toBe(negative);
    expect(bitsOf("f64", `${chosen} f64.neg f64.neg`)).toBe(DOUBLE);
    expect(bitsOf("f64", `${chosen} f64.neg local.set $d local.get $d`)).toBe(negative);
    expect(bitsOf("f64", `f64.const 1 ${chosen} f64.copysign`)).toBe(0x3ff0000000000000n);
    expect(bitsOf("f64", `${chosen} f64.const -1 f64.copysign`)).toBe(negative);
    expect(bitsOf("f64", `f64.const 1 ${chosen} f64.neg f64.copysign`)).toBe(0xbff0000000000000n);
    expect(bitsOf("v128", `${chosen} f64x2.splat f64x2.neg`)).toBe(lanes(negative, 64n));
  });

  test("behavior: lanes of one width looked at as the other", () => {
    const chosen = "v128.const i64x2 0 0 v128.const i64x2 0 0 f32x4.div";
    expect(bitsOf("v128", chosen)).toBe(lanes(SINGLE, 32n));
    expect(bitsOf("f64", `${chosen} f64x2.extract_lane 0`)).toBe(SINGLE | (SINGLE << 32n));
    // As doubles these are numbers, and adding zero must not find other bits than those.
    expect(bitsOf("v128", `${chosen} v128.const i64x2 0 0 f64x2.add`)).toBe(
      lanes(SINGLE | (SINGLE << 32n), 64n),
    );
    expect(
      bitsOf(
        "v128",
        `${chosen} local.set $v local.get $v v128.const i64x2 0 0 f64x2.mul local.tee $v drop local.get $v`,
      ),
    ).toBe(0n);
  });
});

describe("exact bits are kept", () => {
  const memory = { f32: 0xffc00001n, f64: 0xfff4000000000001n };

  test("behavior: from memory to memory, through all that only passes on", () => {
    const one = `(func $one (param f64) (result f64) local.get 0)`;
    const load = "i32.const 68 f64.load";
    for (const code of [
      load,
      `${load} local.set $d local.get $d`,
      `${load} global.set $double global.get $double`,
      `${load} call $one`,
      `${load} f64.const 1 i32.const 1 select`,
      `${load} f64.const 0 f64.const 0 f64.div i32.const 1 select`,
      `${load} f64x2.splat f64x2.extract_lane 1`,
      `${load} i64.reinterpret_f64 f64.reinterpret_i64`,
      `${load} f64.neg f64.neg`,
      `block (result f64) ${load} end`,
      // The same local also takes a chosen value, elsewhere.
      `local.get $i if f64.const 0 f64.const 0 f64.div local.set $d else ${load} local.set $d end local.get $d`,
    ])
      expect(bitsOf("f64", code, one), code).toBe(memory.f64);
    expect(bitsOf("f32", "i32.const 64 f32.load")).toBe(memory.f32);
    expect(bitsOf("f32", "i32.const 64 f32.load f32.abs")).toBe(0x7fc00001n);
    expect(bitsOf("f32", "i32.const -4194303 f32.reinterpret_i32")).toBe(memory.f32);
    expect(bitsOf("f32", "f32.const nan:0x200001")).toBe(0x7fa00001n);
    expect(bitsOf("f32", "global.get $single")).toBe(0x7fa00001n);
  });

  test("behavior: vectors that were loaded, and lanes beside a chosen one", () => {
    const load = "i32.const 64 v128.load";
    const whole = bitsOf("v128", load);
    expect(whole & 0xffffffffn).toBe(memory.f32);
    expect(bitsOf("v128", `${load} local.set $v local.get $v`)).toBe(whole);
    expect(bitsOf("v128", `${load} v128.const f32x4 inf inf inf inf f32x4.pmin`)).toBe(whole);
    const replaced = bitsOf("v128", `${load} f32.const 0 f32.const 0 f32.div f32x4.replace_lane 0`);
    expect(replaced).toBe((whole & ~0xffffffffn) | SINGLE);
  });
});

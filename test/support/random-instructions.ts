// Owns the instructions from which random programs are drawn: per type what makes a value of it, and from what. It refuses
// none of the baseline's kinds; dear ones stand once, and arithmetic on floats most often.

export type Type = "i32" | "i64" | "f32" | "f64" | "v128";

type Row = readonly [name: string, ...operands: Type[]];

function rows(prefix: string, names: string, ...operands: Type[]): Row[] {
  return names.split(" ").map((name) => [`${prefix}.${name}`, ...operands]);
}

const COMPARED = "eq ne lt gt le ge";
const MADE = "abs neg ceil floor trunc nearest sqrt";
const COMBINED = "add sub mul div min max";

/** What makes a value of each type out of others. */
export const MAKERS: Readonly<Record<Type, readonly Row[]>> = {
  i32: [
    ...rows("i32", "clz ctz popcnt eqz extend8_s extend16_s", "i32"),
    ...rows("i32", "add sub mul and or xor shl shr_s shr_u rotl rotr eq lt_u gt_s", "i32", "i32"),
    ["i32.const 7\ni32.div_u", "i32"],
    ["i32.const -3\ni32.rem_s", "i32"],
    ...rows("i64", "eqz", "i64"),
    ...rows("i64", "eq lt_s", "i64", "i64"),
    ...rows("f32", COMPARED, "f32", "f32"),
    ...rows("f64", COMPARED, "f64", "f64"),
    ...rows("i32", "wrap_i64", "i64"),
    ...rows("i32", "trunc_sat_f32_s reinterpret_f32 trunc_sat_f32_u", "f32"),
    ...rows("i32", "trunc_sat_f64_s", "f64"),
    ...rows("v128", "any_true", "v128"),
    ...rows("i8x16", "all_true bitmask", "v128"),
    ...rows("i32x4", "bitmask", "v128"),
    ["i32x4.extract_lane 1", "v128"],
    ["i8x16.extract_lane_s 7", "v128"],
  ],
  i64: [
    ...rows("i64", "clz extend32_s", "i64"),
    ...rows("i64", "add sub mul xor shl rotl", "i64", "i64"),
    ["i64.const 11\ni64.div_s", "i64"],
    ["i64.const 5\ni64.rem_u", "i64"],
    ...rows("i64", "extend_i32_s extend_i32_u", "i32"),
    ...rows("i64", "reinterpret_f64 trunc_sat_f64_s", "f64"),
    ...rows("i64", "reinterpret_f64", "f64"),
    ...rows("i64", "trunc_sat_f32_u", "f32"),
    ["i64x2.extract_lane 1", "v128"],
  ],
  f32: [
    ...rows("f32", MADE, "f32"),
    ...rows("f32", COMBINED, "f32", "f32"),
    ...rows("f32", "copysign", "f32", "f32"),
    ...rows("f32", "convert_i32_s reinterpret_i32", "i32"),
    ...rows("f32", "convert_i64_u", "i64"),
    ...rows("f32", "demote_f64", "f64"),
    ["f32x4.extract_lane 2", "v128"],
  ],
  f64: [
    ...rows("f64", MADE, "f64"),
    ...rows("f64", COMBINED, "f64", "f64"),
    ...rows("f64", "copysign", "f64", "f64"),
    ...rows("f64", "convert_i32_u", "i32"),
    ...rows("f64", "convert_i64_s reinterpret_i64", "i64"),
    ...rows("f64", "promote_f32", "f32"),
    ["f64x2.extract_lane 1", "v128"],
  ],
  v128: [
    ...rows("f32x4", `${MADE} demote_f64x2_zero convert_i32x4_s`, "v128"),
    ...rows("f64x2", `${MADE} promote_low_f32x4 convert_low_i32x4_u`, "v128"),
    ...rows("f32x4", `${COMBINED} pmin pmax ${COMPARED}`, "v128", "v128"),
    ...rows("f64x2", `${COMBINED} pmin pmax eq lt`, "v128", "v128"),
    ...rows("i32x4", "add mul min_s dot_i16x8_s", "v128", "v128"),
    ...rows("i32x4", "trunc_sat_f32x4_s trunc_sat_f64x2_u_zero abs", "v128"),
    ...rows("i64x2", "add mul", "v128", "v128"),
    ...rows("i8x16", "swizzle avgr_u", "v128", "v128"),
    ...rows("i16x8", "q15mulr_sat_s narrow_i32x4_s", "v128", "v128"),
    ...rows("i16x8", "shl", "v128", "i32"),
    ...rows("v128", "and or xor andnot", "v128", "v128"),
    ...rows("v128", "not", "v128"),
    ...rows("v128", "bitselect", "v128", "v128", "v128"),
    ...rows("f32x4", "splat", "f32"),
    ...rows("f64x2", "splat", "f64"),
    ...rows("i32x4", "splat", "i32"),
    ["i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31", "v128", "v128"],
    ["f32x4.replace_lane 3", "v128", "f32"],
    ["f64x2.replace_lane 0", "v128", "f64"],
    ["i64x2.replace_lane 1", "v128", "i64"],
  ],
};

/** Constants: edges, and NaNs of either sign with and without a payload. */
export const CONSTANTS: Readonly<Record<Type, readonly string[]>> = {
  i32: ["0", "1", "-1", "2147483647", "-2147483648", "1000", "0x7fc00000", "0xffc00001"],
  i64: ["0", "1", "-1", "9223372036854775807", "0x7ff8000000000000", "0xfff0000000000001", "77"],
  f32: ["0", "-0", "1", "-1.5", "inf", "-inf", "nan", "-nan", "nan:0x200000", "-nan:0x600001", "1e-40"],
  f64: ["0", "-0", "1", "-2.25", "inf", "-inf", "nan", "-nan", "nan:0x4", "-nan:0x8000000000001", "1e300"],
  v128: [
    "i64x2 0 0",
    "f32x4 1 -2 0 inf",
    "f32x4 nan -nan:0x200001 -inf 0",
    "f64x2 nan:0x4 -0",
    "f64x2 -inf 1",
    "i32x4 -1 0 2139095041 7",
  ],
};

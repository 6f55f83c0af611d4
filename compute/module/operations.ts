// Owns the table of instructions that a job's module may use: operands, result, immediate bytes, and what each does to
// NaNs. It refuses nothing itself: what is not in the table has no signature, and LATER names the proposals.

import { F32, F64, I32, I64, V128 } from "./value-types.ts";

/** Prefixed instructions follow the 256 plain ones in one numbering. */
export const PREFIX_FC = 0x100;
export const PREFIX_FD = 0x200;
export const OPERATION_COUNT = 0x300;

/** What follows an opcode. Instructions whose immediates need the module are the checker's own. */
export const NO_IMMEDIATE = 0;
export const ADDRESS = 1;
export const LANE = 2;
export const ADDRESS_AND_LANE = 3;

/** Widths of float: of a scalar, and of every lane of a vector. */
export const SINGLE = 1;
export const DOUBLE = 2;

/** What a result's NaN bits are. Exact ones come from memory or bits and must be kept; others are the engine's choice. */
export const EXACT = 0;
export const CHOSEN = 1;
/** Never a NaN of its own width. */
export const NEVER = 2;
/** Bits of one of the operands. */
export const PASSED = 3;
/** Bits of the operand, but for the sign. */
export const SIGNED = 4;

interface Operation {
  readonly operands: readonly number[];
  /** 0 where there is none. */
  readonly result: number;
  readonly immediate: number;
  /** Lanes of the vector, or the logarithm of the natural alignment with 16 times the lanes. */
  readonly bound: number;
  /** Width as which float operands are read without their NaN bits mattering; 0 where the bits do matter. */
  readonly reads: number;
  readonly nan: number;
}

const LETTERS: Readonly<Record<string, number>> = { i: I32, l: I64, f: F32, d: F64, v: V128 };

const TABLE: (Operation | undefined)[] = new Array(OPERATION_COUNT).fill(undefined);

function define(
  from: number,
  to: number,
  signature: string,
  more: Partial<Pick<Operation, "immediate" | "bound" | "reads" | "nan">> = {},
): void {
  const [operands = "", result = ""] = signature.split(":");
  for (let operation = from; operation <= to; operation += 1) {
    TABLE[operation] = {
      operands: [...operands].map((letter) => LETTERS[letter] as number),
      result: LETTERS[result] ?? 0,
      immediate: NO_IMMEDIATE,
      bound: 0,
      reads: 0,
      nan: EXACT,
      ...more,
    };
  }
}

/** Loads and stores with the logarithm of their width. */
function access(operation: number, signature: string, alignment: number): void {
  define(operation, operation, signature, { immediate: ADDRESS, bound: alignment });
}

function defineMemory(): void {
  [2, 3, 2, 3].forEach((alignment, index) => {
    access(0x28 + index, `i:${"ilfd"[index]}`, alignment);
    access(0x36 + index, `i${"ilfd"[index]}:`, alignment);
  });
  [0, 0, 1, 1].forEach((alignment, index) => {
    access(0x2c + index, "i:i", alignment);
  });
  [0, 0, 1, 1, 2, 2].forEach((alignment, index) => {
    access(0x30 + index, "i:l", alignment);
  });
  access(0x3a, "ii:", 0);
  access(0x3b, "ii:", 1);
  [0, 1, 2].forEach((alignment) => {
    access(0x3c + alignment, "il:", alignment);
  });
}

function defineIntegers(): void {
  define(0x45, 0x45, "i:i");
  define(0x46, 0x4f, "ii:i");
  define(0x50, 0x50, "l:i");
  define(0x51, 0x5a, "ll:i");
  define(0x67, 0x69, "i:i");
  define(0x6a, 0x78, "ii:i");
  define(0x79, 0x7b, "l:l");
  define(0x7c, 0x8a, "ll:l");
  define(0xa7, 0xa7, "l:i");
  define(0xac, 0xad, "i:l");
  define(0xbc, 0xbc, "f:i");
  define(0xbd, 0xbd, "d:l");
  define(0xbe, 0xbe, "i:f");
  define(0xbf, 0xbf, "l:d");
  define(0xc0, 0xc1, "i:i");
  define(0xc2, 0xc4, "l:l");
}

/** Arithmetic of one width; the other opcodes stand in the same order, `shift` further on. */
function defineFloats(letter: "f" | "d", reads: number, comparisons: number, arithmetic: number): void {
  define(comparisons, comparisons + 5, `${letter}${letter}:i`, { reads });
  define(arithmetic, arithmetic + 1, `${letter}:${letter}`, { reads, nan: SIGNED });
  define(arithmetic + 2, arithmetic + 6, `${letter}:${letter}`, { reads, nan: CHOSEN });
  define(arithmetic + 7, arithmetic + 12, `${letter}${letter}:${letter}`, { reads, nan: CHOSEN });
  // copysign looks at the sign even of a NaN.
  define(arithmetic + 13, arithmetic + 13, `${letter}${letter}:${letter}`);
}

function defineConversions(): void {
  define(0xa8, 0xa9, "f:i", { reads: SINGLE });
  define(0xaa, 0xab, "d:i", { reads: DOUBLE });
  define(0xae, 0xaf, "f:l", { reads: SINGLE });
  define(0xb0, 0xb1, "d:l", { reads: DOUBLE });
  define(0xb2, 0xb3, "i:f", { nan: NEVER });
  define(0xb4, 0xb5, "l:f", { nan: NEVER });
  define(0xb6, 0xb6, "d:f", { reads: DOUBLE, nan: CHOSEN });
  define(0xb7, 0xb8, "i:d", { nan: NEVER });
  define(0xb9, 0xba, "l:d", { nan: NEVER });
  define(0xbb, 0xbb, "f:d", { reads: SINGLE, nan: CHOSEN });
  ["f:i", "d:i", "f:l", "d:l"].forEach((signature, index) => {
    const reads = signature[0] === "f" ? SINGLE : DOUBLE;
    define(PREFIX_FC + 2 * index, PREFIX_FC + 2 * index + 1, signature, { reads });
  });
}

function vector(from: number, to: number, signature: string, more: Parameters<typeof define>[3] = {}): void {
  define(PREFIX_FD + from, PREFIX_FD + to, signature, more);
}

function defineVectorMemory(): void {
  access(PREFIX_FD, "i:v", 4);
  for (let load = 1; load <= 6; load += 1) access(PREFIX_FD + load, "i:v", 3);
  for (let width = 0; width <= 3; width += 1) {
    access(PREFIX_FD + 7 + width, "i:v", width);
    const bound = width + 16 * (16 >> width);
    vector(84 + width, 84 + width, "iv:v", { immediate: ADDRESS_AND_LANE, bound });
    vector(88 + width, 88 + width, "iv:", { immediate: ADDRESS_AND_LANE, bound });
  }
  access(PREFIX_FD + 11, "iv:", 4);
  access(PREFIX_FD + 92, "i:v", 2);
  access(PREFIX_FD + 93, "i:v", 3);
}

function defineVectorLanes(): void {
  vector(14, 14, "vv:v");
  ["i", "i", "i", "l", "f", "d"].forEach((letter, index) => {
    const width = letter === "f" ? SINGLE : letter === "d" ? DOUBLE : 0;
    const float = width === 0 ? {} : { reads: width, nan: PASSED };
    vector(15 + index, 15 + index, `${letter}:v`, float);
  });
  const extracts: [number, number, string, number][] = [
    [21, 22, "i", 16],
    [24, 25, "i", 8],
    [27, 27, "i", 4],
    [29, 29, "l", 2],
    [31, 31, "f", 4],
    [33, 33, "d", 2],
  ];
  for (const [from, to, letter, bound] of extracts) {
    const width = letter === "f" ? SINGLE : letter === "d" ? DOUBLE : 0;
    const more = { immediate: LANE, bound, ...(width === 0 ? {} : { reads: width, nan: PASSED }) };
    vector(from, to, `v:${letter}`, more);
    vector(to + 1, to + 1, `v${letter}:v`, more);
  }
}

function defineVectorIntegers(): void {
  vector(35, 64, "vv:v");
  vector(77, 77, "v:v");
  vector(78, 81, "vv:v");
  vector(82, 82, "vvv:v");
  vector(83, 83, "v:i");
  // The same places in the rows of 8, 16, 32 and 64 bits; what a row lacks is in its list of gaps.
  const rows: [number, readonly number[]][] = [
    [96, []],
    [128, [154]],
    [160, [162, 165, 166, 175, 176, 178, 179, 180, 187]],
    [192, [194, 197, 198, 207, 208, 210, 211, 212]],
  ];
  for (const [row, gaps] of rows) {
    const isWide = row > 96;
    vector(row, row + 1, "v:v");
    vector(row + 2, row + 2, row === 128 ? "vv:v" : "v:v");
    vector(row + 3, row + 4, "v:i");
    vector(row + 5, row + 6, "vv:v");
    if (isWide) vector(row + 7, row + 10, "v:v");
    vector(row + 11, row + 13, "vi:v");
    vector(row + 14, row + 27, "vv:v");
    if (isWide) vector(row + 28, row + 31, "vv:v");
    else vector(row + 28, row + 31, "v:v");
    for (const gap of gaps) TABLE[PREFIX_FD + gap] = undefined;
  }
  vector(214, 219, "vv:v");
}

function defineVectorFloats(): void {
  vector(65, 70, "vv:v", { reads: SINGLE });
  vector(71, 76, "vv:v", { reads: DOUBLE });
  vector(94, 94, "v:v", { reads: DOUBLE, nan: CHOSEN });
  vector(95, 95, "v:v", { reads: SINGLE, nan: CHOSEN });
  vector(103, 106, "v:v", { reads: SINGLE, nan: CHOSEN });
  for (const rounding of [116, 117, 122, 148]) {
    vector(rounding, rounding, "v:v", { reads: DOUBLE, nan: CHOSEN });
  }
  for (const [row, reads] of [
    [224, SINGLE],
    [236, DOUBLE],
  ] as const) {
    vector(row, row + 1, "v:v", { reads, nan: SIGNED });
    vector(row + 3, row + 3, "v:v", { reads, nan: CHOSEN });
    vector(row + 4, row + 9, "vv:v", { reads, nan: CHOSEN });
    vector(row + 10, row + 11, "vv:v", { reads, nan: PASSED });
  }
  vector(248, 249, "v:v", { reads: SINGLE });
  vector(250, 251, "v:v", { nan: NEVER });
  vector(252, 253, "v:v", { reads: DOUBLE });
  vector(254, 255, "v:v", { nan: NEVER });
}

defineMemory();
defineIntegers();
defineFloats("f", SINGLE, 0x5b, 0x8b);
defineFloats("d", DOUBLE, 0x61, 0x99);
defineConversions();
defineVectorMemory();
defineVectorLanes();
defineVectorIntegers();
defineVectorFloats();

/** By number: plain opcodes, then PREFIX_FC and PREFIX_FD plus the second number. Control and the like have no row. */
export const OPERATIONS: readonly (Operation | undefined)[] = TABLE;

/** The width of a result whose NaN bits are not exact: of the result's lanes, not of what was read. */
export function resultWidth(operation: number): number {
  const row = OPERATIONS[operation];
  if (row?.result === F32) return SINGLE;
  if (row?.result === F64) return DOUBLE;
  if (row?.result !== V128 || row.nan === EXACT) return 0;
  // Demotion, promotion and conversions read another width than they make.
  if (operation === PREFIX_FD + 94 || operation === PREFIX_FD + 250 || operation === PREFIX_FD + 251)
    return SINGLE;
  if (operation === PREFIX_FD + 95 || operation === PREFIX_FD + 254 || operation === PREFIX_FD + 255)
    return DOUBLE;
  return row.reads;
}

/** The proposal that an instruction outside the table and the checker belongs to; undefined where it is nobody's. */
export function laterProposal(operation: number): string | undefined {
  if (operation >= PREFIX_FD) return undefined;
  if (operation >= PREFIX_FC) return operation <= PREFIX_FC + 22 ? "wide arithmetic" : undefined;
  if ((operation >= 0x06 && operation <= 0x0a) || operation === 0x18 || operation === 0x19)
    return "exception handling";
  if (operation === 0x1f) return "exception handling";
  if (operation === 0x12 || operation === 0x13) return "tail calls";
  if (operation === 0x14 || operation === 0x15) return "function references";
  if (operation >= 0xd3 && operation <= 0xd6) return "garbage collection";
  if (operation >= 0xe0 && operation <= 0xe6) return "stack switching";
  if (operation === 0xfb) return "garbage collection";
  if (operation === 0xfe) return "threads";
  return undefined;
}

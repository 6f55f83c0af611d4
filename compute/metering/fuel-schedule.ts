// Owns what everything costs in fuel, and the version of the rewriter that these figures are part of. It refuses
// figures that depend on a machine: they were chosen near what one does, and are the same everywhere since.

import { OPERATION_COUNT, PREFIX_FC, PREFIX_FD } from "../module/operations.ts";

/** Changes whenever a module's rewritten bytes or the fuel of any job change; both are agreed on between machines. */
export const REWRITER_VERSION = 1;

/** One page of 64 KiB, at the start and when memory grows: about what filling it with zeros takes. */
export const PAGE_FUEL = 32_768;

/** A byte that is copied, filled or initialised in bulk. */
export const BYTE_FUEL = 1;

/** One element of a table that is grown, filled, copied or initialised. */
export const ELEMENT_FUEL = 16;

/** Structure that compiles to nothing. Every way round a loop executes at least one branch, which is not free. */
const FREE = [0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x1a];

/** What takes an engine noticeably longer than an addition. */
const DEAR: readonly (readonly [fuel: number, from: number, to?: number])[] = [
  [6, 0x10],
  [10, 0x11],
  // Integer division of 32 and of 64 bits.
  [8, 0x6d, 0x70],
  [16, 0x7f, 0x82],
  // Square roots, divisions, minima.
  [8, 0x91],
  [8, 0x95],
  [2, 0x96, 0x97],
  [10, 0x9f],
  [8, 0xa3],
  [2, 0xa4, 0xa5],
  // Rounding and conversions to integers.
  [2, 0x8d, 0x90],
  [2, 0x9b, 0x9e],
  [3, 0xa8, 0xab],
  [3, 0xae, 0xb1],
  [3, PREFIX_FC, PREFIX_FC + 7],
  // Growing and bulk instructions, before their length counts.
  [50, 0x40],
  [20, PREFIX_FC + 8],
  [20, PREFIX_FC + 10, PREFIX_FC + 12],
  [20, PREFIX_FC + 14, PREFIX_FC + 15],
  [20, PREFIX_FC + 17],
  [4, 0x25, 0x26],
];

const DEAR_VECTORS: typeof DEAR = [
  [2, 0, 255],
  [1, 12],
  [1, 77, 82],
  [4, 13, 14],
  [12, 227],
  [12, 231],
  [16, 239],
  [16, 243],
  [4, 98],
  [4, 213],
  [6, 205],
  [6, 248, 255],
];

function weights(): Uint8Array {
  const table = new Uint8Array(OPERATION_COUNT).fill(1);
  for (const operation of FREE) table[operation] = 0;
  for (const [fuel, from, to = from] of DEAR) table.fill(fuel, from, to + 1);
  for (const [fuel, from, to = from] of DEAR_VECTORS) table.fill(fuel, PREFIX_FD + from, PREFIX_FD + to + 1);
  return table;
}

/** Fuel of executing each instruction once, by the numbering of the operations' table. */
export const WEIGHTS: Uint8Array = weights();

/** A function that neither calls nor loops may cost this much before anybody looks whether fuel is left. */
export const UNCHECKED_LEAF_FUEL = 64;

/** A function that costs no more than this, with all that it calls but for loops, is paid for by whoever calls it. */
export const PREPAID_FUEL = 1_000;

/**
 * What a loop runs down before it settles, a power of two. A job that traps inside a loop may leave as much unpaid at
 * most: a fraction of a megafuel, the same one everywhere.
 */
export const CHUNK_FUEL = 65_536;

/**
 * What a job's frames may add up to on the native stack, by the estimate below. Engines give threads a megabyte and
 * overflow at depths of their own; here a job always ends by this count, long before.
 */
export const STACK_BYTES = 262_144;

/** Frames of functions that cannot be entered again before they return are counted together up to this much. */
export const UNCOUNTED_STACK_BYTES = 16_384;

/** A frame beside its locals and operands: return address, saved registers, what a compiler spills. */
const FRAME_BYTES = 64;
const SLOT_BYTES = 8;

/** Estimate of a function's frame. Vectors take two slots, and one makes every operand count as one. */
export function frameBytes(locals: number, operands: number, hasVectors: boolean): number {
  return FRAME_BYTES + SLOT_BYTES * (locals + operands) * (hasVectors ? 2 : 1);
}

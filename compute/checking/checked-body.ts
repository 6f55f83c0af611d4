// Owns what checking leaves behind for the rewriter: every instruction of the module in one list, and a record for each
// body. It refuses to hold instructions' operands: those stay in the module's bytes.

import type { FuelSegments } from "../metering/fuel-segments.ts";
import type { Span } from "../module/decoded-module.ts";
import type { FunctionType } from "../module/value-types.ts";

/** A branch that takes values along; its label's types are not looked up again. */
export const MARK_WITH_VALUES = 0x80;

export class InstructionList {
  /** Per instruction: its number, where it begins, and what the rewriter must know of it. */
  readonly operations: Uint16Array;
  readonly offsets: Uint32Array;
  readonly marks: Uint8Array;
  /** Instructions so far; the current one is the last. */
  count = 0;

  constructor(most: number) {
    this.operations = new Uint16Array(most);
    this.offsets = new Uint32Array(most);
    this.marks = new Uint8Array(most);
  }

  add(operation: number, offset: number): void {
    this.operations[this.count] = operation;
    this.offsets[this.count] = offset;
    this.count += 1;
  }
}

/** A call of a function by number, and the segment that pays for it. */
export interface DirectCall {
  readonly segment: number;
  readonly callee: number;
}

export interface CheckedBody {
  readonly span: Span;
  readonly type: FunctionType;
  /** Of the list of instructions: the first, and the end that closes the function. */
  readonly first: number;
  readonly last: number;
  /** Of the module's segments: the one that is charged on entry, and the one after its last. */
  readonly firstSegment: number;
  readonly endSegment: number;
  /** Parameters and locals. */
  readonly locals: number;
  /** The local groups as they stand: how many, and where the first begins. */
  readonly localGroups: { readonly count: number; readonly from: number };
  /** Estimate of what a call of it takes of the native stack. */
  readonly frameBytes: number;
  readonly calls: readonly DirectCall[];
  /** Types of functions called through a table. */
  readonly indirectTypes: readonly FunctionType[];
  readonly hasLoop: boolean;
  /** Whether anything in it costs what is only known when it runs. */
  readonly hasLengths: boolean;
}

/** A module whose every body has been checked. */
export interface CheckedCode {
  readonly instructions: InstructionList;
  readonly segments: FuelSegments;
  readonly bodies: readonly CheckedBody[];
}

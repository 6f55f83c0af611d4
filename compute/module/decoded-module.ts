// Owns the form in which a module's sections are known after decoding: what bodies are checked against and what the
// rewriter copies. It refuses to hold code: bodies stay where they are in the module's bytes.

import type { FunctionType } from "./value-types.ts";

/** Section numbers of the baseline, in the order in which sections must stand; a tag's section is refused by name. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

export const KIND_FUNCTION = 0;
export const KIND_TABLE = 1;
export const KIND_MEMORY = 2;
export const KIND_GLOBAL = 3;
export const KIND_TAG = 4;

/** A stretch of the module's bytes. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A section of counted things: how many, and the bytes that follow the count. */
export interface Counted extends Span {
  readonly count: number;
}

export interface FunctionImport {
  readonly module: string;
  readonly name: string;
  readonly type: FunctionType;
}

export interface Limits {
  readonly least: number;
  /** Undefined where the module sets none. */
  readonly most: number | undefined;
}

export interface Table extends Limits {
  readonly type: number;
}

export interface Global {
  readonly type: number;
  readonly isMutable: boolean;
}

export interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

export interface DecodedModule {
  readonly bytes: Uint8Array;
  /** Sections as they stand, without the ones that are rewritten whole. By number. */
  readonly sections: Map<number, Counted>;
  readonly types: FunctionType[];
  readonly imports: FunctionImport[];
  /** The type of every function, imported ones first. */
  readonly functions: FunctionType[];
  readonly tables: Table[];
  readonly memories: Limits[];
  readonly globals: Global[];
  readonly exports: Export[];
  /** Types of the element segments. */
  readonly elements: number[];
  /** Functions that a body may take a reference to: those named outside of bodies. */
  readonly declared: Set<number>;
  /** Of the data count section; undefined without one. */
  dataCount: number | undefined;
  /** Own functions' bodies, without their length. */
  readonly bodies: Span[];
}

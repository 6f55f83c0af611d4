// Owns the value types of the baseline and how they are read. It refuses types of later proposals by their names.

import { expectAtMost, refuseFeature, refuseInvalid } from "../refusal.ts";
import type { ByteReader } from "./byte-reader.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
/** What comes off the stack of code that is never reached: fits every type. */
export const UNKNOWN = 0;

export interface FunctionType {
  readonly params: Uint8Array;
  readonly results: Uint8Array;
}

export const NO_TYPES = new Uint8Array(0);

export const isReference = (type: number): boolean => type === FUNCREF || type === EXTERNREF;

/** Names of types that are not in the baseline, by their first byte. */
const LATER_TYPES: Readonly<Record<number, string>> = {
  99: "function references",
  100: "function references",
  104: "stack switching",
  105: "exception handling",
  116: "exception handling",
  119: "packed types of garbage collection",
  120: "packed types of garbage collection",
};

export function checkValueType(byte: number, offset: number): number {
  if ((byte >= V128 && byte <= I32) || isReference(byte)) return byte;
  const later = LATER_TYPES[byte];
  if (later !== undefined) refuseFeature(later, offset);
  // 0x65 to 0x73 name heap types.
  if (byte >= 0x65 && byte <= 0x73) refuseFeature("garbage collection", offset);
  return refuseInvalid("unknown value type", offset);
}

export function readValueType(reader: ByteReader): number {
  return checkValueType(reader.byte(), reader.at - 1);
}

export function readReferenceType(reader: ByteReader): number {
  const type = readValueType(reader);
  if (!isReference(type)) refuseInvalid("not a reference type", reader.at - 1);
  return type;
}

/** A counted list of value types. */
export function readTypeList(reader: ByteReader, what: string, most: number): Uint8Array {
  const count = reader.u32();
  expectAtMost(what, count, most);
  const types: number[] = [];
  for (let position = 0; position < count; position += 1) types.push(readValueType(reader));
  return Uint8Array.from(types);
}

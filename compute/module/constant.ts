// Owns constant expressions: initial values of globals, offsets of segments, elements. It refuses everything but a single
// constant: nothing is imported that a global could be initialised from, and sums are a later proposal.

import { refuseFeature, refuseInvalid } from "../refusal.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { DecodedModule } from "./decoded-module.ts";
import { PREFIX_FD } from "./operations.ts";
import { F32, F64, FUNCREF, I32, I64, readReferenceType, V128 } from "./value-types.ts";

/** Extended constant expressions: sums, differences and products. */
const EXTENDED = new Set([0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e]);

/** Moves past one expression that must give `expected`. */
export function skipConstant(reader: ByteReader, module: DecodedModule, expected: number): void {
  const at = reader.at;
  const type = skipInstruction(reader, module);
  if (type !== expected) refuseInvalid("constant of another type", at);
  const end = reader.byte();
  if (end === 0x0b) return;
  if (EXTENDED.has(end) || end === 0x41 || end === 0x42 || end === 0x23)
    refuseFeature("extended constant expressions", reader.at - 1);
  refuseInvalid("constant does not end", reader.at - 1);
}

function skipInstruction(reader: ByteReader, module: DecodedModule): number {
  const at = reader.at;
  switch (reader.byte()) {
    case 0x41:
      reader.s32();
      return I32;
    case 0x42:
      reader.skipS64();
      return I64;
    case 0x43:
      reader.skip(4);
      return F32;
    case 0x44:
      reader.skip(8);
      return F64;
    case 0xd0:
      return readReferenceType(reader);
    case 0xd2:
      declareFunction(reader.u32(), module, at);
      return FUNCREF;
    case 0xfd:
      if (reader.u32() + PREFIX_FD !== PREFIX_FD + 12) refuseInvalid("not a constant", at);
      reader.skip(16);
      return V128;
    case 0x23:
      return refuseFeature("extended constant expressions", at);
    default:
      return refuseInvalid("not a constant", at);
  }
}

/** Notes that a function was named outside of bodies. */
export function declareFunction(index: number, module: DecodedModule, offset: number): void {
  if (index >= module.functions.length) refuseInvalid("no such function", offset);
  module.declared.add(index);
}

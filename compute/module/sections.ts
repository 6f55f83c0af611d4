// Owns decoding a module's sections in their order. It refuses what is malformed or of a later proposal, and counts
// beyond the limits before anything is allocated for them.

import {
  MAX_FUNCTION_BYTES,
  MAX_MEMORY_PAGES,
  MAX_MODULE_IMPORTS,
  MAX_MODULE_ITEMS,
  MAX_PARAMETERS,
  MAX_RESULTS,
  MAX_TABLE_ELEMENTS,
} from "../../protocol/limits.ts";
import { expectAtMost, refuse, refuseFeature, refuseInvalid, shown } from "../refusal.ts";
import type { ByteReader } from "./byte-reader.ts";
import { declareFunction, skipConstant } from "./constant.ts";
import {
  type DecodedModule,
  KIND_FUNCTION,
  KIND_GLOBAL,
  KIND_MEMORY,
  KIND_TABLE,
  KIND_TAG,
  type Limits,
  SECTION,
} from "./decoded-module.ts";
import { FUNCREF, I32, readReferenceType, readTypeList, readValueType } from "./value-types.ts";

type SectionReader = (reader: ByteReader, module: DecodedModule, count: number) => void;

/** How each section of counted things is read; the reader ends with the section. */
export const READERS: Readonly<Record<number, { what: string; most: number; read: SectionReader }>> = {
  [SECTION.type]: { what: "types", most: MAX_MODULE_ITEMS, read: readTypes },
  [SECTION.import]: { what: "imports", most: MAX_MODULE_IMPORTS, read: readImports },
  [SECTION.function]: { what: "functions", most: MAX_MODULE_ITEMS, read: readFunctions },
  [SECTION.table]: { what: "tables", most: 64, read: readTables },
  [SECTION.memory]: { what: "memories", most: MAX_MODULE_ITEMS, read: readMemories },
  [SECTION.global]: { what: "globals", most: MAX_MODULE_ITEMS, read: readGlobals },
  [SECTION.export]: { what: "exports", most: MAX_MODULE_ITEMS, read: readExports },
  [SECTION.element]: { what: "element segments", most: MAX_MODULE_ITEMS, read: readElements },
  [SECTION.code]: { what: "functions", most: MAX_MODULE_ITEMS, read: readBodies },
  [SECTION.data]: { what: "data segments", most: MAX_MODULE_ITEMS, read: readData },
};

function readTypes(reader: ByteReader, module: DecodedModule, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const form = reader.byte();
    if (form === 0x5d) refuseFeature("stack switching", reader.at - 1);
    if (form >= 0x4d && form <= 0x5f) refuseFeature("garbage collection", reader.at - 1);
    if (form !== 0x60) refuseInvalid("unknown form of type", reader.at - 1);
    const params = readTypeList(reader, "parameters", MAX_PARAMETERS);
    module.types.push({ params, results: readTypeList(reader, "results", MAX_RESULTS) });
  }
}

/** Only functions can be imported; memories, tables and globals come from nowhere. */
function readImports(reader: ByteReader, module: DecodedModule, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const from = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    if (kind === KIND_TAG) refuseFeature("exception handling", reader.at - 1);
    if (kind > KIND_TAG) refuseInvalid("unknown kind of import", reader.at - 1);
    if (kind !== KIND_FUNCTION) {
      const imported = kind === KIND_TABLE ? "table" : kind === KIND_MEMORY ? "memory" : "global";
      refuse("module_import_refused", { module: shown(from), name: shown(name), reason: imported });
    }
    const type = typeAt(reader, module);
    module.imports.push({ module: from, name, type });
    module.functions.push(type);
  }
}

function typeAt(reader: ByteReader, module: DecodedModule) {
  const at = reader.at;
  return module.types[reader.u32()] ?? refuseInvalid("no such type", at);
}

function readFunctions(reader: ByteReader, module: DecodedModule, count: number): void {
  for (let index = 0; index < count; index += 1) module.functions.push(typeAt(reader, module));
}

function readLimits(reader: ByteReader, what: string): Limits {
  const at = reader.at;
  const flags = reader.byte();
  if ((flags & 0x02) !== 0) refuseFeature("threads", at);
  if ((flags & 0x04) !== 0) refuseFeature("memory64", at);
  if ((flags & 0x08) !== 0) refuseFeature("custom page sizes", at);
  if (flags > 1) refuseInvalid(`unknown flags of a ${what}`, at);
  const least = reader.u32();
  const most = flags === 1 ? reader.u32() : undefined;
  if (most !== undefined && most < least) refuseInvalid(`a ${what} that begins above its maximum`, at);
  return { least, most };
}

function readTables(reader: ByteReader, module: DecodedModule, count: number): void {
  let elements = 0;
  for (let index = 0; index < count; index += 1) {
    if (reader.bytes[reader.at] === 0x40) refuseFeature("function references", reader.at);
    const type = readReferenceType(reader);
    const limits = readLimits(reader, "table");
    elements += limits.least;
    expectAtMost("table elements", elements, MAX_TABLE_ELEMENTS);
    module.tables.push({ type, ...limits });
  }
}

function readMemories(reader: ByteReader, module: DecodedModule, count: number): void {
  if (count > 1) refuseFeature("multi-memory", reader.at);
  for (let index = 0; index < count; index += 1) {
    const at = reader.at;
    const limits = readLimits(reader, "memory");
    if (limits.least > 65_536 || (limits.most ?? 0) > 65_536) refuseInvalid("more memory than 4 GiB", at);
    expectAtMost("memory pages", limits.least, MAX_MEMORY_PAGES);
    module.memories.push(limits);
  }
}

function readGlobals(reader: ByteReader, module: DecodedModule, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const type = readValueType(reader);
    const flags = reader.byte();
    if (flags === 2 || flags === 3) refuseFeature("threads", reader.at - 1);
    if (flags > 1) refuseInvalid("unknown flags of a global", reader.at - 1);
    skipConstant(reader, module, type);
    module.globals.push({ type, isMutable: flags === 1 });
  }
}

function readExports(reader: ByteReader, module: DecodedModule, count: number): void {
  const names = new Set<string>();
  for (let position = 0; position < count; position += 1) {
    const at = reader.at;
    const name = reader.name();
    if (names.has(name)) refuseInvalid("an export twice", at);
    names.add(name);
    const kind = reader.byte();
    if (kind === KIND_TAG) refuseFeature("exception handling", reader.at - 1);
    const index = reader.u32();
    if (kind === KIND_FUNCTION) declareFunction(index, module, at);
    else if (index >= countOf(module, kind, at)) refuseInvalid("an export of nothing", at);
    module.exports.push({ name, kind, index });
  }
}

function countOf(module: DecodedModule, kind: number, offset: number): number {
  if (kind === KIND_TABLE) return module.tables.length;
  if (kind === KIND_MEMORY) return module.memories.length;
  if (kind === KIND_GLOBAL) return module.globals.length;
  return refuseInvalid("unknown kind of export", offset);
}

function readElements(reader: ByteReader, module: DecodedModule, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const at = reader.at;
    const flags = reader.u32();
    if (flags > 7) refuseInvalid("unknown flags of an element segment", at);
    const isPassive = (flags & 1) !== 0;
    const isExplicit = (flags & 2) !== 0;
    const hasExpressions = (flags & 4) !== 0;
    const table = !isPassive && isExplicit ? reader.u32() : 0;
    if (!isPassive) skipConstant(reader, module, I32);
    const type = !isPassive && !isExplicit ? FUNCREF : readElementType(reader, hasExpressions);
    if (!isPassive && module.tables[table]?.type !== type)
      refuseInvalid("elements of another type than their table", at);
    const items = reader.count("elements", MAX_TABLE_ELEMENTS);
    for (let item = 0; item < items; item += 1) {
      if (hasExpressions) skipConstant(reader, module, type);
      else declareFunction(reader.u32(), module, reader.at);
    }
    module.elements.push(type);
  }
}

function readElementType(reader: ByteReader, isReferenceType: boolean): number {
  if (isReferenceType) return readReferenceType(reader);
  if (reader.byte() !== 0) refuseInvalid("unknown kind of elements", reader.at - 1);
  return FUNCREF;
}

function readBodies(reader: ByteReader, module: DecodedModule, count: number): void {
  if (count !== module.functions.length - module.imports.length)
    refuseInvalid("not as many bodies as functions", reader.at);
  for (let index = 0; index < count; index += 1) {
    const length = reader.u32();
    const from = reader.skip(length);
    expectAtMost("bytes of a body", length, MAX_FUNCTION_BYTES);
    module.bodies.push({ from, to: from + length });
  }
}

function readData(reader: ByteReader, module: DecodedModule, count: number): void {
  if (module.dataCount !== undefined && count !== module.dataCount)
    refuseInvalid("not as many data segments as counted", reader.at);
  for (let index = 0; index < count; index += 1) {
    const at = reader.at;
    const flags = reader.u32();
    if (flags > 2) refuseInvalid("unknown flags of a data segment", at);
    const memory = flags === 2 ? reader.u32() : 0;
    if (flags !== 1) {
      if (memory >= module.memories.length) refuseInvalid("no such memory", at);
      skipConstant(reader, module, I32);
    }
    reader.skip(reader.u32());
  }
}

// Owns taking a module apart into its sections. It refuses what is no module, sections out of order or not filled, and
// start functions: nothing of a job runs before its fuel is set.

import { MAX_MODULE_BYTES, MAX_MODULE_ITEMS } from "../../protocol/limits.ts";
import { refuse, refuseFeature, refuseInvalid } from "../refusal.ts";
import { ByteReader } from "./byte-reader.ts";
import { type DecodedModule, SECTION } from "./decoded-module.ts";
import { READERS } from "./sections.ts";

/** The order in which sections stand, which is not that of their numbers. */
const ORDER: readonly number[] = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.tag,
  SECTION.global,
  SECTION.export,
  SECTION.start,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];

/**
 * Decodes everything but the instructions.
 *
 * @throws ModuleRefused with `module_too_large`, `module_invalid`, `module_feature_refused`, `module_limit_exceeded` or
 * `module_import_refused`.
 */
export function decodeModule(bytes: Uint8Array): DecodedModule {
  if (bytes.length > MAX_MODULE_BYTES)
    refuse("module_too_large", { limitBytes: MAX_MODULE_BYTES, bytes: bytes.length });
  const reader = new ByteReader(bytes);
  readPreamble(reader);
  const module: DecodedModule = {
    bytes,
    sections: new Map(),
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    elements: [],
    declared: new Set(),
    dataCount: undefined,
    bodies: [],
  };
  let reached = -1;
  while (!reader.isDone()) {
    const at = reader.at;
    const id = reader.byte();
    const length = reader.u32();
    const from = reader.skip(length);
    const place = ORDER.indexOf(id);
    if (id !== SECTION.custom) {
      if (place < 0) refuseInvalid("unknown section", at);
      if (place <= reached) refuseInvalid("section out of order", at);
      reached = place;
    }
    readSection(new ByteReader(bytes, from, from + length), id, module);
  }
  if (module.bodies.length !== module.functions.length - module.imports.length)
    refuseInvalid("not as many bodies as functions", bytes.length);
  if ((module.dataCount ?? 0) > 0 && !module.sections.has(SECTION.data))
    refuseInvalid("not as many data segments as counted", bytes.length);
  return module;
}

function readPreamble(reader: ByteReader): void {
  const { bytes } = reader;
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d)
    refuseInvalid("not WebAssembly", 0);
  // A component has the same magic number and a layer in the version's upper half.
  if (bytes[6] === 1 && bytes[7] === 0) refuseFeature("component model", 4);
  if (bytes[4] !== 1 || bytes[5] !== 0 || bytes[6] !== 0 || bytes[7] !== 0)
    refuseInvalid("unknown version", 4);
  reader.skip(8);
}

function readSection(reader: ByteReader, id: number, module: DecodedModule): void {
  const at = reader.at;
  if (id === SECTION.custom) {
    reader.name();
    return;
  }
  if (id === SECTION.tag) refuseFeature("exception handling", at);
  if (id === SECTION.start) refuseFeature("start function", at);
  if (id === SECTION.dataCount) {
    module.dataCount = reader.u32();
    module.sections.set(id, { count: module.dataCount, from: reader.at, to: reader.end });
  } else {
    const { what, most, read } = READERS[id] ?? refuseInvalid("unknown section", at);
    const count = reader.count(what, Math.min(most, MAX_MODULE_ITEMS));
    module.sections.set(id, { count, from: reader.at, to: reader.end });
    read(reader, module, count);
  }
  if (!reader.isDone()) refuseInvalid("section is not filled", reader.at);
}

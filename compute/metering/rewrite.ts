// Owns rewriting a module so that its fuel, frames, memory and NaNs are counted and fixed wherever it runs. It refuses what
// is not a valid module of the baseline; equal bytes in give equal bytes out.

import { MAX_CODE_REWRITTEN_BYTES, MAX_MEMORY_PAGES, MAX_TABLE_ELEMENTS } from "../../protocol/limits.ts";
import { checkCode } from "../checking/check-body.ts";
import { ByteWriter } from "../module/byte-writer.ts";
import { decodeModule } from "../module/decode.ts";
import {
  type Counted,
  type DecodedModule,
  KIND_GLOBAL,
  type Limits,
  SECTION,
} from "../module/decoded-module.ts";
import { I64 } from "../module/value-types.ts";
import { expectAtMost, refuseInvalid } from "../refusal.ts";
import { BodyWriter, type MeterGlobals } from "./body-writer.ts";
import { CallPlan } from "./call-plan.ts";
import { REWRITER_VERSION } from "./fuel-schedule.ts";
import { BodyRewriter } from "./rewrite-body.ts";

/** What every rewritten module exports besides its own: counters that run down, and trap below zero. */
export const FUEL_EXPORT = "polder.fuel";
export const STACK_EXPORT = "polder.stack";
/** Pages the memory may ever have; below zero once the engine could not give one that it may have. */
export const PAGES_EXPORT = "polder.pages";
/** A custom section that says by which version a module was rewritten. */
export const METERED_SECTION = "polder.metered";

const RESERVED = "polder.";

/** A module that was rewritten. */
export interface MeteredModule {
  readonly module: DecodedModule;
  readonly bytes: Uint8Array;
}

/**
 * Checks and rewrites a module. Custom sections (names, debugging, producers) are dropped.
 *
 * @throws ModuleRefused, and nothing else, whatever the bytes are.
 */
export function meterModule(source: Uint8Array): MeteredModule {
  const module = decodeModule(source);
  for (const { name } of module.exports)
    if (name.startsWith(RESERVED)) refuseInvalid("an export with a reserved name", 0);
  const target = new ByteWriter(source.length * 2 + 1_024);
  const rewriter = new ModuleRewriter(module, target);
  rewriter.write();
  return { module, bytes: target.written().slice() };
}

/** The most pages that the memory may ever have. */
function mostPages(module: DecodedModule): number {
  return mostOf(module.memories[0] ?? { least: 0, most: 0 }, MAX_MEMORY_PAGES);
}

function mostOf({ most }: Limits, limit: number): number {
  return Math.min(most ?? limit, limit);
}

class ModuleRewriter {
  readonly #module: DecodedModule;
  readonly #target: ByteWriter;
  readonly #globals: MeterGlobals;
  readonly #payload = new ByteWriter();
  /** Lists of several results that a block around a body gives, and the numbers of their types. */
  readonly #addedTypes = new Map<string, number>();

  constructor(module: DecodedModule, target: ByteWriter) {
    this.#module = module;
    this.#target = target;
    const { length } = module.globals;
    this.#globals = { fuel: length, stack: length + 1, pages: length + 2 };
  }

  write(): void {
    const target = this.#target;
    // Bodies first: they say which types the type section must have besides.
    const code = this.#rewriteBodies();
    target.bytes(this.#module.bytes.subarray(0, 8));
    this.#writeTypes();
    this.#copy(SECTION.import);
    this.#copy(SECTION.function);
    this.#writeTables();
    this.#writeMemory();
    this.#writeGlobals();
    this.#writeExports();
    this.#copy(SECTION.element);
    if (this.#module.dataCount !== undefined) this.#copy(SECTION.dataCount);
    if (code.length > 0) this.#section(SECTION.code, code.written());
    this.#copy(SECTION.data);
    this.#writeMark();
  }

  #section(id: number, payload: Uint8Array): void {
    this.#target.byte(id);
    this.#target.unsigned(payload.length);
    this.#target.bytes(payload);
  }

  /** Begins a payload with a count and what the section held, if anything. */
  #begin(id: number, more: number): ByteWriter {
    const payload = this.#payload;
    const section = this.#module.sections.get(id);
    payload.clear();
    payload.unsigned((section?.count ?? 0) + more);
    if (section !== undefined) payload.bytes(this.#bytesOf(section));
    return payload;
  }

  #bytesOf({ from, to }: Counted): Uint8Array {
    return this.#module.bytes.subarray(from, to);
  }

  #copy(id: number): void {
    if (this.#module.sections.has(id)) this.#section(id, this.#begin(id, 0).written());
  }

  #writeTypes(): void {
    if (this.#addedTypes.size === 0) {
      this.#copy(SECTION.type);
      return;
    }
    const payload = this.#begin(SECTION.type, this.#addedTypes.size);
    for (const key of this.#addedTypes.keys()) {
      payload.byte(0x60);
      payload.byte(0);
      payload.unsigned(key.length);
      for (const letter of key) payload.byte(letter.charCodeAt(0));
    }
    this.#section(SECTION.type, payload.written());
  }

  #writeTables(): void {
    const { tables } = this.#module;
    if (tables.length === 0) return;
    const payload = this.#payload;
    payload.clear();
    payload.unsigned(tables.length);
    for (const table of tables) {
      payload.byte(table.type);
      writeLimits(payload, table.least, mostOf(table, MAX_TABLE_ELEMENTS));
    }
    this.#section(SECTION.table, payload.written());
  }

  #writeMemory(): void {
    const [memory] = this.#module.memories;
    if (memory === undefined) return;
    const payload = this.#payload;
    payload.clear();
    payload.unsigned(1);
    writeLimits(payload, memory.least, mostOf(memory, MAX_MEMORY_PAGES));
    this.#section(SECTION.memory, payload.written());
  }

  /** Fuel and stack begin at nothing, so that nothing runs before the host has set them. */
  #writeGlobals(): void {
    const payload = this.#begin(SECTION.global, 3);
    for (const initial of [0, 0, mostPages(this.#module)]) {
      payload.byte(I64);
      payload.byte(1);
      payload.byte(0x42);
      payload.signed(initial);
      payload.byte(0x0b);
    }
    this.#section(SECTION.global, payload.written());
  }

  #writeExports(): void {
    const payload = this.#begin(SECTION.export, 3);
    const { fuel, stack, pages } = this.#globals;
    for (const [name, index] of [
      [FUEL_EXPORT, fuel],
      [STACK_EXPORT, stack],
      [PAGES_EXPORT, pages],
    ] as const) {
      payload.name(name);
      payload.byte(KIND_GLOBAL);
      payload.unsigned(index);
    }
    this.#section(SECTION.export, payload.written());
  }

  #writeMark(): void {
    const payload = this.#payload;
    payload.clear();
    payload.name(METERED_SECTION);
    payload.unsigned(REWRITER_VERSION);
    payload.unsigned(this.#module.memories[0]?.least ?? 0);
    this.#section(SECTION.custom, payload.written());
  }

  #rewriteBodies(): ByteWriter {
    const { bodies } = this.#module;
    const code = new ByteWriter(this.#module.bytes.length * 2 + 1_024);
    if (bodies.length === 0) return code;
    const checked = checkCode(this.#module);
    const plan = new CallPlan(this.#module, checked);
    const writer = new BodyWriter(this.#globals);
    const rewriter = new BodyRewriter(this.#module.bytes, checked, plan, writer);
    code.unsigned(bodies.length);
    checked.bodies.forEach(({ type }, index) => {
      rewriter.rewrite(index, () => this.#blockType(type.results), code);
      expectAtMost("bytes of rewritten code", code.length, MAX_CODE_REWRITTEN_BYTES);
    });
    return code;
  }

  /** The type, as blocks name it, of a block without parameters that gives these results. */
  #blockType(results: Uint8Array): number {
    if (results.length === 0) return -64;
    if (results.length === 1) return (results[0] as number) - 0x80;
    const key = String.fromCharCode(...results);
    const known = this.#addedTypes.get(key);
    if (known !== undefined) return known;
    const index = this.#module.types.length + this.#addedTypes.size;
    this.#addedTypes.set(key, index);
    return index;
  }
}

function writeLimits(payload: ByteWriter, least: number, most: number): void {
  payload.byte(1);
  payload.unsigned(least);
  payload.unsigned(most);
}

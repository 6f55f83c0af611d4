// Owns what is refused at upload, and with which code and facts. It refuses modules that hang, blow up or surprise: every
// bad byte ends in a ModuleRefused, and quickly.

import { describe, expect, test } from "vitest";
import { rewriteCommand } from "../../compute/command.ts";
import { ModuleRefused } from "../../compute/refusal.ts";
import type { ErrorCode, Rejection } from "../../protocol/errors.ts";
import { MAX_MODULE_BYTES } from "../../protocol/limits.ts";
import { assemble } from "../../tools/job-sources.ts";
import { commandOf, leb, moduleOf, PREAMBLE, section } from "../support/module-bytes.ts";

const COMMAND = assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);

/** The rejection; what is given is not touched. */
function refusal(bytes: Uint8Array): Rejection {
  const before = bytes.slice();
  try {
    rewriteCommand(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(ModuleRefused);
    expect(Buffer.from(before).equals(bytes)).toBe(true);
    return (error as ModuleRefused).rejection;
  }
  throw new Error("nothing was refused");
}

function expectRefused(bytes: Uint8Array, code: ErrorCode, facts: Record<string, unknown> = {}): void {
  const rejection = refusal(bytes);
  expect(rejection.code).toBe(code);
  expect(rejection.facts).toMatchObject(facts);
}

const later = (fields: string): Uint8Array =>
  assemble(`(module (memory (export "memory") 1) (func (export "_start")) ${fields})`, true);

describe("what is no module", () => {
  test.each<[string, Uint8Array, string, number]>([
    ["nothing", new Uint8Array(0), "not WebAssembly", 0],
    ["text", new TextEncoder().encode("(module (func))"), "not WebAssembly", 0],
    ["a magic number and no more", Uint8Array.from(PREAMBLE.slice(0, 5)), "not WebAssembly", 0],
    ["another version", Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), "unknown version", 4],
    ["a section that is cut off", moduleOf([1, 5, 1, 0x60]), "cut off", 12],
    ["a section's length that is", moduleOf([1, 0x80]), "cut off", 10],
    ["an unknown section", moduleOf(section(14, [])), "unknown section", 8],
    ["sections out of order", moduleOf(section(3, [0]), section(1, [0])), "section out of order", 11],
    ["a section twice", moduleOf(section(1, [0]), section(1, [0])), "section out of order", 11],
    ["bytes after a section's end", moduleOf(section(1, [0, 0])), "section is not filled", 11],
    ["a number of six bytes", moduleOf([1, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), "number too long", 13],
    ["a number of 33 bits", moduleOf([1, 0x80, 0x80, 0x80, 0x80, 0x10]), "number too long", 13],
    ["a custom section without a name", moduleOf(section(0, [])), "cut off", 10],
    ["a name that is not UTF-8", moduleOf(section(0, [2, 0xc3, 0x28])), "name is not UTF-8", 11],
    [
      "functions without code",
      moduleOf(section(1, [1, 0x60, 0, 0]), section(3, [1, 0])),
      "not as many bodies as functions",
      18,
    ],
    ["code without functions", moduleOf(section(10, [1, 2, 0, 0x0b])), "not as many bodies as functions", 11],
    ["data that was not counted", moduleOf(section(12, [3])), "not as many data segments as counted", 11],
  ])("rejects: %s", (_, bytes, reason, offset) => {
    expectRefused(bytes, "module_invalid", { reason, offset });
  });

  test("rejects: every cut of a module, but where a section ends and the rest is not missed", () => {
    for (let length = 0; length < COMMAND.length; length += 1) {
      const { code } = refusal(COMMAND.subarray(0, length));
      expect(["module_invalid", "module_not_command"]).toContain(code);
    }
    expect(rewriteCommand(COMMAND).length).toBeGreaterThan(COMMAND.length);
  });

  test("rejects: an export under a name of ours", () => {
    const text = `(module (memory (export "memory") 1) (func (export "_start")) (global (export "polder.fuel") i64 (i64.const 1)))`;
    expectRefused(assemble(text), "module_invalid", { reason: "an export with a reserved name" });
  });
});

describe("what is invalid inside a function", () => {
  test.each<[string, Uint8Array, string]>([
    ["an operand that is missing", commandOf([0x6a]), "operand missing"],
    ["an operand of another type", commandOf([0x42, 0, 0x45, 0x1a]), "operand of another type"],
    ["operands left over", commandOf([0x41, 0]), "operands left over"],
    ["a local that is not there", commandOf([0x20, 0, 0x1a]), "no such local"],
    ["a global that the rewriter would add", commandOf([0x23, 0, 0x1a]), "no such global"],
    ["a function that is not there", commandOf([0x10, 1]), "no such function"],
    ["a label that is not there", commandOf([0x0c, 1]), "no such label"],
    ["a table that is not there", commandOf([0x41, 0, 0x11, 0, 0]), "no such table"],
    ["a data segment that is not there", commandOf([0xfc, 9, 0]), "data is used without a data count"],
    ["an else without an if", commandOf([0x02, 0x40, 0x05, 0x0b]), "else without if"],
    [
      "a branch table of different types",
      commandOf([0x02, 0x7f, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x1a]),
      "branch targets of different types",
    ],
    [
      "an alignment above the natural one",
      commandOf([0x41, 0, 0x28, 3, 0, 0x1a]),
      "alignment larger than natural",
    ],
    ["a lane that is not there", commandOf([0x41, 0, 0xfd, 17, 0xfd, 27, 4, 0x1a]), "no such lane"],
    [
      "a reference to an undeclared function",
      moduleOf(section(1, [1, 0x60, 0, 0]), section(3, [1, 0]), section(10, [1, 5, 0, 0xd2, 0, 0x1a, 0x0b])),
      "a reference to a function that nothing declares",
    ],
    ["an unknown instruction", commandOf([0x27]), "unknown instruction"],
    ["an unknown vector instruction", commandOf([0xfd, 154, 1]), "unknown instruction"],
    ["a function that does not end", commandOf([0x02, 0x40]), "cut off"],
    ["instructions after a function's end", commandOf([0x0b]), "instructions after the end"],
  ])("rejects: %s", (_, bytes, reason) => {
    expect(WebAssembly.validate(bytes)).toBe(false);
    expectRefused(bytes, "module_invalid", { reason });
  });
});

describe("proposals that jobs may not use, by name", () => {
  test.each<[string, Uint8Array]>([
    ["threads", later("(memory $shared 1 1 shared)").length > 0 ? commandOf([0xfe, 0x03, 0]) : COMMAND],
    [
      "relaxed SIMD",
      later("(func (param v128 v128) (result v128) local.get 0 local.get 1 i8x16.relaxed_swizzle)"),
    ],
    ["exception handling", later("(tag)")],
    ["tail calls", later("(func $f return_call $f)")],
    ["garbage collection", commandOf([0xfb, 0, 0])],
    ["function references", commandOf([0x14, 0])],
    ["stack switching", commandOf([0xe0, 0])],
    ["wide arithmetic", commandOf([0xfc, 19])],
    ["extended constant expressions", later("(global i32 (i32.add (i32.const 1) (i32.const 2)))")],
    ["start function", later("(func $go) (start $go)")],
    ["component model", Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])],
    ["memory64", moduleOf(section(5, [1, 4, 1]))],
    ["threads", moduleOf(section(5, [1, 3, 1, 1]))],
    ["custom page sizes", moduleOf(section(5, [1, 8, 1, 0]))],
    ["multi-memory", moduleOf(section(5, [2, 0, 1, 0, 1]))],
    ["garbage collection", moduleOf(section(1, [1, 0x5f, 0]))],
    ["function references", moduleOf(section(1, [1, 0x60, 1, 0x64, 0x70, 0]))],
    ["exception handling", moduleOf(section(13, [0]))],
  ])("rejects: %s", (feature, bytes) => {
    expectRefused(bytes, "module_feature_refused", { feature });
  });
});

describe("imports and exports", () => {
  const importing = (line: string): Uint8Array =>
    assemble(`(module ${line} (memory (export "memory") 1) (func (export "_start")))`);

  test.each<[string, string, Record<string, string>]>([
    [
      "a function of another module",
      `(import "env" "abort" (func (param i32 i32 i32 i32)))`,
      { module: "env", name: "abort", reason: "unknown" },
    ],
    [
      "sockets",
      `(import "wasi_snapshot_preview1" "sock_send" (func (param i32 i32 i32 i32 i32) (result i32)))`,
      { name: "sock_send", reason: "unknown" },
    ],
    [
      "writing to directories",
      `(import "wasi_snapshot_preview1" "path_unlink_file" (func (param i32 i32 i32) (result i32)))`,
      { name: "path_unlink_file", reason: "unknown" },
    ],
    [
      "threads",
      `(import "wasi" "thread-spawn" (func (param i32) (result i32)))`,
      { module: "wasi", name: "thread-spawn" },
    ],
    [
      "a name of the prototype",
      `(import "wasi_snapshot_preview1" "constructor" (func))`,
      { name: "constructor", reason: "unknown" },
    ],
    [
      "a known function of another type",
      `(import "wasi_snapshot_preview1" "random_get" (func (param i32 i64) (result i32)))`,
      { name: "random_get", reason: "another type" },
    ],
    [
      "one that gives nothing back",
      `(import "wasi_snapshot_preview1" "fd_close" (func (param i32)))`,
      { name: "fd_close", reason: "another type" },
    ],
    ["a table", `(import "env" "table" (table 1 funcref))`, { name: "table", reason: "table" }],
    ["a global", `(import "env" "base" (global i32))`, { name: "base", reason: "global" }],
  ])("rejects: an import of %s", (_, line, facts) => {
    expectRefused(importing(line), "module_import_refused", facts);
  });

  test("rejects: an imported memory; its name is not repeated at any length", () => {
    const name = "m".repeat(5_000);
    const bytes = assemble(`(module (import "${name}" "memory" (memory 1)) (func (export "_start")))`);
    const { code, facts } = refusal(bytes);
    expect([code, facts.reason]).toEqual(["module_import_refused", "memory"]);
    expect(String(facts.module).length).toBeLessThan(70);
  });

  test.each<[string, string, string]>([
    ["no _start", `(memory (export "memory") 1)`, "_start"],
    [
      "a _start with parameters",
      `(memory (export "memory") 1) (func (export "_start") (param i32))`,
      "_start",
    ],
    [
      "a _start that is no function",
      `(memory (export "memory") 1) (global (export "_start") i32 (i32.const 0))`,
      "_start",
    ],
    ["no memory", `(func (export "_start"))`, "memory"],
    [
      "a memory that is none",
      `(memory 1) (global (export "memory") i32 (i32.const 0)) (func (export "_start"))`,
      "memory",
    ],
  ])("rejects: %s", (_, fields, missing) => {
    expectRefused(assemble(`(module ${fields})`), "module_not_command", { missing });
  });
});

describe("bombs", () => {
  test("rejects: a module above the limit, before looking at it", () => {
    expectRefused(new Uint8Array(MAX_MODULE_BYTES + 1), "module_too_large", { limitBytes: MAX_MODULE_BYTES });
  });

  test.each<[string, Uint8Array, string]>([
    ["types", moduleOf(section(1, leb(2 ** 32 - 1))), "types"],
    ["functions", moduleOf(section(1, [1, 0x60, 0, 0]), section(3, leb(60_000))), "functions"],
    ["imports", moduleOf(section(2, leb(1_000))), "imports"],
    ["parameters", moduleOf(section(1, [1, 0x60, ...leb(1_000)])), "parameters"],
    ["results", moduleOf(section(1, [1, 0x60, 0, ...leb(33)])), "results"],
    ["locals", commandOf([], { locals: [1, ...leb(4_000_000_000), 0x7f] }), "locals"],
    [
      "locals in many groups",
      commandOf([], { locals: [2, ...leb(3_000), 0x7f, ...leb(3_000), 0x7e] }),
      "locals",
    ],
    ["table elements", moduleOf(section(4, [1, 0x70, 0, ...leb(10_000_000)])), "table elements"],
    ["memory", moduleOf(section(5, [1, 0, ...leb(65_536)])), "memory pages"],
    ["branch targets", commandOf([0x41, 0, 0x0e, ...leb(70_000)]), "branch targets"],
    ["blocks", commandOf(Array.from({ length: 6_000 }, () => [0x02, 0x40]).flat()), "blocks within blocks"],
    ["operands", commandOf(Array.from({ length: 5_000 }, () => [0x41, 0]).flat()), "operands at once"],
  ])("rejects: too many %s", (_, bytes, limit) => {
    expectRefused(bytes, "module_limit_exceeded", { limit });
  });

  test("rejects: counts of what cannot follow, without room being made for it", () => {
    expectRefused(moduleOf(section(1, [...leb(40_000), 0x60])), "module_invalid", {
      reason: "more types than bytes",
    });
    expectRefused(moduleOf(section(7, [...leb(40_000), 0])), "module_invalid", {
      reason: "more exports than bytes",
    });
  });

  test("rejects: calls that push a thousand times more than they take to write", () => {
    const results = [...leb(32), ...Array.from({ length: 32 }, () => 0x7f)];
    const params = [...leb(128), ...Array.from({ length: 128 }, () => 0x7f)];
    const types = section(1, [2, 0x60, 0, 0, 0x60, ...params, ...results]);
    // In code that is not reached every call takes 128 operands and gives 32.
    const unreached = Array.from({ length: 100 }, () => [0x10, 1]).flat();
    const blocks = Array.from({ length: 2_000 }, () => [0x00, ...unreached]).flat();
    const start = [0, ...blocks, 0x00, 0x0b];
    const callee = [0, 0x00, 0x0b];
    const code = section(10, [2, ...leb(start.length), ...start, ...leb(callee.length), ...callee]);
    const bytes = moduleOf(types, section(3, [2, 0, 1]), code);
    const startedMs = performance.now();
    expectRefused(bytes, "module_limit_exceeded", { limit: "steps of checking" });
    // A quarter of a second on a machine that does nothing else.
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  test("rejects: a body beyond its limit, and bodies that grow beyond what engines compile or Workers hold", () => {
    const loops = (count: number): number[] => Array.from({ length: count }, () => [0x03, 0x40, 0x0b]).flat();
    expectRefused(commandOf(loops(400_000)), "module_limit_exceeded", { limit: "bytes of a body" });
    expectRefused(commandOf(loops(300_000)), "module_limit_exceeded", { limit: "bytes of a rewritten body" });
    const body = [0, ...loops(60_000), 0x0b];
    const bodies = [1, 2, 3, 4, 5].flatMap(() => [...leb(body.length), ...body]);
    const sections = [
      section(1, [1, 0x60, 0, 0]),
      section(3, [5, 0, 0, 0, 0, 0]),
      section(10, [5, ...bodies]),
    ];
    expectRefused(moduleOf(...sections), "module_limit_exceeded", { limit: "bytes of rewritten code" });
  });

  test("behavior: floats through a thousand loops and locals are followed less", () => {
    const locals = [1, ...leb(120), 0x7c];
    const add = [0x20, ...leb(3), 0x20, ...leb(4), 0xa0, 0x21, ...leb(5)];
    const nest = Array.from({ length: 6_000 }, () => [0x03, 0x40, ...add, 0x0b]).flat();
    const rewritten = rewriteCommand(commandOf(nest, { locals }));
    expect(WebAssembly.validate(rewritten)).toBe(true);
  });

  test("behavior: what would be slow to follow is not: signs changed again and again, tables of all functions", () => {
    const signs = Array.from({ length: 200_000 }, () => [0x9a, 0x22, 0]).flat();
    const start = [0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x9f, ...signs, 0x1a];
    const body = [0, 0x41, 0, 0x11, 0, 0, 0x0b];
    const count = 20_000;
    const everyone = Array.from({ length: count }, (_, index) => leb(index)).flat();
    const tables = moduleOf(
      section(1, [1, 0x60, 0, 0]),
      section(3, [...leb(count), ...Array.from({ length: count }, () => 0)]),
      section(4, [1, 0x70, 0, ...leb(count)]),
      section(5, [1, 0, 1]),
      section(7, [2, 6, ...Buffer.from("_start"), 0, 0, 6, ...Buffer.from("memory"), 2, 0]),
      section(9, [1, 0, 0x41, 0, 0x0b, ...leb(count), ...everyone]),
      section(10, [...leb(count), ...Array.from({ length: count }, () => [body.length, ...body]).flat()]),
    );
    const startedMs = performance.now();
    for (const bytes of [commandOf(start, { locals: [1, 1, 0x7c] }), tables])
      expect(WebAssembly.validate(rewriteCommand(bytes))).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

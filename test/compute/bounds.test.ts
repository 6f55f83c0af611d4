// Owns what ends a job that would not end: fuel, frames, memory, output; the same way every time. It refuses a bomb that
// reaches the engine's own limits, which differ.

import { describe, expect, test } from "vitest";
import type { JobLimits } from "../../compute/host/job.ts";
import { CHUNK_FUEL, PAGE_FUEL, STACK_BYTES } from "../../compute/metering/fuel-schedule.ts";
import { runJob } from "../../compute/run-job.ts";
import { MAX_MEMORY_PAGES } from "../../protocol/limits.ts";
import { assemble } from "../../tools/job-sources.ts";
import { compiled, jobOf, run, textOf } from "../support/job-runs.ts";

const PAGE_BYTES = 65_536;

function command(body: string, more = "", pages = "1"): Uint8Array {
  return assemble(`(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") ${pages}) (data (i32.const 8) "\\40\\00\\00\\00\\10\\00\\00\\00") (data (i32.const 64) "polder is dry.\\0a\\0a")
    ${more} (func (export "_start") (local $i i32) (local $n i64) ${body}))`);
}

const WRITE = "(drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))";

const endOf = (bytes: Uint8Array, limits: Partial<JobLimits> = {}) => run(bytes, { limits }).end;

describe("loop bombs", () => {
  test.each<[string, string]>([
    ["nothing", "(loop (br 0))"],
    ["calls of nothing", "(loop (call $nothing) (br 0))"],
    ["blocks of nothing", "(loop (block) (block) (br 0))"],
    ["calls through a table", "(loop (call_indirect (i32.const 0)) (br 0))"],
    ["a branch out and in", "(loop (block (br_if 0 (i32.const 1)) unreachable) (br 0))"],
    ["a branch table", "(loop (block (br_table 0 0 1 (i32.const 2))) (br 0))"],
    ["an inner loop that ends", "(loop (loop (br_if 0 (i32.eqz (local.tee $i (i32.const 1))))) (br 0))"],
    ["filling nothing", "(loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (br 0))"],
    ["growing by nothing", "(loop (drop (memory.grow (i32.const 0))) (br 0))"],
    ["a table that fails to grow", "(loop (drop (table.grow $t (ref.null func) (i32.const -1))) (br 0))"],
  ])("rejects: going round for ever with %s", (_, body) => {
    const bytes = command(body, "(func $nothing) (table $t funcref (elem $nothing))");
    const result = run(bytes, { limits: { fuel: 3e6 } });
    expect(result).toMatchObject({ end: "out_of_fuel", exitCode: null, fuelUsed: 3e6, trap: null });
    expect(run(bytes, { limits: { fuel: 3e6 } })).toEqual(result);
  });

  test("rejects: bulk work that is not paid for, before it is done", () => {
    const body = `(memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) ${WRITE}`;
    const need = run(command(body)).fuelUsed;
    expect(need).toBeGreaterThan(PAGE_FUEL + PAGE_BYTES);
    expect(endOf(command(body), { fuel: PAGE_FUEL + PAGE_BYTES - 1 })).toBe("out_of_fuel");
    const random = "(drop (call $random (i32.const 0) (i32.const 65536)))";
    expect(endOf(command(random), { fuel: PAGE_FUEL + PAGE_BYTES })).toBe("out_of_fuel");
  });

  test("behavior: the exact fuel is enough, one less is not", () => {
    const bytes = command(`(loop (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $i) (i32.const 100000)))) ${WRITE}`);
    const { fuelUsed, stdout } = run(bytes);
    expect(fuelUsed).toBeGreaterThan(700_000);
    expect(run(bytes, { limits: { fuel: fuelUsed } })).toMatchObject({ end: "exited", fuelUsed, stdout });
    const short = run(bytes, { limits: { fuel: fuelUsed - 1 } });
    expect(short).toMatchObject({ end: "out_of_fuel", fuelUsed: fuelUsed - 1, exitCode: null });
  });

  test("behavior: work that nothing looks at while it runs is bounded", () => {
    // Sixteen levels of functions that each call the next four times, without a loop: four thousand million calls.
    const levels = Array.from({ length: 16 }, (_, level) => {
      const call = level === 15 ? "" : `(call $f${level + 1})`.repeat(4);
      return `(func $f${level} (if (i32.load (i32.const 0)) (then ${call})))`;
    });
    const bytes = command("(i32.store (i32.const 0) (i32.const 1)) (call $f0)", levels.join("\n"));
    const startedMs = performance.now();
    expect(endOf(bytes, { fuel: 1e6 })).toBe("out_of_fuel");
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe("recursion bombs", () => {
  const values = (count: number, type: string, load: string): string =>
    Array.from(
      { length: count },
      (_, index) => `(local.set ${index + 1} (${type}.load offset=${index} ${load}))`,
    ).join("");
  const stores = (count: number, type: string): string =>
    Array.from(
      { length: count },
      (_, index) => `(${type}.store (i32.const ${16 * index}) (local.get ${index + 1}))`,
    ).join("");
  const wide = (
    count: number,
    type: string,
  ): string => `(func $f (param i32) (result i32) (local ${`${type} `.repeat(count)})
    ${values(count, type, "(i32.and (local.get 0) (i32.const 1023))")}
    (drop (call $f (i32.add (local.get 0) (i32.const 1)))) ${stores(count, type)} (i32.const 0))`;

  test.each<[string, string]>([
    ["a small frame", "(func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))"],
    [
      "two functions by turns",
      "(func $g (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1))) (func $f (param i32) (result i32) (i32.add (call $g (local.get 0)) (i32.const 1)))",
    ],
    [
      "a table",
      "(table funcref (elem $f)) (func $f (param i32) (result i32) (i32.add (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)) (i32.const 1)))",
    ],
    ["ten integers kept", wide(10, "i64")],
    ["a thousand integers kept", wide(1_000, "i64")],
    ["a thousand vectors kept", wide(1_000, "v128")],
    [
      "operands kept",
      `(func $f (param i32) (result i32) ${"(i32.load offset=4 (local.get 0))".repeat(500)} (call $f (i32.const 1)) ${"i32.add ".repeat(500)})`,
    ],
    [
      "many parameters",
      `(func $g (param ${"i64 ".repeat(120)}) (result i32) (local.get 1) ${Array.from({ length: 118 }, (_, index) => `(local.get ${index + 2})`).join("")} (i64.add (local.get 0) (i64.const 1)) call $g) (func $f (param i32) (result i32) ${"(i64.load (i32.const 8))".repeat(120)} call $g)`,
    ],
  ])(
    "rejects: recursion with %s, by our count and not the engine's, however it was compiled",
    (_, functions) => {
      const module = compiled(command("(drop (call $f (i32.const 0)))", functions));
      const results = Array.from({ length: 30 }, () => runJob(module, jobOf()));
      expect(results[0]).toMatchObject({ end: "stack_exhausted", exitCode: null, trap: null });
      for (const result of results) expect(result).toEqual(results[0]);
    },
  );

  test("behavior: recursion that returns gives its frames back", () => {
    const down =
      "(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))) (return))))";
    const often = `(loop (call $f (i32.const 1000)) (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $i) (i32.const 100))))`;
    expect(STACK_BYTES / 1000).toBeGreaterThan(100);
    expect(endOf(command(often, down))).toBe("exited");
    expect(endOf(command("(call $f (i32.const 4000))", down))).toBe("stack_exhausted");
  });
});

describe("memory bombs", () => {
  const grow = (pages: number): string => `(memory.grow (i32.const ${pages}))`;

  test("rejects: a limit below what the module begins with", () => {
    const result = run(command("", "", "3"), { limits: { memoryBytes: 3 * PAGE_BYTES - 1 } });
    expect(result).toMatchObject({ end: "memory_too_small", fuelUsed: 0, exitCode: null });
    expect(endOf(command("", "", "3"), { memoryBytes: 3 * PAGE_BYTES })).toBe("exited");
  });

  test("rejects: growth beyond the job's limit, with minus one as the specification has it", () => {
    const limits = { memoryBytes: 4 * PAGE_BYTES };
    const body = (pages: number): string => `(call $exit ${grow(pages)})`;
    expect(run(command(body(3)), { limits })).toMatchObject({ end: "exited", exitCode: 1 });
    expect(run(command(body(4)), { limits })).toMatchObject({ end: "exited", exitCode: 2 ** 32 - 1 });
    expect(run(command(body(-1)), { limits })).toMatchObject({ end: "exited", exitCode: 2 ** 32 - 1 });
  });

  test("rejects: growth beyond the module's own limit, and beyond anybody's", () => {
    expect(run(command(`(call $exit ${grow(2)})`, "", "1 2"))).toMatchObject({ exitCode: 2 ** 32 - 1 });
    const limits = { memoryBytes: 2 ** 40 };
    const all = command(`(call $exit ${grow(MAX_MEMORY_PAGES)})`);
    expect(run(all, { limits })).toMatchObject({ exitCode: 2 ** 32 - 1 });
  });

  test("rejects: growing for ever", () => {
    const forever = command(`(loop (br_if 0 (i32.ne ${grow(1)} (i32.const -1))))`);
    const result = run(forever, { limits: { memoryBytes: 32 * PAGE_BYTES } });
    expect(result.end).toBe("exited");
    expect(result.fuelUsed).toBeGreaterThan(32 * PAGE_FUEL);
    expect(endOf(forever, { memoryBytes: 32 * PAGE_BYTES, fuel: 16 * PAGE_FUEL })).toBe("out_of_fuel");
  });

  test("behavior: growth is paid for by page, refused growth is not", () => {
    const fuel = (pages: number): number => run(command(`(drop ${grow(pages)})`)).fuelUsed;
    expect(fuel(5) - fuel(0)).toBe(5 * PAGE_FUEL);
    expect(fuel(5_000)).toBe(fuel(0));
  });
});

describe("endless output", () => {
  test("rejects: more than the limit, with what fitted", () => {
    const forever = command(`(loop ${WRITE} (br 0))`);
    const result = run(forever, { limits: { outputBytes: 40 } });
    expect(result).toMatchObject({ end: "output_too_large", exitCode: null });
    expect(textOf(result.stdout)).toBe("polder is dry.\n\npolder is dry.\n\npolder i");
    expect(run(forever, { limits: { outputBytes: 40 } })).toEqual(result);
    expect(endOf(forever, { fuel: 1e6 })).toBe("out_of_fuel");
  });

  test("behavior: exactly the limit is no bomb, and a write of nothing is none either", () => {
    expect(endOf(command(WRITE), { outputBytes: 16 })).toBe("exited");
    expect(endOf(command(WRITE), { outputBytes: 15 })).toBe("output_too_large");
    const nothing = command(`(i32.store (i32.const 12) (i32.const 0)) ${WRITE}`);
    expect(endOf(nothing, { outputBytes: 0 })).toBe("exited");
  });
});

describe("traps of the job's own", () => {
  test.each<[string, string]>([
    ["unreachable", "unreachable"],
    ["a division by zero", "(local.set $i (i32.div_u (i32.const 1) (local.get $i)))"],
    ["an address beyond the memory", "(i32.store (i32.const -4) (i32.const 1))"],
    ["a conversion out of range", "(local.set $i (i32.trunc_f64_s (f64.const 1e300)))"],
  ])("behavior: %s ends the job with what it wrote, and pays what it used", (_, trap) => {
    const spin = `(loop (br_if 0 (i64.lt_u (local.tee $n (i64.add (local.get $n) (i64.const 1))) (i64.const 50000))))`;
    const quiet = run(command(WRITE + spin)).fuelUsed;
    const result = run(command(WRITE + spin + trap));
    expect(result).toMatchObject({ end: "trapped", exitCode: null });
    expect(result.trap).toBeTruthy();
    expect(textOf(result.stdout)).toContain("polder is dry.");
    expect(Math.abs(result.fuelUsed - quiet)).toBeLessThan(40);
  });

  test("behavior: a trap inside a loop has paid for the loop's way so far, but for a chunk at most", () => {
    const inside = `(loop (local.set $n (i64.add (local.get $n) (i64.const 1)))
      (if (i64.eq (local.get $n) (i64.const 50000)) (then (i32.store (i32.const -4) (i32.const 0)))) (br 0))`;
    const result = run(command(inside));
    expect(result.end).toBe("trapped");
    const used = result.fuelUsed - PAGE_FUEL;
    expect(used).toBeGreaterThan(50_000 * 9 - CHUNK_FUEL);
    expect(used).toBeLessThan(50_000 * 11);
  });
});

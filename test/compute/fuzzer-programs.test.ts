// Owns programs that somebody else's fuzzer makes of random bytes: binaryen's, with its own taste in modules. It refuses
// a difference between a rewritten one and the same one instruction by instruction, in calls, memory, traps or fuel.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CHUNK_FUEL } from "../../compute/metering/fuel-schedule.ts";
import { meterModule } from "../../compute/metering/rewrite.ts";
import { assemble, disassemble } from "../../tools/job-sources.ts";
import { meterNaively } from "../support/naive-meter.ts";
import { randomStream } from "../support/random-module.ts";

const SEED = Number(process.env.JOB_SEED ?? 1);
const PROGRAMS = Number(process.env.JOB_PROGRAMS ?? 8);
const FUZZER = join(import.meta.dirname, "../../node_modules/binaryen/bin/wasm-opt");
const FEATURES = [
  "simd",
  "bulk-memory",
  "nontrapping-float-to-int",
  "sign-ext",
  "multivalue",
  "reference-types",
];

/** A module out of a seed; its start function stays uncalled, and what it imports but functions is its own. */
function fuzzed(seed: number): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "polder-fuzz-"));
  try {
    const random = randomStream(seed);
    const input = join(folder, "seed");
    const output = join(folder, "module.wasm");
    writeFileSync(
      input,
      Uint8Array.from({ length: 12_000 }, () => random(256)),
    );
    const flags = FEATURES.map((feature) => `--enable-${feature}`);
    const args = [FUZZER, "--translate-to-fuzz", input, "-o", output, "--enable-mutable-globals", ...flags];
    execFileSync(process.execPath, args, { stdio: "ignore" });
    return withoutSurroundings(new Uint8Array(readFileSync(output)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withoutSurroundings(bytes: Uint8Array): Uint8Array {
  const own: string[] = [];
  const lines = disassemble(bytes)
    .split("\n")
    .filter((line) => {
      const imported = /^ {2}\(import "[^"]*" "[^"]*" \(global \(;\d+;\) (\(mut )?(\w+)/.exec(line);
      if (imported !== null)
        own.push(
          `(global ${imported[1] ?? ""}${imported[2]}${imported[1] ? ")" : ""} ${zero(imported[2] ?? "")})`,
        );
      return imported === null && !/^ {2}\(start \d+\)/.test(line);
    });
  lines.forEach((line, index) => {
    const global = /^ {2}(\(global \(;\d+;\) (?:\(mut )?(\w+)\)?) \(global\.get \d+\)\)/.exec(line);
    if (global !== null) lines[index] = `  ${global[1]} ${zero(global[2] ?? "")})`;
  });
  // A definition may not stand before an import.
  const after = lines.findLastIndex((line) => line.startsWith("  (import"));
  lines.splice(after + 1, 0, ...own);
  const text = lines.join("\n").trimEnd();
  // The start function's line may have closed the module.
  const open = [...text.replace(/"(\\.|[^"\\])*"/g, "").matchAll(/[()]/g)].reduce(
    (sum, [sign]) => sum + (sign === "(" ? 1 : -1),
    0,
  );
  return assemble(text + ")".repeat(open));
}

function zero(type: string): string {
  if (type === "externref") return "(ref.null extern)";
  if (type === "funcref") return "(ref.null func)";
  return type === "v128" ? "(v128.const i64x2 0 0)" : `(${type}.const 0)`;
}

interface Behaviour {
  /** What every exported function answered or trapped with, and what was logged meanwhile, in order. */
  readonly events: readonly string[];
  readonly memory: string;
  readonly fuel: number;
}

const LIMIT = 1n << 50n;

function behaviourOf(bytes: Uint8Array): Behaviour {
  const module = new WebAssembly.Module(bytes);
  const events: string[] = [];
  const log = (...values: unknown[]): number => events.push(`log ${values.map(String).join()}`) * 0;
  const support = new Proxy({}, { get: () => log, has: () => true });
  const imports = new Proxy({}, { get: () => support, has: () => true });
  const { exports } = new WebAssembly.Instance(module, imports);
  const counters = exports as Record<string, { value: bigint } | undefined>;
  if (counters["polder.fuel"] !== undefined) counters["polder.fuel"].value = LIMIT;
  if (counters["polder.stack"] !== undefined) counters["polder.stack"].value = LIMIT;
  for (const { name, kind } of WebAssembly.Module.exports(module)) {
    if (kind !== "function") continue;
    try {
      const call = exports[name] as (...operands: unknown[]) => unknown;
      events.push(`${name} ${String(call(...operandsOf(call.length)))}`);
    } catch (error) {
      events.push(`${name} ${(error as Error).message}`);
    }
  }
  const memories = Object.values(exports).filter(
    (value) => value !== null && typeof value === "object" && "buffer" in value,
  );
  const memory = memories.map(({ buffer }) => Buffer.from(buffer as ArrayBuffer).toString("base64")).join();
  const fuel = counters["polder.fuel"];
  return { events, memory, fuel: Number(fuel === undefined ? counters.naive?.value : LIMIT - fuel.value) };
}

/** Arguments that fit any number: what takes 64 bits refuses them, on both sides alike. */
const operandsOf = (count: number): unknown[] => Array.from({ length: count }, (_, index) => index + 1);

describe("a fuzzer's programs", () => {
  test(`property: the same calls, memory and traps as instruction by instruction (seeds ${SEED} and on)`, {
    timeout: 180_000,
  }, () => {
    let called = 0;
    for (let seed = SEED; seed < SEED + PROGRAMS; seed += 1) {
      const source = fuzzed(seed);
      const { bytes } = meterModule(source);
      expect(WebAssembly.validate(bytes), `seed ${seed}`).toBe(true);
      const ours = behaviourOf(bytes);
      const naive = behaviourOf(meterNaively(source));
      expect(ours.events, `seed ${seed}`).toEqual(naive.events);
      expect(ours.memory === naive.memory, `seed ${seed}: memory`).toBe(true);
      called += ours.events.length;
      // Every trap may differ by what was straight ahead of it, or a loop's chunk.
      const traps = ours.events.filter((event) => !event.startsWith("log")).length;
      expect(Math.abs(ours.fuel - naive.fuel), `seed ${seed}`).toBeLessThanOrEqual(traps * CHUNK_FUEL);
    }
    expect(called).toBeGreaterThan(PROGRAMS);
  });
});

// Owns how tests run modules: as jobs, and as they were before rewriting. It refuses to be a second host: both ways have
// the same system behind them.

import { rewriteCommand } from "../../compute/command.ts";
import type { Job, JobLimits, JobResult } from "../../compute/host/job.ts";
import { JobEnded, Meter } from "../../compute/host/meter.ts";
import { JobSystem } from "../../compute/host/system.ts";
import { runJob } from "../../compute/run-job.ts";

export interface JobParts {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly stdin?: Uint8Array | string;
  readonly limits?: Partial<JobLimits>;
  readonly seed?: number;
}

export const PLENTY: JobLimits = { fuel: 1e12, memoryBytes: 64 * 2 ** 20, outputBytes: 2 ** 20 };

/** A job with plenty of everything, and the same each time. */
export function jobOf({ args = [], env = {}, stdin = "", limits = {}, seed = 1 }: JobParts = {}): Job {
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  const limit = { ...PLENTY, ...limits };
  return {
    args,
    env,
    stdin: bytes,
    limits: limit,
    seed: new Uint8Array(32).fill(seed),
    clockS: 1_800_000_000,
  };
}

export function compiled(source: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(rewriteCommand(source));
}

/** Rewrites, compiles and runs. */
export function run(source: Uint8Array, parts: JobParts = {}): JobResult {
  return runJob(compiled(source), jobOf(parts));
}

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What a module did that was not rewritten. */
export interface PlainRun {
  readonly exports: Record<string, unknown>;
  readonly stdout: Uint8Array;
  /** Fuel that calls of the system took. */
  readonly systemFuel: number;
  readonly exitCode: number;
}

/** Runs a command as it stands, under the same system. */
export function runPlain(source: Uint8Array, parts: JobParts = {}): PlainRun {
  const meter = new Meter(2 ** 52);
  meter.attach({ value: 0n });
  const system = new JobSystem(jobOf(parts), meter);
  const module = new WebAssembly.Module(source);
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: system.imports() });
  system.attach(exports.memory as { buffer: ArrayBuffer });
  let exitCode = 0;
  try {
    (exports._start as () => void)();
  } catch (error) {
    if (!(error instanceof JobEnded)) throw error;
    exitCode = error.exitCode ?? -1;
  }
  return { exports, stdout: system.streams.output(1), systemFuel: meter.used(), exitCode };
}

/** What a module without imports left behind: its memory, its trap, and the fuel by its own counter. */
export interface BareRun {
  readonly memory: Uint8Array;
  readonly trap: string | null;
  readonly fuel: number;
}

/** Runs a rewritten module, or one that meters itself naively, without a system. */
export function runBare(bytes: Uint8Array, fuelLimit = 2 ** 50): BareRun {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  const counters = exports as Record<string, { value: bigint } | undefined>;
  const fuel = counters["polder.fuel"];
  if (fuel !== undefined) fuel.value = BigInt(fuelLimit);
  if (counters["polder.stack"] !== undefined) counters["polder.stack"].value = 1n << 40n;
  let trap: string | null = null;
  try {
    (exports._start as () => void)();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    trap = error.message;
  }
  const used = fuel === undefined ? Number(counters.naive?.value) : fuelLimit - Number(fuel.value);
  return { memory: new Uint8Array((exports.memory as { buffer: ArrayBuffer }).buffer), trap, fuel: used };
}

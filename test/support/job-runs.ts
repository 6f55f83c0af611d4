// Owns how tests run modules: as jobs, and as they were before rewriting. It refuses to be a second host: both ways have
// the same system behind them.

import { type PlainRun, runUnmetered } from "../../bench/unmetered-job.ts";
import { rewriteCommand } from "../../compute/command.ts";
import type { Job, JobLimits, JobResult } from "../../compute/host/job.ts";
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

/** Runs a command as it stands. */
export const runPlain = (source: Uint8Array, parts: JobParts = {}): PlainRun =>
  runUnmetered(new WebAssembly.Module(source), jobOf(parts));

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

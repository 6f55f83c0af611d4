// Owns running a module as a job without having rewritten it, to compare with. It refuses to be a second host: the system
// behind both is the same.

import { importedNames } from "../compute/host/engine.ts";
import type { Job } from "../compute/host/job.ts";
import { JobEnded, Meter } from "../compute/host/meter.ts";
import { JobSystem } from "../compute/host/system.ts";

/** What a module did that was not rewritten. */
export interface PlainRun {
  readonly exports: Record<string, unknown>;
  readonly stdout: Uint8Array;
  /** Fuel that calls of the system took. */
  readonly systemFuel: number;
  readonly exitCode: number;
}

/** Runs a command as it stands, to its end whenever that may be. */
export function runUnmetered(module: WebAssembly.Module, job: Job): PlainRun {
  const meter = new Meter(2 ** 52);
  meter.attach({ value: 0n });
  const system = new JobSystem(job, meter);
  const names = new Set(importedNames(module));
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: system.imports(names) });
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

// Owns running a job in a rewritten module to its one result, on any engine. It refuses modules that were not rewritten by
// this version, and to answer a result that another machine would not reach: then it throws JobNotRun.
//
// Wall time is not bounded here: whoever runs jobs does so in a worker that can be ended.

import {
  type CompiledModule,
  customSection,
  instantiate,
  isTrap,
  type LinearMemory,
  type WideGlobal,
} from "./host/engine.ts";
import { checkJob, type Job, type JobEnd, JobNotRun, type JobResult, resultOf } from "./host/job.ts";
import { JobEnded, Meter } from "./host/meter.ts";
import { PREVIEW1 } from "./host/preview1.ts";
import { JobSystem } from "./host/system.ts";
import { PAGE_FUEL, REWRITER_VERSION, STACK_BYTES } from "./metering/fuel-schedule.ts";
import { FUEL_EXPORT, METERED_SECTION, PAGES_EXPORT, STACK_EXPORT } from "./metering/rewrite.ts";
import { ByteReader } from "./module/byte-reader.ts";

const PAGE_BYTES = 65_536;

interface Ending {
  readonly end: JobEnd;
  readonly exitCode: number | null;
  readonly trap: string | null;
}

/**
 * Runs a job, synchronously, until it ends or its fuel does.
 *
 * @param module A compiled module that `rewriteCommand` gave.
 * @throws JobNotRun when there is no result that is the job's own.
 */
export function runJob(module: CompiledModule, job: Job): JobResult {
  checkJob(job);
  const firstPages = readMark(module);
  const pages = Math.floor(job.limits.memoryBytes / PAGE_BYTES);
  if (firstPages > pages) return withoutRunning("memory_too_small", job);
  if (firstPages * PAGE_FUEL > job.limits.fuel) return withoutRunning("out_of_fuel", job);
  // The exports are there only once the instance is; instantiating runs nothing of the job's.
  const counters: { fuel: WideGlobal | undefined } = { fuel: undefined };
  const fuel: WideGlobal = {
    get value() {
      return (counters.fuel as WideGlobal).value;
    },
    set value(left) {
      if (counters.fuel !== undefined) counters.fuel.value = left;
    },
  };
  const meter = new Meter(fuel, job.limits.fuel);
  const system = new JobSystem(job, meter);
  void meter;
  void system;
  throw new Error("draft");
}

function withoutRunning(end: JobEnd, job: Job): JobResult {
  const fuelUsed = end === "out_of_fuel" ? job.limits.fuel : 0;
  const nothing = new Uint8Array(0);
  return resultOf({ end, exitCode: null, stdout: nothing, stderr: nothing, fuelUsed, trap: null });
}

/** Pages that the memory begins with, from what the rewriter left in the module. */
function readMark(module: CompiledModule): number {
  const section = customSection(module, METERED_SECTION);
  if (section === undefined) throw new JobNotRun("not_metered", "the module was not rewritten");
  const reader = new ByteReader(section);
  const version = reader.u32();
  if (version !== REWRITER_VERSION) throw new JobNotRun("other_version", `version ${version}`);
  return reader.u32();
}

// Owns running a job in a rewritten module to its one result, on any engine. It refuses modules that were not rewritten by
// this version, and to answer a result that another machine would not reach: then it throws JobNotRun.
//
// Wall time is not bounded here: whoever runs jobs does so in a worker that can be ended.

import {
  type CompiledModule,
  customSection,
  importedNames,
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

/** The counters of an instance, and where it starts. */
interface Instance {
  readonly start: () => void;
  readonly fuel: WideGlobal;
  readonly stack: WideGlobal;
  readonly pages: WideGlobal;
}

/**
 * Runs a job, synchronously, until it ends or its fuel does.
 *
 * @param module A compiled module that `rewriteCommand` gave.
 * @throws JobNotRun when there is no result that is the job's own.
 */
export function runJob(module: CompiledModule, job: Job): JobResult {
  checkJob(job);
  const { firstPages, calls } = factsOf(module);
  const mostPages = Math.floor(job.limits.memoryBytes / PAGE_BYTES);
  const nothing = { exitCode: null, stdout: new Uint8Array(0), stderr: new Uint8Array(0), trap: null };
  if (firstPages > mostPages) return resultOf({ ...nothing, end: "memory_too_small", fuelUsed: 0 });
  const meter = new Meter(job.limits.fuel);
  const system = new JobSystem(job, meter);
  const ending = runToEnd(module, system, meter, { calls, firstPages, mostPages });
  const { streams } = system;
  const output = { stdout: streams.output(1), stderr: streams.output(2) };
  return resultOf({ ...ending, ...output, fuelUsed: meter.used() });
}

function runToEnd(
  module: CompiledModule,
  system: JobSystem,
  meter: Meter,
  { calls, firstPages, mostPages }: { calls: ReadonlySet<string>; firstPages: number; mostPages: number },
): Ending {
  let instance: Instance | undefined;
  try {
    // Nothing of the job's runs before its counters are filled: there are no start functions.
    instance = makeInstance(module, system, calls);
    meter.attach(instance.fuel);
    instance.stack.value = BigInt(STACK_BYTES);
    if (instance.pages.value > BigInt(mostPages)) instance.pages.value = BigInt(mostPages);
    meter.take(firstPages * PAGE_FUEL);
    instance.start();
    return {
      end: meter.isEmpty() ? "out_of_fuel" : "exited",
      exitCode: meter.isEmpty() ? null : 0,
      trap: null,
    };
  } catch (error) {
    return endingOf(error, instance);
  }
}

function makeInstance(module: CompiledModule, system: JobSystem, calls: ReadonlySet<string>): Instance {
  const exports = instantiate(module, calls.size === 0 ? {} : { [PREVIEW1]: system.imports(calls) });
  system.attach(exports.memory as LinearMemory);
  return {
    start: exports._start as () => void,
    fuel: exports[FUEL_EXPORT] as WideGlobal,
    stack: exports[STACK_EXPORT] as WideGlobal,
    pages: exports[PAGES_EXPORT] as WideGlobal,
  };
}

/** Tells the job's own ends, which are the same everywhere, from those of the engine, which are not. */
function endingOf(error: unknown, instance: Instance | undefined): Ending {
  if (error instanceof JobEnded) return { end: error.end, exitCode: error.exitCode, trap: null };
  if (isTrap(error)) {
    // Data beyond the memory that the module begins with traps before anything is filled.
    if (instance === undefined) return { end: "trapped", exitCode: null, trap: error.message };
    if (instance.pages.value < 0n) throw new JobNotRun("engine_out_of_memory", "memory did not grow");
    if (instance.fuel.value < 0n) return { end: "out_of_fuel", exitCode: null, trap: null };
    if (instance.stack.value < 0n) return { end: "stack_exhausted", exitCode: null, trap: null };
    return { end: "trapped", exitCode: null, trap: error.message };
  }
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (/call stack|recursion/i.test(words)) throw new JobNotRun("engine_stack", words);
  if (/memory/i.test(words)) throw new JobNotRun("engine_out_of_memory", words);
  throw new JobNotRun("engine_refused", words);
}

/** What is the same for all runs of a module: reading it takes as long as a small run. */
interface ModuleFacts {
  readonly firstPages: number;
  /** Calls of the system that it may make. */
  readonly calls: ReadonlySet<string>;
}

const known = new WeakMap<CompiledModule, ModuleFacts>();

function factsOf(module: CompiledModule): ModuleFacts {
  let facts = known.get(module);
  if (facts === undefined) {
    facts = { firstPages: readMark(module), calls: new Set(importedNames(module)) };
    known.set(module, facts);
  }
  return facts;
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

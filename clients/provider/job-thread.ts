// Owns the thread that runs jobs for a provider's node, one after the other. It refuses nothing and bounds no time: whoever
// started it ends it.

import { parentPort } from "node:worker_threads";
import { type Job, JobNotRun } from "../../compute/host/job.ts";
import { runJob } from "../../compute/run-job.ts";
import type { ThreadOrder, ThreadReport } from "./job-pool.ts";

/** Compiled modules by name: sent once, each is some megabytes. */
const modules = new Map<string, WebAssembly.Module>();

parentPort?.on("message", (orders: readonly ThreadOrder[]) => {
  for (const order of orders) {
    if (order.kind === "module") modules.set(order.name, order.module);
    else if (order.kind === "forget") modules.delete(order.name);
    else parentPort?.postMessage(ran(order.name, order.job));
  }
});

function ran(name: string, job: Job): ThreadReport {
  try {
    const module = modules.get(name);
    if (module === undefined) throw new JobNotRun("job_malformed", "no such module in this thread");
    return { result: runJob(module, job) };
  } catch (error) {
    if (error instanceof JobNotRun) return { notRun: error.reason };
    return { notRun: error instanceof Error ? error.message : String(error) };
  }
}

// Owns the thread that runs jobs for a provider's node, one after the other. It refuses nothing and bounds no time: whoever
// started it ends it.

import { parentPort } from "node:worker_threads";
import { JobNotRun, type JobResult } from "../../compute/host/job.ts";
import { runJob } from "../../compute/run-job.ts";
import type { ThreadOrder, ThreadReport } from "./job-pool.ts";

/** How long a result may wait for others that end with it. Milliseconds. */
const TOLD_WITHIN_MS = 1;

/** Compiled modules by name: sent once, each is some megabytes. */
const modules = new Map<string, WebAssembly.Module>();

type RunOrder = Extract<ThreadOrder, { kind: "run" }>;
let last: RunOrder | null = null;

parentPort?.on("message", (orders: readonly ThreadOrder[]) => {
  let reports: ThreadReport[] = [];
  let sentMs = performance.now();
  for (const order of orders) {
    if (order.kind === "module") modules.set(order.name, order.module);
    else if (order.kind === "forget") modules.delete(order.name);
    else {
      if (order.kind === "run") last = order;
      reports.push(ran(last));
    }
    // Small runs are told together; what took long is told at once.
    if (reports.length === 0 || performance.now() - sentMs < TOLD_WITHIN_MS) continue;
    parentPort?.postMessage(reports);
    reports = [];
    sentMs = performance.now();
  }
  if (reports.length > 0) parentPort?.postMessage(reports);
});

/** Without the arrays where they are empty: those take longer to copy than all the rest. */
function reportOf({ stdout, stderr, ...result }: JobResult): ThreadReport {
  return stdout.length === 0 && stderr.length === 0 ? { result } : { result, stdout, stderr };
}

function ran(order: RunOrder | null): ThreadReport {
  try {
    if (order === null) throw new JobNotRun("job_malformed", "nothing was run before");
    const { name, job } = order;
    const module = modules.get(name);
    if (module === undefined) throw new JobNotRun("job_malformed", "no such module in this thread");
    return reportOf(runJob(module, job));
  } catch (error) {
    if (error instanceof JobNotRun) return { notRun: error.reason };
    return { notRun: error instanceof Error ? error.message : String(error) };
  }
}

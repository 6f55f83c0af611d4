// Owns the thread of Node's that runs jobs in tests. It refuses to outlive its jobs.

import { parentPort, workerData } from "node:worker_threads";
import { runSent, type SentJob } from "./job-engine.ts";

const { bytes, jobs } = workerData as { bytes: Uint8Array; jobs: SentJob[] };
const module = new WebAssembly.Module(bytes);
parentPort?.postMessage(jobs.map((job) => runSent(module, job)));

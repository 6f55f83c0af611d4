// Owns the isolate that one job runs in: module and host, and the way in and out of them. It refuses nothing; what this machine
// could not run to its end is answered as that.

import module from "job.wasm";
import { type Job, JobNotRun } from "../compute/host/job.ts";
import { runJob } from "../compute/run-job.ts";
import { decodeFrame, encodeFrame, type Frame, refusalFrame } from "../durable-objects/referee-frames.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    return new Response(encodeFrame(run(decodeFrame(await request.arrayBuffer()))));
  },
};

function run({ facts, parts: [stdin, seed] }: Frame): Frame {
  const job = { ...(facts.job as Omit<Job, "stdin" | "seed">), stdin, seed } as Job;
  try {
    const { stdout, stderr, outputHash, ...result } = runJob(module, job);
    return {
      facts: { kind: "result", ...result, outputHash: `0x${outputHash}` },
      parts: [stdout, stderr],
    };
  } catch (error) {
    if (!(error instanceof JobNotRun)) throw error;
    return refusalFrame("not_run");
  }
}

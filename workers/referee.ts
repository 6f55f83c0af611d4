// Owns the referee: a Worker of its own that runs a job in an isolate made for it, with nothing but the rewritten module and the
// host, and no way out. It refuses jobs beyond its limits, and has no address: only a service binding leads here.

import isolate from "polder-job-isolate";
import { describedJob } from "../compute/described-job.ts";
import {
  decodeFrame,
  encodeFrame,
  type RefereeRefusal,
  refusalFrame,
} from "../durable-objects/referee-frames.ts";
import { isBeyondReferee, jobDescription } from "../protocol/jobs.ts";
import { MAX_REFEREE_WALL_SECONDS } from "../protocol/limits.ts";

interface RefereeEnv {
  readonly LOADER: WorkerLoader;
}

const COMPATIBILITY_DATE = "2026-07-30";

export default {
  async fetch(request, { LOADER }) {
    const { facts, parts } = decodeFrame(await request.arrayBuffer());
    const [input, module] = parts;
    if (input === undefined || module === undefined)
      return new Response("a run has two parts", { status: 400 });
    const description = jobDescription.parse(facts.description);
    if (isBeyondReferee(description)) return refusal("beyond_limits");
    const { stdin, seed, ...job } = describedJob(description, input);
    try {
      const worker = LOADER.load({
        compatibilityDate: COMPATIBILITY_DATE,
        mainModule: "job-isolate.js",
        modules: { "job-isolate.js": isolate, "job.wasm": { wasm: module } },
        globalOutbound: null,
        limits: { cpuMs: MAX_REFEREE_WALL_SECONDS * 1000, subRequests: 0 },
      });
      const body = encodeFrame({ facts: { job }, parts: [stdin, seed] });
      const answer = await worker.getEntrypoint().fetch("http://job/", { method: "POST", body });
      return new Response(await answer.arrayBuffer());
    } catch (fault) {
      console.error("a run broke off", fault);
      return refusal(/time limit|exceeded cpu/i.test(String(fault)) ? "overran" : "not_run");
    }
  },
} satisfies ExportedHandler<RefereeEnv>;

function refusal(reason: RefereeRefusal): Response {
  return new Response(encodeFrame(refusalFrame(reason)));
}

// Owns running the same jobs in every runtime that this machine has: threads of Node, isolates of workerd that are made at
// run time from rewritten bytes, and Chromium. It refuses to share anything between them but the bytes.

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../../tools/chromium.ts";
import type { SentJob, SentResult } from "./job-engine.ts";

const COMPATIBILITY_DATE = "2026-07-30";

/** Somewhere that rewrites and runs. */
export interface Runtime {
  readonly name: string;
  /** Rewrites there; undefined where nothing is uploaded to. */
  readonly rewrite?: (source: Uint8Array) => Promise<Uint8Array>;
  readonly run: (module: Uint8Array, jobs: readonly SentJob[]) => Promise<SentResult[]>;
  readonly stop: () => Promise<void>;
}

async function bundleEngine(format: "esm" | "iife"): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "job-engine.ts")],
    bundle: true,
    format,
    globalName: "jobEngine",
    target: "es2024",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** Threads with the smallest stack that Node gives by itself. */
export function nodeThreads(): Runtime {
  const run = (bytes: Uint8Array, jobs: readonly SentJob[]): Promise<SentResult[]> => {
    const thread = new Worker(join(import.meta.dirname, "job-thread.ts"), {
      workerData: { bytes, jobs },
      resourceLimits: { stackSizeMb: 1 },
    });
    return new Promise((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", reject);
    });
  };
  return { name: "threads of Node", run, stop: async () => {} };
}

const OUTER = `
import engine from "engine.txt";
import isolate from "isolate.txt";
import { rewriteCommand } from "engine.js";
export default {
  async fetch(request, env) {
    const body = await request.arrayBuffer();
    if (request.url.endsWith("/rewrite")) return new Response(rewriteCommand(new Uint8Array(body)));
    const { bytes, jobs } = JSON.parse(new TextDecoder().decode(body));
    const worker = env.LOADER.load({
      compatibilityDate: "${COMPATIBILITY_DATE}",
      mainModule: "isolate.js",
      modules: { "isolate.js": isolate, "engine.js": engine, "job.wasm": { wasm: Uint8Array.from(bytes).buffer } },
      globalOutbound: null,
    });
    return worker.getEntrypoint().fetch("http://job/", { method: "POST", body: JSON.stringify(jobs) });
  },
};`;

const ISOLATE = `
import module from "job.wasm";
import { runSent } from "engine.js";
export default {
  async fetch(request) {
    const jobs = await request.json();
    return Response.json(jobs.map((job) => runSent(module, job)));
  },
};`;

/** Uploads are rewritten in a Worker, and every run has an isolate of its own without a way out. */
export async function workerdIsolates(): Promise<Runtime> {
  const engine = await bundleEngine("esm");
  const miniflare = new Miniflare({
    compatibilityDate: COMPATIBILITY_DATE,
    workerLoaders: { LOADER: {} },
    modules: [
      { type: "ESModule", path: "outer.js", contents: OUTER },
      { type: "ESModule", path: "engine.js", contents: engine },
      { type: "Text", path: "engine.txt", contents: engine },
      { type: "Text", path: "isolate.txt", contents: ISOLATE },
    ],
  });
  const ask = async (path: string, body: Uint8Array | string): Promise<ArrayBuffer> => {
    const answer = await miniflare.dispatchFetch(`http://jobs/${path}`, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.arrayBuffer();
  };
  return {
    name: "isolates of workerd",
    rewrite: async (source) => new Uint8Array(await ask("rewrite", source)),
    run: async (bytes, jobs) =>
      JSON.parse(Buffer.from(await ask("run", JSON.stringify({ bytes: [...bytes], jobs }))).toString()),
    stop: () => miniflare.dispose(),
  };
}

/** What the bundle leaves in a page. */
interface PageScope {
  readonly jobEngine: typeof import("./job-engine.ts");
}

export async function chromiumPage(): Promise<Runtime> {
  const browser: Browser = await launchChromium();
  const page: Page = await browser.newPage();
  await page.addScriptTag({ content: await bundleEngine("iife") });
  return {
    name: "Chromium",
    rewrite: async (source) => {
      const bytes = await page.evaluate(
        (sent) => {
          const { jobEngine } = globalThis as unknown as PageScope;
          return [...jobEngine.rewriteCommand(Uint8Array.from(sent))];
        },
        [...source],
      );
      return Uint8Array.from(bytes);
    },
    run: (bytes, jobs) =>
      page.evaluate(
        ({ sent, given }) => {
          const { jobEngine } = globalThis as unknown as PageScope;
          const module = new WebAssembly.Module(Uint8Array.from(sent));
          return given.map((job) => jobEngine.runSent(module, job));
        },
        { sent: [...bytes], given: jobs },
      ),
    stop: () => browser.close(),
  };
}

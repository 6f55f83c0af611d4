// Owns the source of the isolate that the referee loads for a job, bundled to one text. It refuses to leave a half-written file.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BuildOptions } from "esbuild";
import { keptBundle } from "./kept.ts";

const ROOT = dirname(import.meta.dirname);
const FOLDER = join(ROOT, "workers/dist");

/** The isolate's one module. Its `job.wasm` is given to it when it is made. */
export async function bundleIsolate(): Promise<string> {
  const options: BuildOptions = {
    entryPoints: [join(ROOT, "workers/job-isolate.ts")],
    bundle: true,
    format: "esm",
    target: "es2024",
    external: ["job.wasm"],
    logLevel: "warning",
  };
  const [output] = (await keptBundle("job-isolate", options, import.meta.filename)).files;
  if (output === undefined) throw new Error("the bundler returned no file");
  return output.text;
}

/** The module that the referee imports it from. */
export async function isolateModule(): Promise<string> {
  return `export default ${JSON.stringify(await bundleIsolate())};\n`;
}

if (import.meta.main) {
  mkdirSync(FOLDER, { recursive: true });
  const part = join(FOLDER, "job-isolate.js.part");
  writeFileSync(part, await isolateModule());
  renameSync(part, join(FOLDER, "job-isolate.js"));
}

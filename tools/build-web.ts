// Owns web/dist: bundles the pages and the proving worker, and lays out what they fetch. It refuses to write elsewhere,
// and a page that contains code under another licence than its own: only the worker may.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { BuildOptions } from "esbuild";
import { readArtifact } from "../circuits/artifacts.ts";
import { ARTIFACT_SUFFIX, CIRCUITS, type CircuitName } from "../circuits/manifest.ts";
import { type Bundle, keptBundle } from "./kept.ts";

const ROOT = dirname(import.meta.dirname);
const WEB = join(ROOT, "web");
const PAGES = ["index.html", "prove.html"];
const ENTRIES = ["main.ts", "prove.ts"];
/** Applied to assets by the platform, and not served. */
const HEADERS = "_headers";
const DOCS_ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js"];
const { resolve } = createRequire(import.meta.url);

/** What the page proves with; certificates are not proved in a browser yet. */
const CIRCUITS_SERVED = ["meter-4", "meter-96"] as const;
const KINDS_SERVED = ["wasm", "zkey"] as const;
/** Digits of the hash in a served name: enough that a name never comes to mean other bytes in a browser's cache. */
const HASH_DIGITS = 16;

/** The name under which an artifact is served in `/circuits/`. */
export function servedName(circuit: CircuitName, kind: "wasm" | "zkey"): string {
  return `${circuit}.${CIRCUITS[circuit].sha256[kind].slice(0, HASH_DIGITS)}${ARTIFACT_SUFFIX[kind]}`;
}

/** Under the GPL: the circuits' room and the packages that it builds on. */
const COPYLEFT =
  /^circuits\/|(^|\/)node_modules\/(snarkjs|ffjavascript|wasmcurves|wasmbuilder|circom_runtime|circomlib|circom2|fastfile|r1csfile|@iden3)\//;

const WORKER_BANNER = `/*! Polder's proving worker, under the GPL-3.0 (proving-worker.license.txt): circuits/ of the project, with snarkjs and
ffjavascript, Copyright 0KIMS association, and the packages they need. Its sources are in proving-worker.js.map. */`;

const COMMON = {
  bundle: true,
  platform: "browser",
  target: "es2022",
  minify: true,
  sourcemap: "linked",
  legalComments: "none",
  logLevel: "warning",
} as const satisfies BuildOptions;

/** Ends the name of a file that is being written. */
const PART = ".part";

/** Where a page finds an artifact, and how long it is. */
interface ServedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Writes a file whole or not at all, and only when it differs: a running stack may be serving it. */
function place(path: string, contents: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  const part = `${path}.${process.pid}${PART}`;
  writeFileSync(part, contents);
  renameSync(part, path);
}

/** Those of a bundle's inputs that only the proving worker may contain. */
export function copyleftInputs(inputs: readonly string[]): string[] {
  return inputs.filter((input) => COPYLEFT.test(input));
}

/**
 * Builds the pages into `web/dist/` (`main.js`, `prove.js`, their styles and pages, `proving-worker.js`,
 * `circuits/…`, `uplot.css`, `docs-assets/…`) and returns that folder.
 * @throws Error when a page contains what only the worker may, or an artifact is not the manifest's.
 */
export async function buildWeb(): Promise<string> {
  const dist = join(WEB, "dist");
  for (const folder of ["docs-assets", "circuits"]) mkdirSync(join(dist, folder), { recursive: true });
  const swagger = dirname(resolve("swagger-ui-dist/package.json"));
  for (const name of DOCS_ASSETS) place(join(dist, "docs-assets", name), readFileSync(join(swagger, name)));
  place(join(dist, "uplot.css"), readFileSync(join(dirname(resolve("uplot")), "uPlot.min.css")));
  for (const name of [...PAGES, HEADERS]) place(join(dist, name), readFileSync(join(WEB, name)));
  await bundlePages(dist, await placeCircuits(dist));
  await bundleWorker(dist);
  return dist;
}

/** Lays out the artifacts under names that hold their hash, takes those of older circuits away, and says where they are. */
async function placeCircuits(dist: string): Promise<Record<string, Record<string, ServedFile>>> {
  const folder = join(dist, "circuits");
  const served: Record<string, Record<string, ServedFile>> = {};
  const names = new Set<string>();
  for (const circuit of CIRCUITS_SERVED) {
    const files: Record<string, ServedFile> = {};
    for (const kind of KINDS_SERVED) {
      const bytes = await readArtifact(circuit, kind);
      const name = servedName(circuit, kind);
      place(join(folder, name), bytes);
      names.add(name);
      files[kind] = { path: `/circuits/${name}`, bytes: bytes.length };
    }
    served[circuit] = files;
  }
  for (const name of readdirSync(folder)) {
    // What another build is just writing is not of an older circuit.
    if (!names.has(name) && !name.endsWith(PART)) rmSync(join(folder, name), { force: true });
  }
  return served;
}

async function bundlePages(dist: string, circuitFiles: object): Promise<void> {
  const options: BuildOptions = {
    ...COMMON,
    entryPoints: ENTRIES.map((entry) => join(WEB, entry)),
    outdir: dist,
    format: "esm",
    define: { CIRCUIT_FILES: JSON.stringify(circuitFiles) },
  };
  const bundle = await keptBundle("pages", options, import.meta.filename);
  const foreign = copyleftInputs(bundle.inputs);
  if (foreign.length > 0) throw new Error(`only the proving worker may contain ${foreign.join(", ")}`);
  placeOutputs(bundle);
}

async function bundleWorker(dist: string): Promise<void> {
  const options: BuildOptions = {
    ...COMMON,
    entryPoints: [join(ROOT, "circuits/proving-worker.ts")],
    outfile: join(dist, "proving-worker.js"),
    format: "iife",
    // Its packages are under several licences that ask for their notice.
    legalComments: "eof",
    banner: { js: WORKER_BANNER },
  };
  placeOutputs(await keptBundle("proving-worker", options, import.meta.filename));
  place(join(dist, "proving-worker.license.txt"), readFileSync(join(ROOT, "circuits/LICENSE")));
}

function placeOutputs({ files }: Bundle): void {
  for (const { path, text } of files) place(path, Buffer.from(text));
}

if (import.meta.main) {
  const startedMs = performance.now();
  const dist = await buildWeb();
  console.log(`built ${dist} in ${Math.round(performance.now() - startedMs)} ms`);
}

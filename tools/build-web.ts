// Owns web/dist: bundles the dashboard and lays out the files that /docs needs; refuses to write elsewhere.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const ROOT = dirname(import.meta.dirname);
const WEB = join(ROOT, "web");
const PAGES = ["index.html"];
const DOCS_ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js"];

/** Writes a file whole or not at all, and only when it differs: a running stack may be serving it. */
function place(path: string, contents: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, contents);
  renameSync(part, path);
}

/**
 * Builds the dashboard into `web/dist/` (`main.js`, `main.css`, `index.html`, `uplot.css`,
 * `docs-assets/…`) and returns that folder. Without `web/main.ts` only the parts that exist are laid out.
 */
export async function buildWeb(): Promise<string> {
  const dist = join(WEB, "dist");
  const docs = join(dist, "docs-assets");
  mkdirSync(docs, { recursive: true });

  const { resolve } = createRequire(import.meta.url);
  const swagger = dirname(resolve("swagger-ui-dist/package.json"));
  for (const name of DOCS_ASSETS) place(join(docs, name), readFileSync(join(swagger, name)));
  place(join(dist, "uplot.css"), readFileSync(join(dirname(resolve("uplot")), "uPlot.min.css")));
  for (const name of PAGES) {
    if (existsSync(join(WEB, name))) place(join(dist, name), readFileSync(join(WEB, name)));
  }
  const entry = join(WEB, "main.ts");
  if (existsSync(entry)) {
    const bundle = await build({
      entryPoints: [entry],
      outfile: join(dist, "main.js"),
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      target: "es2022",
      minify: true,
      sourcemap: "linked",
      legalComments: "none",
      logLevel: "warning",
    });
    for (const { path, contents } of bundle.outputFiles) place(path, contents);
  }
  return dist;
}

if (import.meta.main) {
  const startedMs = performance.now();
  const dist = await buildWeb();
  console.log(`built ${dist} in ${Math.round(performance.now() - startedMs)} ms`);
}

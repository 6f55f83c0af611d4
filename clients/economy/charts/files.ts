// Owns charts as files: it draws specifications to SVG without a browser. It refuses to fetch anything.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Error as ErrorsOnly, parse, View } from "vega";
import { compile } from "vega-lite";
import type { EconomyRun } from "../economy.ts";
import type { EconomyResult } from "../result.ts";
import { chartsOf } from "./all.ts";
import type { Chart } from "./style.ts";

/** Writes the charts of a result. @returns their paths */
export async function writeCharts(
  folder: string,
  result: EconomyResult,
  runs: readonly EconomyRun[],
): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, spec } of chartsOf(result, runs)) {
    const path = join(folder, `${name}.svg`);
    writeFileSync(path, await drawn(spec));
    paths.push(path);
  }
  return paths;
}

async function drawn(spec: Chart["spec"]): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none", logLevel: ErrorsOnly });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

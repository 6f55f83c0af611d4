// Owns `npm run bench`: measures every row, or those that are named, prints the table and writes bench/results.json.
// It refuses names it does not know, and ends with a failure when a limit was not kept.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { type Measurement, type Row, tableOf } from "./row.ts";

/** Files of bench/rows, in the order in which they run. */
export const MEASUREMENTS = [
  "durable",
  "typed-data",
  "signature",
  "flush",
  "auction",
  "book",
  "replay",
  "memory",
  "feed",
  "import",
  "import-p1",
  "kills",
  "year",
  "simulate",
  "proofs",
  "certificate",
  "report-gas",
  "vote-gas",
  "deposit-latency",
  "vote-latency",
  "preview",
  "metering",
  "lease-run",
  "compute-scale",
] as const;

const RESULTS = join(import.meta.dirname, "results.json");

/** Rows of other measurements from the last run, when only some are measured now. */
function keptRows(measured: readonly Row[]): Row[] {
  if (!existsSync(RESULTS)) return [];
  const names = new Set(measured.map(({ name }) => name));
  return (JSON.parse(readFileSync(RESULTS, "utf8")) as Row[]).filter(({ name }) => !names.has(name));
}

/** Measures and reports; answers the exit code. */
export async function runBench(named: readonly string[]): Promise<number> {
  const unknown = named.filter((name) => !(MEASUREMENTS as readonly string[]).includes(name));
  if (unknown.length > 0) {
    console.error(`no such measurement: ${unknown.join(", ")}; there are ${MEASUREMENTS.join(", ")}`);
    return 2;
  }
  const chosen = MEASUREMENTS.filter((name) => named.length === 0 || named.includes(name));
  const rows: Row[] = [];
  for (const name of chosen) {
    const { measure } = (await import(`./rows/${name}.ts`)) as { measure: Measurement };
    console.log(name);
    rows.push(...(await measure((line) => console.log(`  ${line}`))));
  }
  console.log(`\n${tableOf(rows)}`);
  for (const { name, note } of rows) console.log(`${name}: ${note ?? ""}`);
  console.log(
    `\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}. Load and server share the cores; figures are medians and still noisy.`,
  );
  const all = chosen.length === MEASUREMENTS.length ? rows : [...keptRows(rows), ...rows];
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 2)}\n`);
  return rows.every(({ isWithinLimit }) => isWithinLimit !== false) ? 0 : 1;
}

if (import.meta.main) process.exit(await runBench(process.argv.slice(2)));

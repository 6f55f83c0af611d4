// Owns the row `simulate`: steps of the deterministic simulation a second, every check included. It refuses a run in
// which a check failed.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { median } from "../median.ts";
import { limited, type Measurement } from "../row.ts";

/** Nothing imports tests, and a simulation wants a process of its own. */
const PROGRAM = join(import.meta.dirname, "../../test/simulation/main.ts");
const STEPS = 2_000;
const ROUNDS = 3;
/** Below this, the seeds of `npm test` would take minutes. */
const LEAST = 100;

interface Report {
  readonly stepsPerSecond: number;
  readonly failure: object | null;
  readonly simulatedHours: number;
  readonly checks: { readonly invariants: number; readonly audits: number; readonly recoveries: number };
  readonly platform: { readonly crashes: number; readonly evictions: number };
}

function run(seed: number, steps: number): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        PROGRAM,
        "--seed",
        String(seed),
        "--steps",
        String(steps),
        "--json",
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    child.once("error", reject);
    child.once("close", (status) => {
      const last = printed.trim().split("\n").at(-1) ?? "";
      if (last === "") reject(new Error(`the simulation ended with ${status} and said nothing`));
      else resolve(JSON.parse(last) as Report);
    });
  });
}

/** Measures the row. */
export async function measureSimulate(
  say: (line: string) => void,
  rounds = ROUNDS,
  steps = STEPS,
): ReturnType<Measurement> {
  const reports: Report[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const report = await run(round + 1, steps);
    if (report.failure !== null) throw new Error(`a check failed: ${JSON.stringify(report.failure)}`);
    reports.push(report);
    say(`seed ${round + 1}: ${report.stepsPerSecond.toFixed(0)} steps/s`);
  }
  const sum = (count: (report: Report) => number): number =>
    reports.reduce((total, report) => total + count(report), 0);
  const stepsPerSecond = median(reports.map((report) => report.stepsPerSecond));
  return [
    limited({
      name: "simulate",
      ours: stepsPerSecond,
      unit: "steps/s",
      higherIsBetter: true,
      limit: `at least ${LEAST} steps/s, no check failed`,
      isWithinLimit: stepsPerSecond >= LEAST,
      note: `${rounds} seeds of ${steps} steps on Node, one after the other: ${sum(({ checks }) => checks.invariants)} invariants checked, ${sum(({ checks }) => checks.recoveries)} recoveries compared, ${sum(({ checks }) => checks.audits)} audits, ${sum(({ platform }) => platform.crashes)} crashes, ${sum(({ platform }) => platform.evictions)} evictions, ${Math.round(sum((report) => report.simulatedHours))} hours of market time`,
    }),
  ];
}

export const measure: Measurement = (say) => measureSimulate(say);

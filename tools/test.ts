// Owns `npm test`: the checks of form first, then every test, and one last line that a program can read.
// It refuses to call a run good whose report is missing.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWeb } from "./build-web.ts";
import { CONTRACT_STEPS, hasForge, testContracts } from "./contracts.ts";
import { runProgram, type Tally } from "./program.ts";

interface Step {
  name: string;
  command: string;
  args: string[];
  environment?: Record<string, string>;
}

const STEPS: Step[] = [
  // Formatting and the order of imports.
  { name: "format", command: "biome", args: ["check", "--linter-enabled=false", "."] },
  { name: "lint", command: "biome", args: ["lint", "--error-on-warnings", "."] },
  {
    name: "types",
    command: "tsc",
    args: ["--build", "tsconfig.node.json", "tsconfig.workers.json", "tsconfig.web.json"],
  },
  { name: "tree", command: "node", args: ["tools/check-tree.ts"] },
  ...(hasForge() ? CONTRACT_STEPS : []),
];

async function runStep({ name, command, args, environment = {} }: Step): Promise<boolean> {
  const startedMs = performance.now();
  console.log(`▸ ${name}`);
  const passed = (await runProgram(command, args, { environment })).exitCode === 0;
  console.log(`${passed ? "✓" : "✗"} ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  return passed;
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[];
}

/** Counts a report. A file that failed without a failing test (it did not even load) counts as one. */
function countReport(report: Report, exitCode: number): Tally {
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    // An unhandled error fails the run though every test passed.
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** What only computes, and what starts processes, sockets and browsers and measures patience: projects of vitest.config.ts. */
const COMPUTING = ["pure", "simulation"];
const WAITING = ["node", "workers"];

interface TestRun {
  readonly filters?: readonly string[];
  readonly projects?: readonly string[];
  /** Beside another run: it takes the time that is left over, and is shown when it is done. */
  readonly isBeside?: boolean;
}

async function runTests({ filters = [], projects = [], isBeside = false }: TestRun): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), "polder-test-"));
  const outputFile = join(folder, "report.json");
  try {
    const args = [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${outputFile}`,
      ...projects.map((name) => `--project=${name}`),
      ...filters,
    ];
    const environment = isBeside ? { POLDER_TESTS_BESIDE: "1" } : {};
    const { exitCode, output } = await runProgram("vitest", args, {
      environment,
      isRead: isBeside,
      isPatient: isBeside,
    });
    if (isBeside) console.log(output);
    return countReport(JSON.parse(readFileSync(outputFile, "utf8")), exitCode);
  } catch (error) {
    console.error(`the tests left no report: ${error}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything: what only computes goes on in the gaps of what waits. */
async function runEverything(): Promise<Tally[]> {
  const contracts = await testContracts();
  const beside = runTests({ projects: COMPUTING, isBeside: true });
  const waiting = await runTests({ projects: WAITING });
  return [contracts, waiting, await beside];
}

async function main(args: string[]): Promise<number> {
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const step of STEPS) {
    if (await runStep(step)) total.passed += 1;
    else total.failed += 1;
  }
  if (!args.includes("--fast")) {
    await buildWeb();
    // With file names only those are wanted, and they are vitest's.
    const parts = args.length === 0 ? await runEverything() : [await runTests({ filters: args })];
    for (const { passed, failed, skipped } of parts) {
      total.passed += passed;
      total.failed += failed;
      total.skipped += skipped;
    }
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));

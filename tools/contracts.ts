// Owns what Forge does for the contracts: their form, their tests with the kept gas figures, and the TypeScript that is made of
// them. It refuses a run that left no report, and names what it skips where there is no Forge for this machine.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runProgram, type Tally } from "./program.ts";

/** Contracts that others deploy or call, by their source below governance/. */
const EXPORTED = {
  settlement: "settlement/Settlement.sol:Settlement",
  meterRegistry: "registry/MeterRegistry.sol:MeterRegistry",
  polderToken: "vote/PolderToken.sol:PolderToken",
  callList: "vote/CallList.sol:CallList",
  polderGovernor: "vote/PolderGovernor.sol:PolderGovernor",
  rewardParameters: "vote/RewardParameters.sol:RewardParameters",
  providerStake: "stake/ProviderStake.sol:ProviderStake",
  /** OpenZeppelin's; the governor imports it. */
  timelockController: "TimelockController.sol:TimelockController",
  testQuote: "tokens/TestQuote.sol:TestQuote",
} as const;

const OUT = join(ROOT, "governance/out");
/** Characters of a counterexample. */
const MOST_SHOWN = 400;
/** Gas of whole transactions and sizes of contracts, a file a group, as it was when somebody last looked. */
const GAS = join(ROOT, "governance/snapshots");
const GENERATED = join(ROOT, "governance/generated");

/** Whether there is a Forge for this machine; its packages name few platforms. */
export function hasForge(): boolean {
  return existsSync(join(ROOT, "node_modules/.bin/forge"));
}

/** Format and lint of the contracts. Lint keeps a cache of its own, for it stores builds without code in the one it finds. */
export const CONTRACT_STEPS = [
  { name: "contracts: format", command: "forge", args: ["fmt", "--check"] },
  {
    name: "contracts: lint",
    command: "forge",
    args: ["lint"],
    environment: {
      FOUNDRY_OUT: "governance/cache/lint/out",
      FOUNDRY_CACHE_PATH: "governance/cache/lint",
    },
  },
];

/** One test in Forge's report. */
interface Outcome {
  status: string;
  reason: string | null;
  counterexample: unknown;
  /** Figures by group and name, as decimal strings. */
  gas_snapshots: Record<string, Record<string, string>>;
}

/** Forge's report: suites by file and contract, tests by signature. */
type Report = Record<string, { test_results: Record<string, Outcome> }>;

/** Runs every contract's tests, with gas compared to what is kept, and checks what was generated of them. */
export async function testContracts(): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  if (!hasForge()) {
    console.log(`- contracts: skipped, there is no Forge for ${process.platform}-${process.arch}`);
    return { ...tally, skipped: 1 };
  }
  const startedMs = performance.now();
  console.log("▸ contracts");
  const { exitCode, output } = await runForge(["test", "--json"]);
  const report = readReport(output);
  if (report === null) console.log(output);
  else {
    countReport(report, tally);
    for (const difference of changedGas(report)) fail(tally, difference);
    for (const name of staleExports()) fail(tally, `${name} is stale: npm run contracts`);
  }
  if ((exitCode !== 0 || tally.passed === 0) && tally.failed === 0) tally.failed += 1;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${tally.failed === 0 ? "✓" : "✗"} contracts: ${tally.passed} tests passed (${seconds} s)`);
  return tally;
}

/**
 * Measures what the contracts' transactions cost.
 * @returns gas by name, or null where there is no Forge for this machine.
 * @throws Error when the run failed, or measured nothing.
 */
export async function measureGas(): Promise<ReadonlyMap<string, number> | null> {
  if (!hasForge()) return null;
  const { exitCode, output } = await runForge(["test", "--match-contract", "GasTest", "--json"]);
  const report = readReport(output);
  if (exitCode !== 0 || report === null) throw new Error(`gas was not measured: ${output}`);
  const figures = gasOf(report);
  if (figures.size === 0) throw new Error("no gas was measured");
  return figures;
}

/** Forge with its report read. It keeps no gas: only a run by hand does. */
function runForge(args: readonly string[]) {
  return runProgram("forge", args, { environment: { FORGE_SNAPSHOT_EMIT: "false" }, isRead: true });
}

function gasOf(report: Report): Map<string, number> {
  const outcomes = Object.values(report).flatMap(({ test_results: tests }) => Object.values(tests));
  const figures = outcomes.flatMap(({ gas_snapshots: groups }) =>
    Object.values(groups).flatMap((group) => Object.entries(group)),
  );
  return new Map(figures.map(([name, gas]) => [name, Number(gas)]));
}

/** What differs from the kept figures. Forge compares them itself, but not when it reports as JSON. */
function changedGas(report: Report): string[] {
  const measured = gasOf(report);
  const kept = keptGas();
  return [...new Set([...kept.keys(), ...measured.keys()])]
    .filter((name) => kept.get(name) !== measured.get(name))
    .map((name) => {
      const [before = "none", now = "none"] = [kept.get(name), measured.get(name)];
      return `gas of "${name}": ${before} kept, ${now} measured; forge test --match-contract GasTest keeps it`;
    });
}

function keptGas(): Map<string, number> {
  const files = readdirSync(GAS).map((file) => readFileSync(join(GAS, file), "utf8"));
  const groups = files.map((text) => JSON.parse(text) as Record<string, string>);
  return new Map(groups.flatMap(Object.entries<string>).map(([name, gas]) => [name, Number(gas)]));
}

function fail(tally: Tally, what: string): void {
  console.log(`  ✗ ${what}`);
  tally.failed += 1;
}

function readReport(output: string): Report | null {
  try {
    return JSON.parse(output) as Report;
  } catch {
    return null;
  }
}

function countReport(report: Report, tally: Tally): void {
  for (const [suite, { test_results: tests }] of Object.entries(report)) {
    for (const [name, { status, reason, counterexample }] of Object.entries(tests)) {
      if (status === "Success") tally.passed += 1;
      else if (status === "Skipped") tally.skipped += 1;
      else {
        // A whole sequence of calls fills screens; `forge test --rerun` prints it readably.
        const shown = counterexample == null ? "" : ` ${JSON.stringify(counterexample).slice(0, MOST_SHOWN)}`;
        fail(tally, `${suite} ${name}: ${reason ?? "without a reason"}${shown}`);
      }
    }
  }
}

/** Files of governance/generated by name, as the built contracts make them. */
function exportsOfBuild(): Record<string, string> {
  const built = Object.entries(EXPORTED).map(([name, source]) => {
    const [file, contract] = source.split(":") as [string, string];
    const artifact = join(OUT, file.split("/").at(-1) as string, `${contract}.json`);
    const { abi, bytecode } = JSON.parse(readFileSync(artifact, "utf8")) as {
      abi: unknown;
      bytecode: { object: string };
    };
    return { name, abi, bytecode: bytecode.object };
  });
  const head =
    "// Made by `npm run contracts` of the contracts in governance/. It refuses edits: the tests compare.\n\n";
  const abis = built.map(({ name, abi }) => `export const ${name}Abi = ${JSON.stringify(abi)} as const;\n`);
  const codes = built.map(({ name, bytecode }) => `export const ${name}Bytecode = "${bytecode}" as const;\n`);
  return { "abi.ts": head + abis.join(""), "bytecode.ts": head + codes.join("") };
}

function staleExports(): string[] {
  return Object.entries(exportsOfBuild())
    .filter(([name, text]) => {
      const path = join(GENERATED, name);
      return !existsSync(path) || readFileSync(path, "utf8") !== text;
    })
    .map(([name]) => `governance/generated/${name}`);
}

/** Builds the contracts and writes their ABIs and code as TypeScript. */
async function exportContracts(): Promise<number> {
  if (!hasForge()) throw new Error(`there is no Forge for ${process.platform}-${process.arch}`);
  const { exitCode } = await runProgram("forge", ["build", "--skip", "test"]);
  if (exitCode !== 0) return exitCode;
  mkdirSync(GENERATED, { recursive: true });
  for (const [name, text] of Object.entries(exportsOfBuild())) writeFileSync(join(GENERATED, name), text);
  return 0;
}

if (import.meta.main) process.exitCode = await exportContracts();

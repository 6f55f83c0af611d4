// Owns the promise that the region stands whatever its platform, its network and its clients do to it: some hundred
// seeds, every check. It refuses a seed in which nothing was broken, sent or traded to count as evidence.

import { describe, expect, test } from "vitest";
import { commandSchemas, MIRROR_COMMANDS, REFEREE_COMMANDS } from "../../protocol/commands.ts";
import { runToEnd, start } from "../support/client-process.ts";
import { eventually } from "../support/client-region.ts";
import { ATTACKS } from "./draws.ts";
import { formatPlaces, parsePlaces } from "./places.ts";
import { failureLines, replayCommand, shrunkLines } from "./report.ts";
import { shrink } from "./shrink.ts";
import { type SimulationResult, simulate, sumOfTallies } from "./simulation.ts";

const SEEDS = 300;
const STEPS = 70;

/** What is said of a seed that fails: the few steps that are enough, and how to run them. */
async function explain(result: SimulationResult): Promise<string> {
  const options = { seed: result.seed, steps: STEPS };
  const lines = [...failureLines(result), ...shrunkLines(STEPS, await shrink(options, result))];
  return lines.join("\n");
}

const runSimulate = (...args: string[]) => runToEnd("../test/simulation/main.ts", args);

describe("places of steps", () => {
  test("rejects: what is no ascending list of steps", () => {
    for (const text of ["", "a", "1,", "3-1", "2,2", "5,4", "1-2-3", "-1", "0-9999999"])
      expect(() => parsePlaces(text), text).toThrow(RangeError);
  });

  test("behavior: are written as runs and read back", () => {
    for (const places of [[], [7], [0, 1, 2, 9, 11, 12]])
      expect(parsePlaces(formatPlaces(places))).toEqual(places);
    expect(formatPlaces([0, 1, 2, 9, 11, 12])).toBe("0-2,9,11-12");
    expect(replayCommand(5, 100, [3, 4])).toBe("npm run simulate -- --seed 5 --steps 100 --only 3-4 --trace");
  });
});

describe("npm run simulate", () => {
  test("rejects: options that are not exactly what they should be, saying why", async () => {
    const cases: [string[], RegExp][] = [
      [["--seed", "x"], /whole number from 0/],
      [["--steps", "-1"], /whole number from 0/],
      [["--seeds", "0"], /whole number from 1/],
      [["--only", "3-1"], /no ascending range/],
      [["--steps", "10", "--only", "12"], /past --steps/],
      [["--seeds", "2", "--only", "1"], /of one seed/],
      [["--speed", "9"], /unknown option/],
      [["--sabotage", "gremlins"], /Allowed choices are/],
    ];
    for (const [args, reason] of cases) {
      const { status, stdout, stderr } = await runSimulate(...args);
      expect({ status, stdout }, args.join(" ")).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(reason);
    }
  });

  test("behavior: a failure is told with its seed, what broke, the few steps, and a command that fails again", async () => {
    const bug = "a cancelled order stands in memory";
    const told = await runSimulate(
      "--seed",
      "1",
      "--seeds",
      "9",
      "--steps",
      "60",
      "--sabotage",
      bug,
      "--json",
    );
    expect(told.status).toBe(1);
    const { failure } = JSON.parse(told.stdout.trim().split("\n").at(-1) as string) as {
      failure: { seed: number; check: string; message: string; only: string };
    };
    expect(told.stderr).toContain(`seed ${failure.seed} FAILED: ${failure.check}\n  ${failure.message}`);
    expect(told.stderr).toMatch(/steps? (is|are) enough/);
    expect(told.stderr).toContain(replayCommand(failure.seed, 60, parsePlaces(failure.only), bug));
    const again = await runSimulate(
      ...["--seed", `${failure.seed}`, "--steps", "60", "--only", failure.only, "--sabotage", bug],
      ...["--trace", "--no-shrink"],
    );
    expect(again.status).toBe(1);
    expect(again.stdout).toContain(`seed ${failure.seed} FAILED: ${failure.check}`);
    expect(again.stdout).toMatch(/: cancel \(/);
  });

  test("behavior: an interruption ends a long run in good order, with its figures", async () => {
    const running = start("../test/simulation/main.ts", ["--seed", "3", "--steps", "1000000"]);
    expect(await eventually(() => running.stdout().includes("of 1000000 steps"))).toBe(true);
    running.process.kill("SIGINT");
    expect(await running.ended).toBe(130);
    expect(running.stdout()).toMatch(/steps of 1 seed in .* steps\/s/);
    expect(running.stdout()).toContain("stopped");
    expect(running.stderr()).not.toMatch(/\n\s+at .*\.ts:/);
  });

  test("invariant: a seed is the same run in every process, to the last hash", async () => {
    const { stdout, status } = await runSimulate("--seed", "11", "--steps", "120", "--json");
    expect(status).toBe(0);
    const there = JSON.parse(stdout.trim().split("\n").at(-1) as string) as { traceHash: string };
    const here = await simulate({ seed: 11, steps: 120 });
    expect(there.traceHash).toBe(here.traceHash);
    expect((await simulate({ seed: 11, steps: 120 })).traceHash).toBe(here.traceHash);
    expect((await simulate({ seed: 12, steps: 120 })).traceHash).not.toBe(here.traceHash);
    expect((await simulate({ seed: 11, steps: 119 })).traceHash).not.toBe(here.traceHash);
  });
});

describe("a region under everything at once", () => {
  test(`property: ${SEEDS} seeds of ${STEPS} steps break nothing`, { timeout: 1_800_000 }, async () => {
    const results: SimulationResult[] = [];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = await simulate({ seed, steps: STEPS });
      if (result.failure !== null) expect.fail(await explain(result));
      results.push(result);
    }
    const { platform, network, proofs, attacks, agent, faults, jobs, accepted, refused, checks, tradedWh } =
      sumOfTallies(results.map(({ tallies }) => tallies));
    // Every kind of trouble came, and every kind of command was accepted; otherwise this would prove little.
    // With three homes a job has two sellers at most, and of two no one is in the minority.
    for (const counts of [platform, network, proofs, attacks, agent, faults, jobs, checks])
      for (const [name, count] of Object.entries(counts))
        if (!["fault escaped", "disagreed"].includes(name)) expect(count, name).toBeGreaterThan(5);
    // Simulated regions have test money: what a chain brings and pays is not simulated.
    // Nor is the referee: results stand, or differ. What an edge releases is.
    const audits = [...REFEREE_COMMANDS].filter((type) => type !== "release_run");
    const ofOthers: readonly string[] = [...MIRROR_COMMANDS, ...audits, "withdraw"];
    const ofTestMoney = Object.keys(commandSchemas).filter((type) => !ofOthers.includes(type));
    expect(Object.keys(accepted).sort()).toEqual(ofTestMoney.sort());
    expect(Object.keys(attacks)).toHaveLength(ATTACKS.length);
    expect(Object.keys(refused).length).toBeGreaterThan(25);
    expect(tradedWh).toBeGreaterThan(10_000);
  });
});

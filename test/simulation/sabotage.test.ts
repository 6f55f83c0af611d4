// Owns the test of the tester: bugs put in on purpose are found within a few seeds, by the check they should break, and
// shrunk to a few steps. It refuses a simulator that would let them pass.

import { describe, expect, test } from "vitest";
import { SABOTAGES, type SabotageName } from "./sabotage.ts";
import { shrink } from "./shrink.ts";
import { type SimulationResult, simulate } from "./simulation.ts";

const STEPS = 100;
const MOST_RUNS = 60;

/** For each bug: the check that sees it, the seeds within which, and the most steps that are left. */
interface Found {
  readonly check: RegExp;
  /** Seed to begin with, where trouble of the needed kind is rare; the first where nothing else is said. */
  readonly from?: number;
  readonly seeds: number;
  readonly steps: number;
}

const FOUND: Readonly<Record<SabotageName, Found>> = {
  "answers leave before the commit": { check: /^answers are/, seeds: 5, steps: 8 },
  "a journal row is lost": { check: /^journal is whole|storage is the state/, seeds: 3, steps: 12 },
  "a snapshot's section is lost": {
    check: /^storage is the state|nothing escapes/,
    seeds: 3,
    steps: 20,
  },
  // The disk has to fail at the one write that switches snapshots: one seed in twenty.
  "half a transaction is kept": {
    check: /^storage is the state|nothing escapes/,
    from: 38,
    seeds: 5,
    steps: 20,
  },
  "the archive throws away what it was given": {
    check: /^answers stay|journal is whole/,
    seeds: 3,
    steps: 10,
  },
  "alarms are forgotten": { check: /^acts by itself/, seeds: 3, steps: 8 },
  "an early alarm is not set again": { check: /^acts by itself/, from: 10, seeds: 5, steps: 20 },
  "recovery forgets accepted commands": { check: /^invariants/, seeds: 3, steps: 6 },
  "a credit is applied twice": { check: /^book agrees/, seeds: 1, steps: 0 },
  "the alarm decides when a slot clears": { check: /^due on time|invariants/, seeds: 3, steps: 10 },
  "a cancelled order stands in memory": { check: /^invariants|storage is the state/, seeds: 5, steps: 5 },
  "a refusal uses up a number": { check: /^refusals change nothing/, seeds: 1, steps: 2 },
  "a nullifier is forgotten": { check: /^book agrees/, seeds: 5, steps: 14 },
  "escrow stays free": { check: /^book agrees/, seeds: 5, steps: 4 },
  "a result is paid too early": { check: /^book agrees|storage is the state/, seeds: 8, steps: 4 },
  // A voucher of the seller has to be for a trade that is open.
  "anybody's voucher pays": { check: /^book agrees|attacks are refused/, from: 20, seeds: 5, steps: 10 },
  "an enrolment reaches the open window": {
    check: /^registry agrees|storage is the state/,
    from: 3,
    seeds: 5,
    steps: 20,
  },
  "a removal leaves the open window's root": {
    check: /^registry agrees|storage is the state/,
    from: 9,
    seeds: 5,
    steps: 6,
  },
  "a leaf is not told": { check: /^a window is paid/, seeds: 2, steps: 4 },
  "a commitment is lost to readers": { check: /^certificates agree/, seeds: 5, steps: 12 },
  "failed proofs are forgotten on a crash": { check: /^attempts are few/, from: 52, seeds: 8, steps: 12 },
  "a proof is taken for one that holds": { check: /^book agrees|attacks are refused/, seeds: 5, steps: 8 },
};

async function firstFailure(sabotage: SabotageName): Promise<SimulationResult | null> {
  const { from = 1, seeds } = FOUND[sabotage];
  for (let seed = from; seed < from + seeds; seed += 1) {
    const result = await simulate({ seed, steps: STEPS, sabotage });
    if (result.failure !== null) return result;
  }
  return null;
}

describe("a bug put in on purpose", () => {
  for (const sabotage of Object.keys(SABOTAGES) as SabotageName[]) {
    test(`behavior: "${sabotage}" is found, shrunk, and fails again`, async () => {
      const { check, seeds, steps } = FOUND[sabotage];
      const failed = await firstFailure(sabotage);
      if (failed === null) expect.fail(`not found within ${seeds} seeds`);
      expect(failed.failure?.check).toMatch(check);
      const options = { seed: failed.seed, steps: STEPS, sabotage };
      const { places, result } = await shrink(options, failed, MOST_RUNS);
      expect(places.length).toBeLessThanOrEqual(steps);
      const again = await simulate({ ...options, only: places });
      expect(again.failure).toEqual(result.failure);
      expect(again.traceHash).toBe(result.traceHash);
      // The bug did it: without it the same steps break nothing.
      expect((await simulate({ seed: failed.seed, steps: STEPS, only: places })).failure).toBeNull();
    });
  }
});

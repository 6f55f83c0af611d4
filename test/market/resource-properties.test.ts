// Owns random trades of compute and random jobs, against models that are told from the events. It refuses runs in which too little
// happens.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { action, runActions, type Tally } from "../support/market-actions.ts";
import { follow } from "../support/naive-trades.ts";
import { jobAction, resourceAction } from "../support/resource-actions.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
console.log(`resource properties: SEED=${seed}`);

describe("trades against a naive model", () => {
  test("property: escrow, payments, fees, returns and session limits are the model's after every entry", () => {
    const tally: Tally = { accepted: 0, refused: 0, tradedWh: 0 };
    const total: Record<string, number> = {};
    const mostly = fc.oneof({ weight: 6, arbitrary: resourceAction }, { weight: 1, arbitrary: action });
    fc.assert(
      fc.property(fc.array(mostly, { minLength: 60, maxLength: 140, size: "max" }), (actions) => {
        const { trades } = follow(runActions(actions, tally));
        for (const [name, count] of Object.entries(trades)) total[name] = (total[name] ?? 0) + count;
      }),
      { numRuns: 150, seed },
    );
    console.log("resource properties:", JSON.stringify(total));
    expect(Math.min(tally.accepted, tally.refused)).toBeGreaterThan(1_000);
    expect(Math.min(...Object.values(total))).toBeGreaterThan(0);
  });

  test("property: jobs are paid when and to whom the model says, and never on another's word", () => {
    const tally: Tally = { accepted: 0, refused: 0, tradedWh: 0 };
    const total: Record<string, number> = {};
    const mostly = fc.oneof({ weight: 12, arbitrary: jobAction }, { weight: 1, arbitrary: action });
    fc.assert(
      fc.property(fc.array(mostly, { minLength: 60, maxLength: 140, size: "max" }), (actions) => {
        const { jobs } = follow(runActions(actions, tally));
        for (const [name, count] of Object.entries(jobs)) total[name] = (total[name] ?? 0) + count;
      }),
      { numRuns: 100, seed },
    );
    console.log("job properties:", JSON.stringify(total));
    expect(Math.min(tally.accepted, tally.refused)).toBeGreaterThan(500);
    expect(Math.min(...Object.values(total))).toBeGreaterThan(0);
  });
});

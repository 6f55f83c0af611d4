// Owns the promise that a kill takes nothing back: not of workerd, not of what started it, a hundred times in the middle
// of a load. It refuses a lost answer, a command twice, an orphan, and a start that fails.

import { describe, expect, test } from "vitest";
import { killRounds } from "../../bench/kills/kill-rounds.ts";

const WORKERD_KILLS = 70;
const LAUNCHER_KILLS = 30;

describe("kill -9 under load", () => {
  test("invariant: a hundred kills of workerd and launcher lose nothing acknowledged and double nothing", async () => {
    const report = await killRounds({
      workerdKills: WORKERD_KILLS,
      launcherKills: LAUNCHER_KILLS,
      random: Math.random,
      say: (line) => console.log(line),
    });
    console.log(JSON.stringify(report));
    expect(report).toMatchObject({
      kills: WORKERD_KILLS + LAUNCHER_KILLS,
      lost: 0,
      duplicated: 0,
      contradicted: 0,
      auditFailure: null,
      oddRefusals: [],
    });
    expect(report.acknowledged).toBeGreaterThan(20 * report.kills);
  }, 900_000);
});

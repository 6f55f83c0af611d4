// Owns the rows `kills`: a deployment under load, killed again and again, and what became of every acknowledged command.
// It refuses nothing; the limits say what must be zero.

import { killRounds } from "../kills/kill-rounds.ts";
import { limited, type Measurement } from "../row.ts";

/** A tenth of what the tests kill. */
const WORKERD_KILLS = 7;
const LAUNCHER_KILLS = 3;

/** Measures the rows. */
export const measure: Measurement = async (say) => {
  const report = await killRounds({
    workerdKills: WORKERD_KILLS,
    launcherKills: LAUNCHER_KILLS,
    random: Math.random,
    say,
  });
  const { acknowledged, lost, duplicated, auditFailure, kills, longestAwayMs } = report;
  const note = `${kills} kills of workerd or its launcher at random moments under ${acknowledged} acknowledged commands; longest away ${(longestAwayMs / 1000).toFixed(1)} s`;
  const mustBe = (name: string, ours: number, most: number) =>
    limited({
      name,
      ours,
      unit: "commands",
      higherIsBetter: false,
      limit: `at most ${most}`,
      isWithinLimit: ours <= most,
      note: auditFailure === null ? `${note}; audit ok` : `${note}; the audit failed at ${auditFailure}`,
    });
  return [
    limited({
      name: "kills: acknowledged",
      ours: acknowledged,
      unit: "commands",
      higherIsBetter: true,
      limit: "the audit passes with every receipt",
      isWithinLimit: auditFailure === null,
      note,
    }),
    mustBe("kills: lost", lost, 0),
    mustBe("kills: duplicated", duplicated, 0),
  ];
};

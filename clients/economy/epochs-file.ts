// Owns every epoch of every run as a table in a file (CSV). It refuses rounding: micros, base units and units as they are.

import { closeSync, openSync, writeSync } from "node:fs";
import { RESOURCES } from "./assumptions.ts";
import type { EconomyRun } from "./economy.ts";

const OF_RESOURCE = [
  "providers",
  "soldUnits",
  "feeMicros",
  "networkMicros",
  "dustMicros",
  "rewards",
] as const;
const OF_SELF_TRADE = ["costMicros", "rewards"] as const;

/** Writes a line for each epoch, a run at a time. */
export function writeEpochs(path: string, runs: readonly EconomyRun[]): void {
  const descriptor = openSync(path, "w");
  try {
    writeSync(descriptor, `${HEAD.join(",")}\n`);
    for (const run of runs) writeSync(descriptor, linesOf(run));
  } finally {
    closeSync(descriptor);
  }
}

const HEAD = [
  ...["curve", "tokenMicros", "epoch", "emission", "treasuryMicros", "owed", "minted"],
  ...RESOURCES.flatMap((resource) => [
    ...OF_RESOURCE.map((name) => `${resource}.${name}`),
    ...OF_SELF_TRADE.map((name) => `${resource}.selfTrade.${name}`),
  ]),
];

function linesOf({ curve, tokenMicros, rows }: EconomyRun): string {
  return rows
    .map(({ epoch, emission, treasuryMicros, owed, minted, resources }) => {
      const cells = RESOURCES.flatMap((resource) => {
        const day = resources[resource];
        return [...OF_RESOURCE.map((name) => day[name]), ...OF_SELF_TRADE.map((name) => day.selfTrade[name])];
      });
      return `${[curve.name, tokenMicros, epoch, emission, treasuryMicros, owed, minted, ...cells].join(",")}\n`;
    })
    .join("");
}

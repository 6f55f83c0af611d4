// Owns that the rewriter's version says what it does: the same bytes out of the same bytes, and the same fuel. It refuses
// a change of either that leaves the version as it was: both are agreed on between machines.

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { CHECKSUM_WAT } from "../../bench/job-programs.ts";
import { rewriteCommand } from "../../compute/command.ts";
import { REWRITER_VERSION } from "../../compute/metering/fuel-schedule.ts";
import { assemble } from "../../tools/job-sources.ts";
import { run } from "../support/job-runs.ts";
import { randomModule } from "../support/random-module.ts";

test("regression: this version's bytes and fuel; whoever changes them gives the version another number", () => {
  const sources = [CHECKSUM_WAT, ...Array.from({ length: 30 }, (_, seed) => randomModule(seed))].map((text) =>
    assemble(text),
  );
  const digestOf = (all: readonly Uint8Array[]): string => {
    const hash = createHash("sha256");
    for (const bytes of all) hash.update(bytes);
    return hash.digest("hex").slice(0, 16);
  };
  const fuel = sources.map((source) => run(source).fuelUsed).reduce((sum, used) => sum + used, 0);
  // Other sources, as when random programs are drawn in another way, are no other version.
  expect(digestOf(sources)).toBe("d54e158335e50c64");
  expect({ version: REWRITER_VERSION, fuel, bytes: digestOf(sources.map(rewriteCommand)) }).toEqual({
    version: 1,
    fuel: 1_914_975,
    bytes: "5f44ab30c5d80978",
  });
});

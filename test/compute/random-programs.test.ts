// Owns random programs, as they are drawn and as an optimiser changes them: rewritten, they leave the same memory and cost
// the same fuel as in an account kept instruction by instruction. It refuses a difference of one bit or one unit.

import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
import { rewriteCommand } from "../../compute/command.ts";
import { CHUNK_FUEL } from "../../compute/metering/fuel-schedule.ts";
import { assemble } from "../../tools/job-sources.ts";
import { type BareRun, runBare } from "../support/job-runs.ts";
import { meterNaively } from "../support/naive-meter.ts";
import { randomModule } from "../support/random-module.ts";

const SEED = Number(process.env.JOB_SEED ?? 1_000);
const PROGRAMS = Number(process.env.JOB_PROGRAMS ?? 150);

const FEATURES =
  binaryen.Features.MutableGlobals |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.SIMD128 |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SignExt |
  binaryen.Features.ReferenceTypes |
  binaryen.Features.Multivalue;

/** What another compiler's optimiser makes of it: blocks with results, other locals, loops turned round. */
function optimised(bytes: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  module.optimize();
  const result = module.emitBinary();
  module.dispose();
  return result;
}

function isValidElsewhere(bytes: Uint8Array): boolean {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES);
  const isValid = module.validate() === 1;
  module.dispose();
  return isValid;
}

/** A trap has paid for the straight code around it as well; inside a loop it may leave a chunk unpaid. */
const STRAIGHT_FUEL = 50_000;

function expectSame(bytes: Uint8Array, where: string): BareRun {
  const rewritten = rewriteCommand(bytes);
  expect(WebAssembly.validate(rewritten), where).toBe(true);
  const ours = runBare(rewritten);
  const naive = runBare(meterNaively(bytes));
  expect(ours.trap, where).toBe(naive.trap);
  expect(Buffer.from(ours.memory).equals(naive.memory), `${where}: memory`).toBe(true);
  if (naive.trap === null) expect(ours.fuel, where).toBe(naive.fuel);
  else {
    expect(ours.fuel - naive.fuel, where).toBeGreaterThan(-CHUNK_FUEL);
    expect(ours.fuel - naive.fuel, where).toBeLessThan(STRAIGHT_FUEL);
  }
  return ours;
}

describe("random programs", () => {
  test(`property: the same memory and the same fuel as instruction by instruction (seeds ${SEED} and on)`, {
    timeout: 180_000,
  }, () => {
    let completed = 0;
    for (let seed = SEED; seed < SEED + PROGRAMS; seed += 1) {
      const { trap } = expectSame(assemble(randomModule(seed)), `seed ${seed}`);
      if (trap === null) completed += 1;
    }
    expect(completed).toBeGreaterThan(PROGRAMS / 2);
  });

  test("regression: a chosen value that meets an exact one where two loops' locals do", () => {
    expectSame(assemble(randomModule(30_598)), "seed 30598");
  });

  test("property: also after another optimiser, whose validator agrees", { timeout: 180_000 }, () => {
    for (let seed = SEED; seed < SEED + PROGRAMS / 2; seed += 1) {
      const bytes = optimised(assemble(randomModule(seed)));
      expectSame(bytes, `optimised seed ${seed}`);
      expect(isValidElsewhere(rewriteCommand(bytes)), `optimised seed ${seed}`).toBe(true);
    }
  });

  test("property: less fuel than a program needs ends it, the exact amount does not", () => {
    for (let seed = SEED; seed < SEED + 40; seed += 1) {
      const rewritten = rewriteCommand(assemble(randomModule(seed)));
      const { fuel, trap } = runBare(rewritten);
      if (trap !== null) continue;
      const exact = runBare(rewritten, fuel);
      expect([exact.trap, exact.fuel], `seed ${seed}`).toEqual([null, fuel]);
      // One unit less ends below nothing; it may end normally only where the last look was before.
      const short = runBare(rewritten, fuel - 1);
      expect(short.fuel > fuel - 1 || short.trap !== null, `seed ${seed}`).toBe(true);
    }
  });

  test("invariant: equal bytes are rewritten to equal bytes, and what was rewritten is refused", () => {
    for (let seed = SEED; seed < SEED + 20; seed += 1) {
      const bytes = assemble(randomModule(seed));
      const rewritten = rewriteCommand(bytes);
      expect(rewriteCommand(bytes)).toEqual(rewritten);
      expect(() => rewriteCommand(rewritten)).toThrow(/reserved name/);
    }
  });
});

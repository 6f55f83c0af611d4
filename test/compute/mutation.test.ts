// Owns what happens to modules that were damaged: by one byte, a cut, a doubled or moved piece. It refuses an answer that
// is neither a refusal nor a module that engines accept, and a checker that is laxer, or stricter, than theirs.

import { describe, expect, test } from "vitest";
import { rewriteCommand } from "../../compute/command.ts";
import { ModuleRefused } from "../../compute/refusal.ts";
import { assemble } from "../../tools/job-sources.ts";
import { randomModule, randomStream } from "../support/random-module.ts";

const SEED = 20_260_801;
const MODULES = 40;
const MUTATIONS = 60;

function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const damaged = bytes.slice();
  const at = (): number => 8 + random(damaged.length - 8);
  const kind = random(5);
  if (kind === 0) damaged[at()] = random(256);
  else if (kind === 1) damaged[at()] = (damaged[at()] ?? 0) ^ (1 << random(8));
  else if (kind === 2) return damaged.slice(0, at());
  else if (kind === 3) {
    const from = at();
    damaged.copyWithin(at(), from, Math.min(damaged.length, from + 1 + random(16)));
  } else for (let count = 1 + random(4); count > 0; count -= 1) damaged[at()] = random(256);
  return damaged;
}

/** Codes with which a module that engines accept may be refused: jobs may have less. */
const STRICTER = new Set([
  "module_feature_refused",
  "module_limit_exceeded",
  "module_import_refused",
  "module_not_command",
]);

describe("damaged modules", () => {
  test(`property: a refusal by code or a module that engines accept, and the same verdict as theirs (seed ${SEED})`, {
    timeout: 120_000,
  }, () => {
    const random = randomStream(SEED);
    const seen = { accepted: 0, refused: 0 };
    for (let index = 0; index < MODULES; index += 1) {
      const whole = assemble(randomModule(SEED + index));
      for (let round = 0; round < MUTATIONS; round += 1) {
        const damaged = mutate(whole, random);
        const before = damaged.slice();
        const isValid = WebAssembly.validate(damaged);
        try {
          const rewritten = rewriteCommand(damaged);
          const where = `module ${SEED + index}, mutation ${round}`;
          expect(isValid, where).toBe(true);
          expect(WebAssembly.validate(rewritten), where).toBe(true);
          seen.accepted += 1;
        } catch (error) {
          if (!(error instanceof ModuleRefused)) throw error;
          const { code, facts } = error.rejection;
          const isKnown = STRICTER.has(code) || facts.reason === "an export with a reserved name";
          if (isValid && !isKnown) throw new Error(`refused though valid: ${error.message}`);
          seen.refused += 1;
        }
        expect(damaged).toEqual(before);
      }
    }
    // Both verdicts must have been tried often.
    expect(seen.accepted).toBeGreaterThan(MODULES);
    expect(seen.refused).toBeGreaterThan(MODULES * 10);
  });

  test("property: bytes of no kind at all are refused", () => {
    const random = randomStream(SEED);
    for (let round = 0; round < 500; round += 1) {
      const bytes = Uint8Array.from({ length: random(400) }, () => random(256));
      if (round % 2 === 0) bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0].slice(0, bytes.length));
      expect(() => rewriteCommand(bytes)).toThrow(ModuleRefused);
    }
  });
});

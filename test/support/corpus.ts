// Owns the replay of test/corpus: inputs kept because a decoder once got them wrong, or must never get them wrong. It
// refuses a case whose outcome is not said.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

/** One input of a decoder; `text` is JSON spelled as no encoder would, `input` the value itself. */
interface Case {
  readonly name: string;
  readonly input?: unknown;
  readonly text?: string;
  /** `accepted`, or how the decoder names its refusal. */
  readonly outcome: string;
}

/**
 * Replays a decoder's file before anything random is tried.
 * @param decode answers `accepted`, or the name of the refusal.
 */
export function replayCorpus(decoder: string, decode: (input: unknown) => string | Promise<string>): void {
  const file = join(import.meta.dirname, "../corpus", `${decoder}.json`);
  const cases = JSON.parse(readFileSync(file, "utf8")) as readonly Case[];
  describe(`the corpus of ${decoder}`, () => {
    test.each(cases.map((one) => [one.name, one] as const))("regression: %s", async (_name, one) => {
      const input = one.text === undefined ? one.input : JSON.parse(one.text);
      expect(await decode(input)).toBe(one.outcome);
    });
  });
}

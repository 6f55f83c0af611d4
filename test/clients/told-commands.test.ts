// Owns the promise that what people are told to type is understood: the commands that a local market prints, and those that a
// refusal names. It refuses to carry any of them out: there is nothing at the address that they go to.

import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { nextStep } from "../../clients/cli/next-steps.ts";
import { guide } from "../../clients/local/guide.ts";
import { APP } from "../../clients/local/machines.ts";
import { householdKeys } from "../../clients/local/neighbourhood.ts";
import { ERRORS, isErrorCode } from "../../protocol/errors.ts";
import { type Ended, runToEnd } from "../support/client-process.ts";

const NOBODY = "http://127.0.0.1:1";

/** A few at a time: each is a process of its own. */
async function ended(
  commands: readonly (readonly string[])[],
  env: Record<string, string>,
): Promise<Ended[]> {
  const all: Ended[] = [];
  for (let index = 0; index < commands.length; index += 3)
    all.push(
      ...(await Promise.all(
        commands.slice(index, index + 3).map((args) => runToEnd("cli/main.ts", args, env)),
      )),
    );
  return all;
}

describe("commands that people are told", () => {
  test("behavior: every command that a local market prints has all that it needs", {
    timeout: 120_000,
  }, async () => {
    const [home, app] = ["home", APP.name].map((name) => householdKeys("told", name)) as [
      ReturnType<typeof householdKeys>,
      ReturnType<typeof householdKeys>,
    ];
    const folder = "told";
    const lines = guide({ url: NOBODY, region: "told", page: NOBODY, chainUrl: NOBODY, home, app, folder });
    const commands = lines.flatMap((line) => {
      const [, typed] = /npm run polder -- (.*)/.exec(stripVTControlCharacters(line)) ?? [];
      return typed === undefined ? [] : [typed.trim().split(" ")];
    });
    expect(commands.length).toBeGreaterThan(5);
    const env = {
      POLDER_URL: NOBODY,
      POLDER_RPC: NOBODY,
      POLDER_KEY: home.walletKey,
      POLDER_API_KEY: app.apiKey,
    };
    for (const [place, { stderr }] of (await ended(commands, env)).entries())
      expect(stderr, commands[place]?.join(" ")).not.toMatch(/^error: /m);
  });

  test("behavior: every command that a refusal names is one", { timeout: 120_000 }, async () => {
    const codes = Object.keys(ERRORS).filter(isErrorCode);
    const steps = codes.flatMap((code) => nextStep({ code, facts: { leastMicros: 9_000 } }) ?? []);
    const named = new Set(
      steps.flatMap((step) => [...step.matchAll(/polder ([a-z]+(?: [a-z]+)?)/g)].map(([, words]) => words)),
    );
    expect(named.size).toBeGreaterThan(3);
    const words = [...named] as string[];
    const helped = await ended(
      words.map((text) => [...text.split(" "), "--help"]),
      {},
    );
    for (const [place, { status, stdout }] of helped.entries())
      expect({ status, usage: stdout.startsWith(`Usage: polder ${words[place]} `) }, words[place]).toEqual({
        status: 0,
        usage: true,
      });
  });

  test("behavior: a price that would do is told, and where none would nothing is", () => {
    const code = "order_unmatched";
    expect(nextStep({ code, facts: { leastMicros: 9_000 } })).toBe("--most 0.009000 would do now");
    expect(nextStep({ code, facts: { leastMicros: null } })).toBeNull();
    expect(nextStep({ code: "internal_fault", facts: {} })).toBeNull();
  });
});

// Owns the call to the referee from inside workerd: the module from its store, the run in the real referee beside. It refuses a
// call where the answer is known without one.

import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../durable-objects/digest.ts";
import { keepModule } from "../../durable-objects/module-store.ts";
import { refereeRun } from "../../durable-objects/referee-call.ts";
import type { Hex } from "../../protocol/fields.ts";
import { DEFAULT_START_S, type JobDescription } from "../../protocol/jobs.ts";
import { MAX_REFEREE_FUEL_MEGA, MAX_REFEREE_MEMORY_BYTES } from "../../protocol/limits.ts";
import { env, useQuietConsole } from "../durable-objects/region-under-test.ts";
import { word } from "../support/market.ts";
import { commandOf } from "../support/module-bytes.ts";

const quiet = useQuietConsole();

/** Takes 3 from 7 and does no more; and one that never ends. */
const SUBTRACTION = commandOf([0x41, 7, 0x41, 3, 0x6b, 0x1a]);
const LOOP = commandOf([0x03, 0x40, 0x0c, 0x00, 0x0b]);

const nameOf = (bytes: Uint8Array): Hex => `0x${sha256Hex(bytes)}`;
const NO_INPUT = new Uint8Array(0);

async function describing(
  source: Uint8Array,
  limits: Partial<JobDescription["limits"]> = {},
): Promise<JobDescription> {
  await keepModule(env, nameOf(source), source);
  return {
    module: nameOf(source),
    args: [],
    env: {},
    inputHash: nameOf(NO_INPUT),
    limits: { fuelMega: 10, memoryBytes: 65_536, outputBytes: 0, wallSeconds: 1, ...limits },
    startS: DEFAULT_START_S,
    salt: word(1),
  };
}

/** An environment whose referee must not be called. */
const uncalled = {
  ...env,
  REFEREE: {
    fetch: () => {
      throw new Error("the referee was called");
    },
  } as unknown as Fetcher,
};

describe("a call of the referee", () => {
  test("rejects: without a call, what is beyond its limits, another input, a module that is not stored or was changed", async () => {
    const run = await describing(SUBTRACTION);
    const beyond = [{ fuelMega: MAX_REFEREE_FUEL_MEGA + 1 }, { memoryBytes: MAX_REFEREE_MEMORY_BYTES + 1 }];
    for (const limits of beyond)
      expect(await refereeRun(uncalled, { ...run, limits: { ...run.limits, ...limits } }, NO_INPUT)).toEqual({
        kind: "refused",
        reason: "beyond_limits",
      });
    expect(await refereeRun(uncalled, run, Uint8Array.of(1))).toMatchObject({ reason: "not_run" });
    const missing = { kind: "refused", reason: "module_not_found" };
    expect(await refereeRun(uncalled, { ...run, module: word(404) }, NO_INPUT)).toEqual(missing);
    await env.MODULES.put(`modules/${sha256Hex(SUBTRACTION)}`, LOOP);
    expect(await refereeRun(uncalled, run, NO_INPUT)).toEqual(missing);
    expect(quiet.lines().join()).not.toContain("was called");
  });

  test("rejects: a referee that is away, or answers something else, as a run that was not run", async () => {
    const run = await describing(SUBTRACTION);
    expect(await refereeRun(uncalled, run, NO_INPUT)).toEqual({ kind: "refused", reason: "not_run" });
    expect(quiet.lines().join()).toContain("the referee was called");
    const talking = { ...env, REFEREE: { fetch: async () => new Response("hello") } as unknown as Fetcher };
    expect(await refereeRun(talking, run, NO_INPUT)).toEqual({ kind: "refused", reason: "not_run" });
  });

  test("behavior: a job is run to its end, with its fuel, twice the same", async () => {
    const run = await describing(SUBTRACTION);
    const answer = await refereeRun(env, run, NO_INPUT);
    expect(answer).toEqual({
      kind: "result",
      end: "exited",
      exitCode: 0,
      stdout: NO_INPUT,
      stderr: NO_INPUT,
      fuelUsed: expect.any(Number),
      outputHash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      trap: null,
    });
    expect(await refereeRun(env, { ...run, salt: word(2) }, NO_INPUT)).toEqual(answer);
  });

  test("behavior: a loop ends by its fuel, of which all is used", async () => {
    const run = await describing(LOOP, { fuelMega: 50 });
    expect(await refereeRun(env, run, NO_INPUT)).toMatchObject({ end: "out_of_fuel", fuelUsed: 50_000_000 });
  });
});

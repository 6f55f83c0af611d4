// Owns the referee in a workerd of its own: the same bytes as here, and an answer to every job that tries to hold it up. It refuses
// a stand-in: what runs is the Worker that is deployed.

import { Request } from "miniflare";
import { afterEach, describe, expect, test } from "vitest";
import { INFERENCE_C, picture, STATISTICS_ASSEMBLYSCRIPT, THUMBNAIL_C } from "../../bench/job-programs.ts";
import { LocalReferee, type LocalRefereeOptions } from "../../clients/local/local-referee.ts";
import { moduleNameOf } from "../../clients/sdk/modules.ts";
import { rewriteCommand } from "../../compute/command.ts";
import { describedJob } from "../../compute/described-job.ts";
import { runJob } from "../../compute/run-job.ts";
import { decodeFrame, encodeFrame } from "../../durable-objects/referee-frames.ts";
import { DEFAULT_START_S, type JobDescription } from "../../protocol/jobs.ts";
import { MAX_REFEREE_FUEL_MEGA, MAX_REFEREE_MEMORY_BYTES } from "../../protocol/limits.ts";
import { assemble, compileAssemblyScript, compileC, hasClang } from "../../tools/job-sources.ts";

let referee: LocalReferee;
afterEach(() => referee.stop());

function started(options: LocalRefereeOptions = {}): LocalReferee {
  referee = new LocalReferee(options);
  return referee;
}

interface Run {
  readonly source: Uint8Array;
  readonly args?: string[];
  readonly stdin?: Uint8Array;
  readonly limits?: Partial<JobDescription["limits"]>;
}

const descriptionOf = ({ source, args = [], stdin = new Uint8Array(0), limits }: Run): JobDescription => ({
  module: moduleNameOf(source),
  args,
  env: { TZ: "UTC" },
  inputHash: moduleNameOf(stdin),
  limits: { fuelMega: 2_000, memoryBytes: 33_554_432, outputBytes: 1_000_000, wallSeconds: 10, ...limits },
  startS: DEFAULT_START_S,
  salt: `0x${"5a".repeat(32)}`,
});

/** What the referee answers, bytes and all. */
async function ask(run: Run): Promise<Record<string, unknown>> {
  const parts = [run.stdin ?? new Uint8Array(0), rewriteCommand(run.source)];
  const body = encodeFrame({ facts: { description: descriptionOf(run) }, parts });
  const answer = await referee.fetch(new Request("http://referee/run", { method: "POST", body }));
  if (answer.status === 503) return (await answer.json()) as Record<string, unknown>;
  expect(answer.status).toBe(200);
  const frame = decodeFrame(await answer.arrayBuffer());
  const [stdout, stderr] = frame.parts;
  return { ...frame.facts, ...(stdout && { stdout }), ...(stderr && { stderr }) };
}

/** The same here, in Node. */
function here(run: Run): Record<string, unknown> {
  const job = describedJob(descriptionOf(run), run.stdin ?? new Uint8Array(0));
  const { outputHash, ...result } = runJob(new WebAssembly.Module(rewriteCommand(run.source)), job);
  return { kind: "result", ...result, outputHash: `0x${outputHash}` };
}

const command = (body: string, more = ""): Uint8Array =>
  assemble(`(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "\\40\\00\\00\\00\\20\\00\\00\\00") ${more} (func (export "_start") ${body}))`);

const LOOP = command("(loop (br 0))");
const NOTHING = command("");

describe("the referee", () => {
  test("rejects: a job beyond its limits, whoever sends it", async () => {
    started();
    for (const limits of [
      { fuelMega: MAX_REFEREE_FUEL_MEGA + 1 },
      { memoryBytes: MAX_REFEREE_MEMORY_BYTES + 1 },
    ])
      expect(await ask({ source: NOTHING, limits })).toEqual({ kind: "refused", reason: "beyond_limits" });
  });

  test("rejects: bombs, which end as they do here: a loop, memory, recursion, output, a trap", async () => {
    started();
    const bombs: Run[] = [
      { source: LOOP, limits: { fuelMega: 100 } },
      { source: command("(loop (drop (memory.grow (i32.const 1))) (br 0))"), limits: { fuelMega: 100 } },
      { source: command("(call $f)", "(func $f (call $f) (call $f))") },
      {
        source: command(
          "(loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))",
        ),
      },
      { source: command("(i32.store (i32.const -1) (i32.const 1))") },
      { source: assemble(`(module (memory (export "memory") 900) (func (export "_start")))`) },
    ];
    const ends: unknown[] = [];
    for (const bomb of bombs) {
      const { trap: _words, ...answer } = await ask(bomb);
      const { trap: _theirs, ...expected } = here(bomb);
      expect(answer).toEqual(expected);
      ends.push(answer.end);
    }
    expect(ends).toEqual([
      "out_of_fuel",
      "out_of_fuel",
      "stack_exhausted",
      "output_too_large",
      "trapped",
      "memory_too_small",
    ]);
    expect(referee.starts).toBe(1);
  });

  test("behavior: programs come to the same bytes as here", { timeout: 120_000 }, async () => {
    started();
    const statistics = await compileAssemblyScript(STATISTICS_ASSEMBLYSCRIPT);
    const runs: Run[] = [{ source: statistics, stdin: picture(30) }];
    if (hasClang()) {
      runs.push({ source: compileC(THUMBNAIL_C), args: ["40"], stdin: picture(96) });
      runs.push({
        source: compileC(INFERENCE_C, "-msimd128"),
        stdin: new TextEncoder().encode("spring tide"),
      });
    }
    for (const run of runs) {
      const answer = await ask(run);
      expect(answer).toEqual(here(run));
      expect(answer.end).toBe("exited");
    }
  });

  test("behavior: two at once are both answered, as they would be alone", async () => {
    started();
    const first = { source: LOOP, limits: { fuelMega: 300 } };
    const second = { source: LOOP, limits: { fuelMega: 200 } };
    expect(await Promise.all([ask(first), ask(second)])).toEqual([here(first), here(second)]);
  });
});

describe("a run that holds the referee's process up", () => {
  const ENDLESS = { source: LOOP, limits: { fuelMega: MAX_REFEREE_FUEL_MEGA } };

  test("rejects: it, when its time is over; those that wait and those that come are run by another process", async () => {
    const lines: string[] = [];
    started({ wallMs: 500, logger: (line) => lines.push(line) });
    const answers = await Promise.all([
      ask({ source: NOTHING }),
      ask(ENDLESS),
      ask({ source: NOTHING }),
      ask(ENDLESS),
    ]);
    expect(answers.map(({ reason, end }) => reason ?? end)).toEqual([
      "exited",
      "overran",
      "exited",
      "overran",
    ]);
    expect(await ask({ source: NOTHING })).toEqual(here({ source: NOTHING }));
    expect(referee.starts).toBe(3);
    expect(lines.join()).toContain("took too long");
  });

  test("rejects: more runs than may wait, at once", async () => {
    started({ wallMs: 300 });
    const runs = Array.from({ length: 20 }, () => ask({ source: NOTHING }));
    const reasons = (await Promise.all(runs)).map(({ reason, end }) => reason ?? end);
    expect(reasons.filter((reason) => reason === "exited")).toHaveLength(16);
    expect(reasons.filter((reason) => reason === "not_run")).toHaveLength(4);
  });

  test("behavior: a process that dies costs its run and no other", async () => {
    started();
    await ask({ source: NOTHING });
    const dying = ask(ENDLESS);
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(referee.workerdPid as number, "SIGKILL");
    expect(await dying).toEqual({ reason: "not_run" });
    expect(await ask({ source: NOTHING })).toEqual(here({ source: NOTHING }));
  });

  test("behavior: stopped in the middle of a run, it answers and leaves no process", async () => {
    started();
    await ask({ source: NOTHING });
    const pid = referee.workerdPid as number;
    const running = ask(ENDLESS);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await referee.stop();
    expect(await running).toEqual({ reason: "not_run" });
    expect(await ask({ source: NOTHING })).toEqual({ reason: "not_run" });
    expect(() => process.kill(pid, 0)).toThrow();
  });

  test("behavior: stopped while its process starts, it answers and leaves none", async () => {
    started();
    const running = ask({ source: NOTHING });
    await new Promise((resolve) => setTimeout(resolve, 10));
    await referee.stop();
    expect(await running).toEqual({ reason: "not_run" });
    expect(referee.workerdPid).toBeNull();
  });
});

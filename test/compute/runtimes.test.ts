// Owns that a job is the same job wherever it runs: rewritten to the same bytes, ending the same way, with the same output
// and fuel, in Node, workerd and a browser. It refuses a runtime that is missing by skipping it by name.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CHECKSUM_WAT,
  INFERENCE_C,
  picture,
  STATISTICS_ASSEMBLYSCRIPT,
  THUMBNAIL_C,
} from "../../bench/job-programs.ts";
import { rewriteCommand } from "../../compute/command.ts";
import { runJob } from "../../compute/run-job.ts";
import { hasChromium } from "../../tools/chromium.ts";
import { assemble, compileAssemblyScript, compileC, hasClang } from "../../tools/job-sources.ts";
import { type SentJob, type SentResult, sendJob, sendResult } from "../support/job-engine.ts";
import { type JobParts, jobOf } from "../support/job-runs.ts";
import { chromiumPage, nodeThreads, type Runtime, workerdIsolates } from "../support/job-runtimes.ts";
import { randomModule } from "../support/random-module.ts";

interface Case {
  readonly name: string;
  readonly source: Uint8Array;
  readonly jobs: readonly SentJob[];
  /** What they come to here. */
  readonly expected: readonly SentResult[];
}

function caseOf(name: string, source: Uint8Array, ...parts: JobParts[]): Case {
  const jobs = parts.map(jobOf);
  const module = new WebAssembly.Module(rewriteCommand(source));
  return {
    name,
    source,
    jobs: jobs.map(sendJob),
    expected: jobs.map((job) => sendResult(runJob(module, job))),
  };
}

/** Bombs of every kind, of which no engine may notice anything. */
function bombs(): Case[] {
  const command = (body: string, more = ""): Uint8Array =>
    assemble(`(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "\\40\\00\\00\\00\\20\\00\\00\\00") ${more} (func (export "_start") ${body}))`);
  const recursion = (
    type: string,
    count: number,
  ): string => `(func $f (param i32) (result i32) (local ${`${type} `.repeat(count)})
    ${Array.from({ length: count }, (_, index) => `(local.set ${index + 1} (${type}.load offset=${index} (i32.and (local.get 0) (i32.const 1023))))`).join("")}
    (drop (call $f (i32.add (local.get 0) (i32.const 1))))
    ${Array.from({ length: count }, (_, index) => `(${type}.store (i32.const ${index}) (local.get ${index + 1}))`).join("")} (i32.const 0))`;
  const enter = "(drop (call $f (i32.const 1)))";
  const small = "(func $f (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.const 1)))";
  // Again and again, so that engines compile it with all they have.
  const often = [1, 2, 3, 4, 5, 6, 7, 8].map(() => ({}));
  return [
    caseOf("a loop", command("(loop (br 0))"), { limits: { fuel: 5e7 } }),
    caseOf("recursion", command(enter, small), ...often),
    caseOf("recursion with integers", command(enter, recursion("i64", 200)), ...often),
    caseOf("recursion with vectors", command(enter, recursion("v128", 200)), ...often),
    caseOf("recursion with a frame of the largest", command(enter, recursion("i64", 1_900)), ...often),
    caseOf("growth", command("(loop (drop (memory.grow (i32.const 1))) (br 0))"), { limits: { fuel: 5e7 } }),
    caseOf(
      "output",
      command("(loop (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))"),
      { limits: { outputBytes: 50_000 } },
    ),
    caseOf("a trap", command("(i32.store (i32.const -1) (i32.const 1))"), {}),
  ];
}

async function programs(): Promise<Case[]> {
  const statistics = await compileAssemblyScript(STATISTICS_ASSEMBLYSCRIPT);
  const fromC = hasClang()
    ? [
        caseOf("a thumbnail", compileC(THUMBNAIL_C), { args: ["40"], stdin: picture(96) }, { stdin: "P6 9" }),
        caseOf("inference", compileC(INFERENCE_C, "-msimd128"), { stdin: "spring tide" }),
      ]
    : [];
  return [
    ...fromC,
    caseOf("statistics", statistics, { stdin: picture(30) }, { stdin: "" }),
    caseOf("a checksum", assemble(CHECKSUM_WAT), { stdin: picture(20) }, { limits: { fuel: 1e6 } }),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((seed) =>
      caseOf(`random program ${seed}`, showing(randomModule(seed)), {}),
    ),
  ];
}

/** A random program that also writes out its memory, where all it computed is. */
function showing(text: string): Uint8Array {
  const write = `(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;
  const show = `i32.const 1 i32.const 65000 i32.const 1 i32.const 65008 call $write drop`;
  const list = `i32.const 65000 i32.const 0 i32.store i32.const 65004 i32.const 65000 i32.store`;
  return assemble(text.replace("(memory", `${write} (memory`).replace(/\)\)\s*$/, ` ${list} ${show}))`));
}

/** Made once: what they come to here is the same for every runtime. */
let kept: { bombs: Case[]; programs: Case[] };
beforeAll(async () => {
  kept = { bombs: bombs(), programs: await programs() };
}, 240_000);

const available: readonly [string, () => Promise<Runtime>, boolean][] = [
  ["threads of Node", async () => nodeThreads(), true],
  ["isolates of workerd", workerdIsolates, true],
  ["Chromium", chromiumPage, hasChromium()],
];

describe.each(available)("%s", (_, start, isThere) => {
  let runtime: Runtime;
  beforeAll(async () => {
    if (isThere) runtime = await start();
  });
  afterAll(async () => {
    await runtime?.stop();
  });

  /** Holds every case against what it came to here. */
  async function expectSame(cases: readonly Case[]): Promise<void> {
    for (const { name, source, jobs, expected } of cases) {
      const here = rewriteCommand(source);
      const there = (await runtime.rewrite?.(source)) ?? here;
      expect(Buffer.from(there).equals(here), name).toBe(true);
      expect(await runtime.run(there, jobs), name).toEqual(expected);
    }
  }

  test.skipIf(!isThere)(
    "rejects: bombs, in the same way and at the same fuel",
    { timeout: 120_000 },
    async () => {
      await expectSame(kept.bombs);
    },
  );

  test.skipIf(!isThere)(
    "behavior: programs give the same bytes for the same fuel",
    { timeout: 180_000 },
    async () => {
      await expectSame(kept.programs);
    },
  );
});

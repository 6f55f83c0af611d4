// Owns what a job finds around it: streams, arguments, variables, a clock, randomness. It refuses anything of the machine:
// what a call answers follows from the job alone.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { JobNotRun } from "../../compute/host/job.ts";
import { runJob } from "../../compute/run-job.ts";
import { assemble } from "../../tools/job-sources.ts";
import { compiled, type JobParts, jobOf, run, textOf } from "../support/job-runs.ts";

const IMPORTS: Record<string, string> = {
  args_get: "i32 i32",
  args_sizes_get: "i32 i32",
  environ_get: "i32 i32",
  environ_sizes_get: "i32 i32",
  clock_res_get: "i32 i32",
  clock_time_get: "i32 i64 i32",
  fd_close: "i32",
  fd_fdstat_get: "i32 i32",
  fd_prestat_get: "i32 i32",
  fd_read: "i32 i32 i32 i32",
  fd_seek: "i32 i64 i32 i32",
  fd_write: "i32 i32 i32 i32",
  path_open: "i32 i32 i32 i32 i32 i64 i64 i32 i32",
  poll_oneoff: "i32 i32 i32 i32",
  random_get: "i32 i32",
  sched_yield: "",
};

/** A command that keeps what each call answers in bytes from 4,096 on, and writes those and the first page out. */
function asking(calls: readonly string[], data = ""): Uint8Array {
  const imports = Object.entries(IMPORTS).map(
    ([name, params]) =>
      `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${params}) (result i32)))`,
  );
  const stores = calls.map((call, index) => `(i32.store8 (i32.const ${4_096 + index}) (call ${call}))`);
  return assemble(`(module ${imports.join("\n")} (memory (export "memory") 1) ${data}
    (func (export "_start") ${stores.join("\n")}
      (i32.store (i32.const 8000) (i32.const 0)) (i32.store (i32.const 8004) (i32.const 5000))
      (drop (call $fd_write (i32.const 2) (i32.const 8000) (i32.const 1) (i32.const 8008)))))`);
}

/** What the calls answered, and the memory they left. */
function ask(
  calls: readonly string[],
  parts: JobParts = {},
  data = "",
): { errors: number[]; view: DataView; text: string } {
  const { end, stderr } = run(asking(calls, data), parts);
  expect(end).toBe("exited");
  const errors = [...stderr.subarray(4_096, 4_096 + calls.length)];
  return {
    errors,
    view: new DataView(stderr.buffer, stderr.byteOffset),
    text: textOf(stderr.subarray(0, 4_096)),
  };
}

const BAD_FILE = 8;
const FAULT = 21;
const INVALID = 28;
const NOT_PIPE = 70;

describe("jobs that cannot be given to a program", () => {
  const module = compiled(asking([]));

  test.each<[string, Parameters<typeof runJob>[1]]>([
    ["a limit that is no whole number", jobOf({ limits: { fuel: 0.5 } })],
    ["a limit below zero", jobOf({ limits: { outputBytes: -1 } })],
    ["a seed of another length", { ...jobOf(), seed: new Uint8Array(31) }],
    ["a clock before its beginning", { ...jobOf(), clockS: -1 }],
    ["an argument with a zero byte", jobOf({ args: ["a\0b"] })],
    ["a variable without a name", jobOf({ env: { "": "x" } })],
    ["a variable whose name ends early", jobOf({ env: { "A=B": "x" } })],
    ["arguments beyond their limit", jobOf({ args: ["x".repeat(200_000)] })],
  ])("rejects: %s", (_, job) => {
    expect(() => runJob(module, job)).toThrow(expect.objectContaining({ reason: "job_malformed" }));
  });

  test("rejects: a module that was not rewritten, or by another version", () => {
    const plain = new WebAssembly.Module(asking([]));
    expect(() => runJob(plain, jobOf())).toThrow(expect.objectContaining({ reason: "not_metered" }));
    const other = assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);
    const mark = [0, 16, 14, ...Buffer.from("polder.metered"), 99, 1];
    mark[1] = mark.length - 2;
    const marked = new WebAssembly.Module(Uint8Array.from([...other, ...mark]));
    expect(() => runJob(marked, jobOf())).toThrow(JobNotRun);
    expect(() => runJob(marked, jobOf())).toThrow(expect.objectContaining({ reason: "other_version" }));
  });
});

describe("what calls refuse", () => {
  test("rejects: files that are not open, seeking, and directories", () => {
    const { errors } = ask([
      "$fd_close (i32.const 3)",
      "$fd_close (i32.const -1)",
      "$fd_read (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)",
      "$fd_write (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0)",
      "$fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0)",
      "$fd_prestat_get (i32.const 3) (i32.const 0)",
      "$path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0)",
      "$fd_close (i32.const 0)",
      "$fd_close (i32.const 0)",
    ]);
    expect(errors).toEqual([BAD_FILE, BAD_FILE, 0, BAD_FILE, NOT_PIPE, BAD_FILE, BAD_FILE, 0, BAD_FILE]);
  });

  test("rejects: addresses beyond the memory, lists beyond any use, clocks that are none", () => {
    const { errors } = ask([
      "$random_get (i32.const 65530) (i32.const 7)",
      "$random_get (i32.const -1) (i32.const -1)",
      "$fd_write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 0)",
      "$fd_write (i32.const 1) (i32.const 0) (i32.const 1025) (i32.const 0)",
      "$fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0)",
      "$args_sizes_get (i32.const 65533) (i32.const 0)",
      "$clock_time_get (i32.const 4) (i64.const 0) (i32.const 0)",
      "$clock_time_get (i32.const 0) (i64.const 0) (i32.const 65529)",
      "$poll_oneoff (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)",
      "$poll_oneoff (i32.const 0) (i32.const 0) (i32.const 5000) (i32.const 0)",
    ]);
    expect(errors).toEqual([FAULT, FAULT, FAULT, INVALID, INVALID, FAULT, INVALID, FAULT, INVALID, INVALID]);
  });
});

describe("what a job is given", () => {
  test("behavior: its arguments after its name, and its variables in their order", () => {
    const calls = [
      "$args_sizes_get (i32.const 0) (i32.const 4)",
      "$args_get (i32.const 16) (i32.const 64)",
      "$environ_sizes_get (i32.const 8) (i32.const 12)",
      "$environ_get (i32.const 32) (i32.const 128)",
    ];
    const { errors, view, text } = ask(calls, {
      args: ["--width", "64é"],
      env: { ZONE: "north", AREA: "1" },
    });
    expect(errors).toEqual([0, 0, 0, 0]);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([3, 17]);
    expect([view.getUint32(8, true), view.getUint32(12, true)]).toEqual([2, 18]);
    expect([view.getUint32(16, true), view.getUint32(20, true), view.getUint32(24, true)]).toEqual([
      64, 68, 76,
    ]);
    expect(text).toContain("job\0--width\x0064é\0");
    expect(text).toContain("AREA=1\0ZONE=north\0");
  });

  test("behavior: its input, in pieces, and then nothing", () => {
    const list = `(data (i32.const 16) "\\00\\02\\00\\00\\04\\00\\00\\00\\10\\02\\00\\00\\20\\00\\00\\00")`;
    const read = "$fd_read (i32.const 0) (i32.const 16) (i32.const 2)";
    const { errors, view, text } = ask(
      [`${read} (i32.const 0)`, `${read} (i32.const 4)`],
      { stdin: "low tide" },
      list,
    );
    expect(errors).toEqual([0, 0]);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([8, 0]);
    expect([text.slice(512, 516), text.slice(528, 532)]).toEqual(["low ", "tide"]);
  });

  test("behavior: a clock that starts where the job says and passes with fuel and sleep", () => {
    const clock = (id: number, at: number): string =>
      `$clock_time_get (i32.const ${id}) (i64.const 1) (i32.const ${at})`;
    // Sleeps a minute on the monotonic clock.
    const sleep = `(data (i32.const 100) "\\2a\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\01\\00\\00\\00\\00\\00\\00\\00\\00\\58\\47\\f8\\0d\\00\\00\\00")`;
    const poll = "$poll_oneoff (i32.const 100) (i32.const 200) (i32.const 1) (i32.const 96)";
    const { errors, view } = ask(
      [clock(0, 0), clock(1, 8), poll, clock(0, 16), clock(1, 24), clock(2, 32)],
      {},
      sleep,
    );
    expect(errors).toEqual([0, 0, 0, 0, 0, 0]);
    const at = (offset: number): bigint => view.getBigUint64(offset, true);
    const started = 1_800_000_000n * 1_000_000_000n;
    expect(at(0)).toBeGreaterThan(started);
    expect(at(0) - started).toBeLessThan(1_000_000n);
    expect(at(8)).toBeGreaterThan(at(0) - started);
    expect(at(16) - at(0)).toBeGreaterThan(60_000_000_000n);
    expect(at(16) - at(0)).toBeLessThan(60_000_100_000n);
    expect(at(24)).toBeGreaterThan(60_000_000_000n);
    expect(at(32)).toBeLessThan(1_000_000n);
    // One event, with the subscription's own mark.
    expect([view.getUint32(96, true), view.getBigUint64(200, true), view.getUint16(208, true)]).toEqual([
      1,
      42n,
      0,
    ]);
  });

  test("behavior: randomness out of the seed, however it is asked for", () => {
    const whole = ask(["$random_get (i32.const 0) (i32.const 100)"], { seed: 7 }).view;
    const pieces = ask(
      ["$random_get (i32.const 0) (i32.const 33)", "$random_get (i32.const 33) (i32.const 67)"],
      { seed: 7 },
    ).view;
    const other = ask(["$random_get (i32.const 0) (i32.const 100)"], { seed: 8 }).view;
    const bytes = (view: DataView): string => Buffer.from(view.buffer, view.byteOffset, 100).toString("hex");
    expect(bytes(pieces)).toBe(bytes(whole));
    expect(bytes(other)).not.toBe(bytes(whole));
    expect(new Set(Buffer.from(bytes(whole), "hex")).size).toBeGreaterThan(60);
  });

  test("behavior: streams that are no terminals", () => {
    const { errors, view } = ask(["$fd_fdstat_get (i32.const 1) (i32.const 0)", "$sched_yield"]);
    expect(errors).toEqual([0, 0]);
    expect([view.getUint8(0), view.getBigUint64(8, true) & (1n << 6n)]).toEqual([0, 1n << 6n]);
  });
});

describe("the hash that replicas compare", () => {
  const exiting = (code: number): Uint8Array =>
    assemble(`(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
      (func (export "_start") (call $exit (i32.const ${code}))))`);

  test("behavior: says how the job ended, what with, what it wrote and what it used", () => {
    const hashes = [
      run(exiting(0)),
      run(exiting(1)),
      run(asking([])),
      run(asking(["$sched_yield"])),
      run(exiting(0), { limits: { fuel: 1 } }),
      run(exiting(0), { limits: { memoryBytes: 0 } }),
    ].map(({ outputHash }) => outputHash);
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(run(exiting(3)).exitCode).toBe(3);
    expect(run(exiting(-1)).exitCode).toBe(2 ** 32 - 1);
  });

  test("behavior: is SHA-256 of one line and the output, for whoever computes it elsewhere", () => {
    const { fuelUsed, outputHash, stderr } = run(asking([]));
    const line = `polder-job-1 exited 0 ${fuelUsed} 0 ${stderr.length}\n`;
    expect(outputHash).toBe(createHash("sha256").update(line).update(stderr).digest("hex"));
  });
});

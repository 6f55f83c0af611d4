// Owns the promise of a desk: what it refuses leaves nothing behind, what it took is run to an end whoever is full, away, late
// or lying, and an instance that is lost at any point loses no job and buys none twice.

import { describe, expect, test, vi } from "vitest";
import type { JobDesk } from "../../durable-objects/job-desk.ts";
import { JobStore } from "../../durable-objects/jobs/job-store.ts";
import { rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { MAX_JOB_TRIES, MAX_JOBS_UNDER_WAY } from "../../protocol/limits.ts";
import { address, word } from "../support/market.ts";
import {
  BUYER,
  DESCRIPTION,
  DeskUnderTest,
  honest,
  jobOf,
  orderOf,
  provider,
  refusalOf,
  reports,
  resultWith,
} from "./desk-under-test.ts";
import { until } from "./provider-under-test.ts";
import { rest, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

const [ANN, BEA, CID] = [address(0xa1), address(0xbe), address(0xc1)] as const;
const [DAN, EVE] = [address(0xd1), address(0xe1)] as const;
const order = orderOf();
const { job } = order;
const later = (seconds: number): void => {
  vi.setSystemTime(Date.now() + seconds * 1000);
};
/** All rows of a desk. */
const rowsOf = (ctx: DurableObjectState) =>
  ["jobs", "runs", "results", "purchases", "pieces"].map((table) =>
    ctx.storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
  );
/** Submits, and lets it be handed out. */
const submitted = async (desk: JobDesk, more = {}) => {
  const job = jobOf(await desk.submit(orderOf(more)));
  await rest(10);
  return job;
};

describe("a desk that is refused", () => {
  test("rejects: what the region refuses for good, and keeps nothing of it", async () => {
    const under = new DeskUnderTest();
    await under.inside(async (desk, ctx) => {
      const before = rowsOf(ctx);
      for (const code of ["funds_insufficient", "session_scope", "order_unmatched"] as const) {
        under.region.refusals.push(rejected(code, { of: code }));
        expect(await desk.submit(order)).toEqual({ rejection: rejected(code, { of: code }) });
        expect(rowsOf(ctx)).toEqual(before);
      }
      expect(under.region.sold.size).toBe(0);
    });
  });

  test("rejects: more jobs at once than it may hold; a job that is over makes room", async () => {
    const under = new DeskUnderTest();
    await under.inside(async (desk, ctx) => {
      const patient = { patientUntilMs: Date.now() + 60_000 };
      const jobs: Hex[] = [];
      for (let place = 0; place < MAX_JOBS_UNDER_WAY; place += 1) {
        const description = { ...DESCRIPTION, salt: word(place + 10) };
        jobs.push((await submitted(desk, { ...patient, description })).job);
      }
      const before = rowsOf(ctx);
      const refused = await desk.submit(order);
      expect(refused).toMatchObject({ rejection: { code: "jobs_exhausted", facts: { limit: 128 } } });
      const large = {
        ...DESCRIPTION,
        salt: word(5),
        limits: { ...DESCRIPTION.limits, outputBytes: 2 ** 28 },
      };
      expect(refusalOf(await desk.submit(orderOf({ description: large })))).toBe("jobs_exhausted");
      expect(rowsOf(ctx)).toEqual(before);
      await desk.cancel(jobs[0] as Hex);
      expect(refusalOf(await desk.submit(orderOf({ description: large })))).toBe("jobs_exhausted");
      expect((await submitted(desk, patient)).status).toBe("queued");
    });
  });

  test("rejects: jobs that it does not have, outputs that are not there, and cancelling what was bought", async () => {
    const under = new DeskUnderTest();
    await under.inside(async (desk, ctx) => {
      expect(refusalOf(desk.read(job))).toBe("job_not_found");
      expect(refusalOf(desk.output(job, "stdout"))).toBe("job_not_found");
      expect(refusalOf(await desk.cancel(job))).toBe("job_not_found");
      under.region.sells([ANN, provider()]);
      expect((await submitted(desk)).status).toBe("running");
      const before = rowsOf(ctx);
      expect(refusalOf(await desk.cancel(job))).toBe("job_running");
      expect(refusalOf(desk.output(job, "stdout"))).toBe("job_output_missing");
      // Not its run, not its job, not its hash.
      await desk.ran(job, 99, resultWith("wrong"));
      await desk.ran(word(9), 1, resultWith("wrong"));
      await desk.committed(job, 99, word(1));
      await rest();
      const [, runs, results, ...others] = rowsOf(ctx);
      expect([runs, results, others]).toEqual([before[1], before[2], before.slice(3)]);
      await desk.ran(job, 1, resultWith("right"));
      await rest();
      expect(refusalOf(await desk.cancel(job))).toBe("job_over");
    });
  });
});

describe("a job on a desk", () => {
  test("behavior: is run by the first who takes it, and its answer says everything", async () => {
    const under = new DeskUnderTest();
    const ann = provider({ act: reports(resultWith("ready")) });
    under.region.sells([ANN, ann]);
    await under.inside(async (desk, ctx) => {
      const told = await desk.submit(order);
      const answer =
        "job" in told && told.job.status !== "done" ? jobOf(await desk.wait(job, 2_000)) : jobOf(told);
      expect(answer).toMatchObject({
        job,
        status: "done",
        result: {
          end: "exited",
          exitCode: 0,
          fuelUsed: 1_500_000,
          stdout: { encoding: "utf8", data: "ready" },
          stderr: { encoding: "utf8", data: "words" },
        },
        owedMicros: 2,
        runs: [{ provider: ANN, obligation: 1, state: "reported", fuelMega: 2 }],
        purchases: [{ entry: 10 }],
        problem: null,
      });
      expect(ann.seen[0]).toMatchObject({
        obligationId: 1,
        jobDigest: job,
        commitFirst: false,
        buyer: BUYER,
      });
      expect(new TextDecoder().decode(ann.seen[0]?.input)).toBe("input");
      const output = desk.output(job, "stdout") as { bytes: Uint8Array };
      expect(new TextDecoder().decode(output.bytes)).toBe("ready");
      // Nothing is left that could buy again, and the input is gone.
      const store = new JobStore(ctx.storage);
      expect(store.submissions(job)).toEqual([]);
      expect(store.input(job)).toEqual(new Uint8Array(0));
      expect(jobOf(await desk.submit(order))).toEqual(answer);
      expect(under.region.asked).toHaveLength(1);
      expect(desk.list(1e9).jobs.map((one) => one.job)).toEqual([job]);
    });
  });

  test("behavior: one that is full or away is skipped, and the app does not notice", async () => {
    const under = new DeskUnderTest();
    const full = provider({ answers: ["full"] });
    under.region.sells([ANN, full]);
    under.region.sells([BEA, provider({ answers: ["away"] })]);
    under.region.sells([CID, provider({ act: reports(resultWith("third")) })]);
    await under.inside(async (desk) => {
      await desk.submit(order);
      const answer = jobOf(await desk.wait(job, 2_000));
      expect(answer).toMatchObject({ status: "done", result: { stdout: { data: "third" } } });
      expect(answer.runs.map(({ state }) => state)).toEqual(["gave_up", "gave_up", "reported"]);
      expect(answer.purchases).toHaveLength(3);
      expect(new Set(under.region.asked).size).toBe(3);
    });
  });

  test("behavior: one that vanishes in the middle is waited for, then another runs it; a late result is not bought again", async () => {
    const under = new DeskUnderTest();
    under.region.sells([ANN, provider()]);
    under.region.sells([BEA, provider()]);
    await under.inside(async (desk) => {
      expect((await submitted(desk)).status).toBe("running");
      later(24);
      await desk.alarm();
      expect(under.region.asked).toHaveLength(1);
      later(2);
      await desk.alarm();
      expect(under.region.asked).toHaveLength(2);
      expect(jobOf(desk.read(job)).runs.map(({ state }) => state)).toEqual(["late", "running"]);
      await desk.ran(job, 1, resultWith("late, and right"));
      expect(jobOf(await desk.wait(job, 2_000))).toMatchObject({
        status: "done",
        runs: [{ state: "reported" }, {}],
      });
      await desk.ran(job, 2, resultWith("later still"));
      expect(jobOf(desk.read(job))).toMatchObject({
        result: { stdout: { data: "late, and right" } },
        runs: [{ state: "reported" }, { state: "reported" }],
      });
    });
  });

  test("behavior: what is bought while a late result comes in is not handed out, and its seller's object lets it go", async () => {
    const under = new DeskUnderTest();
    under.region.sells([ANN, provider()]);
    const unasked = provider();
    under.region.sells([BEA, unasked]);
    await under.inside(async (desk) => {
      await submitted(desk);
      later(26);
      let open = (): void => {};
      under.region.gate = new Promise((resolve) => {
        open = resolve;
      });
      const alarm = desk.alarm();
      await until(() => under.region.asked.length === 2);
      await desk.ran(job, 1, resultWith("late, and right"));
      open();
      await alarm;
      expect(jobOf(await desk.wait(job, 2_000))).toMatchObject({
        status: "done",
        result: { stdout: { data: "late, and right" } },
      });
      await until(() => unasked.abandoned.length === 1);
      expect([unasked.seen, unasked.abandoned]).toEqual([[], [2]]);
    });
  });

  test("behavior: fails when everybody who was asked gave up, and when a result has another hash than it claims", async () => {
    const under = new DeskUnderTest();
    const lying = provider({
      act: reports({ ...resultWith("true"), stdout: new TextEncoder().encode("false") }),
    });
    const dear = provider({ act: reports(resultWith("dear", { fuelUsed: 100_000_001 })) });
    const gone = provider({
      act: (run, desk) => desk.ran(job, run.obligationId, { kind: "gave_up", reason: "x" }),
    });
    under.region.sells([ANN, lying]);
    under.region.sells([BEA, dear]);
    under.region.sells([CID, gone]);
    under.region.sells([DAN, provider({ answers: ["throw"] })]);
    under.region.sells([EVE, provider({ answers: ["full"] })]);
    await under.inside(async (desk) => {
      await desk.submit(order);
      for (let look = 0; look < 4; look += 1) {
        await rest(20);
        later(2);
        await desk.alarm();
      }
      const answer = jobOf(desk.read(job));
      expect(answer).toMatchObject({
        status: "failed",
        result: null,
        owedMicros: null,
        problem: { code: "job_not_run", facts: { tries: MAX_JOB_TRIES } },
      });
      expect(under.region.asked).toHaveLength(MAX_JOB_TRIES);
    });
  });

  test("behavior: a patient one waits for providers, can be cancelled for nothing, and fails when its patience is over", async () => {
    const under = new DeskUnderTest();
    await under.inside(async (desk) => {
      const patient = { patientUntilMs: Date.now() + 60_000 };
      expect(await submitted(desk, patient)).toMatchObject({
        status: "queued",
        problem: { code: "order_unmatched" },
      });
      const other = { ...DESCRIPTION, salt: word(2) };
      const waiting = await submitted(desk, { ...patient, description: other });
      expect(jobOf(await desk.cancel(waiting.job))).toMatchObject({
        status: "cancelled",
        runs: [],
        problem: null,
      });
      const asked = under.region.asked.length;
      under.region.sells([ANN, provider({ act: reports(resultWith("at last")) })]);
      later(2);
      await desk.alarm();
      expect(jobOf(await desk.wait(job, 2_000)).status).toBe("done");
      expect(under.region.asked.length).toBe(asked + 1);
      const third = { ...DESCRIPTION, salt: word(3) };
      const { job: hopeless } = await submitted(desk, { ...patient, description: third });
      for (let look = 0; look < 20; look += 1) {
        later(5);
        await desk.alarm();
      }
      expect(jobOf(desk.read(hopeless))).toMatchObject({
        status: "failed",
        problem: { code: "order_unmatched" },
      });
      // It was there to be read: its app had been told that it was taken.
      later(86_401);
      await desk.alarm();
      expect(desk.list(1e9).jobs).toEqual([]);
    });
  });
});

describe("a desk that is lost", () => {
  test("behavior: while the region decides, buys once: the same command gets the same answer", async () => {
    const under = new DeskUnderTest();
    under.region.losesAnswers = true;
    under.region.sells([ANN, provider({ act: reports(resultWith("once")) })]);
    await under.inside(async (desk) => {
      expect((await submitted(desk)).status).toBe("queued");
      // What may have been bought cannot be cancelled.
      expect(refusalOf(await desk.cancel(job))).toBe("job_running");
    });
    under.region.losesAnswers = false;
    later(10);
    await under.inside(async (desk) => {
      await desk.alarm();
      expect(jobOf(await desk.wait(job, 2_000)).status).toBe("done");
      expect(new Set(under.region.asked).size).toBe(1);
      expect(under.region.sold.size).toBe(1);
    });
  });

  test("behavior: before the region was asked at all, goes on by its alarm", async () => {
    const under = new DeskUnderTest();
    under.region.gate = new Promise(() => {});
    await under.inside(async (desk, ctx) => {
      void desk.submit(order);
      await rest();
      expect(await ctx.storage.getAlarm()).not.toBeNull();
    });
    under.region.gate = Promise.resolve();
    under.region.sells([ANN, provider({ act: reports(resultWith("once")) })]);
    later(10);
    await under.inside(async (desk) => {
      await desk.alarm();
      expect(jobOf(await desk.wait(job, 2_000)).status).toBe("done");
      expect(under.region.sold.size).toBe(1);
    });
  });

  test("behavior: while providers work, hands out nothing new and takes the result", async () => {
    const under = new DeskUnderTest();
    const ann = provider();
    under.region.sells([ANN, ann]);
    await under.inside(async (desk) => {
      await desk.submit(order);
    });
    await under.inside(async (desk) => {
      await desk.alarm();
      await desk.ran(job, 1, resultWith("after all"));
      await desk.ran(job, 1, resultWith("after all"));
      expect(jobOf(await desk.wait(job, 2_000))).toMatchObject({ status: "done" });
    });
    expect(ann.seen).toHaveLength(1);
    expect(under.region.sold.size).toBe(1);
  });

  test("behavior: between asking to show and the showing, asks again", async () => {
    const under = new DeskUnderTest();
    const silent = { act: honest("true").act };
    const [ann, bea] = [provider(silent), provider(silent)];
    under.region.sells([ANN, ann], [BEA, bea]);
    await under.inside(async (desk) => {
      await desk.submit(orderOf({ replicas: 2 }));
      await rest(10);
    });
    expect(ann.revealed).toEqual([1]);
    await under.inside(async (desk) => {
      void desk.wait(job, 500);
      await rest(20);
      expect(ann.revealed).toEqual([1, 1]);
      await desk.ran(job, 1, resultWith("true"));
      await desk.ran(job, 2, resultWith("true"));
      expect(jobOf(await desk.wait(job, 2_000)).status).toBe("done");
    });
  });
});

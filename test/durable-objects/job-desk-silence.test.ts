// Owns the promise of a desk that nobody's silence holds up others: calls whose answers never come or are lost, and an app that
// sends the same job again. What providers say and do is job-desk.test.ts's.

import { describe, expect, test, vi } from "vitest";
import { MAX_FAULTS } from "../../durable-objects/jobs/job-life.ts";
import { rejected } from "../../protocol/errors.ts";
import { address } from "../support/market.ts";
import {
  DeskUnderTest,
  honest,
  jobOf,
  orderOf,
  provider,
  refusalOf,
  reports,
  resultWith,
} from "./desk-under-test.ts";
import { rest, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

const [ANN, BEA, CID] = [address(0xa1), address(0xbe), address(0xc1)] as const;
const order = orderOf();
const { job } = order;
const later = (seconds: number): void => {
  vi.setSystemTime(Date.now() + seconds * 1000);
};

describe("a call that is never answered", { timeout: 30_000 }, () => {
  const silent = () => new Promise<void>(() => {});

  test("behavior: an object that says nothing to a run does not keep the desk from its other work, and is asked again", async () => {
    const under = new DeskUnderTest();
    const acts = [silent, reports(resultWith("at last"))];
    const ann = provider({ act: (run, desk) => acts.shift()?.(run, desk) });
    under.region.sells([ANN, ann]);
    await under.inside(async (desk) => {
      await desk.submit(order);
      later(6);
      await desk.alarm();
      later(2);
      await desk.alarm();
      expect(jobOf(await desk.wait(job, 2_000)).status).toBe("done");
      expect(ann.seen).toHaveLength(2);
    });
  });

  test("behavior: a region that says nothing is asked again, and sells once", async () => {
    const under = new DeskUnderTest();
    under.region.sells([ANN, provider({ act: reports(resultWith("once")) })]);
    under.region.gate = silent();
    await under.inside(async (desk) => {
      expect(jobOf(await desk.submit(order)).status).toBe("queued");
      under.region.gate = Promise.resolve();
      later(2);
      await desk.alarm();
      expect(jobOf(await desk.wait(job, 2_000)).status).toBe("done");
      expect(under.region.sold.size).toBe(1);
      expect(new Set(under.region.asked).size).toBe(1);
    });
  });

  test("behavior: one of three that says nothing when it is asked to show its result holds up nobody", async () => {
    const under = new DeskUnderTest();
    const mute = provider({ ...honest("true"), reveal: silent });
    under.region.sells([ANN, mute], [BEA, provider(honest("true"))], [CID, provider(honest("true"))]);
    await under.inside(async (desk) => {
      await desk.submit(orderOf({ replicas: 3 }));
      expect(jobOf(await desk.wait(job, 2_000)).status).toBe("done");
    });
  });
});

describe("an answer that is lost", () => {
  const lost = () => {
    throw new Error("the answer was lost");
  };

  test("behavior: of a provider that has the run all the same, the result counts", async () => {
    const under = new DeskUnderTest();
    under.region.sells([ANN, provider({ act: lost })]);
    under.region.sells([BEA, provider()]);
    await under.inside(async (desk) => {
      await desk.submit(order);
      for (let look = 0; look < MAX_FAULTS; look += 1) {
        await rest(20);
        later(2);
        await desk.alarm();
      }
      await desk.ran(job, 1, resultWith("in time"));
      expect(jobOf(await desk.wait(job, 2_000))).toMatchObject({
        status: "done",
        result: { stdout: { data: "in time" } },
      });
    });
  });

  test("behavior: an object that is away for a moment when it is asked to show a result is asked again", async () => {
    const under = new DeskUnderTest();
    let isAway = true;
    const show = reports(resultWith("true"));
    const ann = provider({ ...honest("true"), reveal: (run, desk) => (isAway ? lost() : show(run, desk)) });
    under.region.sells([ANN, ann], [BEA, provider(honest("true"))]);
    await under.inside(async (desk) => {
      await desk.submit(orderOf({ replicas: 2 }));
      await rest(50);
      isAway = false;
      expect(jobOf(await desk.wait(job, 5_000)).status).toBe("done");
    });
  });
});

describe("the same job again", () => {
  test("behavior: while it is decided gets the answer of the first, be it a refusal", async () => {
    const under = new DeskUnderTest();
    await under.inside(async (desk) => {
      under.region.refusals.push(rejected("funds_insufficient", {}));
      const [one, other] = await Promise.all([desk.submit(order), desk.submit(order)]);
      expect([refusalOf(one), refusalOf(other)]).toEqual(["funds_insufficient", "funds_insufficient"]);
      expect(under.region.asked).toHaveLength(1);
    });
  });

  test("behavior: after it has failed says so, and takes nothing from whoever was told that it was taken", async () => {
    const under = new DeskUnderTest();
    await under.inside(async (desk) => {
      const patient = orderOf({ patientUntilMs: Date.now() + 1_000 });
      expect(jobOf(await desk.submit(patient)).status).toBe("queued");
      later(5);
      await desk.alarm();
      expect(jobOf(desk.read(job)).status).toBe("failed");
      expect(jobOf(await desk.submit(patient))).toMatchObject({
        status: "failed",
        problem: { code: "order_unmatched" },
      });
      expect(jobOf(desk.read(job)).status).toBe("failed");
    });
  });

  test("behavior: is answered at once while a run of it is handed out", async () => {
    const under = new DeskUnderTest();
    let answer = (): void => {};
    under.region.sells([ANN, provider({ act: () => new Promise((resolve) => (answer = resolve)) })]);
    await under.inside(async (desk) => {
      await desk.submit(order);
      const again = desk.submit(order);
      const answered = await Promise.race([again, rest(100)]);
      expect(answered).toMatchObject({ job: { status: "running" } });
      answer();
      await again;
    });
  });
});

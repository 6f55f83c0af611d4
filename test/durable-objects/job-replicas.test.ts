// Owns the promise of a desk that a job's result is what most of its providers found, each bound before any was shown, and that
// its app is told of it. Crashes and single runs are job-desk.test.ts's.

import { describe, expect, test, vi } from "vitest";
import type { Hex } from "../../protocol/fields.ts";
import { address } from "../support/market.ts";
import {
  DeskUnderTest,
  honest,
  jobOf,
  orderOf,
  type Provider,
  provider,
  reports,
  resultWith,
} from "./desk-under-test.ts";
import { rest, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

const [ANN, BEA, CID] = [address(0xa1), address(0xbe), address(0xc1)] as const;
const [DAN, EVE, FAY] = [address(0xd1), address(0xe1), address(0xf1)] as const;
const { job } = orderOf();
const later = (seconds: number): void => {
  vi.setSystemTime(Date.now() + seconds * 1000);
};

describe("replicas", () => {
  test("behavior: results are bound before any is shown; of three with one lie the majority's counts", async () => {
    const under = new DeskUnderTest();
    const three = [provider(honest("true")), provider(honest("a lie")), provider(honest("true"))] as const;
    under.region.sells([ANN, three[0]], [BEA, three[1]], [CID, three[2]]);
    await under.inside(async (desk) => {
      await desk.submit(orderOf({ replicas: 3 }));
      const answer = jobOf(await desk.wait(job, 2_000));
      expect(answer).toMatchObject({ status: "done", result: { stdout: { data: "true" } }, owedMicros: 4 });
      await rest(20);
      expect(jobOf(desk.read(job)).runs.map(({ state }) => state)).toEqual([
        "reported",
        "reported",
        "reported",
      ]);
      expect(three.map(({ revealed }) => revealed)).toEqual([[1], [2], [3]]);
      expect(three[0].seen[0]).toMatchObject({ commitFirst: true });
      const lie = answer.runs[1]?.outputHash;
      expect([null, resultWith("a lie").outputHash]).toContain(lie);
    });
  });

  test("behavior: what was not bound before others were shown does not count; without a majority another three run it", async () => {
    const under = new DeskUnderTest();
    const early = provider({ act: reports(resultWith("true")) });
    under.region.sells([ANN, early], [BEA, provider(honest("true"))], [CID, provider(honest("a lie"))]);
    under.region.sells(
      [DAN, provider(honest("x"))],
      [EVE, provider(honest("y"))],
      [FAY, provider(honest("z"))],
    );
    await under.inside(async (desk) => {
      await desk.submit(orderOf({ replicas: 3 }, 2));
      await rest(20);
      expect(jobOf(desk.read(job))).toMatchObject({ status: "running", result: null });
      later(26);
      await desk.alarm();
      await rest(20);
      await desk.alarm();
      await rest(20);
      const answer = jobOf(desk.read(job));
      expect(answer).toMatchObject({ status: "failed", problem: { code: "job_without_agreement" } });
      expect(answer.runs.map(({ state }) => state)).toEqual(["late", ...Array(5).fill("reported")]);
    });
  });

  test("rejects: to keep more results than one try's: what its app has set aside is all that a job takes", async () => {
    const under = new DeskUnderTest();
    const said = (text: string) => provider(honest(text.repeat(600)));
    const mute = provider({ ...honest(""), reveal: () => {} });
    const away = provider({ answers: ["away"] });
    const first = [said("a"), said("b"), said("c"), away, mute];
    under.region.sells(...first.map((one, place): [Hex, Provider] => [address(0x10 + place), one]));
    const others = first.map((_, place): [Hex, Provider] => [address(0x20 + place), provider()]);
    under.region.sells(...others);
    await under.inside(async (desk, ctx) => {
      await desk.submit(orderOf({ replicas: 5 }));
      await vi.waitFor(() => expect(under.region.asked).toHaveLength(2), { timeout: 5_000 });
      await rest(10);
      const results = () => ctx.storage.sql.exec("SELECT * FROM results").toArray();
      const outputs = () => ctx.storage.sql.exec("SELECT * FROM pieces WHERE name <> 'input'").toArray();
      expect([results(), outputs()]).toEqual([[], []]);
      // One that shows its result when the next try has begun.
      await desk.ran(job, 5, resultWith("d"));
      expect(jobOf(desk.read(job)).runs[4]?.state).toBe("reported");
      expect([results(), outputs()]).toEqual([[], []]);
    });
  });

  test("behavior: one away of three is no matter, two of three are", async () => {
    const under = new DeskUnderTest();
    const away = (): ReturnType<typeof provider> => provider({ answers: ["away"] });
    under.region.sells([ANN, away()], [BEA, provider(honest("true"))], [CID, away()]);
    under.region.sells([DAN, away()], [EVE, provider(honest("true"))], [FAY, provider(honest("true"))]);
    await under.inside(async (desk) => {
      await desk.submit(orderOf({ replicas: 3 }));
      const answer = jobOf(await desk.wait(job, 2_000));
      expect(answer).toMatchObject({ status: "done", result: { stdout: { data: "true" } } });
      expect(answer.purchases).toHaveLength(2);
    });
  });
});

describe("a webhook", () => {
  test("behavior: is tried again with growing pauses, and given up", async () => {
    const under = new DeskUnderTest();
    under.region.sells([ANN, provider({ act: reports(resultWith("told")) })]);
    const sent: Request[] = [];
    const statuses = [500, 302, 200];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
      sent.push(new Request(url as string, init as RequestInit));
      return new Response(null, { status: statuses[sent.length - 1] ?? 500 });
    });
    await under.inside(async (desk) => {
      await desk.submit(orderOf({ webhook: "https://app.example/told" }));
      expect(jobOf(await desk.wait(job, 2_000)).webhook).toEqual({
        url: "https://app.example/told",
        state: "waiting",
      });
      for (const pause of [0, 5, 30]) {
        later(pause);
        await desk.alarm();
        await rest(20);
      }
      expect(sent).toHaveLength(3);
      const body = await (sent[2] as Request).text();
      expect(JSON.parse(body)).toMatchObject({ job, status: "done", result: { stdoutBytes: 4 } });
      expect(body).not.toContain('"stdout"');
      expect(jobOf(desk.read(job)).webhook?.state).toBe("delivered");
      later(100_000);
      await desk.alarm();
      expect(sent).toHaveLength(3);
    });
    vi.restoreAllMocks();
  });
});

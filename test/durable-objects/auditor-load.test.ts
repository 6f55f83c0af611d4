// Owns the promise of an auditor that nobody keeps it from the results of others: neither who has the referee run what it cannot
// run, nor who reports all the time. What it decides is auditor.test.ts's.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { Auditor } from "../../durable-objects/auditor.ts";
import type { AuditWork, AwaitedResult, ResultPlace } from "../../durable-objects/audits/audit-work.ts";
import { comparePlaces } from "../../durable-objects/audits/audit-work.ts";
import { firstAfter, remembering } from "../../durable-objects/audits/draw-block.ts";
import { sha256Hex } from "../../durable-objects/digest.ts";
import type { Env } from "../../durable-objects/environment.ts";
import { keepModule } from "../../durable-objects/module-store.ts";
import { decodeFrame, encodeFrame, refusalFrame } from "../../durable-objects/referee-frames.ts";
import type { Hex } from "../../protocol/fields.ts";
import { DEFAULT_START_S, type JobDescription } from "../../protocol/jobs.ts";
import { RESULT_CHALLENGE_SECONDS } from "../../protocol/limits.ts";
import { address, word } from "../support/market.ts";
import { commandOf } from "../support/module-bytes.ts";
import { env, useMarketTime, useQuietConsole } from "./region-under-test.ts";

useMarketTime();
useQuietConsole();

const JOB = commandOf([]);
const NAME: Hex = `0x${sha256Hex(JOB)}`;
const nowS = () => Math.floor(Date.now() / 1000);

type Said = "overran" | "not_run" | "result";

/** A region with results that all are drawn, and a referee that says of each what a script says. */
class AuditedScript {
  readonly results: AwaitedResult[] = [];
  readonly recorded: number[] = [];
  /** What the referee was asked, each time. */
  readonly ran: number[] = [];
  readonly #says = new Map<number, Said>();
  /** Happens while the region is read. */
  meanwhile = async (): Promise<void> => {};

  /** Adds results, which were reported a second after those before them. */
  report(count: number, said: Said): void {
    for (let place = 0; place < count; place += 1) {
      const obligationId = this.results.length + 1;
      this.#says.set(obligationId, said);
      const payableAtS = nowS() + RESULT_CHALLENGE_SECONDS - 1_000 + obligationId;
      this.results.push({
        ...{ obligationId, purchase: obligationId, seller: address(5), fuelMega: 1, isDisputed: false },
        ...{ epoch: 1, auditRateBps: 10_000, sinceS: payableAtS - RESULT_CHALLENGE_SECONDS, payableAtS },
      });
    }
  }

  says(obligationId: number, said: Said): void {
    this.#says.set(obligationId, said);
  }

  async auditWork(after: ResultPlace): Promise<AuditWork> {
    await this.meanwhile();
    const results = this.results.filter(
      (result) => comparePlaces(result, after) > 0 && !this.recorded.includes(result.obligationId),
    );
    return { atS: nowS(), bind: [], reveal: [], results, hasMore: false };
  }

  async submit({ command }: { readonly command: { readonly obligationId: number } }): Promise<unknown> {
    this.recorded.push(command.obligationId);
    return { answer: {} };
  }

  /** The salt says which run it is. */
  async referee(body: ArrayBuffer): Promise<Response> {
    const { salt } = decodeFrame(body).facts.description as JobDescription;
    const obligationId = Number(salt);
    this.ran.push(obligationId);
    const said = this.#says.get(obligationId);
    const result = { kind: "result", end: "exited", exitCode: 0, fuelUsed: 1, outputHash: word(1) };
    const nothing = new Uint8Array(0);
    return new Response(
      encodeFrame(
        said === "result" || said === undefined
          ? { facts: result, parts: [nothing, nothing] }
          : refusalFrame(said),
      ),
    );
  }

  get env(): Env {
    const input = new Uint8Array(0);
    const description = {
      ...{ module: NAME, args: [], env: {}, inputHash: `0x${sha256Hex(input)}`, startS: DEFAULT_START_S },
      limits: { fuelMega: 1, memoryBytes: 65_536, outputBytes: 0, wallSeconds: 1 },
    };
    const keptRun = async (obligationId: number) => ({
      description: { ...description, salt: word(obligationId) },
      input,
    });
    return {
      ...env,
      REGION: { getByName: () => this },
      PROVIDER: { getByName: () => ({ keptRun }) },
      REFEREE: {
        fetch: (_: string, init: { readonly body: Uint8Array<ArrayBuffer> }) =>
          this.referee(init.body.slice().buffer),
      },
    } as unknown as Env;
  }
}

let regions = 0;

/** Works with an auditor of a scripted region. */
async function auditing(
  script: AuditedScript,
  work: (auditor: Auditor, ctx: DurableObjectState) => Promise<void>,
): Promise<void> {
  regions += 1;
  await keepModule(env, NAME, JOB);
  const stub = env.AUDITOR.getByName(`auditor-load-${regions}`);
  await runInDurableObject(stub, (_, ctx) => work(new Auditor(ctx, script.env), ctx));
}

describe("results that the referee does not run", () => {
  test("rejects: to keep others from being run, however many they are", async () => {
    const script = new AuditedScript();
    script.report(40, "not_run");
    script.report(5, "result");
    await auditing(script, async (auditor) => {
      for (let look = 0; look < 3; look += 1) await auditor.alarm();
      expect(script.recorded).toEqual([41, 42, 43, 44, 45]);
      // It was no fault of theirs.
      for (let place = 1; place <= 40; place += 1) script.says(place, "result");
      for (let look = 0; look < 3; look += 1) await auditor.alarm();
      expect(script.recorded.toSorted((a, b) => a - b)).toEqual(
        script.results.map((one) => one.obligationId),
      );
    });
  });

  test("rejects: to take the referee's whole time again and again; one that overran by chance is run once more", async () => {
    const script = new AuditedScript();
    script.report(2, "overran");
    await auditing(script, async (auditor) => {
      await auditor.alarm();
      script.says(2, "result");
      for (let look = 0; look < 3; look += 1) await auditor.alarm();
      expect(script.ran).toEqual([1, 2, 1, 2]);
      expect(script.recorded).toEqual([2]);
    });
  });
});

describe("results that come all the time", () => {
  test("rejects: to make it read its region all the time", async () => {
    const script = new AuditedScript();
    await auditing(script, async (auditor, ctx) => {
      script.meanwhile = () => auditor.wake();
      const beganMs = Date.now();
      await auditor.alarm();
      expect((await ctx.storage.getAlarm()) ?? 0).toBeGreaterThanOrEqual(beganMs + 5_000);
    });
  });

  test("rejects: to make it search the chain for each second anew", async () => {
    let asked = 0;
    const block = (number: number) => ({
      number,
      hash: word(number),
      timestamp: 12 * number,
    });
    const chain = remembering({
      async pin() {
        asked += 1;
        return { ...block(20_000_000), timeS: 240_000_000, head: 20_000_000 };
      },
      async blockAt(number: number) {
        asked += 1;
        return block(number);
      },
    });
    for (let timeS = 1_200_000; timeS < 1_200_600; timeS += 1) {
      const number = Math.floor(timeS / 12) + 1;
      expect(await firstAfter(chain, timeS, 0)).toEqual({ blockNumber: number, blockHash: word(number) });
    }
    // Half a hundred blocks, and the way to them.
    expect(asked).toBeLessThan(100);
  });
});

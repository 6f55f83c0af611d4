// Owns a desk whose region and providers follow a script, each in turn, on the object's real storage. It refuses to be a region:
// what a purchase costs and whether a result is paid is not asked here.

import { runInDurableObject } from "cloudflare:test";
import { resultOf } from "../../compute/host/job.ts";
import type { Env } from "../../durable-objects/environment.ts";
import type {
  DispatchAnswer,
  ReleasedRun,
  RunAsker,
  RunOrder,
  RunResult,
} from "../../durable-objects/job-calls.ts";
import { JobDesk, type ToldJob } from "../../durable-objects/job-desk.ts";
import type { JobOrder } from "../../durable-objects/jobs/job-records.ts";
import type { JobAnswer } from "../../evidence/job-answer.ts";
import type { Submission } from "../../evidence/signed-command.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { DEFAULT_START_S, type JobDescription, jobDigestOf } from "../../protocol/jobs.ts";
import { address, word } from "../support/market.ts";
import { env } from "./region-under-test.ts";

export const BUYER = address(0xb1);

/** What a provider does with a run that it took. */
export type Act = (order: RunOrder, desk: RunAsker) => void | Promise<void>;

/** A provider: its answers to runs, in turn, the last for ever; what it does with those it takes. */
export interface Provider {
  readonly answers: (DispatchAnswer | "throw")[];
  readonly act?: Act;
  readonly reveal?: Act;
  /** Runs that it was given, every time. */
  readonly seen: RunOrder[];
  readonly revealed: number[];
  /** Runs that it was told of only when nobody wanted them any more. */
  readonly abandoned: number[];
}

export const provider = (parts: Partial<Provider> = {}): Provider => ({
  answers: ["accepted"],
  seen: [],
  revealed: [],
  abandoned: [],
  ...parts,
});

/** What a region sold and refused, across instances of the desk. */
export class ScriptedRegion {
  /** Refusals to come first, in turn. */
  readonly refusals: (Rejection | "throw")[] = [];
  /** Command ids in the order in which they came, those sent again too. */
  readonly asked: Hex[] = [];
  readonly sold = new Map<Hex, { readonly answer: unknown; readonly obligations: object[] }>();
  readonly providers = new Map<Hex, Provider>();
  /** Sellers of the purchases to come, in turn. */
  readonly sellers: Hex[][] = [];
  /** True: the region decides, and its answer is lost. */
  losesAnswers = false;
  /** Lets a purchase wait. */
  gate: Promise<void> = Promise.resolve();

  async submit(submission: Submission): Promise<unknown> {
    const { commandId, command } = submission;
    this.asked.push(commandId);
    await this.gate;
    const before = this.sold.get(commandId);
    if (before !== undefined) return { answer: before.answer };
    const refusal = this.refusals.shift();
    if (refusal === "throw") throw new Error("the region is away");
    if (refusal !== undefined) return { rejection: refusal };
    const sellers = this.sellers.shift();
    if (sellers === undefined) return { rejection: rejected("order_unmatched") };
    const firstObligation = 1 + [...this.sold.values()].reduce((sum, one) => sum + one.obligations.length, 0);
    const { fuelMega } = command as { fuelMega: number };
    const answer = {
      ...{ commandId, entry: this.sold.size + 10, atS: 1, receipt: { entry: this.sold.size + 10 } },
      events: [{ type: "resource_traded", orders: sellers.map(() => 1), firstObligation }],
    };
    const obligations = sellers.map((seller, index) => ({
      obligationId: firstObligation + index,
      seller,
      quantityMega: fuelMega,
      priceMicrosPerTera: 1_000_000,
      deadlineS: 3_600,
    }));
    this.sold.set(commandId, { answer, obligations });
    if (this.losesAnswers) throw new Error("the answer was lost");
    return { answer };
  }

  obligation(number: number): unknown {
    const all = [...this.sold.values()].flatMap(({ obligations }) => obligations);
    return all.find((one) => (one as { obligationId: number }).obligationId === number) ?? null;
  }

  /** Adds a provider that sells the next purchase, or the next ones. */
  sells(...sellers: [Hex, Provider][]): void {
    for (const [seller, one] of sellers) this.providers.set(seller, one);
    this.sellers.push(sellers.map(([seller]) => seller));
  }
}

function envOf(region: ScriptedRegion, desk: () => RunAsker): Env {
  const taker = (name: string) => {
    const found = region.providers.get(name.split("/")[1] as Hex);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return {
      async dispatch(order: RunOrder): Promise<DispatchAnswer> {
        found.seen.push(order);
        const answer = found.answers.length > 1 ? found.answers.shift() : found.answers[0];
        if (answer === "throw" || answer === undefined) throw new Error("the object is away");
        if (answer === "accepted") await found.act?.(order, desk());
        return answer;
      },
      async reveal(obligation: number): Promise<void> {
        found.revealed.push(obligation);
        const order = found.seen.find(({ obligationId }) => obligationId === obligation) as RunOrder;
        await found.reveal?.(order, desk());
      },
      async abandon({ obligationId }: ReleasedRun): Promise<void> {
        found.abandoned.push(obligationId);
      },
    };
  };
  return {
    ...env,
    REGION: { getByName: () => region },
    PROVIDER: { getByName: taker },
  } as unknown as Env;
}

let desks = 0;

/** A desk on storage of its own; each `inside` is a new instance, as after a crash. */
export class DeskUnderTest {
  readonly region = new ScriptedRegion();
  readonly #name: string;
  desk!: JobDesk;

  constructor() {
    desks += 1;
    this.#name = `desk-${desks}/${BUYER}`;
  }

  /** Works with a new instance on what the last one left. */
  inside<R>(work: (desk: JobDesk, ctx: DurableObjectState) => Promise<R>): Promise<R> {
    return runInDurableObject(env.JOB_DESK.getByName(this.#name), (_, ctx) => {
      const current: { desk?: JobDesk } = {};
      const desk = new JobDesk(
        ctx,
        envOf(this.region, () => current.desk as JobDesk),
      );
      current.desk = desk;
      return work(desk, ctx);
    });
  }
}

export const DESCRIPTION: JobDescription = {
  module: word(0x30d),
  args: ["a"],
  env: {},
  inputHash: word(0x1f),
  limits: { fuelMega: 100, memoryBytes: 65_536, outputBytes: 1_000, wallSeconds: 10 },
  startS: DEFAULT_START_S,
  salt: word(1),
};

/** An order of a job with five signed commands. */
export function orderOf(more: Partial<JobOrder> = {}, tries = 5): JobOrder {
  const description = more.description ?? DESCRIPTION;
  const job = jobDigestOf(description);
  const submissions = Array.from({ length: tries }, (_, place) => ({
    commandId: `0x${job.slice(2, 60)}${String(place).padStart(6, "0")}`,
    command: { type: "buy_job", account: BUYER, jobDigest: job, fuelMega: description.limits.fuelMega },
  })) as unknown as Submission[];
  return {
    region: "scripted",
    buyer: BUYER,
    job,
    description,
    input: new TextEncoder().encode("input"),
    replicas: 1,
    mostMicros: 1_000,
    submissions,
    patientUntilMs: 0,
    createdS: 5,
    webhook: null,
    ...more,
  };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A result with the hash that is its own. */
export function resultWith(stdout: string, more: Partial<RunResult> = {}): RunResult {
  const parts = {
    end: "exited",
    exitCode: 0,
    stderr: bytes("words"),
    fuelUsed: 1_500_000,
    trap: null,
  } as const;
  const result = resultOf({ ...parts, stdout: bytes(stdout) });
  return { kind: "result", ...result, outputHash: `0x${result.outputHash}`, entry: 77, ...more };
}

/** Reports a result at once. */
export const reports =
  (result: RunResult): Act =>
  (order, desk) =>
    desk.ran(order.jobDigest, order.obligationId, result);

export function jobOf(told: ToldJob): JobAnswer {
  if ("rejection" in told) throw new Error(`refused: ${JSON.stringify(told.rejection)}`);
  return told.job;
}

export function refusalOf(told: { readonly rejection?: Rejection } | object): Rejection["code"] | null {
  return "rejection" in told ? (told.rejection as Rejection).code : null;
}

/** Binds its result first, and shows it when asked. */
export const honest = (stdout: string): { act: Act; reveal: Act } => ({
  act: (run, desk) => desk.committed(run.jobDigest, run.obligationId, word(run.obligationId)),
  reveal: reports(resultWith(stdout)),
});

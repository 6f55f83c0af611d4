// Owns the scenario of edge compute: honest machines, a node that makes results up, and an app, on a local stack with its chain. It
// refuses to believe the deployment: outputs are held against the app's own, payments and audits come from the journal.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { regionWord } from "../../evidence/deposit-chain.ts";
import { slashCount, slashOf } from "../../governance/calls/slash-calls.ts";
import type { StakeQuestion } from "../../governance/calls/stake-reads.ts";
import type { MarketEvent } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";
import { PRODUCTS } from "../../protocol/products.ts";
import { SLOT_SECONDS } from "../../protocol/units.ts";
import { assemble } from "../../tools/job-sources.ts";
import { ROOT } from "../../tools/program.ts";
import { type AuditReport, audit } from "../audit/audit.ts";
import { chainOfRegion } from "../audit/chain-of-region.ts";
import { sleep } from "../household/runner.ts";
import { APP, admitTrader, MACHINES, STAKES, startMachines } from "../local/machines.ts";
import { type HouseholdKeys, householdKeys, openRegion, operatorWallet } from "../local/neighbourhood.ts";
import { LOCAL_PARAMETERS } from "../local/region-parameters.ts";
import { type SettledChain, startSettledChain } from "../local/settled-money.ts";
import { type FinishedJob, JobClient, type JobRequest } from "../sdk/jobs.ts";
import {
  type ComputeJob,
  type ComputeResult,
  type ComputeSettlements,
  isGoodCompute,
} from "./compute-result.ts";
import { startLyingNode } from "./lying-node.ts";
import { sceneTerms } from "./settled-market.ts";
import { MarketStage } from "./stage.ts";

export interface ComputeOptions {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

const SEED = "scenario/compute";
const REGION = "polder-compute";
const BEGINS_AT_S = Date.UTC(2026, 5, 20, 9, 30) / 1_000;
/** The chain's blocks have a second each while it is made ready: what is staked in them was staked before this. */
const OPENS_AT_S = BEGINS_AT_S + 900;
const LIAR = "liar";
/** Just what the region asks for: after the first slash it sells no more. */
const LIARS_STAKE = BigInt(LOCAL_PARAMETERS.providerMinimumStake);
const LIARS_PRICE = 500;
const LIARS_OFFER_MEGA = 100_000;
/** Every result is run again, so that the figures are the same each time; a region's share is some hundredths. */
const PARAMETERS = { ...LOCAL_PARAMETERS, proofDelaySeconds: 600, auditRateBps: 10_000 };
const TERMS = sceneTerms(REGION, "A region with a machine that lies", PARAMETERS);
const SINGLE_JOBS = 4;
const REPLICAS = 3;
const WAIT_MS = 60_000;
const LOOK_MS = 250;

/** Plays it in a folder of its own. */
export async function runCompute(options: ComputeOptions): Promise<ComputeResult> {
  const folder = mkdtempSync(join(tmpdir(), "polder-compute-"));
  try {
    const stakes = [...STAKES, { name: LIAR, amountMicros: LIARS_STAKE }];
    const settled = await startSettledChain(
      { folder, seed: SEED, terms: TERMS, marketS: BEGINS_AT_S, homes: [], traders: [APP], stakes },
      0,
    );
    try {
      return await playOn(settled, folder, options);
    } finally {
      await settled.chain.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function playOn(
  settled: SettledChain,
  folder: string,
  { signal, progress }: ComputeOptions,
): Promise<ComputeResult> {
  const stage = new MarketStage({
    ...{ region: REGION, signal, complain: progress, vars: settled.vars },
    operator: operatorWallet(SEED).address,
    stateFolder: join(folder, "state"),
    onTime: (clock) => settled.chain.follow(clock),
  });
  try {
    await stage.goTo(OPENS_AT_S);
    return await new Play(settled, stage, folder, signal, progress).run();
  } finally {
    await stage.end();
  }
}

/** One run of the scenario. */
class Play {
  readonly #settled: SettledChain;
  readonly #stage: MarketStage;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #progress: (message: string) => void;
  readonly #module = assemble(readFileSync(join(ROOT, "docs/examples/jobs/base64.wat"), "utf8"));
  readonly #names = new Map<Hex, string>(
    [...MACHINES.map(({ name }) => name), LIAR].map((name) => [householdKeys(SEED, name).account, name]),
  );
  #jobs = 0;

  constructor(
    settled: SettledChain,
    stage: MarketStage,
    folder: string,
    signal: AbortSignal,
    progress: (message: string) => void,
  ) {
    this.#settled = settled;
    this.#stage = stage;
    this.#folder = folder;
    this.#signal = signal;
    this.#progress = progress;
  }

  async run(): Promise<ComputeResult> {
    const { client } = this.#stage;
    await openRegion(client, SEED, TERMS);
    const neighbours = { client, region: REGION, seed: SEED, operator: null };
    const machines = await startMachines({ ...neighbours, folder: this.#folder, report: () => {} });
    const { account, sessionSeed } = await admitTrader(neighbours, LIAR, "sell", 0);
    const endLiar = await startLyingNode({
      ...{ client, region: REGION, key: { account, seed: sessionSeed }, report: () => {} },
      ...{ priceMicrosPerTera: LIARS_PRICE, quantityMega: LIARS_OFFER_MEGA },
    });
    try {
      const jobs = new JobClient(client, REGION, machines.app.apiKey);
      const sellers = machines.count + 1;
      await this.#until(
        "all nodes sell",
        async () => (await this.#sellers(jobs, sellers)).length === sellers,
      );
      this.#progress(`${sellers} nodes sell; the cheapest of them makes results up`);
      const before = await this.#runAll(jobs, [...Array(SINGLE_JOBS).fill(1), REPLICAS]);
      this.#progress(`${before.length} jobs are run`);
      await this.#until("a slash is final on the chain", () => this.#isSlashed());
      await this.#until(
        "the liar sells no more",
        async () => !(await this.#sellers(jobs, 1)).includes(account),
      );
      this.#progress("a lie was found, its stake is slashed, and its ask has left the book");
      const after = await this.#runAll(jobs, Array(SINGLE_JOBS).fill(1));
      await this.#until("every result is judged", () => this.#isAllSettled(machines.app));
      this.#progress(`${after.length} more jobs are run, and every result is run again`);
      endLiar();
      await machines.stop();
      return await this.#reported(before, after);
    } finally {
      endLiar();
      await machines.stop();
    }
  }

  /** Who would run a job of so many replicas now, the cheapest first; nobody where there are too few. */
  async #sellers(jobs: JobClient, replicas: number): Promise<Hex[]> {
    const { asks } = await jobs.quote(this.#request(replicas).request);
    return asks.map(({ seller }) => seller);
  }

  #request(replicas: number): { request: JobRequest; expected: string } {
    this.#jobs += 1;
    const text = `what number ${this.#jobs} has to say`;
    const limits = { fuelMega: 100, memoryBytes: 2 ** 20, outputBytes: 1_000, wallSeconds: 10 };
    const request = { module: this.#module, input: { text }, limits, mostMicros: 10_000, replicas };
    return { request, expected: Buffer.from(text).toString("base64") };
  }

  #runAll(jobs: JobClient, replicas: readonly number[]): Promise<ComputeJob[]> {
    return Promise.all(
      replicas.map(async (count) => {
        const { request, expected } = this.#request(count);
        const done = await jobs.run(request);
        return this.#seen(done, Buffer.from(done.stdout).toString().trim() === expected);
      }),
    );
  }

  #seen({ job }: FinishedJob, isRight: boolean): ComputeJob {
    return {
      ranBy: job.runs.map(({ provider }) => this.#names.get(provider) ?? provider),
      replicas: job.replicas,
      isRight,
      fuelUsed: job.result?.fuelUsed ?? 0,
      priceMicrosPerTera: Math.max(...job.runs.map(({ priceMicrosPerTera }) => priceMicrosPerTera)),
      owedMicros: job.owedMicros ?? 0,
    };
  }

  async #isSlashed(): Promise<boolean> {
    await this.#settled.chain.finalise();
    const { slashesOnChain, slashesWaiting } = await this.#standing();
    return slashesOnChain > 0 && slashesWaiting === 0;
  }

  async #isAllSettled({ account }: HouseholdKeys): Promise<boolean> {
    await this.#settled.chain.finalise();
    const path = `/v1/regions/${REGION}/accounts/${account}/obligations`;
    const { obligations } = await this.#stage.client.get<{ obligations: readonly unknown[] }>(path);
    return obligations.length === 0;
  }

  async #standing() {
    const { regions } = await this.#stage.client.chain();
    const found = regions.find(({ region }) => region === REGION);
    if (found === undefined) throw new Error("the mirror does not follow the region");
    return found;
  }

  /** Goes to where the epoch's secret is shown, and holds everything against journal and chain. */
  async #reported(before: ComputeJob[], after: ComputeJob[]): Promise<ComputeResult> {
    const { slashesPassedOver } = await this.#standing();
    const epochSeconds = TERMS.epochSlots * SLOT_SECONDS;
    const epochEndS = (Math.floor(OPENS_AT_S / epochSeconds) + 1) * epochSeconds;
    await this.#stage.goTo(epochEndS + PRODUCTS["compute-job"].deliverySeconds + 5);
    await this.#settled.chain.finalise();
    let found = await this.#audited();
    await this.#until("the secret is shown", async () => {
      found = await this.#audited();
      return found.report.failure !== null || found.report.audits.unshown === 0;
    });
    const { report, settlements, paidToLiarMicros } = found;
    const { recorded, drawn, disputed, missed, undrawn, untold } = report.audits;
    const result = {
      scenario: "compute" as const,
      region: REGION,
      nodes: [...this.#names.values()],
      liar: { name: LIAR, account: householdKeys(SEED, LIAR).account, paidMicros: paidToLiarMicros },
      ...{ before, after, ...settlements, slashesPassedOver },
      audits: { recorded, drawn, disputed, missed: missed.length, undrawn: undrawn.length, untold },
      auditsFailed: settlements.byVerdict.audit_failed ?? 0,
      slashes: await this.#slashes(),
      auditOk: report.auditOk,
      auditFailure: report.failure?.reason ?? null,
      entries: report.entries,
    };
    return { ...result, isGood: isGoodCompute(result) };
  }

  async #audited(): Promise<{
    report: AuditReport;
    settlements: ComputeSettlements;
    paidToLiarMicros: number;
  }> {
    const { client } = this.#stage;
    const { chain, reported } = await chainOfRegion(client, REGION, this.#settled.chain.url);
    const byVerdict: Record<string, number> = {};
    const sums = { settled: 0, paidMicros: 0, refundedMicros: 0 };
    const reportedBy = new Map<number, Hex>();
    let paidToLiarMicros = 0;
    const liar = householdKeys(SEED, LIAR).account;
    const take = (event: MarketEvent): void => {
      if (event.type !== "obligation_settled") return;
      const { verdict = "none", paidMicros, releasedMicros, obligation } = event;
      byVerdict[verdict] = (byVerdict[verdict] ?? 0) + 1;
      sums.settled += 1;
      sums.paidMicros += paidMicros;
      sums.refundedMicros += releasedMicros;
      if (reportedBy.get(obligation) === liar) paidToLiarMicros += paidMicros;
    };
    const report = await audit(await client.deployment(), client.journal(REGION), {
      ...{ chain, reported },
      observe: ({ command, events }) => {
        if (command?.type === "report_result") reportedBy.set(command.obligationId, command.account);
        for (const event of events) take(event);
      },
    });
    return { report, settlements: { ...sums, byVerdict }, paidToLiarMicros };
  }

  async #slashes(): Promise<ComputeResult["slashes"]> {
    const { chain, deployment } = this.#settled;
    const word = regionWord(REGION);
    const ask = async <T>({ data, decode }: StakeQuestion<T>): Promise<T> => {
      const answer = await chain.connection.client.call({ to: deployment.providerStake, data });
      return decode(answer.data ?? "0x");
    };
    const queued = await ask(slashCount(word));
    const { amountMicros, dueAtS } = await ask(slashOf(word, 1));
    return { queued, micros: String(amountMicros), dueAtS };
  }

  /** @throws Error after a minute */
  async #until(what: string, isDone: () => Promise<boolean>): Promise<void> {
    for (const endMs = Date.now() + WAIT_MS; !(await isDone()); ) {
      if (Date.now() > endMs) throw new Error(`waited for a minute: ${what}`);
      await sleep(LOOK_MS, this.#signal);
      this.#signal.throwIfAborted();
    }
  }
}

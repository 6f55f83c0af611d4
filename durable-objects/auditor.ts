// Owns the audit of jobs' results in one region: the draw is bound before an epoch's jobs, what is drawn or disputed is run again
// by the referee, and the secret is shown afterwards. It refuses to draw before a block that no seller could foresee, and to
// remember what the region knows.

import { DurableObject } from "cloudflare:workers";
import { auditSecretOf, isDrawn } from "../evidence/audit-draw.ts";
import { type SignedCommand, verifySigned } from "../evidence/signed-command.ts";
import { auditCommitmentOf, NO_BLOCK } from "../protocol/audits.ts";
import { marketTimeS } from "../protocol/clock.ts";
import { ERRORS } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import { RESULT_CHALLENGE_SECONDS } from "../protocol/limits.ts";
import { fuelMegaOf } from "../protocol/run-results.ts";
import { type AuditWork, type AwaitedResult, comparePlaces, type ResultPlace } from "./audits/audit-work.ts";
import { type DrawBlock, drawBlocks, type FindBlock } from "./audits/draw-block.ts";
import { type Env, marketClock, receiptSeed, signingDomain } from "./environment.ts";
import type { RunOrder } from "./job-calls.ts";
import { runTakerOf } from "./jobs/run-takers.ts";
import type { Outcome } from "./outcome.ts";
import { refereeRun } from "./referee-call.ts";
import type { RefereeRefusal } from "./referee-frames.ts";
import { RegionKey } from "./region-key.ts";

/** What the object of a seller keeps of a run while it can be doubted. */
interface RunKeeper {
  keptRun(obligationId: number): Promise<Pick<RunOrder, "description" | "input"> | null>;
}

/** What an auditor asks of its region. */
interface AuditedRegion {
  auditWork(after: ResultPlace): Promise<AuditWork | null>;
}

/** How often it looks while something waits, and while nothing does: wall milliseconds, and at most this share of the challenge. */
const BUSY = { ms: 5_000, share: 1 / 60 };
const CALM = { ms: 60_000, share: 1 / 6 };
/** The least pause, whatever the clock. */
const LEAST_MS = 100;
/** Runs of one look; the next one goes on. */
const RUNS_PER_LOOK = 32;
const FIRST_PLACE: ResultPlace = { payableAtS: 0, obligationId: 0 };
/** A dispute needs no draw, so no block. */
const UNDRAWN: DrawBlock = { blockNumber: 0, blockHash: NO_BLOCK };

/** One per region; its name is the region's. What it knows of results is found again in the region after an eviction. */
export class Auditor extends DurableObject<Env> {
  /** Everything up to here is done with. */
  #place = FIRST_PLACE;
  /** Results behind it that are done with. */
  readonly #done = new Map<number, AwaitedResult>();
  /** Why the referee had no result when it was asked last, by obligation. */
  readonly #unrun = new Map<number, RefereeRefusal>();
  /** Since the last look began. */
  #isWoken = false;

  /** Makes sure that it looks soon: a result was reported, a region opened, a deployment restarted. */
  async wake(): Promise<void> {
    this.#isWoken = true;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > Date.now() + this.#pauseMs(BUSY)) await this.ctx.storage.setAlarm(Date.now());
  }

  /** Does what is due, and is set for the next time whatever happens. */
  override async alarm(): Promise<void> {
    let isBusy = true;
    this.#isWoken = false;
    try {
      isBusy = await this.#look();
    } catch (fault) {
      console.error("a region's audits are not done", fault);
    } finally {
      // What came while it looked may have come behind what it looked at. Each look reads what the region owes: where results
      // come all the time, it does not look all the time.
      await this.ctx.storage.setAlarm(Date.now() + this.#pauseMs(isBusy || this.#isWoken ? BUSY : CALM));
    }
  }

  /** @returns whether something waits */
  async #look(): Promise<boolean> {
    const first = await this.#region().auditWork(this.#place);
    if (first === null) return false;
    await this.#bindAndShow(first);
    const waiting: AwaitedResult[] = [];
    const unrun: AwaitedResult[] = [];
    const ours = new Look(RUNS_PER_LOOK, drawBlocks(this.env));
    const lookAt = async (result: AwaitedResult) => {
      if (await this.#isDone(result, ours)) this.#done.set(result.obligationId, result);
      else waiting.push(result);
    };
    for (let work: AuditWork | null = first; work !== null; ) {
      for (const result of work.results) {
        if (this.#done.has(result.obligationId)) continue;
        if (this.#unrun.has(result.obligationId)) unrun.push(result);
        else await lookAt(result);
      }
      const last = work.results.at(-1);
      work = work.hasMore && last !== undefined ? await this.#region().auditWork(last) : null;
    }
    // Last, so that results which cannot be run keep no other from being run.
    for (const result of unrun) await lookAt(result);
    this.#advance(first.atS, waiting);
    return waiting.length > 0;
  }

  /** Binds the running epoch and the next one, and shows those of which nothing can be reported any more. */
  async #bindAndShow({ bind, reveal }: AuditWork): Promise<void> {
    for (const epoch of bind) {
      const commitment = auditCommitmentOf(this.#secretOf(epoch));
      await this.#submit(this.#key.sign<"commit_audits">({ type: "commit_audits", epoch, commitment }));
    }
    for (const epoch of reveal) {
      const secret = this.#secretOf(epoch);
      await this.#submit(this.#key.sign<"reveal_audits">({ type: "reveal_audits", epoch, secret }));
    }
  }

  /** Leaves behind what is done with. The second in which results are reported now is not over: others may come before them. */
  #advance(atS: number, waiting: readonly AwaitedResult[]): void {
    const least: ResultPlace = { payableAtS: atS + RESULT_CHALLENGE_SECONDS, obligationId: 0 };
    const until = waiting.reduce((first, one) => (comparePlaces(one, first) < 0 ? one : first), least);
    const open = new Set(waiting.map(({ obligationId }) => obligationId));
    for (const obligationId of this.#unrun.keys())
      if (!open.has(obligationId)) this.#unrun.delete(obligationId);
    for (const [obligationId, result] of this.#done) {
      if (comparePlaces(result, until) >= 0) continue;
      if (comparePlaces(result, this.#place) > 0)
        this.#place = { payableAtS: result.payableAtS, obligationId };
      this.#done.delete(obligationId);
    }
  }

  /** Draws a result, and runs it again where it is drawn or disputed. @returns whether it is done with */
  async #isDone(result: AwaitedResult, look: Look): Promise<boolean> {
    const { obligationId, purchase, seller, fuelMega, isDisputed } = result;
    // One record decides all of a job's results.
    if (look.decided.has(purchase) || this.#atS() >= result.payableAtS) return true;
    const block = isDisputed ? UNDRAWN : await look.blockAfter(result.sinceS);
    if (block === null) return false;
    const secret = this.#secretOf(result.epoch);
    if (!isDisputed && !isDrawn(secret, block.blockHash, obligationId, fuelMega, result.auditRateBps))
      return true;
    if (!look.mayRun()) return false;
    const keeper = runTakerOf(this.env, this.#name, seller) as unknown as RunKeeper;
    const run = await keeper.keptRun(obligationId);
    if (run === null) {
      console.error(`nothing is kept of the run of obligation ${obligationId}, which cannot be audited`);
      return true;
    }
    const answer = await refereeRun(this.env, run.description, run.input);
    if (answer.kind === "refused") return this.#isGivenUp(obligationId, answer.reason);
    const found = { obligationId, fuelMega: fuelMegaOf(answer.fuelUsed), outputHash: answer.outputHash };
    const record = this.#key.sign<"record_audit">({ type: "record_audit", ...found, ...block });
    const isRecorded = isDecided(await this.#submit(record));
    if (isRecorded) look.decided.add(purchase);
    return isRecorded;
  }

  /** One that overran twice running overruns again: it would only take the referee's time from others. */
  #isGivenUp(obligationId: number, reason: RefereeRefusal): boolean {
    const before = this.#unrun.get(obligationId);
    this.#unrun.set(obligationId, reason);
    if (reason === "overran") return before === "overran";
    return reason === "beyond_limits" || reason === "module_not_found";
  }

  async #submit(signed: SignedCommand): Promise<Outcome> {
    const verdict = await verifySigned(signingDomain(this.env), this.#name, signed);
    if (!verdict.ok) throw new Error(`our own ${signed.command.type} does not verify: ${verdict.code}`);
    const region = this.env.REGION.getByName(this.#name);
    return (await region.submit(verdict.submission)) as unknown as Outcome;
  }

  get #key(): RegionKey {
    return new RegionKey(this.env, this.#name);
  }

  #secretOf(epoch: number): Hex {
    return auditSecretOf(Buffer.from(receiptSeed(this.env).slice(2), "hex"), this.#name, epoch);
  }

  #region(): AuditedRegion {
    return this.env.REGION.getByName(this.#name) as unknown as AuditedRegion;
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  #atS(): number {
    return marketTimeS(marketClock(this.env), Date.now());
  }

  /** Shorter where market time runs fast: a result can be challenged for an hour of it. */
  #pauseMs({ ms, share }: typeof BUSY): number {
    const challengeMs = (1000 * RESULT_CHALLENGE_SECONDS) / marketClock(this.env).rate;
    return Math.max(LEAST_MS, Math.min(ms, challengeMs * share));
  }
}

/** What one look has found out. */
class Look {
  /** Purchases whose results an audit has decided. */
  readonly decided = new Set<number>();
  readonly #find: FindBlock;
  #runsLeft: number;
  /** A moment that no block comes after yet, so that none comes after later ones. */
  #blocklessFromS = Number.POSITIVE_INFINITY;

  constructor(runs: number, find: FindBlock) {
    this.#runsLeft = runs;
    this.#find = find;
  }

  /** Takes one of the look's runs. */
  mayRun(): boolean {
    this.#runsLeft -= 1;
    return this.#runsLeft >= 0;
  }

  /** The block that draws what has stood since a moment, or null while there is none. */
  async blockAfter(timeS: number): Promise<DrawBlock | null> {
    if (timeS >= this.#blocklessFromS) return null;
    const block = await this.#find(timeS).catch((fault: unknown) => {
      console.error("the chain does not say which block draws a result", fault);
      return null;
    });
    if (block === null) this.#blocklessFromS = timeS;
    return block;
  }
}

/** True where the same would be answered the same: accepted, or refused for good. */
function isDecided(outcome: Outcome): boolean {
  if ("answer" in outcome) return true;
  return !ERRORS[outcome.rejection.code].transient;
}

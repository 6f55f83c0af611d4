// Owns the audit of jobs' results in one region: the draw is bound before an epoch's jobs, what is drawn is run again by the
// referee, and the secret is shown afterwards. It refuses to draw before a block that no seller could foresee.

import { DurableObject } from "cloudflare:workers";
import { auditSecretOf, isDrawn } from "../evidence/audit-draw.ts";
import { sessionKeyOf, signSession } from "../evidence/session-signature.ts";
import { verifySigned } from "../evidence/signed-command.ts";
import { auditCommitmentOf } from "../protocol/audits.ts";
import { marketTimeS } from "../protocol/clock.ts";
import { type CommandOf, commandSchemas } from "../protocol/commands.ts";
import { ERRORS } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import { RESULT_CHALLENGE_SECONDS } from "../protocol/limits.ts";
import { PRODUCTS } from "../protocol/products.ts";
import { fuelMegaOf } from "../protocol/run-results.ts";
import { commandDigest } from "../protocol/typed-data.ts";
import { slotAt, slotStartS } from "../protocol/units.ts";
import { blockAfter, type DrawBlock } from "./audits/draw-block.ts";
import { type Env, marketClock, receiptSeed, signingDomain } from "./environment.ts";
import type { RunOrder } from "./job-calls.ts";
import type { Outcome } from "./outcome.ts";
import { refereeRun } from "./referee-call.ts";

/** A result that may be drawn: one that a seller reported alone. */
export interface ReportedResult {
  readonly obligationId: number;
  readonly seller: Hex;
  readonly fuelMega: number;
  readonly reportedAtS: number;
  readonly deadlineS: number;
}

/** What the object of a seller keeps of a run while it can be doubted. */
interface RunKeeper {
  keptRun(obligationId: number): Promise<Pick<RunOrder, "description" | "input"> | null>;
}

type RefereeCommand = "commit_audits" | "reveal_audits" | "record_audit";
type Own<T extends RefereeCommand> = Omit<CommandOf<T>, "region" | "nonce" | "expiresAtS">;

/** Market seconds in which what is signed must reach the region. */
const SIGNED_FOR_SECONDS = 600;
/** How often it looks while something waits, and while nothing does. Wall milliseconds. */
const BUSY_MS = 5_000;
const CALM_MS = 60_000;
/** Results of one look; the next one goes on. */
const RESULTS_PER_LOOK = 32;

/** One per region; its name is the region's. */
export class Auditor extends DurableObject<Env> {
  /** The block that draws a result; null while there is none yet. Replaceable by tests. */
  blockAfter: (timeS: number) => Promise<DrawBlock | null> = (timeS) => blockAfter(this.env, timeS);

  /** Takes note of a result whose report the region has accepted. The same one again changes nothing. */
  async reported(result: ReportedResult): Promise<void> {
    await this.ctx.storage.put(pendingKey(result.obligationId), result);
    await this.wake();
  }

  /** Results that are not drawn yet, or not run again yet; counted to a look's number. */
  async waiting(): Promise<number> {
    return (await this.ctx.storage.list({ prefix: PENDING, limit: RESULTS_PER_LOOK })).size;
  }

  /** Makes sure that epochs are bound and results are drawn. */
  async wake(): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > Date.now() + BUSY_MS) await this.ctx.storage.setAlarm(Date.now());
  }

  /** Does what is due, and is set for the next time whatever happens. */
  override async alarm(): Promise<void> {
    let isBusy = true;
    try {
      await this.#bindEpochs();
      const waiting = await this.ctx.storage.list<ReportedResult>({
        prefix: PENDING,
        limit: RESULTS_PER_LOOK,
      });
      for (const [key, result] of waiting) if (await this.#judge(result)) await this.ctx.storage.delete(key);
      await this.#showEpochs();
      isBusy = waiting.size > 0;
    } catch (fault) {
      console.error("a region's audits are not done", fault);
    } finally {
      await this.ctx.storage.setAlarm(Date.now() + (isBusy ? BUSY_MS : CALM_MS));
    }
  }

  /** Binds the running epoch and the next one, where results are drawn at all. */
  async #bindEpochs(): Promise<void> {
    const market = await this.#region().market();
    if (market === null || market.parameters.auditRateBps === 0) return;
    const running = Math.floor(slotAt(this.#atS()) / market.epochSlots);
    for (const epoch of [running, running + 1]) {
      if ((await this.ctx.storage.get(epochKey(epoch))) !== undefined) continue;
      const commitment = auditCommitmentOf(this.#secretOf(epoch));
      const outcome = await this.#submit<"commit_audits">({ type: "commit_audits", epoch, commitment });
      // One that was bound before this object knew of it: by the same seed, to the same secret.
      if (isDecided(outcome)) await this.ctx.storage.put(epochKey(epoch), market.epochSlots);
    }
  }

  /** Shows the secrets of epochs of which nothing can be reported any more. */
  async #showEpochs(): Promise<void> {
    for (const [key, epochSlots] of await this.ctx.storage.list<number>({ prefix: EPOCH })) {
      const epoch = Number(key.slice(EPOCH.length));
      const overS = slotStartS((epoch + 1) * epochSlots) + PRODUCTS["compute-job"].deliverySeconds;
      if (this.#atS() < overS) continue;
      const secret = this.#secretOf(epoch);
      if (isDecided(await this.#submit<"reveal_audits">({ type: "reveal_audits", epoch, secret })))
        await this.ctx.storage.delete(key);
    }
  }

  /** Draws a result, and runs it again where it is drawn. @returns whether it is done with */
  async #judge({ obligationId, seller, fuelMega, reportedAtS, deadlineS }: ReportedResult): Promise<boolean> {
    const market = await this.#region().market();
    if (market === null || this.#atS() >= reportedAtS + RESULT_CHALLENGE_SECONDS) return true;
    const block = await this.blockAfter(reportedAtS);
    if (block === null) return false;
    const tradedAtS = deadlineS - PRODUCTS["compute-job"].deliverySeconds;
    const secret = this.#secretOf(Math.floor(slotAt(tradedAtS) / market.epochSlots));
    const { auditRateBps } = market.parameters;
    if (!isDrawn(secret, block.blockHash, obligationId, fuelMega, auditRateBps)) return true;
    const keeper = this.env.PROVIDER.getByName(`${this.#name}/${seller}`) as unknown as RunKeeper;
    const run = await keeper.keptRun(obligationId);
    if (run === null) return true;
    const answer = await refereeRun(this.env, run.description, run.input);
    if (answer.kind === "refused")
      return answer.reason === "beyond_limits" || answer.reason === "module_not_found";
    const { outputHash } = answer;
    const found = { obligationId, fuelMega: fuelMegaOf(answer.fuelUsed), outputHash, ...block };
    return isDecided(await this.#submit<"record_audit">({ type: "record_audit", ...found }));
  }

  async #submit<T extends RefereeCommand>(own: Own<T>): Promise<Outcome> {
    const domain = signingDomain(this.env);
    const seed = receiptSeed(this.env);
    const nonce = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    const envelope = { region: this.#name, nonce, expiresAtS: this.#atS() + SIGNED_FOR_SECONDS };
    // Decoded, as what comes through the gateway is: the journal's text has a command's fields in their one order.
    const command = commandSchemas[own.type].parse({ ...own, ...envelope });
    const signature = signSession(seed, commandDigest(domain, command));
    const signed = { chainId: domain.chainId, command, signature, sessionKey: sessionKeyOf(seed) };
    const verdict = await verifySigned(domain, this.#name, signed);
    if (!verdict.ok) throw new Error(`our own ${own.type} does not verify: ${verdict.code}`);
    return (await this.#region().submit(verdict.submission)) as unknown as Outcome;
  }

  #secretOf(epoch: number): Hex {
    return auditSecretOf(Buffer.from(receiptSeed(this.env).slice(2), "hex"), this.#name, epoch);
  }

  #region() {
    return this.env.REGION.getByName(this.#name);
  }

  get #name(): string {
    return this.ctx.id.name ?? "";
  }

  #atS(): number {
    return marketTimeS(marketClock(this.env), Date.now());
  }
}

const PENDING = "pending/";
const EPOCH = "epoch/";
const pendingKey = (obligationId: number) => `${PENDING}${obligationId}`;
const epochKey = (epoch: number) => `${EPOCH}${epoch}`;

/** True where the same would be answered the same: accepted, or refused for good. */
function isDecided(outcome: Outcome): boolean {
  if ("answer" in outcome) return true;
  const { code } = outcome.rejection;
  return !ERRORS[code].transient && code !== "internal_fault" && code !== "audits_not_over";
}

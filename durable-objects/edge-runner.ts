// Owns the deployment as provider of last resort in one region: its operator's asks in the book, and the jobs that are bought of
// them, run by the referee. It refuses everything where the deployment sets no price.

import { DurableObject } from "cloudflare:workers";
import { SellerKey } from "../evidence/seller-key.ts";
import { marketTimeS, wallTimeMs } from "../protocol/clock.ts";
import type { Rejection } from "../protocol/errors.ts";
import { NO_ADDRESS } from "../protocol/fields.ts";
import type { NodeFrame, Parts } from "../protocol/provider-frames.ts";
import { ASK_LIFE_S, askCommands, type EdgeBook } from "./edge/edge-asks.ts";
import { EdgeNode } from "./edge/edge-node.ts";
import { edgeSettings } from "./edge/edge-settings.ts";
import { type Env, marketClock, receiptSeed, signingDomain } from "./environment.ts";
import type { DispatchAnswer, ReleasedRun, RunAsker, RunOrder, RunTaker } from "./job-calls.ts";
import { deskOf } from "./provider/desk-stub.ts";
import { RegionPost } from "./provider/region-post.ts";
import { RunStore } from "./provider/run-store.ts";
import { ProviderRuns } from "./provider/runs.ts";
import { refereeRun } from "./referee-call.ts";
import { RegionKey } from "./region-key.ts";

/** Runs that a region's runner has the referee do at once. */
export const EDGE_ROOM = 8;

/** How often the book is looked at, in wall milliseconds; sooner where market time runs faster. */
const LOOK_EVERY_MS = 60_000;
const FAULT_PAUSE_MS = 5_000;
/** Where the operator has not authorised the key (yet). */
const ASLEEP_MS = 15_000;
/** After it was full. */
const ROOM_PAUSE_MS = 1_000;

/** One per region; its name is the region's. */
export class EdgeRunner extends DurableObject<Env> implements RunTaker {
  /** Who is told of runs; replaceable by tests. */
  asker: (desk: string) => RunAsker = (desk) => deskOf(this.env, desk);
  readonly #region: string;
  readonly #store: RunStore;
  readonly #post: RegionPost;
  readonly #runs: ProviderRuns;
  readonly #node: EdgeNode;
  #looking: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#region = ctx.id.name ?? "";
    const wallMs = () => Date.now();
    this.#store = new RunStore(ctx.storage.sql);
    this.#post = new RegionPost({
      store: this.#store,
      domain: signingDomain(env),
      region: this.#region,
      wallMs,
      submitAll: (submissions) => env.REGION.getByName(this.#region).submitAll(submissions),
      decided: (key, result) => this.#decided(key, result),
    });
    this.#node = new EdgeNode({
      key: () => this.#key(),
      run: (description, input) => refereeRun(env, description, input),
      room: EDGE_ROOM,
      hear: (frame, parts) => this.#hear(frame, parts),
    });
    this.#runs = new ProviderRuns({
      store: this.#store,
      post: this.#post,
      clock: marketClock(env),
      account: edgeSettings(env)?.account ?? NO_ADDRESS,
      regionKey: new RegionKey(env, this.#region),
      wallMs,
      asker: (desk) => this.asker(desk),
      send: (frame, parts) => {
        this.#node.receive(frame, parts);
        return true;
      },
      withdraw: () => void this.#withdraw(),
    });
    // What the last instance was running is run again: it comes to the same bytes.
    if (edgeSettings(env) !== null) this.#runs.resume([]);
  }

  async dispatch(order: RunOrder): Promise<DispatchAnswer> {
    if (edgeSettings(this.env) === null || order.region !== this.#region) return "away";
    const answer = await this.#runs.dispatch(order);
    await this.#arm();
    return answer;
  }

  async reveal(obligationId: number): Promise<void> {
    this.#runs.reveal(obligationId);
    await this.#arm();
  }

  async abandon(run: ReleasedRun): Promise<void> {
    this.#runs.abandon(run);
    await this.#arm();
  }

  /** A run's description and input while its result can be doubted, or null. */
  keptRun(obligationId: number): Pick<RunOrder, "description" | "input"> | null {
    return this.#runs.kept(obligationId);
  }

  /** Makes sure that the operator's asks are looked after. */
  async wake(): Promise<void> {
    if (edgeSettings(this.env) === null) return;
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now());
  }

  /** Does what is due, and never throws: the platform would give up on the alarm after a few tries. */
  override async alarm(): Promise<void> {
    let pauseMs = 0;
    try {
      await this.#runs.work();
      await this.#post.work();
      await this.#look();
    } catch (fault) {
      console.error("the edge's alarm failed", fault);
      pauseMs = FAULT_PAUSE_MS;
    } finally {
      await this.#arm(pauseMs);
    }
  }

  #hear(frame: NodeFrame, parts: Parts): void {
    this.#runs.hear(frame, parts, this.#key().key);
    void this.#arm();
  }

  #decided(key: string, result: { readonly entry: number } | { readonly rejection: Rejection }): void {
    const [what, number] = key.split(":");
    if (what === "report") this.#runs.reported(Number(number), result);
    else if ("rejection" in result) console.error(`the region refused the edge's ${key}`, result.rejection);
  }

  /** Full: its asks leave the book until there is room again. */
  async #withdraw(): Promise<void> {
    this.#store.keep("full-until", Date.now() + ROOM_PAUSE_MS);
    try {
      await this.#look();
    } catch (fault) {
      console.error("the edge's asks could not be withdrawn", fault);
    }
    await this.#arm();
  }

  /** Brings the asks in the book to what they shall be; one look at a time. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const settings = edgeSettings(this.env);
    if (settings === null) return;
    const fullUntilMs = this.#store.kept<number>("full-until") ?? 0;
    const isFull = this.#node.isFull || fullUntilMs > Date.now();
    const region = this.env.REGION.getByName(this.#region) as unknown as EdgeBook;
    const commands = await askCommands(region, settings, this.#key(), this.#atS(), isFull);
    for (const command of commands ?? [])
      this.#post.add(`${command.command.type}:${command.command.nonce}`, command);
    await this.#post.work();
    if (!isFull) this.#store.keep("full-until", null);
    const soonMs = commands === null ? ASLEEP_MS : ROOM_PAUSE_MS;
    this.#store.keep("look-at", isFull || commands === null ? Date.now() + soonMs : this.#nextLookMs());
  }

  /** Asks are renewed at half their life, which is short where market time runs fast. */
  #nextLookMs(): number {
    const renewMs = wallTimeMs(marketClock(this.env), this.#atS() + ASK_LIFE_S / 4);
    return Math.min(Date.now() + LOOK_EVERY_MS, renewMs);
  }

  #atS(): number {
    return marketTimeS(marketClock(this.env), Date.now());
  }

  /** @throws Error where the deployment sets no price */
  #key(): SellerKey {
    const settings = edgeSettings(this.env);
    if (settings === null) throw new Error("the deployment sells nothing");
    return new SellerKey({
      seed: receiptSeed(this.env),
      account: settings.account,
      region: this.#region,
      domain: signingDomain(this.env),
      atS: () => this.#atS(),
    });
  }

  /** Sets the alarm for what is due next, unless it goes off earlier anyway. */
  async #arm(leastPauseMs = 0): Promise<void> {
    const isSelling = edgeSettings(this.env) !== null;
    const times = [
      this.#store.nextDueMs(),
      isSelling ? (this.#store.kept<number>("look-at") ?? Date.now()) : null,
    ].filter((atMs) => atMs !== null);
    if (times.length === 0) return;
    const atMs = Math.max(Math.min(...times), Date.now() + leastPauseMs);
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > atMs) await this.ctx.storage.setAlarm(atMs);
  }
}

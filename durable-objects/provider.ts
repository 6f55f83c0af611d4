// Owns the object of one provider: the socket to its node, the runs that go over it, and what its region is told in its name. It
// refuses nodes that are not the account's, and to sign: every command was signed by the node.

import { DurableObject } from "cloudflare:workers";
import { marketTimeS } from "../protocol/clock.ts";
import type { Rejection } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import type { LeaseVoucher } from "../protocol/lease-frames.ts";
import type { LeaseJob, NodeFrame, Parts, SignedCancel } from "../protocol/provider-frames.ts";
import { type Env, marketClock, signingDomain } from "./environment.ts";
import type { DispatchAnswer, ReleasedRun, RunAsker, RunOrder, RunTaker } from "./job-calls.ts";
import { deskOf } from "./provider/desk-stub.ts";
import type { LeaseAnswer } from "./provider/lease-runs.ts";
import { LeaseSocket } from "./provider/lease-socket.ts";
import { ProviderLeases } from "./provider/leases.ts";
import { refuseHello } from "./provider/node-admission.ts";
import { NodeSocket } from "./provider/node-socket.ts";
import { RegionPost } from "./provider/region-post.ts";
import { RunStore } from "./provider/run-store.ts";
import { type Heard, ProviderRuns } from "./provider/runs.ts";
import { RegionKey } from "./region-key.ts";

/** A node that is gone this long has its asks taken out of the book. Wall milliseconds. */
export const AWAY_AFTER_MS = 5_000;

/** A node that is gone this long has left its leases: what is left of them goes back to their buyers. Wall milliseconds. */
export const GONE_AFTER_MS = 600_000;

/** While a node has asks in the book, its object looks so often whether it still speaks. Wall milliseconds. */
const LOOK_EVERY_MS = 30_000;

/** One per provider; its name is `<region>/<account>`. */
export class Provider extends DurableObject<Env> implements RunTaker {
  /** Who is told of runs; replaceable by tests. */
  asker: (desk: string) => RunAsker = (desk) => deskOf(this.env, desk);
  readonly #region: string;
  readonly #account: Hex;
  readonly #store: RunStore;
  readonly #socket: NodeSocket;
  readonly #post: RegionPost;
  readonly #runs: ProviderRuns;
  readonly #leases: ProviderLeases;
  readonly #buyers: LeaseSocket;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const [region = "", account = ""] = ctx.id.name?.split("/") ?? [];
    this.#region = region;
    this.#account = account as Hex;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    const wallMs = () => Date.now();
    const regionKey = new RegionKey(env, region);
    this.#store = new RunStore(ctx.storage.sql);
    this.#post = new RegionPost({
      store: this.#store,
      domain: signingDomain(env),
      region,
      wallMs,
      submitAll: (submissions) => this.#regionStub().submitAll(submissions),
      decided: (key, result) => this.#decided(key, result),
    });
    this.#runs = new ProviderRuns({
      store: this.#store,
      post: this.#post,
      clock: marketClock(env),
      account: this.#account,
      regionKey,
      wallMs,
      asker: (desk) => this.asker(desk),
      send: (frame, parts) => this.#socket.send(frame, parts),
      withdraw: () => this.#carryOutWill(),
      reportAccepted: () => this.#wakeAuditor(),
    });
    this.#leases = new ProviderLeases({
      store: this.#store,
      post: this.#post,
      domain: signingDomain(env),
      region,
      account: this.#account,
      regionKey,
      clock: marketClock(env),
      wallMs,
      isConnected: () => this.#socket.isConnected,
      send: (frame, parts) => this.#socket.send(frame, parts),
      readTerms: async (lease) => this.#regionStub().leaseTerms(lease),
      arm: () => (this.#socket.isConnected ? this.#arm() : this.#gone()),
    });
    this.#buyers = new LeaseSocket({ ctx, domain: signingDomain(env), region, leases: this.#leases });
    this.#socket = new NodeSocket({
      ctx,
      wallMs,
      refuse: (hello, challenge) =>
        refuseHello(hello, {
          domain: signingDomain(env),
          region,
          account: this.#account,
          challenge,
          atS: marketTimeS(marketClock(env), wallMs()),
          readAccount: async (asked) => this.#regionStub().account(asked),
        }),
      admitted: ({ holds }) => {
        this.#store.keep("away-since", null);
        this.#store.keep("gone-since", null);
        this.#runs.resume(holds);
        this.#leases.nodeCame();
        this.#arm();
      },
      heard: (frame, parts, key) => this.#heard(frame, parts, key),
    });
    // Whatever ended the last instance, its node may not come back.
    const isMissed = this.#store.kept("will") !== null || this.#store.leases().length > 0;
    if (isMissed && !this.#socket.isConnected) this.#gone();
  }

  /** Whether a node is connected now. */
  isConnected(): boolean {
    return this.#socket.isConnected;
  }

  async dispatch(order: RunOrder): Promise<DispatchAnswer> {
    const answer = await this.#runs.dispatch(order);
    this.#arm();
    return answer;
  }

  async reveal(obligationId: number): Promise<void> {
    this.#runs.reveal(obligationId);
    this.#arm();
  }

  async abandon(run: ReleasedRun): Promise<void> {
    this.#runs.abandon(run);
    this.#arm();
  }

  /** A run's description and input while its result can be doubted, or null. */
  keptRun(obligationId: number): Pick<RunOrder, "description" | "input"> | null {
    return this.#runs.kept(obligationId);
  }

  /** Runs a job under a lease for the holder of a session key. */
  runLease(lease: number, key: Hex, job: LeaseJob, input: Uint8Array): Promise<LeaseAnswer> {
    return this.#leases.run(lease, { key }, this.#leases.prepare(job), input);
  }

  /** What a lease's holder is to sign next: what was run of it so far. */
  async leaseTally(lease: number, key: Hex) {
    const opened = await this.#leases.open(lease, { key });
    return "rejection" in opened ? opened : { tally: opened.kept.tally };
  }

  /** Takes a buyer's voucher; answers why not, or null. */
  leaseVoucher(lease: number, voucher: LeaseVoucher): Promise<Rejection | null> {
    return this.#leases.voucher(lease, voucher);
  }

  /** Accepts a socket: a buyer's where the path ends with its lease, else a node's. */
  override fetch(request: Request): Response {
    const [, lease] = /\/leases\/([0-9]+)\/socket$/.exec(new URL(request.url).pathname) ?? [];
    const client = lease === undefined ? this.#socket.accept() : this.#buyers.accept(Number(lease));
    if (client === null) return new Response(null, { status: 503 });
    void this.#wakeBy(Date.now() + LOOK_EVERY_MS);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const isBuyer = this.ctx.getTags(socket)[0] === "lease";
    await (isBuyer ? this.#buyers : this.#socket).message(socket, message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#socket.close(socket, 1000, "");
    if (this.#socket.closed(socket)) this.#gone();
  }

  override webSocketError(socket: WebSocket): void {
    if (this.#socket.closed(socket)) this.#gone();
  }

  /** Does what is due, and never throws: the platform would give up on the alarm after a few tries. */
  override async alarm(): Promise<void> {
    try {
      this.#socket.dropSilent();
      const awaySinceMs = this.#store.kept<number>("away-since");
      if (awaySinceMs !== null && awaySinceMs + AWAY_AFTER_MS <= Date.now()) {
        this.#leases.settleAll();
        this.#carryOutWill();
      }
      const goneSinceMs = this.#store.kept<number>("gone-since");
      if (goneSinceMs !== null && goneSinceMs + GONE_AFTER_MS <= Date.now()) {
        this.#leases.releaseAll();
        this.#store.keep("gone-since", null);
      }
      await this.#runs.work();
      this.#leases.work();
      await this.#post.work();
    } catch (fault) {
      console.error("a provider's alarm failed", fault);
    } finally {
      this.#arm(LOOK_EVERY_MS / 30);
    }
  }

  #heard(frame: NodeFrame, parts: Parts, key: Hex): Heard {
    // Nothing that a lease's run changes is due earlier.
    if ("lease" in frame) return this.#leases.hear(frame, parts);
    const heard = frame.type === "will" ? this.#newWill(frame.cancels) : this.#runs.hear(frame, parts, key);
    this.#arm();
    return heard;
  }

  /** A will counts against its node like everything that nobody asked for: one for each ask it posts is far below that. */
  #newWill(cancels: readonly SignedCancel[]): Heard {
    const own = cancels.filter(
      ({ command }) => command.account === this.#account && command.region === this.#region,
    );
    this.#store.keep("will", own.length === 0 ? null : own);
    return "unasked";
  }

  /** Takes the node's asks out of the book, as it signed beforehand. */
  #carryOutWill(): void {
    const will = this.#store.kept<readonly SignedCancel[]>("will");
    this.#store.keep("away-since", null);
    if (will === null) return;
    this.#store.keep("will", null);
    for (const signed of will) this.#post.add(`cancel:${signed.command.orderId}`, signed);
    this.#socket.send({ type: "withdrawn", orders: will.map(({ command }) => command.orderId) });
    void this.#post.work();
  }

  #gone(): void {
    this.#leases.nodeGone();
    for (const since of ["away-since", "gone-since"])
      if (this.#store.kept(since) === null) this.#store.keep(since, Date.now());
    this.#arm();
  }

  #decided(key: string, result: { readonly entry: number } | { readonly rejection: Rejection }): void {
    const [what, number] = key.split(":");
    if (what === "report") this.#runs.reported(Number(number), result);
  }

  /** Only a hint: the auditor finds every result in the region, sooner or later. */
  #wakeAuditor(): void {
    const woken = this.env.AUDITOR.getByName(this.#region).wake();
    this.ctx.waitUntil(woken.catch((fault) => console.error("the auditor was not told of a result", fault)));
  }

  #regionStub() {
    return this.env.REGION.getByName(this.#region);
  }

  /** Sets the alarm for what is due next. */
  #arm(leastPauseMs = 0): void {
    const awaySinceMs = this.#store.kept<number>("away-since");
    const goneSinceMs = this.#store.kept<number>("gone-since");
    const times = [
      this.#store.nextDueMs(),
      awaySinceMs === null ? null : awaySinceMs + AWAY_AFTER_MS,
      goneSinceMs === null ? null : goneSinceMs + GONE_AFTER_MS,
      this.#socket.isConnected || this.#store.kept("will") !== null ? Date.now() + LOOK_EVERY_MS : null,
    ].filter((atMs) => atMs !== null);
    if (times.length > 0) void this.#wakeBy(Math.max(Math.min(...times), Date.now() + leastPauseMs));
  }

  /** Sets the alarm unless it goes off earlier anyway. */
  async #wakeBy(atMs: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > atMs) await this.ctx.storage.setAlarm(atMs);
  }
}

// Owns the leases of one provider: runs that touch nothing but its object, what they add up to, and the buyer's vouchers for it. It
// refuses runs beyond the lease or too far ahead of its vouchers, and vouchers for what was not run.

import { resultHash } from "../../compute/host/job.ts";
import { voucherDigest } from "../../evidence/delivery-voucher.ts";
import { type MarketClock, marketTimeS, wallTimeMs } from "../../protocol/clock.ts";
import { type Rejection, rejected } from "../../protocol/errors.ts";
import { type Hex, NO_HASH } from "../../protocol/fields.ts";
import {
  type LeaseVoucher,
  leaseCreditMega,
  MAX_LEASE_JOBS,
  MAX_LEASE_RUNS_IN_FLIGHT,
} from "../../protocol/lease-frames.ts";
import type { LeaseJob, NodeFrame, ObjectFrame, Parts } from "../../protocol/provider-frames.ts";
import {
  deliveredMegaOf,
  inputHashOf,
  leaseRunDigest,
  NO_INPUT_HASH,
  NO_RUNS,
} from "../../protocol/run-results.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";
import type { LeaseTerms } from "../lease-reads.ts";
import type { RegionKey } from "../region-key.ts";
import { type Caller, callerOf } from "./lease-caller.ts";
import { type LeaseAnswer, LeaseRuns, type LeaseTold, resultOfRun } from "./lease-runs.ts";
import type { RegionPost } from "./region-post.ts";
import type { KeptLease, RunStore } from "./run-store.ts";
import type { Heard } from "./runs.ts";

/** What was run is written down so long after it at most. Wall milliseconds; a timer that waits also keeps the object awake. */
const WRITTEN_WITHIN_MS = 50;
/** Market seconds before its end in which a lease is settled, and no less than some wall seconds where the clock runs fast. */
const SETTLED_BEFORE_S = 120;
const SETTLED_BEFORE_WALL_S = 10;
/** Beyond a run's own wall seconds. Wall milliseconds. */
const SLACK_MS = 15_000;

const NOTHING = new Uint8Array(0);

export interface LeasePorts {
  readonly store: RunStore;
  readonly post: RegionPost;
  readonly domain: SigningDomain;
  readonly region: string;
  readonly account: Hex;
  readonly regionKey: RegionKey;
  readonly clock: MarketClock;
  readonly wallMs: () => number;
  readonly isConnected: () => boolean;
  readonly send: (frame: ObjectFrame, parts?: Parts) => boolean;
  readonly readTerms: (lease: number) => Promise<LeaseTerms | null>;
  /** Something is due earlier than it was. */
  readonly arm: () => void;
}

/** What runs of a lease are of, as the object keeps it. */
export interface Prepared {
  readonly number: number;
  readonly job: LeaseJob;
  readonly digestOfNoInput: Uint8Array;
}

interface Flying {
  readonly lease: number;
  readonly jobDigest: Uint8Array;
  readonly fuelMega: number;
  readonly outputBytes: number;
  readonly overdueMs: number;
  readonly answer: (told: LeaseTold) => void;
}

/** The leases of one provider. */
export class ProviderLeases {
  readonly #ports: LeasePorts;
  readonly #live = new Map<number, LeaseRuns>();
  readonly #loading = new Map<number, Promise<LeaseRuns | null>>();
  readonly #flying = new Map<number, Flying>();
  readonly #unwritten = new Set<LeaseRuns>();
  /** What runs are of, by its text; and which of them this node has been told. */
  readonly #jobs = new Map<string, Prepared>();
  readonly #toldJobs = new Set<number>();
  #lastJob: number;
  #lastRun: number;
  #isSweeping = false;

  constructor(ports: LeasePorts) {
    this.#ports = ports;
    // A number of an object's earlier life means nothing in this one.
    this.#lastRun = ports.wallMs() * 1_000;
    this.#lastJob = ports.wallMs() * 1_000;
  }

  /** A lease's terms and what was run of it, for whoever may use it. */
  async open(
    lease: number,
    caller: Caller,
  ): Promise<{ readonly kept: KeptLease; readonly creditMega: number } | { readonly rejection: Rejection }> {
    const live = await this.#find(lease);
    const rejection = this.#refuseCaller(live, lease, caller);
    if (rejection !== null) return { rejection };
    const { kept } = live as LeaseRuns;
    return { kept, creditMega: leaseCreditMega(kept.terms.quantityMega) };
  }

  /** Runs a job under a lease. */
  run(lease: number, caller: Caller, job: Prepared, input: Uint8Array): Promise<LeaseAnswer> {
    return new Promise((resolve) => {
      this.start(lease, caller, job, input, (told) => {
        resolve("rejection" in told ? told : { result: resultOfRun(told) });
      });
    });
  }

  /** Starts a run: at once where the lease is known. `answer` is told once what came of it. */
  start(lease: number, caller: Caller, job: Prepared, input: Uint8Array, answer: Flying["answer"]): void {
    const begin = (live: LeaseRuns | null): void => {
      const rejection =
        this.#refuseCaller(live, lease, caller) ?? this.#refuseRun(live as LeaseRuns, job.job);
      if (rejection !== null) answer({ rejection });
      else this.#start(lease, live as LeaseRuns, job, input, answer);
    };
    const live = this.#live.get(lease);
    if (live !== undefined) begin(live);
    else
      this.#find(lease).then(begin, (fault) => {
        console.error("a lease could not be read", fault);
        answer({ rejection: rejected("overloaded", {}) });
      });
  }

  /** What runs may be of. The same again is the same one. */
  prepare(job: LeaseJob): Prepared {
    const text = JSON.stringify(job);
    const known = this.#jobs.get(text);
    if (known !== undefined) return known;
    this.#lastJob += 1;
    const digestOfNoInput = leaseRunDigest(job, NO_INPUT_HASH);
    const prepared: Prepared = { number: this.#lastJob, job, digestOfNoInput };
    this.#jobs.set(text, prepared);
    if (this.#jobs.size > MAX_LEASE_JOBS) this.#jobs.delete(this.#jobs.keys().next().value as string);
    return prepared;
  }

  /** Takes a buyer's voucher. */
  async voucher(lease: number, voucher: LeaseVoucher): Promise<Rejection | null> {
    const live = await this.#find(lease);
    if (live === null) return rejected("obligation_not_found", { obligationId: lease });
    const { region, domain, store, send } = this.#ports;
    const { deliveredMega, jobDigest, outputHash, signature, sessionKey } = voucher;
    if (!live.hasCounted(voucher)) return rejected("delivery_not_agreed", { differs: "delivery" });
    const digest = voucherDigest(domain, {
      region,
      obligationId: lease,
      deliveredMega,
      jobDigest,
      outputHash,
    });
    const signer = await callerOf(digest, signature, sessionKey);
    if ("rejection" in signer) return signer.rejection;
    const rejection = this.#refuseCaller(live, lease, signer);
    if (rejection !== null) return rejection;
    // Another one may have come while this one was checked.
    if ((live.voucher?.deliveredMega ?? 0) > deliveredMega) return null;
    live.forgetBefore(voucher);
    live.keep({ ...live.kept, voucher, settle: null });
    store.putLease(live.kept);
    send({ type: "lease_voucher", lease, ...voucher });
    return null;
  }

  /** Takes in what the node says about leases. */
  hear(frame: NodeFrame, parts: Parts): Heard {
    if (frame.type === "lease_settled") return this.#settled(frame);
    if (frame.type !== "lease_ran" && frame.type !== "lease_failed") return "unasked";
    const flying = this.#flying.get(frame.run);
    const live = flying === undefined ? undefined : this.#live.get(flying.lease);
    if (flying === undefined || live === undefined || flying.lease !== frame.lease) return "unasked";
    this.#land(frame.run, flying, live);
    if (frame.type === "lease_failed") {
      flying.answer({ rejection: rejected("run_failed", { reason: frame.reason }) });
      return "expected";
    }
    const [stdout = NOTHING, stderr = NOTHING] = parts;
    const { end, exitCode, fuelUsed } = frame;
    const isWithin =
      stdout.length + stderr.length <= flying.outputBytes && fuelUsed <= flying.fuelMega * 1_000_000;
    if (!isWithin) {
      flying.answer({ rejection: rejected("run_failed", { reason: "beyond_limits" }) });
      return "unasked";
    }
    const outputHash = resultHash({ end, exitCode, fuelUsed, stdout, stderr });
    live.add(flying.jobDigest, outputHash, fuelUsed);
    this.#write(live);
    flying.answer({ ran: frame, parts, outputHash });
    return "expected";
  }

  /** The node has gone: what it was at came to nothing. */
  nodeGone(): void {
    for (const [run, flying] of this.#flying) {
      const live = this.#live.get(flying.lease);
      if (live !== undefined) this.#land(run, flying, live);
      flying.answer({ rejection: rejected("run_failed", { reason: "node_left" }) });
    }
  }

  /** The node stays away: what it has signed is sent. */
  settleAll(): void {
    for (const kept of this.#ports.store.leases()) {
      const current = this.#live.get(kept.lease)?.kept ?? kept;
      if (current.settle === null) continue;
      this.#post(current);
      this.#keep({ ...current, settle: null });
    }
  }

  /** The node does not come back: what is left of its leases is their buyers' again. */
  releaseAll(): void {
    const { store, post, regionKey } = this.#ports;
    for (const { lease, terms } of store.leases()) {
      const released = { obligationId: lease, jobDigest: NO_HASH, deadlineS: terms.deadlineS };
      post.add(`release:${lease}`, regionKey.release(released, true));
      store.forgetLease(lease);
      this.#live.delete(lease);
    }
    void post.work();
  }

  /** A node has come: it signs for the newest vouchers. */
  nodeCame(): void {
    const { store, send } = this.#ports;
    this.#toldJobs.clear();
    // All of them: a node that was started anew reckons from them how far ahead it is.
    for (const { lease, voucher } of store.leases())
      if (voucher !== null) send({ type: "lease_voucher", lease, ...voucher });
  }

  /** Sends the settlements that are due, and forgets what is over. */
  work(): void {
    const { store, wallMs, clock } = this.#ports;
    for (const kept of store.leases()) {
      if (kept.dueMs > wallMs()) continue;
      const current = this.#live.get(kept.lease)?.kept ?? kept;
      if (current.settle !== null) this.#post(current);
      const overMs = wallTimeMs(clock, kept.terms.deadlineS);
      if (wallMs() > overMs) {
        store.forgetLease(kept.lease);
        this.#live.delete(kept.lease);
      } else this.#keep({ ...current, settle: null, dueMs: overMs + 1_000 });
    }
  }

  #find(lease: number): Promise<LeaseRuns | null> {
    const live = this.#live.get(lease);
    if (live !== undefined) return Promise.resolve(live);
    let loading = this.#loading.get(lease);
    if (loading === undefined) {
      loading = this.#load(lease).finally(() => this.#loading.delete(lease));
      this.#loading.set(lease, loading);
    }
    return loading;
  }

  async #load(lease: number): Promise<LeaseRuns | null> {
    const { store, readTerms, clock, account, arm } = this.#ports;
    let kept = store.lease(lease);
    if (kept === null) {
      const terms = await readTerms(lease);
      if (terms === null || terms.seller !== account) return null;
      const beforeS = Math.max(SETTLED_BEFORE_S, SETTLED_BEFORE_WALL_S * clock.rate);
      const dueMs = wallTimeMs(clock, terms.deadlineS - beforeS);
      kept = { lease, terms, tally: NO_RUNS, voucher: null, settle: null, dueMs };
      store.putLease(kept);
      arm();
    }
    const live = new LeaseRuns(kept);
    this.#live.set(lease, live);
    return live;
  }

  #refuseCaller(live: LeaseRuns | null, lease: number, caller: Caller): Rejection | null {
    const { clock, wallMs } = this.#ports;
    const atS = marketTimeS(clock, wallMs());
    if (live === null || atS >= live.terms.deadlineS)
      return rejected("obligation_not_found", { obligationId: lease });
    const { buyer, boughtBy } = live.terms;
    const isBuyers = "wallet" in caller ? caller.wallet === buyer : caller.key === boughtBy;
    return isBuyers ? null : rejected("obligation_not_owned", { obligationId: lease });
  }

  #refuseRun(live: LeaseRuns, { limits }: LeaseJob): Rejection | null {
    const { terms, voucher, fuel } = live;
    const usedMega = deliveredMegaOf(fuel);
    const leftMega = terms.quantityMega - usedMega - live.reservedMega;
    if (limits.fuelMega > leftMega) return rejected("lease_overdrawn", { leftMega, asked: limits.fuelMega });
    const creditMega = leaseCreditMega(terms.quantityMega);
    const aheadMega = usedMega - (voucher?.deliveredMega ?? 0) + live.reservedMega + limits.fuelMega;
    if (aheadMega > creditMega) return rejected("voucher_due", { creditMega, aheadMega });
    if (live.flying >= MAX_LEASE_RUNS_IN_FLIGHT) return rejected("overloaded", { runsInFlight: live.flying });
    return this.#ports.isConnected() ? null : rejected("provider_away");
  }

  #start(
    lease: number,
    live: LeaseRuns,
    prepared: Prepared,
    input: Uint8Array,
    answer: Flying["answer"],
  ): void {
    const { wallMs, send } = this.#ports;
    const { number, job, digestOfNoInput } = prepared;
    const { fuelMega, outputBytes, wallSeconds } = job.limits;
    this.#lastRun += 1;
    const run = this.#lastRun;
    live.reservedMega += fuelMega;
    live.flying += 1;
    const overdueMs = wallMs() + wallSeconds * 1_000 + SLACK_MS;
    const jobDigest = input.length === 0 ? digestOfNoInput : leaseRunDigest(job, inputHashOf(input));
    this.#flying.set(run, { lease, jobDigest, fuelMega, outputBytes, overdueMs, answer });
    if (!this.#toldJobs.has(number)) {
      this.#toldJobs.add(number);
      send({ type: "lease_job", job: number, description: job });
    }
    send({ type: "lease_run", lease, run, job: number }, [input]);
    this.#sweep();
  }

  #land(run: number, { fuelMega }: Flying, live: LeaseRuns): void {
    this.#flying.delete(run);
    live.reservedMega -= fuelMega;
    live.flying -= 1;
  }

  /** Looks now and then whether a run takes too long. */
  #sweep(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    setTimeout(() => {
      this.#isSweeping = false;
      const nowMs = this.#ports.wallMs();
      for (const [run, flying] of this.#flying) {
        if (flying.overdueMs > nowMs) continue;
        const live = this.#live.get(flying.lease);
        if (live !== undefined) this.#land(run, flying, live);
        flying.answer({ rejection: rejected("run_failed", { reason: "overdue" }) });
      }
      if (this.#flying.size > 0) this.#sweep();
    }, 1_000);
  }

  #settled({ lease, settle }: Extract<NodeFrame, { type: "lease_settled" }>): Heard {
    const live = this.#live.get(lease);
    const kept = live?.kept ?? this.#ports.store.lease(lease);
    const { command } = settle;
    const { voucher } = kept ?? {};
    const isFor =
      kept != null &&
      voucher != null &&
      command.account === this.#ports.account &&
      command.obligationId === lease &&
      command.deliveredMega === voucher.deliveredMega &&
      command.jobDigest === voucher.jobDigest &&
      command.outputHash === voucher.outputHash;
    if (!isFor || kept.settle !== null) return kept == null ? "unasked" : "expected";
    const signed: KeptLease = { ...kept, settle };
    // All of it was delivered, or the node wants its money now: it says so by ending what is left.
    const isNow = command.isFinal || command.deliveredMega === kept.terms.quantityMega;
    if (isNow) this.#post(signed);
    const { clock } = this.#ports;
    const signedUntilMs = wallTimeMs(clock, command.expiresAtS) - SETTLED_BEFORE_WALL_S * 1_000;
    this.#keep(isNow ? { ...kept, settle: null } : { ...signed, dueMs: Math.min(kept.dueMs, signedUntilMs) });
    this.#ports.arm();
    return "expected";
  }

  #keep(kept: KeptLease): void {
    this.#ports.store.putLease(kept);
    const live = this.#live.get(kept.lease);
    live?.keep(kept);
  }

  #post({ lease, voucher, settle }: KeptLease): void {
    if (voucher === null || settle === null) return;
    const { signature, sessionKey } = voucher;
    const evidence = { kind: "delivery-voucher", signature, ...(sessionKey === null ? {} : { sessionKey }) };
    this.#ports.post.add(`lease:${lease}:${voucher.deliveredMega}`, { ...settle, evidence });
    void this.#ports.post.work();
  }

  #write(live: LeaseRuns): void {
    if (this.#unwritten.size === 0)
      setTimeout(() => {
        for (const { kept } of this.#unwritten) this.#ports.store.putLease(kept);
        this.#unwritten.clear();
      }, WRITTEN_WITHIN_MS);
    this.#unwritten.add(live);
  }
}

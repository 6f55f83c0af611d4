// Owns a lease as its buyer uses it: runs over one socket to the provider's object, counted here as they are there, and vouchers
// signed for them. It refuses to sign for more than it has counted itself, and to go on where the object's count is another.

import { type JobResult, resultHash } from "../../compute/host/job.ts";
import { hexOf } from "../../evidence/bytes.ts";
import { voucherDigest } from "../../evidence/delivery-voucher.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import { ERRORS, type ErrorCode, isErrorCode } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/fields.ts";
import { DEFAULT_START_S, type JobDescription } from "../../protocol/jobs.ts";
import {
  type BuyerFrame,
  type LeaseFrame,
  leaseFrame,
  MAX_LEASE_JOBS,
  MAX_LEASE_RUNS_IN_FLIGHT,
} from "../../protocol/lease-frames.ts";
import {
  decodeFrames,
  encodeFrame,
  FrameSender,
  type LeaseJob,
  type Parts,
} from "../../protocol/provider-frames.ts";
import type { LeaseRanFrame } from "../../protocol/run-records.ts";
import {
  inputHashOf,
  LeaseCount,
  type LeaseTally,
  leaseRunDigest,
  NO_INPUT_HASH,
  NO_RUNS,
  voucherFields,
} from "../../protocol/run-results.ts";
import { type SigningDomain, statementDigest } from "../../protocol/typed-data.ts";
import type { PolderClient } from "./client.ts";
import { PolderProblem, pauseMs, TransportFault } from "./problem.ts";

/** Which lease, and who uses it. */
export interface LeaseOptions {
  readonly region: string;
  readonly provider: Hex;
  readonly obligationId: number;
  /** Seed of the session key that bought it. */
  readonly seed: Hex;
  /** What its buyer had counted when it last used it. Without it, what the object has counted is believed. */
  readonly tally?: LeaseTally;
}

/** What a lease runs. */
export interface LeaseRun {
  readonly module: Hex;
  readonly input?: Uint8Array;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly limits: JobDescription["limits"];
  readonly startS?: number;
}

type OpenFrame = Extract<LeaseFrame, { type: "open" }>;

interface Prepared {
  readonly number: number;
  readonly digestOfNoInput: Uint8Array;
}

interface Waiting {
  readonly job: LeaseJob;
  prepared: Prepared | null;
  readonly input: Uint8Array;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: Error) => void;
  tries: number;
}

/** What was run is vouched for so long after it at most. Milliseconds. */
const VOUCHED_WITHIN_MS = 250;
const MOST_TRIES = 5;
const NOTHING = new Uint8Array(0);

/** A lease that is open. */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #url: string;
  readonly #domain: SigningDomain;
  readonly #key: Hex;
  #socket: WebSocket | null = null;
  #open: OpenFrame | null = null;
  #count = new LeaseCount(NO_RUNS);
  #vouchedMega = 0;
  #vouchedRuns = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastId = 0;
  #lastJob = 0;
  readonly #jobs = new Map<string, Prepared>();
  readonly #sender = new FrameSender(
    (message) => this.#socket?.send(message),
    (work) => queueMicrotask(work),
  );
  #isClosed = false;
  readonly #waiting = new Map<number, Waiting>();
  readonly #queue: Waiting[] = [];
  #flying = 0;

  private constructor(url: string, domain: SigningDomain, options: LeaseOptions) {
    this.#options = options;
    this.#domain = domain;
    this.#key = sessionKeyOf(options.seed);
    const { region, provider, obligationId } = options;
    const path = `/v1/regions/${region}/providers/${provider}/leases/${obligationId}/socket`;
    this.#url = `${url.replace(/^http/, "ws")}${path}`;
  }

  /** Opens a lease. @throws PolderProblem with why it is refused; TransportFault */
  static async open(client: PolderClient, options: LeaseOptions): Promise<Lease> {
    const { chainId, settlement } = await client.deployment();
    const lease = new Lease(client.url, { chainId, settlement }, options);
    await lease.#connect();
    return lease;
  }

  /** What was run so far, as both sides have counted it. */
  get tally(): LeaseTally {
    return this.#count.tally;
  }

  /** What the lease is for, in megafuel, and how far its provider runs ahead of vouchers. */
  get terms(): Pick<OpenFrame, "quantityMega" | "creditMega" | "deadlineS"> {
    const { quantityMega, creditMega, deadlineS } = this.#open as OpenFrame;
    return { quantityMega, creditMega, deadlineS };
  }

  /** Runs a job. @throws PolderProblem `lease_overdrawn`, `provider_away`, `run_failed`; TransportFault when the socket breaks */
  run({
    module,
    input,
    args = [],
    env = {},
    limits,
    startS = DEFAULT_START_S,
  }: LeaseRun): Promise<JobResult> {
    if (this.#socket === null) return Promise.reject(new TransportFault("this lease's socket is closed"));
    const job: LeaseJob = { module, args: [...args], env: { ...env }, limits, startS };
    const bytes = input ?? NOTHING;
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, prepared: null, input: bytes, resolve, reject, tries: 0 });
      this.#pump();
    });
  }

  /** Signs for everything that was run. */
  vouch(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { region, obligationId, seed } = this.#options;
    if (this.#count.runs === this.#vouchedRuns || this.#socket === null) return;
    const said = voucherFields(this.#count.tally);
    this.#vouchedRuns = this.#count.runs;
    this.#vouchedMega = said.deliveredMega;
    const signature = signSession(seed, voucherDigest(this.#domain, { region, obligationId, ...said }));
    this.#send({ type: "voucher", ...said, signature, sessionKey: this.#key });
  }

  /** Signs for what was run and closes. */
  close(): void {
    this.vouch();
    this.#sender.flush();
    this.#isClosed = true;
    this.#socket?.close(1000, "");
    this.#failAll(new TransportFault("this lease was closed"));
  }

  #connect(): Promise<void> {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    return new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => {
        const decoded = decodeFrames(leaseFrame, "lease_ran", data as string | ArrayBuffer);
        if ("malformed" in decoded) {
          socket.close();
          return;
        }
        for (const one of decoded.frames) hear(one.frame, one.parts);
      };
      const hear = (frame: LeaseFrame, parts: Parts): void => {
        if (frame.type === "open") {
          const counted = this.#options.tally;
          if (counted !== undefined && frame.tally.fuel > counted.fuel) {
            reject(new TransportFault("the provider has counted more than its buyer"));
            socket.close();
            return;
          }
          this.#socket = socket;
          this.#open = frame;
          this.#count = new LeaseCount(frame.tally);
          resolve();
        } else this.#take(socket, frame, parts);
      };
      socket.onclose = ({ reason }) => {
        const error = isErrorCode(reason)
          ? problemOfCode(reason, {})
          : new TransportFault(`the lease's socket closed: ${reason || "no connection"}`);
        reject(error);
        this.#socket = null;
        if (!this.#isClosed) this.#failAll(error);
      };
    });
  }

  #take(socket: WebSocket, frame: LeaseFrame, parts: Parts): void {
    if (frame.type === "challenge") {
      const { region, obligationId, seed } = this.#options;
      const digest = statementDigest(this.#domain, "LeaseHello", {
        region,
        obligationId,
        challenge: frame.challenge,
      });
      const hello: BuyerFrame = {
        type: "hello",
        sessionKey: this.#key,
        signature: signSession(seed, digest),
      };
      socket.send(encodeFrame(hello));
      return;
    }
    if (frame.type === "open") return;
    const waiting = this.#waiting.get(frame.run);
    if (waiting === undefined) return;
    this.#waiting.delete(frame.run);
    this.#flying -= 1;
    if (frame.type === "unprepared") {
      // The object has slept.
      this.#jobs.clear();
      this.#queue.unshift(waiting);
    } else if (frame.type === "lease_ran") this.#ran(waiting, frame, parts);
    else this.#refused(waiting, frame);
    this.#pump();
  }

  #ran(waiting: Waiting, frame: LeaseRanFrame, parts: Parts): void {
    const [stdout = NOTHING, stderr = NOTHING] = parts;
    const { end, exitCode, fuelUsed, trap } = frame;
    const outputHash = resultHash({ end, exitCode, fuelUsed, stdout, stderr });
    const { job, input } = waiting;
    const jobDigest =
      input.length === 0
        ? (waiting.prepared as Prepared).digestOfNoInput
        : leaseRunDigest(job, inputHashOf(input));
    this.#count.add(jobDigest, outputHash, fuelUsed);
    if (fuelUsed > job.limits.fuelMega * 1_000_000) {
      // Never vouched for: whoever says so has counted what it must not.
      this.#isClosed = true;
      this.#socket?.close(1008, "beyond the run's limit");
      waiting.reject(new TransportFault("the provider says that a run took more than it may"));
      return;
    }
    const aheadMega = this.#count.fuel / 1_000_000 - this.#vouchedMega;
    if (aheadMega > (this.#open as OpenFrame).creditMega / 4) this.vouch();
    else this.#timer ??= setTimeout(() => this.vouch(), VOUCHED_WITHIN_MS);
    waiting.resolve({
      end,
      exitCode,
      stdout,
      stderr,
      fuelUsed,
      outputHash: hexOf(outputHash).slice(2),
      trap,
    });
  }

  #refused(waiting: Waiting, { code, facts }: Extract<LeaseFrame, { type: "refused" }>): void {
    const error = isErrorCode(code) ? problemOfCode(code, facts) : new TransportFault(`refused: ${code}`);
    const mayPass = code === "voucher_due" || code === "overloaded";
    if (!mayPass || waiting.tries >= MOST_TRIES) {
      waiting.reject(error);
      return;
    }
    waiting.tries += 1;
    this.vouch();
    setTimeout(
      () => {
        this.#queue.unshift(waiting);
        this.#pump();
      },
      pauseMs(error, waiting.tries - 1),
    );
  }

  #pump(): void {
    while (this.#flying < MAX_LEASE_RUNS_IN_FLIGHT && this.#queue.length > 0 && this.#socket !== null) {
      const waiting = this.#queue.shift() as Waiting;
      waiting.prepared = this.#prepared(waiting.job);
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, waiting);
      this.#flying += 1;
      const lease = this.#options.obligationId;
      const run = { type: "lease_run", lease, run: this.#lastId, job: waiting.prepared.number } as const;
      this.#send(run, [waiting.input]);
    }
  }

  /** What runs are of, told to the object before the first of them. */
  #prepared(job: LeaseJob): Prepared {
    const text = JSON.stringify(job);
    const known = this.#jobs.get(text);
    if (known !== undefined) return known;
    this.#lastJob += 1;
    const digestOfNoInput = leaseRunDigest(job, NO_INPUT_HASH);
    const prepared = { number: this.#lastJob, digestOfNoInput };
    this.#jobs.set(text, prepared);
    // Half of what the object keeps: it drops the oldest, too.
    if (this.#jobs.size > MAX_LEASE_JOBS / 2) this.#jobs.delete(this.#jobs.keys().next().value as string);
    this.#send({ type: "prepare", job: prepared.number, description: job });
    return prepared;
  }

  #send(frame: BuyerFrame, parts: Parts = []): void {
    this.#sender.send(frame, parts);
  }

  #failAll(error: Error): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const { reject } of [...this.#waiting.values(), ...this.#queue.splice(0)]) reject(error);
    this.#waiting.clear();
    this.#flying = 0;
  }
}

function problemOfCode(code: ErrorCode, facts: PolderProblem["facts"]): PolderProblem {
  const { status, transient, meaning } = ERRORS[code];
  return new PolderProblem(code, status, transient, facts, meaning);
}

// Owns the threads that run jobs: as many as it is given, each ended and made anew when a job overruns its time. It refuses to let
// one job's end be another's: what waited behind it is run by the next thread.

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Job, JobResult } from "../../compute/host/job.ts";

/** What a thread is told. */
export type ThreadOrder =
  | { readonly kind: "module"; readonly name: string; readonly module: WebAssembly.Module }
  | { readonly kind: "forget"; readonly name: string }
  | { readonly kind: "run"; readonly name: string; readonly job: Job }
  /** The very job that was run before it: copying one into a thread takes as long as running a small one. */
  | { readonly kind: "again" };

/** What it says to each run, in their order; several in one message. */
export type ThreadReport =
  | {
      readonly result: Omit<JobResult, "stdout" | "stderr">;
      readonly stdout?: Uint8Array;
      readonly stderr?: Uint8Array;
    }
  | { readonly notRun: string };

/** A job that came to no result on this machine. */
export class RunFailed extends Error {
  override readonly name = "RunFailed";
}

const NOTHING = new Uint8Array(0);
const THREAD = join(import.meta.dirname, "job-thread.ts");

/** A thread is given runs ahead of the one that it is at: as many as it does in this time, or none. Milliseconds. */
const AHEAD_MS = 4;
const MOST_AHEAD = 128;
/** How often running times are looked at. Milliseconds. */
const LOOK_EVERY_MS = 100;
/** Compiled modules that one thread keeps. */
const MODULES_PER_THREAD = 16;
/** Native stack of a thread, megabytes; jobs take a quarter of one. */
const STACK_MB = 4;

interface Waiting {
  readonly name: string;
  readonly module: WebAssembly.Module;
  readonly job: Job;
  readonly wallMs: number;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: RunFailed) => void;
}

/** Threads that run jobs. */
export class JobPool {
  readonly #lanes: Lane[];
  readonly #queue: Waiting[] = [];
  #isPlanned = false;

  constructor(threads: number) {
    this.#lanes = Array.from({ length: threads }, () => new Lane((again) => this.#take(again)));
  }

  get threads(): number {
    return this.#lanes.length;
  }

  /**
   * Runs a job.
   * @param name of the module: the same name is the same module.
   * @param wallMs milliseconds after which it is ended.
   * @throws RunFailed when it took too long, or this machine could not run it.
   */
  run(name: string, module: WebAssembly.Module, job: Job, wallMs: number): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ name, module, job, wallMs, resolve, reject });
      this.#plan();
    });
  }

  async close(): Promise<void> {
    for (const { reject } of this.#queue.splice(0)) reject(new RunFailed("the node stops"));
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  /** A lane has room, and perhaps runs that it could not do. */
  #take(again: readonly Waiting[]): void {
    this.#queue.unshift(...again);
    this.#plan();
  }

  /** Gives out at the end of the turn: what came in one message goes on in one. */
  #plan(): void {
    if (this.#isPlanned || this.#queue.length === 0) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      this.#give();
    });
  }

  /** Idle threads first, then evenly. */
  #give(): void {
    while (this.#queue.length > 0) {
      const lane = this.#lanes.reduce((best, other) => (other.load < best.load ? other : best));
      if (lane.load > lane.ahead) break;
      lane.add(this.#queue.shift() as Waiting);
    }
    for (const lane of this.#lanes) lane.send();
  }
}

/** One thread and what it has been given. */
class Lane {
  readonly #free: (again: readonly Waiting[]) => void;
  #thread: Worker | null = null;
  #modules: string[] = [];
  #given: Waiting[] = [];
  #orders: ThreadOrder[] = [];
  #lastJob: Job | null = null;
  #headSinceMs = 0;
  /** What a run has taken lately, about. Milliseconds. */
  #runMs = AHEAD_MS;
  #toldMs = 0;
  #watch: NodeJS.Timeout | null = null;

  constructor(free: (again: readonly Waiting[]) => void) {
    this.#free = free;
  }

  get load(): number {
    return this.#given.length;
  }

  /** Runs that may wait in this thread: they cannot go to another that is free before. */
  get ahead(): number {
    return Math.min(MOST_AHEAD, Math.floor(AHEAD_MS / this.#runMs));
  }

  add(waiting: Waiting): void {
    if (this.#given.length === 0) {
      this.#headSinceMs = Date.now();
      this.#toldMs = performance.now();
    }
    this.#given.push(waiting);
    const { name, module, job } = waiting;
    if (!this.#modules.includes(name)) {
      this.#modules.push(name);
      this.#orders.push({ kind: "module", name, module });
      if (this.#modules.length > MODULES_PER_THREAD)
        this.#orders.push({ kind: "forget", name: this.#modules.shift() as string });
    }
    this.#orders.push(job === this.#lastJob ? { kind: "again" } : { kind: "run", name, job });
    this.#lastJob = job;
  }

  send(): void {
    if (this.#orders.length === 0) return;
    this.#thread ??= this.#start();
    this.#thread.postMessage(this.#orders);
    this.#orders = [];
    this.#watch ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  async close(): Promise<void> {
    for (const { reject } of this.#given.splice(0)) reject(new RunFailed("the node stops"));
    await this.#end();
  }

  #start(): Worker {
    const thread = new Worker(THREAD, {
      resourceLimits: { stackSizeMb: STACK_MB },
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env: {},
    });
    thread.on("message", (reports: readonly ThreadReport[]) => {
      this.#learn(reports.length);
      for (const report of reports) this.#done(report);
      this.#free([]);
    });
    // A thread that dies by itself (no memory) takes with it the run that it was at.
    thread.on("error", (error) => void this.#fail(thread, `the thread ended: ${error.message}`));
    thread.on("exit", () => void this.#fail(thread, "the thread ended"));
    return thread;
  }

  #learn(runs: number): void {
    const eachMs = (performance.now() - this.#toldMs) / runs;
    this.#toldMs = performance.now();
    // A longer one is believed at once.
    this.#runMs = Math.max(0.001, eachMs, this.#runMs + (eachMs - this.#runMs) / 4);
  }

  #done(report: ThreadReport): void {
    const head = this.#given.shift();
    this.#headSinceMs = Date.now();
    if (head === undefined) return;
    if ("result" in report) {
      const { result, stdout = NOTHING, stderr = NOTHING } = report;
      head.resolve({ ...result, stdout, stderr });
    } else head.reject(new RunFailed(report.notRun));
  }

  #look(): void {
    const [head] = this.#given;
    if (head === undefined) {
      if (this.#watch !== null) clearInterval(this.#watch);
      this.#watch = null;
    } else if (Date.now() - this.#headSinceMs > head.wallMs && this.#thread !== null)
      void this.#fail(this.#thread, "overran");
  }

  /** Ends the thread; its head has failed, the others are for the next. */
  async #fail(thread: Worker, reason: string): Promise<void> {
    if (thread !== this.#thread) return;
    const [head, ...others] = this.#given;
    this.#given = [];
    await this.#end();
    head?.reject(new RunFailed(reason));
    this.#free(others);
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    this.#modules = [];
    this.#orders = [];
    this.#lastJob = null;
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
    await thread?.terminate();
  }
}
